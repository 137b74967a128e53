// Lines on their way from whoever logs to the thread that writes them. Internal to runtime/log.cpp.
// The lock is held for relinking a node and adding numbers, never during input or output nor while
// memory is taken or given back: a loop that logs waits for no terminal, no syslog and no allocator
// of another thread. Nothing is set aside beforehand: an empty queue costs nothing.
#pragma once

#include "runtime/log.hpp"

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>

namespace holdfast::runtime {

struct LogLine {
  std::chrono::system_clock::time_point at;
  Level level = Level::info;
  /// Message::id: "vrrp-state".
  std::string_view id;
  /// "VI_1: BACKUP → MASTER …"
  std::string text;
};

class LogQueue {
 public:
  /// What lines may occupy, all told, while they wait.
  explicit LogQueue(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// Beyond the bound the oldest lines make room and are counted; the newest always has a place.
  void push(LogLine line);
  /// The oldest line. Waits until there is one; nullopt: closed, and all were taken.
  [[nodiscard]] std::optional<LogLine> take();
  /// What is waiting can still be taken.
  void close();
  /// Lines that had to make room.
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<LogLine> lines_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
  bool closed_ = false;
};

}  // namespace holdfast::runtime
