#include "runtime/side_job.hpp"

#include "runtime/clock.hpp"
#include "runtime/memory.hpp"
#include "runtime/process.hpp"

#include <utility>

namespace holdfast::runtime {

namespace {

/// The answer has been read by then.
constexpr core::Duration kTidyUpAfter = std::chrono::seconds(1);

}  // namespace

SideJob::SideJob(boost::asio::io_context& io)
    : tidy_up_(io,
               [] {
                 return_free_memory();
                 return_idle_code();
               }),
      threads_(io) {}

SideJob::~SideJob() {
  *wanted_ = false;
}

std::function<bool()> SideJob::is_wanted() const {
  return [wanted = wanted_] { return wanted->load(std::memory_order_relaxed); };
}

core::Result<void> SideJob::start(std::function<void()> work, std::function<void()> done) {
  if (is_busy_) return core::fail("another rehearsal is under way, ask again");
  is_busy_ = true;
  auto started = threads_.run(
      [work = std::move(work)]() mutable {
        // It works on values: where they cannot be given up, nothing here uses them.
        static_cast<void>(give_up_capabilities_of_this_thread());
        work();
        work = nullptr;  // what it holds can be large
        return_free_memory();
      },
      [this, done = std::move(done)] {
        is_busy_ = false;
        tidy_up_.arm(now() + kTidyUpAfter);
        done();
      });
  if (!started) is_busy_ = false;
  return started;
}

void SideJob::answer(std::function<boost::json::object()> make, const ControlReply& reply) {
  const auto answer = std::make_shared<boost::json::object>();
  const auto started = start([answer, make = std::move(make)] { *answer = make(); },
                             [answer, reply] { reply(std::move(*answer)); });
  if (!started) reply(error_answer(started.error()));
}

}  // namespace holdfast::runtime
