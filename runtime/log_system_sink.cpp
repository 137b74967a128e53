// The native protocol of journald (systemd, JOURNAL_NATIVE_PROTOCOL): a datagram of fields, each
// "NAME=value\n", or with a length before a value that has several lines. What syslog would have
// had of a line is there, too, and journald passes it on to a syslog as before.
#include "runtime/log_sinks.hpp"
#include "runtime/unique_fd.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

constexpr const char* kJournal = "/run/systemd/journal/socket";

UniqueFd connect_to_journal() {
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, kJournal, sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return {};
  return fd;
}

void append(std::string& datagram, std::string_view name, std::string_view value) {
  if (value.find('\n') == value.npos) {
    fmt::format_to(std::back_inserter(datagram), "{}={}\n", name, value);
    return;
  }
  static_assert(std::endian::native == std::endian::little, "the length is little-endian");
  const std::uint64_t size = value.size();
  datagram.append(name) += '\n';
  datagram.append(reinterpret_cast<const char*>(&size), sizeof size);
  datagram.append(value) += '\n';
}

class SystemSink final : public LogSink {
 public:
  SystemSink(const std::string& process, int facility)
      : process_(process),
        ident_(process == "holdfast" ? process : "holdfast-" + process),
        facility_(facility),
        journal_(connect_to_journal()) {
    ::openlog(ident_.c_str(), LOG_PID | LOG_NDELAY, facility);
  }
  ~SystemSink() override { ::closelog(); }
  SystemSink(const SystemSink&) = delete;
  SystemSink& operator=(const SystemSink&) = delete;

  void write(const LogLine& line) override {
    if (journal_ && (to_journal(line) || (connect_again() && to_journal(line)))) return;
    ::syslog(syslog_priority(line.level), "%s: %s", std::string(line.id).c_str(),
             line.text.c_str());
  }

 private:
  bool connect_again() {
    if (errno == EMSGSIZE) return false;  // syslog(3) cuts it
    journal_ = connect_to_journal();
    return static_cast<bool>(journal_);
  }

  bool to_journal(const LogLine& line) {
    datagram_.clear();
    append(datagram_, "MESSAGE", fmt::format("{}: {}", line.id, line.text));
    append(datagram_, "PRIORITY", fmt::to_string(syslog_priority(line.level)));
    append(datagram_, "SYSLOG_FACILITY", fmt::to_string(facility_ >> 3));
    append(datagram_, "SYSLOG_IDENTIFIER", ident_);
    append(datagram_, "SYSLOG_PID", fmt::to_string(::getpid()));
    append(datagram_, "HOLDFAST_EVENT", line.id);
    append(datagram_, "HOLDFAST_PROCESS", process_);
    return ::send(journal_.get(), datagram_.data(), datagram_.size(), MSG_NOSIGNAL) >= 0;
  }

  std::string process_;
  std::string ident_;  // openlog keeps the pointer
  int facility_;
  UniqueFd journal_;
  std::string datagram_;
};

}  // namespace

int syslog_priority(Level level) {
  switch (level) {
    case Level::debug:
    case Level::detail:
      return LOG_DEBUG;
    case Level::info:
      return LOG_INFO;
    case Level::warning:
      return LOG_WARNING;
    case Level::error:
      return LOG_ERR;
    case Level::critical:
      return LOG_CRIT;
  }
  return LOG_INFO;
}

std::unique_ptr<LogSink> make_system_sink(const std::string& process, int facility) {
  return std::make_unique<SystemSink>(process, facility);
}

}  // namespace holdfast::runtime
