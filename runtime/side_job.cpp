#include "runtime/side_job.hpp"

#include "runtime/memory.hpp"
#include "runtime/process.hpp"

#include <utility>

namespace holdfast::runtime {

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
        done();
      });
  if (!started) is_busy_ = false;
  return started;
}

}  // namespace holdfast::runtime
