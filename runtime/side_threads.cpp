#include "runtime/side_threads.hpp"

#include "runtime/signals.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <system_error>
#include <utility>

namespace holdfast::runtime {

SideThreads::~SideThreads() {
  for (std::thread& thread : *threads_) thread.join();
}

core::Result<void> SideThreads::run(std::function<void()> work, std::function<void()> then) {
  const auto thread = threads_->emplace(threads_->end());
  auto body = [&io = io_, thread, work = std::move(work), then = std::move(then),
               alive = std::weak_ptr(threads_)] {
    work();
    boost::asio::post(io, [thread, then, alive] {
      const auto threads = alive.lock();
      if (!threads) return;
      thread->join();  // this was the last thing that it did
      threads->erase(thread);
      then();
    });
  };
  try {
    const SignalsBlocked blocked;  // they are for the loop
    *thread = std::thread(std::move(body));
  } catch (const std::system_error& error) {
    threads_->erase(thread);
    return core::fail("no thread can be had: {}", error.what());
  }
  return {};
}

}  // namespace holdfast::runtime
