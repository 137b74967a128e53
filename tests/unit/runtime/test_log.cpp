#include "runtime/line_budget.hpp"
#include "runtime/log.hpp"
#include "runtime/log_queue.hpp"
#include "runtime/unique_fd.hpp"

#include <doctest/doctest.h>

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <sstream>
#include <string>
#include <thread>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::runtime;
using namespace std::chrono_literals;

namespace {

constexpr Message kTestInfo{"test-info", Level::info, "Only in tests."};
constexpr Message kTestDetail{"test-detail", Level::detail, "Only in tests."};
constexpr Message kTestDebug{"test-debug", Level::debug, "Only in tests."};

/// stderr is a pipe for as long as this lives.
class StderrPipe {
 public:
  StderrPipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    reader_.reset(ends[0]);
    saved_.reset(::dup(STDERR_FILENO));
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  ~StderrPipe() { ::dup2(saved_.get(), STDERR_FILENO); }
  StderrPipe(const StderrPipe&) = delete;
  StderrPipe& operator=(const StderrPipe&) = delete;

  std::string read() {
    std::string text(65536, '\0');
    ::fcntl(reader_.get(), F_SETFL, O_NONBLOCK);
    const ssize_t count = ::read(reader_.get(), text.data(), text.size());
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }

 private:
  UniqueFd reader_;
  UniqueFd saved_;
};

constexpr LogSettings kToStderr{.to_stderr = true, .to_syslog = false};

}  // namespace

TEST_CASE("log: a line on stderr has time, process, level, id and text") {
  StderrPipe captured;
  { Logger("vrrp", kToStderr).log(kTestInfo, "instance {} is {}", "VI_1", "master"); }

  const std::string text = captured.read();

  CHECK(text.find("T") == 10);
  CHECK(text.find(" vrrp[" + std::to_string(::getpid()) +
                  "] info test-info: instance VI_1 is master\n") == 24);
}

TEST_CASE("log: detail is shown with one -D, debug with two") {
  LogSettings settings = kToStderr;
  CHECK_FALSE(Logger("t", settings).is_shown(Level::detail));
  settings.detail = 1;
  CHECK(Logger("t", settings).is_shown(Level::detail));
  CHECK_FALSE(Logger("t", settings).is_shown(Level::debug));
  settings.detail = 2;
  CHECK(Logger("t", settings).is_shown(Level::debug));

  StderrPipe captured;
  {
    Logger logger("t", kToStderr);
    logger.log(kTestDetail, "hidden");
    logger.log(kTestDebug, "hidden");
  }
  CHECK(captured.read().empty());
}

TEST_CASE(
    "log: a stderr that takes nothing costs lines, which are counted, never time of the caller") {
  StderrPipe captured;
  const std::string filler(60000, 'x');
  std::uint64_t dropped = 0;
  {
    Logger logger("t", kToStderr);
    for (int i = 0; i < 3; ++i) logger.log_text(kTestInfo, filler);
    while (logger.dropped() == 0) ::usleep(1000);
    dropped = logger.dropped();
  }
  CHECK(dropped > 0);
}

TEST_CASE("log queue: lines come out in their order, and after closing what was waiting") {
  LogQueue queue(1 << 20);
  queue.push({{}, Level::info, "first"});
  queue.push({{}, Level::error, "second"});

  queue.close();

  CHECK(queue.take()->text == "first");
  CHECK(queue.take()->text == "second");
  CHECK_FALSE(queue.take());
  CHECK(queue.dropped() == 0);
}

TEST_CASE("log queue: beyond its bytes the oldest lines make room and are counted") {
  const std::string filler(1000, 'x');
  LogQueue queue(10 * 1200);  // with a line's own size: ten fit, or one less
  for (int i = 0; i < 100; ++i) queue.push({{}, Level::info, filler + std::to_string(i)});

  queue.close();

  std::vector<std::string> kept;
  while (const auto line = queue.take()) kept.push_back(line->text);
  CHECK(kept.size() >= 9);
  CHECK(kept.size() <= 11);
  CHECK(kept.front() == filler + std::to_string(100 - kept.size()));
  CHECK(kept.back() == filler + "99");
  CHECK(queue.dropped() == 100 - kept.size());
}

TEST_CASE("log queue: a line that is longer than the bound is still written") {
  LogQueue queue(100);
  queue.push({{}, Level::info, "short"});
  queue.push({{}, Level::info, std::string(1000, 'x')});

  queue.close();

  CHECK(queue.take()->text.size() == 1000);
  CHECK_FALSE(queue.take());
  CHECK(queue.dropped() == 1);
}

