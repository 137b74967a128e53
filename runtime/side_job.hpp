// What an operator asks for and takes long: one piece at a time beside the loop, without
// capabilities. What it makes comes back to the loop.
#pragma once

#include "runtime/loop.hpp"
#include "runtime/side_threads.hpp"

namespace holdfast::runtime {

class SideJob {
 public:
  explicit SideJob(boost::asio::io_context& io);

  /// Runs `work` in a thread, then `done` in the loop; `done` may start the next. Fails when one is
  /// under way, or there can be no thread. `work` shares nothing with the loop but what both only
  /// read. At the end of this object what runs is waited for, and `done` not called any more.
  [[nodiscard]] core::Result<void> start(std::function<void()> work, std::function<void()> done);

 private:
  bool is_busy_ = false;
  DeadlineTimer tidy_up_;
  SideThreads threads_;
};

}  // namespace holdfast::runtime
