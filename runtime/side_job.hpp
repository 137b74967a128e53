// Long work beside the loop: one piece at a time in a thread of its own, without capabilities. What
// it makes comes back to the loop. For what an operator asks for; made by a process, never waits in
// the loop except at its end.
#pragma once

#include "core/result.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <thread>

namespace holdfast::runtime {

class SideJob {
 public:
  explicit SideJob(boost::asio::io_context& io);
  /// Waits for what runs; its `done` is not called any more.
  ~SideJob();
  SideJob(const SideJob&) = delete;
  SideJob& operator=(const SideJob&) = delete;

  /// Runs `work` in the thread, then `done` in the loop; `done` may start the next. Fails when one
  /// is under way, or there can be no thread. `work` shares nothing with the loop but what both
  /// only read.
  [[nodiscard]] core::Result<void> start(std::function<void()> work, std::function<void()> done);

 private:
  struct Life {};

  boost::asio::io_context& io_;
  std::thread thread_;
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
};

}  // namespace holdfast::runtime
