// What a process says to its operator. Every room keeps its messages in a `messages.hpp`: one
// Message per thing that can be said, so that the list of messages can be printed, translated and
// looked up by id. A log call formats the text and puts it into a bounded queue; a background
// thread writes. It never blocks the caller: when the queue is full the oldest line is dropped and
// counted.
#pragma once

#include "core/time.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace holdfast::runtime {

/// `detail` is shown from -D on, `debug` from -D -D on.
enum class Level : std::uint8_t { debug, detail, info, warning, error, critical };

/// One catalogue entry. Make them `inline constexpr Message kBecameMaster{"vrrp-became-master",
/// Level::info, "…"}`.
struct Message {
  /// Unique in the suite, starts with the room: "vrrp-became-master". Stable: operators filter on
  /// it.
  std::string_view id;
  Level level = Level::info;
  /// One paragraph for the operator: what it means and what to do.
  std::string_view help;
};

/// How a line looks on stderr and in a file.
enum class LogFormat : std::uint8_t {
  text,  ///< "2026-11-21T00:42:03.123Z vrrp[4711] info vrrp-became-master: text"
  json,  ///< {"at":"…","process":"vrrp","pid":4711,"level":"info","id":"…","text":"…"}
};

/// Where the lines go. Travels from the watchdog to its children as command line words.
struct LogSettings {
  /// keepalived: -l.
  bool to_stderr = false;
  bool to_syslog = true;
  /// A facility of <syslog.h>, e.g. LOG_DAEMON. keepalived: -S.
  int syslog_facility = 3 << 3;
  /// Number of -D on the command line.
  int detail = 0;
  /// keepalived: -g. Each process appends to a file of its own (log_file_of); empty: none.
  std::string file = {};
  LogFormat format = LogFormat::text;

  bool operator==(const LogSettings&) const = default;
};

/// Lines that wait for a slow terminal or syslog occupy at most this much (about ten thousand of
/// them); then the oldest is dropped. Only lines that wait occupy anything.
inline constexpr std::size_t kLogQueueBytes = std::size_t{2} << 20;

/// The file of a process: the parent ("holdfast") has `file` itself, the others put "_vrrp",
/// "_healthcheckers" (keepalived's name for the checkers), "_scripts" … before its last dot.
[[nodiscard]] std::string log_file_of(const std::string& file, std::string_view process);

class RecentLines;
struct LogStyle;

/// One per process, made in main or run_daemon (after any fork) and passed by reference.
class Logger {
 public:
  /// `process`: "holdfast", "vrrp", "checkers"; appears in every line and as the syslog ident.
  Logger(std::string process, const LogSettings& settings);
  /// Writes out what is in the queue, waiting at most about a second for a stuck terminal or
  /// syslog.
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  template <class... Args>
  void log(const Message& message, fmt::format_string<Args...> text, Args&&... args) {
    if (is_shown(message.level)) write(message, fmt::format(text, std::forward<Args>(args)...));
  }
  /// The text is ready already.
  void log_text(const Message& message, std::string text) {
    if (is_shown(message.level)) write(message, std::move(text));
  }
  [[nodiscard]] bool is_shown(Level level) const { return level >= least_; }
  /// Lines lost since start: the queue was full, or stderr took none.
  [[nodiscard]] std::uint64_t dropped() const;
  /// The latest lines again, for whoever asks (`holdfastctl events`).
  [[nodiscard]] const RecentLines& recent() const;

 private:
  void write(const Message& message, std::string text);
  void open_file(const std::string& path, const LogStyle& style);

  Level least_;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Says how often something repeatable (a peer's bad packets) may be logged: the first time at
/// once, then once per interval and key, with the number of those held back. Bounded: with more
/// than kMaxKeys keys the oldest is forgotten. A value without clock; the caller passes the time.
class RateLimiter {
 public:
  static constexpr std::size_t kMaxKeys = 1024;

  explicit RateLimiter(core::Duration interval) : interval_(interval) {}
  /// nullopt: hold it back. Otherwise log, and say how many were held back since the last time.
  [[nodiscard]] std::optional<std::uint64_t> admit(const std::string& key, core::Instant now);

 private:
  struct Entry {
    core::Instant admitted_at;
    std::uint64_t held_back = 0;
  };
  core::Duration interval_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace holdfast::runtime
