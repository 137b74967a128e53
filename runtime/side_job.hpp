// What an operator asks for and takes long: one piece at a time beside the loop, without
// capabilities. What it makes comes back to the loop.
#pragma once

#include "core/base64.hpp"
#include "runtime/control_socket.hpp"
#include "runtime/loop.hpp"
#include "runtime/side_threads.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

namespace holdfast::runtime {

class SideJob {
 public:
  explicit SideJob(boost::asio::io_context& io);
  ~SideJob();
  SideJob(const SideJob&) = delete;
  SideJob& operator=(const SideJob&) = delete;

  /// Runs `work` in a thread, then `done` in the loop; `done` may start the next. Fails when one is
  /// under way, or there can be no thread. `work` shares nothing with the loop but what both only
  /// read. At the end of this object what runs is told that it is not wanted, then waited for, and
  /// `done` not called any more.
  [[nodiscard]] core::Result<void> start(std::function<void()> work, std::function<void()> done);

  /// For work that takes long, to be asked now and then: false when nobody waits for it any more.
  [[nodiscard]] std::function<bool()> is_wanted() const;
  /// Makes an answer in the thread and gives it in the loop; where that cannot be, why.
  void answer(std::function<boost::json::object()> make, const ControlReply& reply);
  /// Reads the snapshot that a request brings in the thread, and calls `then` with it in the loop;
  /// what cannot be read is answered with its error.
  template <class Plan>
  void read_snapshot(const boost::json::object& request,
                     std::function<core::Result<Plan>(std::string_view bytes)> read,
                     std::function<void(Plan)> then, const ControlReply& reply) {
    const auto plan = std::make_shared<core::Result<Plan>>(core::fail("it is no snapshot"));
    const auto started = start(
        [text = word_of(request, "snapshot"), read = std::move(read), plan] {
          if (const auto bytes = core::from_base64(text)) *plan = read(*bytes);
        },
        [plan, then = std::move(then), reply] {
          if (!*plan) return reply(error_answer(plan->error()));
          then(std::move(**plan));
        });
    if (!started) reply(error_answer(started.error()));
  }

 private:
  bool is_busy_ = false;
  std::shared_ptr<std::atomic<bool>> wanted_ = std::make_shared<std::atomic<bool>>(true);
  DeadlineTimer tidy_up_;
  SideThreads threads_;
};

}  // namespace holdfast::runtime
