// The latest lines of a process, kept in memory for whoever asks for its events: a director says
// what it did also where nobody kept its log.
#pragma once

#include "runtime/log_queue.hpp"

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

namespace holdfast::runtime {

class ControlServer;

/// What the lines occupy at most; the oldest make room, but the newest always has a place.
inline constexpr std::size_t kRecentBytes = std::size_t{64} << 10;

class RecentLines {
 public:
  struct After {
    std::vector<LogLine> lines;  ///< Oldest first.
    std::uint64_t newest = 0;    ///< Number of the last one; 0: nothing was ever said.
    std::uint64_t missed = 0;    ///< That came after the number as well, and made room.
  };

  void add(const LogLine& line);
  /// Those behind this number. The first line of a process has the number 1.
  [[nodiscard]] After after(std::uint64_t number) const;

 private:
  mutable std::mutex mutex_;
  std::deque<LogLine> lines_;
  std::size_t bytes_ = 0;
  std::uint64_t newest_ = 0;
};

/// "events", for those who may change things, as lines quote names and commands of the
/// configuration: {"pid", "newest", "missed", "events": [{"at", "level", "id", "text"}]} with what
/// came after the number "after" of the request (0 or absent: all that is kept). The logger
/// outlives the server.
void answer_about_events(ControlServer& server, const Logger& logger);

}  // namespace holdfast::runtime
