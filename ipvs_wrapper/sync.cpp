#include "ipvs_wrapper/sync.hpp"

#include "ipvs_wrapper/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace holdfast::ipvs {
namespace {

constexpr std::uint16_t kShortestOfBackup = 1024;

std::string attempt(const SyncCommand& command) {
  struct Words {
    std::string operator()(const StopSync& stop) const {
      return fmt::format("cannot stop the IPVS sync daemon ({})", to_string(stop.role));
    }
    std::string operator()(const StartSync& start) const {
      return fmt::format("cannot start the IPVS sync daemon ({})",
                         to_string(start.role, start.daemon));
    }
    std::string operator()(const SetTimeouts& set) const {
      return fmt::format("cannot set the IPVS timeouts ({} {} {})", set.timeouts.tcp,
                         set.timeouts.tcp_fin, set.timeouts.udp);
    }
  };
  return std::visit(Words{}, command);
}

std::string reason(const StartSync& start, int error) {
  const std::string& interface = start.daemon.interface;
  if (error == ENODEV) return fmt::format("there is no interface {}", interface);
  if (error == EINVAL)
    return "the kernel refuses it, as it does while a server of another address family than its "
           "service is in the table, or when 'group' is no multicast address";
  if (error == EEXIST) return "one with other settings runs already; somebody else started it";
  if (error == EADDRNOTAVAIL || error == ENETUNREACH)
    return fmt::format("{} has no address or no route to the group {}", interface,
                       start.daemon.group.to_string());
  if (error == EADDRINUSE) return fmt::format("UDP port {} is in use", start.daemon.port);
  return std::generic_category().message(error);
}

}  // namespace

bool is_as_asked(SyncRole role, const SyncDaemon& actual, const SyncDaemon& asked) {
  SyncDaemon same = asked;
  const std::uint16_t at_least =
      role == SyncRole::backup ? std::max(kShortestOfBackup, asked.max_length) : asked.max_length;
  if (asked.max_length == 0 || actual.max_length == at_least) same.max_length = actual.max_length;
  return actual == same;
}

std::vector<SyncCommand> commands_for(const SyncDaemons& actual, const SyncDaemons& wanted) {
  std::vector<SyncCommand> commands;
  for (const auto& [role, daemon] : wanted) {
    const auto there = actual.find(role);
    if (there != actual.end() && is_as_asked(role, there->second, daemon)) continue;
    if (there != actual.end()) commands.emplace_back(StopSync{role});
    commands.emplace_back(StartSync{role, daemon});
  }
  for (const auto& [role, daemon] : actual)
    if (!wanted.contains(role)) commands.emplace_back(StopSync{role});
  return commands;
}

std::string to_string(SyncRole role) {
  return role == SyncRole::master ? "master" : "backup";
}

std::string to_string(SyncRole role, const SyncDaemon& daemon) {
  return fmt::format("{} on {}, id {}", to_string(role), daemon.interface, daemon.id);
}

std::string to_string(const SyncCommand& command) {
  struct Words {
    std::string operator()(const StopSync& stop) const {
      return fmt::format("--stop-daemon {}", to_string(stop.role));
    }
    std::string operator()(const StartSync& start) const {
      const SyncDaemon& one = start.daemon;
      std::string line = fmt::format(
          "--start-daemon {} --mcast-interface {} --syncid {} --mcast-group {} "
          "--mcast-port {} --mcast-ttl {}",
          to_string(start.role), one.interface, one.id, one.group.to_string(), one.port, one.ttl);
      if (one.max_length != 0) line += fmt::format(" --sync-maxlen {}", one.max_length);
      return line;
    }
    std::string operator()(const SetTimeouts& set) const {
      return fmt::format("--set {} {} {}", set.timeouts.tcp, set.timeouts.tcp_fin,
                         set.timeouts.udp);
    }
  };
  return std::visit(Words{}, command);
}

std::string explain(const SyncCommand& command, int system_errno) {
  const std::string what = attempt(command);
  if (system_errno == EPERM) return explain_access(what.substr(7), system_errno);
  const auto* start = std::get_if<StartSync>(&command);
  return fmt::format("{}: {}", what,
                     start != nullptr ? reason(*start, system_errno)
                                      : std::generic_category().message(system_errno));
}

bool is_already_true(const SyncCommand& command, int system_errno) {
  return std::holds_alternative<StopSync>(command) && system_errno == ESRCH;
}

}  // namespace holdfast::ipvs
