#include "runtime/clock.hpp"
#include "runtime/loop.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <csignal>

using namespace holdfast;
using namespace holdfast::runtime;
using namespace std::chrono_literals;
using testing::run_until;

TEST_CASE("deadline timer: calls once, not before the instant") {
  boost::asio::io_context io;
  int calls = 0;
  core::Instant called_at;
  DeadlineTimer timer(io, [&] {
    ++calls;
    called_at = now();
  });
  const core::Instant deadline = now() + 5ms;

  timer.arm(deadline);

  CHECK(run_until(io, [&] { return calls == 1; }));
  CHECK(called_at >= deadline);
  CHECK(timer.armed() == std::nullopt);
}

TEST_CASE(
    "deadline timer: re-arming replaces, nullopt disarms, also when the handler is queued "
    "already") {
  boost::asio::io_context io;
  int calls = 0;
  DeadlineTimer timer(io, [&] { ++calls; });
  timer.arm(now() - 1s);
  timer.arm(std::nullopt);
  io.run_for(5ms);
  CHECK(calls == 0);

  timer.arm(now() - 1s);
  timer.arm(now() - 2s);
  CHECK(run_until(io, [&] { return calls == 1; }));
  io.restart();
  io.run_for(5ms);
  CHECK(calls == 1);
}

TEST_CASE("deadline timer: destruction means silence") {
  boost::asio::io_context io;
  int calls = 0;
  {
    DeadlineTimer timer(io, [&] { ++calls; });
    timer.arm(now() - 1s);
  }
  io.run_for(5ms);
  CHECK(calls == 0);
}

TEST_CASE("deadline timer: the callback may arm again") {
  boost::asio::io_context io;
  int calls = 0;
  std::unique_ptr<DeadlineTimer> timer;
  timer = std::make_unique<DeadlineTimer>(io, [&] {
    if (++calls < 3) timer->arm(now());
  });
  timer->arm(now());
  CHECK(run_until(io, [&] { return calls == 3; }));
}

TEST_CASE("loop: signals arrive as calls from inside the loop, stop ends it with its code") {
  Loop loop;
  int got = 0;
  loop.on_signals(std::array{SIGUSR1}, [&](int number) {
    got = number;
    loop.stop(7);
  });
  ::raise(SIGUSR1);

  CHECK(loop.run() == 7);
  CHECK(got == SIGUSR1);
}
