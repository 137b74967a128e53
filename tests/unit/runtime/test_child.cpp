#include "runtime/child.hpp"
#include "runtime/sealed_memfd.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::runtime;
using namespace std::chrono_literals;
using testing::run_until;

namespace {

/// A child in this process and the watchdog's end of its channel.
struct Family {
  Loop loop;
  Logger logger{"test", {.to_stderr = false, .to_syslog = false}};
  std::unique_ptr<Channel> watchdog;
  std::vector<std::string> seen;
  std::function<void(core::Result<void>)> answer;
  std::string snapshot;
  std::vector<std::string> trace;
  std::unique_ptr<Child> child;
  int heartbeats = 0;

  Family() {
    auto pair = make_channel_pair();
    REQUIRE(pair.has_value());
    watchdog = std::make_unique<Channel>(loop.io(), std::move(pair->parent));
    watchdog->start([this](const Frame& frame) { note(frame); }, [](const std::string&) {});
    ChildOptions options;
    options.role = "vrrp";
    options.heartbeat_interval = 2ms;
    options.channel_fd = pair->child.release();
    child = std::make_unique<Child>(
        loop, logger, options,
        ChildCallbacks{.prepare =
                           [this](std::uint64_t generation, const UniqueFd& fd,
                                  std::function<void(core::Result<void>)> done) {
                             snapshot = read_sealed_memfd(fd.get()).value();
                             answer = std::move(done);
                             trace.push_back("prepare " + std::to_string(generation));
                           },
                       .commit =
                           [this](std::uint64_t generation) {
                             trace.push_back("commit " + std::to_string(generation));
                           },
                       .abort =
                           [this](std::uint64_t generation) {
                             trace.push_back("abort " + std::to_string(generation));
                           },
                       .sibling =
                           [this](const UniqueFd& pidfd) {
                             trace.emplace_back(::fcntl(pidfd.get(), F_GETFD) == FD_CLOEXEC
                                                    ? "sibling"
                                                    : "no sibling");
                           },
                       .stop = [this](const std::string&) { trace.emplace_back("stop"); },
                       .hurry = [this] { trace.emplace_back("hurry"); }});
  }

  void note(const Frame& frame) {
    if (frame.type == FrameType::heartbeat) {
      CHECK(frame.number == static_cast<std::uint64_t>(++heartbeats));
      return;
    }
    seen.push_back(std::to_string(static_cast<int>(frame.type)) + " " +
                   std::to_string(frame.number) + frame.text);
  }
  void send(FrameType type, std::uint64_t number) {
    UniqueFd fd;
    if (type == FrameType::sibling) fd = UniqueFd(::dup(STDIN_FILENO));
    if (type == FrameType::prepare) fd = *write_sealed_memfd("test", "the snapshot");
    REQUIRE(watchdog->send({type, number, {}, std::move(fd)}).has_value());
  }
  bool sees(const std::vector<std::string>& expected) {
    return run_until(loop.io(), [&] { return seen == expected; });
  }
  bool traces(const std::vector<std::string>& expected) {
    return run_until(loop.io(), [&] { return trace == expected; });
  }
};

/// A process of 16 threads starts a child, as the watchdog does, and is killed. What the child is
/// then asked for, until some time after the first request.
std::string what_an_orphan_is_asked() {
  std::array<int, 2> report{};
  REQUIRE(::pipe2(report.data(), O_CLOEXEC) == 0);
  const UniqueFd reader(report[0]);
  UniqueFd writer(report[1]);
  const auto say = [&](std::string_view word) {
    if (::write(writer.get(), word.data(), word.size()) < 0) ::_exit(1);
  };
  const pid_t parent = ::fork();
  if (parent == 0) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; ++i) threads.emplace_back([] { ::pause(); });
    auto pair = make_channel_pair();
    if (::fork() == 0) {
      pair->parent.reset();
      Loop loop;
      Logger logger{"test", {.to_stderr = false, .to_syslog = false}};
      ChildOptions options;
      options.role = "vrrp";
      options.channel_fd = pair->child.release();
      const Child child(loop, logger, options,
                        ChildCallbacks{.prepare = {},
                                       .commit = {},
                                       .abort = {},
                                       .stop = [&](const std::string&) { say("stop "); },
                                       .hurry = [&] { say("hurry "); }});
      say("ready ");
      loop.io().run_for(150ms);
      ::_exit(0);
    }
    ::pause();
  }
  writer.reset();
  std::string text;
  std::array<char, 64> piece{};
  for (ssize_t count = 0; (count = ::read(reader.get(), piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(count));
    if (text == "ready ") ::kill(parent, SIGKILL);
  }
  ::waitpid(parent, nullptr, 0);
  return text;
}

std::string hello() {
  return "5 " + std::to_string(::getpid());
}

}  // namespace

TEST_CASE("child: says hello and beats from inside its loop") {
  Family family;
  CHECK(family.sees({hello()}));
  CHECK(run_until(family.loop.io(), [&] { return family.heartbeats >= 3; }));
}

TEST_CASE("child: prepare, prepared, commit, committed") {
  Family family;
  family.send(FrameType::prepare, 1);
  CHECK(family.traces({"prepare 1"}));
  CHECK(family.snapshot == "the snapshot");
  family.answer({});
  CHECK(family.sees({hello(), "7 1"}));
  family.send(FrameType::commit, 1);
  CHECK(family.sees({hello(), "7 1", "9 1"}));
  CHECK(family.child->generation() == 1);
  CHECK(family.trace == std::vector<std::string>{"prepare 1", "commit 1"});
}

