#include "runtime/side_job.hpp"

#include "runtime/memory.hpp"
#include "runtime/process.hpp"

#include <boost/asio/post.hpp>

#include <system_error>
#include <utility>

namespace holdfast::runtime {

SideJob::SideJob(boost::asio::io_context& io) : io_(io) {}

SideJob::~SideJob() {
  if (thread_.joinable()) thread_.join();
}

core::Result<void> SideJob::start(std::function<void()> work, std::function<void()> done) {
  if (thread_.joinable()) return core::fail("another rehearsal is under way, ask again");
  try {
    thread_ = std::thread([this, work = std::move(work), done = std::move(done),
                           life = std::weak_ptr<Life>(life_)]() mutable {
      // It works on values: where they cannot be given up, nothing here uses them.
      static_cast<void>(give_up_capabilities_of_this_thread());
      work();
      work = nullptr;  // what it holds can be large
      return_free_memory();
      boost::asio::post(io_, [this, done = std::move(done), life] {
        if (!life.lock()) return;
        thread_.join();  // this was the last thing that it did
        done();
      });
    });
  } catch (const std::system_error& error) {  // a limit on tasks
    return core::fail("cannot rehearse: {}", error.what());
  }
  return {};
}

}  // namespace holdfast::runtime
