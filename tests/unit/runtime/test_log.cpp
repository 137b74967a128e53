#include "runtime/line_budget.hpp"
#include "runtime/log.hpp"
#include "runtime/log_queue.hpp"
#include "runtime/recent_lines.hpp"
#include "runtime/unique_fd.hpp"

#include <boost/json/parse.hpp>
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

const LogSettings kToStderr{.to_stderr = true, .to_syslog = false};

}  // namespace

TEST_CASE("log: a line on stderr has time, process, level, id and text") {
  StderrPipe captured;
  { Logger("vrrp", kToStderr).log(kTestInfo, "instance {} is {}", "VI_1", "master"); }

  const std::string text = captured.read();

  CHECK(text.find("T") == 10);
  CHECK(text.find(" vrrp[" + std::to_string(::getpid()) +
                  "] info test-info: instance VI_1 is master\n") == 24);
}

TEST_CASE("log: a line of JSON is one object, whatever the text holds") {
  StderrPipe captured;
  {
    LogSettings settings = kToStderr;
    settings.format = LogFormat::json;
    Logger("vrrp", settings).log_text(kTestInfo, "two \"lines\"\nof text");
  }

  const std::string text = captured.read();

  CHECK(text.find('\n') == text.size() - 1);
  const auto fields = boost::json::parse(text).as_object();
  CHECK(fields.at("process") == "vrrp");
  CHECK(fields.at("pid") == ::getpid());
  CHECK(fields.at("level") == "info");
  CHECK(fields.at("id") == "test-info");
  CHECK(fields.at("text") == "two \"lines\"\nof text");
}

TEST_CASE("log: each process has a file of its own, named as keepalived names it") {
  CHECK(log_file_of("/var/log/keepalived.log", "holdfast") == "/var/log/keepalived.log");
  CHECK(log_file_of("/var/log/keepalived.log", "vrrp") == "/var/log/keepalived_vrrp.log");
  CHECK(log_file_of("/var/log/a.b.log", "checkers") == "/var/log/a.b_healthcheckers.log");
  CHECK(log_file_of("/var/lo.g/holdfast", "scripts") == "/var/lo.g/holdfast_scripts");
}

TEST_CASE("log: a file is appended to, and opened anew when it has been moved away") {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("holdfast-log-" + std::to_string(::getpid()));
  std::filesystem::create_directory(directory);
  const std::string file = directory / "x.log";
  std::ofstream(file) << "before\n";
  {
    Logger logger("holdfast", {.to_syslog = false, .file = file});
    logger.log(kTestInfo, "first");
    std::this_thread::sleep_for(1100ms);
    std::filesystem::rename(file, file + ".1");
    logger.log(kTestInfo, "second");
  }
  const auto read = [](const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  };

  CHECK(read(file + ".1").starts_with("before\n"));
  CHECK(read(file + ".1").find("test-info: first\n") != std::string::npos);
  CHECK(read(file).find("test-info: second\n") != std::string::npos);
  CHECK(read(file).find("first") == std::string::npos);
  std::filesystem::remove_all(directory);
}

TEST_CASE("log: a file that cannot be opened anew is said once, and again when it can") {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("holdfast-anew-" + std::to_string(::getpid()));
  std::filesystem::create_directory(directory);
  const std::string file = directory / "x.log";
  StderrPipe captured;
  {
    LogSettings settings = kToStderr;
    settings.file = file;
    Logger logger("holdfast", settings);
    logger.log(kTestInfo, "first");
    std::this_thread::sleep_for(1100ms);
    std::filesystem::rename(file, file + ".1");
    std::filesystem::create_directory(file);
    for (const char* words : {"second", "third"}) {
      logger.log(kTestInfo, "{}", words);
      std::this_thread::sleep_for(1100ms);
    }
    CHECK(logger.recent().after(0).lines.size() == 4);
    std::filesystem::remove(file);
    logger.log(kTestInfo, "fourth");
  }
  const auto read = [](const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  };
  const auto count = [](const std::string& text, const std::string& words) {
    std::size_t found = 0;
    for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
      ++found;
    return found;
  };

  const std::string problem =
      "error log-file: cannot open the log file " + file + ": Is a directory; lines go into";
  const std::string told = captured.read();
  CHECK(count(told, problem) == 1);
  CHECK(count(told, "info log-file-back: the log file " + file + " takes lines again\n") == 1);
  CHECK(count(read(file + ".1"), problem) == 1);
  CHECK(count(read(file + ".1"), "test-info: third\n") == 1);
  CHECK(count(read(file), "log-file-back") == 1);
  CHECK(count(read(file), "test-info: fourth\n") == 1);
  std::filesystem::remove_all(directory);
}

TEST_CASE("log: a file that cannot be had is said where the other lines go") {
  StderrPipe captured;
  {
    LogSettings settings = kToStderr;
    settings.file = "/nowhere/x.log";
    Logger("vrrp", settings).log(kTestInfo, "goes on");
  }

  const std::string text = captured.read();

  CHECK(text.find("error log-file: cannot open the log file /nowhere/x_vrrp.log: No such file") !=
        std::string::npos);
  CHECK(text.find("test-info: goes on") != std::string::npos);
}

TEST_CASE("recent lines: what came after a number, oldest first, and how many made room") {
  RecentLines recent;
  CHECK(recent.after(0).newest == 0);
  for (int i = 1; i <= 3; ++i)
    recent.add({{}, Level::info, "test-line", "line " + std::to_string(i)});

  CHECK(recent.after(0).lines.size() == 3);
  CHECK(recent.after(2).lines.front().text == "line 3");
  CHECK(recent.after(3).lines.empty());
  CHECK(recent.after(77).lines.empty());

  const std::string filler(1000, 'x');
  for (int i = 4; i <= 200; ++i) recent.add({{}, Level::info, "test-line", filler});
  const auto kept = recent.after(0);
  CHECK(kept.newest == 200);
  CHECK(kept.lines.size() < 66);
  CHECK(kept.lines.size() + kept.missed == 200);
  CHECK(recent.after(199).missed == 0);

  recent.add({{}, Level::info, "test-line", std::string(2 * kRecentBytes, 'x')});
  CHECK(recent.after(0).lines.size() == 1);
}

TEST_CASE("recent lines: those of a logger are its lines from info on") {
  Logger logger("t", {.to_syslog = false, .detail = 2});
  logger.log(kTestDebug, "hidden");
  logger.log(kTestInfo, "kept");

  const auto kept = logger.recent().after(0);

  REQUIRE(kept.lines.size() == 1);
  CHECK(kept.lines.front().id == "test-info");
  CHECK(kept.lines.front().text == "kept");
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
  queue.push({{}, Level::info, "test-line", "first"});
  queue.push({{}, Level::error, "test-line", "second"});

  queue.close();

  CHECK(queue.take()->text == "first");
  CHECK(queue.take()->text == "second");
  CHECK_FALSE(queue.take());
  CHECK(queue.dropped() == 0);
}

TEST_CASE("log queue: beyond its bytes the oldest lines make room and are counted") {
  const std::string filler(1000, 'x');
  LogQueue queue(10 * 1200);  // with a line's own size: ten fit, or one less
  for (int i = 0; i < 100; ++i)
    queue.push({{}, Level::info, "test-line", filler + std::to_string(i)});

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
  queue.push({{}, Level::info, "test-line", "short"});
  queue.push({{}, Level::info, "test-line", std::string(1000, 'x')});

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

  queue.push({{}, Level::info, "test-line", "for the writer"});
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