TEST_CASE("child: a refusal carries its reason, and an unprepared commit does nothing") {
  Family family;
  family.send(FrameType::prepare, 4);
  CHECK(family.traces({"prepare 4"}));
  family.answer(core::fail("eth9 does not exist"));
  family.send(FrameType::commit, 4);
  CHECK(family.sees({hello(), "8 4eth9 does not exist"}));
  family.send(FrameType::stop, 0);
  CHECK(family.traces({"prepare 4", "stop"}));
  CHECK(family.child->generation() == 0);
}

TEST_CASE("child: an answer that comes after the abort is not sent") {
  Family family;
  family.send(FrameType::prepare, 2);
  CHECK(family.traces({"prepare 2"}));
  family.send(FrameType::abort, 2);
  CHECK(family.traces({"prepare 2", "abort 2"}));
  family.answer({});
  const int before = family.heartbeats;
  CHECK(run_until(family.loop.io(), [&] { return family.heartbeats > before + 1; }));
  CHECK(family.seen == std::vector<std::string>{hello()});
}

TEST_CASE("child: what was aborted or replaced cannot be committed") {
  Family family;
  family.send(FrameType::prepare, 2);
  CHECK(family.traces({"prepare 2"}));
  family.answer({});
  family.send(FrameType::abort, 2);
  family.send(FrameType::commit, 2);
  family.send(FrameType::prepare, 3);
  CHECK(family.traces({"prepare 2", "abort 2", "prepare 3"}));
  family.answer({});
  family.send(FrameType::prepare, 4);
  family.send(FrameType::commit, 3);
  family.send(FrameType::stop, 0);
  CHECK(family.traces({"prepare 2", "abort 2", "prepare 3", "prepare 4", "stop"}));
}

TEST_CASE("child: the end of the watchdog is a stop, once") {
  Family family;
  family.watchdog.reset();
  CHECK(family.traces({"stop"}));
  ::raise(SIGTERM);
  family.loop.io().restart();
  family.loop.io().run_for(5ms);
  CHECK(family.trace == std::vector<std::string>{"stop"});
  CHECK_FALSE(family.child->watchdog_asked_to_stop());
}

TEST_CASE("child: a killed watchdog is one request, however many threads it had") {
  for (int round = 0; round < 20; ++round) CHECK(what_an_orphan_is_asked() == "ready stop ");
}

TEST_CASE("child: a second request of the same kind hurries the stop, once") {
  Family family;
  family.send(FrameType::stop, 0);
  CHECK(family.traces({"stop"}));
  ::raise(SIGTERM);  // a service manager signals every process of the service
  family.send(FrameType::stop, 0);
  CHECK(family.traces({"stop", "hurry"}));
  ::raise(SIGTERM);
  family.send(FrameType::stop, 0);
  family.loop.io().restart();
  family.loop.io().run_for(5ms);
  CHECK(family.trace == std::vector<std::string>{"stop", "hurry"});
  CHECK(family.child->watchdog_asked_to_stop());
}

TEST_CASE("child: two signals hurry a child whose watchdog does not answer") {
  Family family;
  ::raise(SIGTERM);
  CHECK(family.traces({"stop"}));
  ::raise(SIGTERM);
  CHECK(family.traces({"stop", "hurry"}));
}

TEST_CASE("child: a stop that the watchdog asked for is told apart from its end") {
  Family family;
  family.send(FrameType::stop, 0);
  CHECK(family.traces({"stop"}));
  CHECK(family.child->watchdog_asked_to_stop());
}

TEST_CASE("child: only the end of the director ends what is static") {
  Family stopped;
  stopped.send(FrameType::stop, 0);
  CHECK(stopped.traces({"stop"}));
  CHECK_FALSE(stopped.child->is_followed());

  Family parting;
  parting.send(FrameType::stop, kStopForSuccessor);
  CHECK(parting.traces({"stop"}));
  CHECK(parting.child->is_followed());

  Family orphan;
  orphan.watchdog.reset();
  CHECK(orphan.traces({"stop"}));
  CHECK_FALSE(orphan.child->is_followed());
}

TEST_CASE("child: it is told of the process in the other role, which scripts do not inherit") {
  Family family;
  family.send(FrameType::sibling, 4711);
  CHECK(family.traces({"sibling"}));
}

TEST_CASE("child options: what the watchdog writes on the command line is what the child reads") {
  ChildOptions options;
  options.role = "checkers";
  options.run_dir = "/tmp/somewhere else";
  options.pid_file = "/tmp/x.pid";
  options.log = {.to_stderr = true,
                 .to_syslog = false,
                 .syslog_facility = 16 << 3,
                 .detail = 2,
                 .file = "/var/log/some where.log",
                 .format = LogFormat::json};
  options.keep_addresses = options.keep_ipvs = options.beside_vrrp = true;
  options.heartbeat_interval = 123ms;

  const auto words = to_arguments(options);
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  const auto parsed = parse_child_arguments(argv);

  REQUIRE(parsed.has_value());
  CHECK(*parsed == options);
}

TEST_CASE("child options: a word it cannot use is named") {
  for (const char* bad : {"--colour=red", "--detail=many", "--detail", "--heartbeat-us=0"}) {
    const std::vector<const char*> argv{"--role=vrrp", bad};
    const auto parsed = parse_child_arguments(argv);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().message.find(bad) != std::string::npos);
  }
  CHECK_FALSE(parse_child_arguments({}).has_value());
}

TEST_CASE("child: a refused permission is exit code 4, any other failure to start is 1") {
  CHECK(exit_code_for(core::fail_errno(EPERM, "cannot open a packet socket")) == 4);
  CHECK(exit_code_for(core::fail_errno(EACCES, "cannot listen")) == 4);
  CHECK(exit_code_for(core::fail_errno(EADDRINUSE, "cannot listen")) == 1);
  CHECK(exit_code_for(core::fail("it is not a socket")) == 1);
}
