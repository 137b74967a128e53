// Tracked processes: real ones, with the kernel's connector where this namespace has it, and by
// looking through /proc where not.
#include "vrrp/process_tracker.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <csignal>
#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::vrrp;

namespace {

/// A program of its own name, which nobody else runs.
class Sleepers {
 public:
  Sleepers() : name_("hft" + std::to_string(::getpid())) {
    std::filesystem::copy_file("/usr/bin/sleep", path());
  }
  ~Sleepers() {
    while (!running_.empty()) end();
  }
  Sleepers(const Sleepers&) = delete;
  Sleepers& operator=(const Sleepers&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string path() const { return directory_ / name_; }
  void start() {
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl(path().c_str(), path().c_str(), "1000", nullptr);
      ::_exit(127);
    }
    running_.push_back(child);
  }
  void end() {
    ::kill(running_.back(), SIGKILL);
    ::waitpid(running_.back(), nullptr, 0);
    running_.pop_back();
  }

 private:
  std::string name_;
  runtime::testing::TemporaryDirectory directory_;
  std::vector<pid_t> running_;
};

struct Bench {
  boost::asio::io_context io;
  runtime::Logger logger{"test", {.to_stderr = false, .to_syslog = false}};
  std::vector<bool> told;
  ProcessTracker tracker{
      io, logger, [this](const Event& event) {
        told.push_back(std::get<TrackerReported>(event).verdict == Verdict::good);
      }};

  bool comes(const std::vector<bool>& all) {
    return runtime::testing::run_until(io, [&] { return told.size() >= all.size(); }) &&
           told == all;
  }
};

}  // namespace

TEST_CASE("process tracker: processes that are there, come and go") {
  Sleepers sleepers;
  Bench bench;
  const ProcessCheck by_name{.name = "p",
                             .program = sleepers.name(),
                             .parameters = {},
                             .match = ParameterMatch::any,
                             .by_command_line = false,
                             .quorum = 2,
                             .quorum_max = std::nullopt,
                             .fork_delay = {},
                             .terminate_delay = {}};
  sleepers.start();
  bench.tracker.follow({by_name});
  CHECK(bench.comes({false}));
  sleepers.start();
  CHECK(bench.comes({false, true}));
  sleepers.end();
  CHECK(bench.comes({false, true, false}));

  ProcessCheck by_line = by_name;
  by_line.program = sleepers.path();
  by_line.parameters = {"10"};
  by_line.match = ParameterMatch::last_may_be_longer;
  by_line.by_command_line = true;
  by_line.quorum = 1;
  bench.told.clear();
  bench.tracker.follow({by_line});
  CHECK(bench.comes({true}));
  sleepers.end();
  CHECK(bench.comes({true, false}));
}

TEST_CASE("process tracker: nobody is followed, nobody is told") {
  Sleepers sleepers;
  Bench bench;
  bench.tracker.follow({{.name = "p",
                         .program = sleepers.name(),
                         .parameters = {},
                         .match = ParameterMatch::any,
                         .by_command_line = false,
                         .quorum = 1,
                         .quorum_max = std::nullopt,
                         .fork_delay = {},
                         .terminate_delay = {}}});
  CHECK(bench.comes({false}));
  bench.tracker.follow({});
  sleepers.start();
  bench.io.restart();
  bench.io.run_for(std::chrono::milliseconds(100));
  CHECK(bench.told.size() == 1);
}
