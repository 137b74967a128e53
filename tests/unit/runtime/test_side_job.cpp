#include "runtime/clock.hpp"
#include "runtime/side_job.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <atomic>
#include <thread>

using namespace holdfast;
using namespace holdfast::runtime;
using namespace std::chrono_literals;
using testing::run_until;

TEST_CASE("side job: what it makes comes back to the loop, and the next may begin") {
  boost::asio::io_context io;
  SideJob job(io);
  int made = 0;
  int done = 0;

  CHECK(job.start([&] { made = 7; }, [&] { done = made; }).has_value());
  CHECK_FALSE(job.start([] {}, [] {}).has_value());
  CHECK(run_until(io, [&] { return done == 7; }));
  CHECK(job.start([] {}, [&] { done = 8; }).has_value());
  CHECK(run_until(io, [&] { return done == 8; }));
}

TEST_CASE("side job: at its end long work is told that nobody waits for it") {
  boost::asio::io_context io;
  std::atomic<bool> began = false;
  bool told = false;
  bool done = false;
  auto job = std::make_unique<SideJob>(io);
  const core::Instant deadline = now() + 20s;
  const auto work = [&, is_wanted = job->is_wanted()] {
    began = is_wanted();
    while (is_wanted() && now() < deadline) std::this_thread::sleep_for(1ms);
    told = !is_wanted();
  };
  REQUIRE(job->start(work, [&] { done = true; }).has_value());
  CHECK(run_until(io, [&] { return began.load(); }));

  job.reset();

  CHECK(told);
  CHECK(now() < deadline);
  io.run_for(5ms);
  CHECK_FALSE(done);
}
