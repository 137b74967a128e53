#include "runtime/loop.hpp"
#include "runtime/preparation.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <atomic>
#include <string>
#include <vector>

using namespace holdfast;
using namespace holdfast::runtime;
using namespace holdfast::runtime::testing;
using namespace std::chrono_literals;

namespace {

UniqueFd sealed(std::string_view text) {
  auto fd = write_sealed_memfd("test", text);
  REQUIRE(fd.has_value());
  return std::move(*fd);
}

/// What was said at the end of each begin(), in order.
struct Heard {
  std::vector<std::string> lines;
  auto as(std::string name) {
    return [this, name](core::Result<void> result) {
      lines.push_back(name + ": " + (result ? "ready" : result.error().message));
    };
  }
};

void run_for(boost::asio::io_context& io, core::Duration time) {
  const core::Instant until = now() + time;
  static_cast<void>(run_until(io, [&] { return now() >= until; }));
}

}  // namespace

TEST_CASE("preparation: what was read beside the loop is there once, when it was accepted") {
  boost::asio::io_context io;
  Heard heard;
  const std::thread::id loop = std::this_thread::get_id();
  std::atomic<bool> beside{false};
  Preparation<std::string> preparation(
      io,
      [&](std::string_view bytes) -> core::Result<std::string> {
        beside = std::this_thread::get_id() != loop;
        if (bytes == "broken") return core::fail("it is broken");
        return std::string(bytes);
      },
      [](const std::string& plan) -> core::Result<void> {
        if (plan == "too much") return core::fail("the host cannot do that");
        return {};
      });

  for (const std::string text : {"good", "broken", "too much"}) {
    const std::size_t before = heard.lines.size();
    preparation.begin(sealed(text), heard.as(text));
    CHECK_FALSE(preparation.take());  // not before the loop has come to it
    REQUIRE(run_until(io, [&] { return heard.lines.size() > before; }));
    CHECK(preparation.take().has_value() == (text == "good"));
    CHECK_FALSE(preparation.take());
  }
  CHECK(beside);
  CHECK(heard.lines == std::vector<std::string>{"good: ready", "broken: it is broken",
                                                "too much: the host cannot do that"});
}

TEST_CASE("preparation: the newest counts, and the loop does not wait for the others") {
  boost::asio::io_context io;
  Heard heard;
  std::atomic<bool> slow_may_end{false};
  Preparation<std::string> preparation(
      io,
      [&](std::string_view bytes) -> core::Result<std::string> {
        while (bytes == "slow" && !slow_may_end) std::this_thread::sleep_for(1ms);
        return std::string(bytes);
      },
      [](const std::string&) { return core::Result<void>(); });

  preparation.begin(sealed("slow"), heard.as("slow"));
  preparation.begin(sealed("fast"), heard.as("fast"));
  REQUIRE(run_until(io, [&] { return heard.lines.size() == 1; }));
  slow_may_end = true;
  run_for(io, 50ms);
  CHECK(heard.lines == std::vector<std::string>{"fast: ready"});
  CHECK(preparation.take() == "fast");

  preparation.begin(sealed("given up"), heard.as("given up"));
  preparation.abort();
  run_for(io, 50ms);
  CHECK(heard.lines.size() == 1);
  CHECK_FALSE(preparation.take());
}

TEST_CASE("side threads: the end waits for the work, and nobody hears of it") {
  boost::asio::io_context io;
  std::atomic<int> done = 0;
  bool heard = false;
  {
    SideThreads threads(io);
    for (int i = 0; i < 3; ++i)
      REQUIRE(threads
                  .run(
                      [&] {
                        std::this_thread::sleep_for(5ms);
                        ++done;
                      },
                      [&] { heard = true; })
                  .has_value());
  }
  CHECK(done == 3);
  io.poll();
  CHECK_FALSE(heard);
}
