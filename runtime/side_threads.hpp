// Work that takes long, beside the loop: each piece in a thread of its own.
#pragma once

#include "core/result.hpp"

#include <functional>
#include <list>
#include <memory>
#include <thread>

namespace boost::asio {
class io_context;
}

namespace holdfast::runtime {

class SideThreads {
 public:
  explicit SideThreads(boost::asio::io_context& io) : io_(io) {}
  /// Waits for the work that runs; nobody hears of its end any more.
  ~SideThreads();
  SideThreads(const SideThreads&) = delete;
  SideThreads& operator=(const SideThreads&) = delete;

  /// `work` runs in a new thread and shares nothing with the loop; `then` runs in the loop when it
  /// is done. Fails where no thread can be had (a limit on tasks), and neither runs.
  [[nodiscard]] core::Result<void> run(std::function<void()> work, std::function<void()> then);

 private:
  using Threads = std::list<std::thread>;

  boost::asio::io_context& io_;
  /// Shared so that what was posted when this ended finds out.
  std::shared_ptr<Threads> threads_ = std::make_shared<Threads>();
};

}  // namespace holdfast::runtime
