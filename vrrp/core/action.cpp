#include "vrrp/core/action.hpp"

#include "vrrp/core/ah.hpp"

#include <fmt/format.h>

namespace holdfast::vrrp {
namespace {

struct Describe {
  std::string operator()(const SendAdvert& action) const {
    return fmt::format("send advert priority {}", action.priority);
  }
  std::string operator()(const PublishAddresses& action) const {
    std::string text = "publish";
    for (const VirtualAddress& address : action.addresses) text += " " + address.prefix.to_string();
    return text;
  }
  std::string operator()(const WithdrawAddresses&) const { return "withdraw"; }
  std::string operator()(const Announce& action) const {
    return fmt::format("announce x{}", action.repeat);
  }
  std::string operator()(const Notify& action) const {
    return fmt::format("notify {} {}", to_string(action.state), action.priority);
  }
  std::string operator()(const Remember& action) const {
    return fmt::format("remember {}", to_string(action.state));
  }
  std::string operator()(const StateChanged& action) const {
    return fmt::format("{} -> {}: {}", to_string(action.from), to_string(action.to), action.why);
  }
  std::string operator()(const GroupChanged& action) const {
    return fmt::format("group {} {} -> {}: {}", action.group, to_string(action.from),
                       to_string(action.to), action.why);
  }
  std::string operator()(const PriorityChanged& action) const {
    return fmt::format("priority {} -> {}{}{}", action.from, action.to,
                       action.why.empty() ? "" : ": ", action.why);
  }
  std::string operator()(const PeerProblem& action) const {
    return fmt::format("problem {}: {} {}", to_string(action.reason), action.source.to_string(),
                       action.sentence);
  }
  std::string operator()(const Removed&) const { return "removed"; }
  std::string operator()(const Stopped&) const { return "stopped"; }
};

}  // namespace

std::string to_string(const Action& action) {
  return std::visit(Describe{}, action);
}

std::string_view to_string(NotifyState state) {
  switch (state) {
    case NotifyState::master:
      return "MASTER";
    case NotifyState::backup:
      return "BACKUP";
    case NotifyState::fault:
      return "FAULT";
    case NotifyState::stop:
      return "STOP";
    case NotifyState::deleted:
      return "DELETED";
    case NotifyState::master_priority:
      return "MASTER_PRIORITY";
    case NotifyState::backup_priority:
      return "BACKUP_PRIORITY";
    case NotifyState::master_rx_lower_pri:
      return "MASTER_RX_LOWER_PRI";
  }
  return "UNKNOWN";
}

std::string_view to_string(StateName name) {
  switch (name) {
    case StateName::init:
      return "INIT";
    case StateName::backup:
      return "BACKUP";
    case StateName::master:
      return "MASTER";
    case StateName::fault:
      return "FAULT";
  }
  return "UNKNOWN";
}

StateName name_of(const State& state) {
  struct Name {
    StateName operator()(const Init&) const { return StateName::init; }
    StateName operator()(const Backup&) const { return StateName::backup; }
    StateName operator()(const Master&) const { return StateName::master; }
    StateName operator()(const Fault&) const { return StateName::fault; }
  };
  return std::visit(Name{}, state);
}

std::vector<Letter> Departure::plain_letters() const {
  std::vector<Letter> plain = letters;
  for (Letter& each : plain) {
    auto& bytes = each.payload;
    if (protocol == kIpProtocolAh) bytes.erase(bytes.begin(), bytes.begin() + kAhBytes);
    bytes.resize(bytes.size() - trailer_bytes);
    if (trailer_bytes != 0) bytes[kChecksumOffset] = bytes[kChecksumOffset + 1] = 0;
  }
  return plain;
}

}  // namespace holdfast::vrrp