TEST_CASE("log queue: whoever waits for a line is woken by it, and by the end") {
  LogQueue queue(1 << 20);
  std::vector<std::string> taken;
  std::thread writer([&] {
    while (const auto line = queue.take()) taken.push_back(line->text);
  });

  queue.push({{}, Level::info, "for the writer"});
  queue.close();
  writer.join();

  CHECK(taken == std::vector<std::string>{"for the writer"});
}

TEST_CASE("log: what had to be dropped is told before the line that follows it") {
  StderrPipe captured;
  Logger logger("t", kToStderr);
  const std::string filler(1000, 'x');
  // The pipe takes 64 of them and nobody reads: the writer waits, and the queue is full soon.
  for (int i = 0; i < 6000; ++i) logger.log_text(kTestInfo, filler);
  REQUIRE(logger.dropped() > 1000);
  logger.log_text(kTestInfo, "the end");

  std::string text;
  for (int tries = 0; tries < 2000 && text.find("the end") == text.npos; ++tries) {
    text += captured.read();
    ::usleep(1000);
  }

  CHECK(text.find("warning runtime-log-lines-lost: ") != text.npos);
  CHECK(text.find("the end\n") != text.npos);
}

TEST_CASE("log: the thread that writes has no capabilities") {
  if (::geteuid() != 0) return;
  const auto status_of_log_thread = [] {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::ostringstream text;
      text << std::ifstream(task.path() / "status").rdbuf();
      if (text.str().starts_with("Name:\tlog\n")) return text.str();
    }
    return std::string();
  };
  const Logger logger("t", kToStderr);

  std::string status;
  for (int tries = 0; tries < 2000 && status.find("CapEff:\t0000000000000000") == status.npos;
       ++tries) {
    ::usleep(1000);
    status = status_of_log_thread();
  }

  CHECK(status.find("CapEff:\t0000000000000000\n") != status.npos);
  CHECK(status.find("CapPrm:\t0000000000000000\n") != status.npos);
}

#ifndef __SANITIZE_ADDRESS__  // has an allocator of its own, which does not count
TEST_CASE("log: a logger that has nothing to write holds less than 16 KiB") {
  const auto in_use = [] { return mallinfo2().uordblks + mallinfo2().hblkhd; };
  const std::size_t before = in_use();

  const Logger logger("t", {.to_stderr = true, .to_syslog = false});

  CHECK(in_use() - before < 16384);
}
#endif

TEST_CASE("rate limiter: first at once, then once per interval with the number held back") {
  RateLimiter limiter(10s);
  const core::Instant t0{1h};

  CHECK(limiter.admit("10.0.0.2 checksum", t0) == 0);
  CHECK(limiter.admit("10.0.0.2 checksum", t0 + 1s) == std::nullopt);
  CHECK(limiter.admit("10.0.0.2 checksum", t0 + 2s) == std::nullopt);
  CHECK(limiter.admit("10.0.0.3 checksum", t0 + 2s) == 0);
  CHECK(limiter.admit("10.0.0.2 checksum", t0 + 10s) == 2);
  CHECK(limiter.admit("10.0.0.2 checksum", t0 + 20s) == 0);
}

TEST_CASE("rate limiter: more keys than its bound forget the oldest") {
  RateLimiter limiter(10s);
  const core::Instant t0{1h};
  CHECK(limiter.admit("first", t0) == 0);
  for (std::size_t i = 0; i < RateLimiter::kMaxKeys; ++i) {
    CHECK(limiter.admit(std::to_string(i), t0 + 1s) == 0);
  }

  CHECK(limiter.admit("first", t0 + 2s) == 0);
  CHECK(limiter.admit(std::to_string(RateLimiter::kMaxKeys - 1), t0 + 2s) == std::nullopt);
}

TEST_CASE("line budget: so many lines in a while, then the number of those held back") {
  LineBudget budget(2, 10s);
  const core::Instant t0{1h};

  CHECK(budget.admit(t0) == 0);
  CHECK(budget.admit(t0) == 0);
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(budget.admit(t0 + 9s).has_value());
  CHECK(budget.admit(t0 + 10s) == 1000);
  CHECK(budget.admit(t0 + 11s) == 0);
  CHECK_FALSE(budget.admit(t0 + 12s).has_value());
  CHECK(budget.admit(t0 + 100s) == 1);
}
