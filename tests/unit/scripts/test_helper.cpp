// The process that runs scripts, both ends of it in one loop.
#include "runtime/clock.hpp"
#include "runtime/script_client.hpp"
#include "tests/unit/runtime/support.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "scripts/helper.hpp"
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::scripts;
using namespace std::chrono_literals;
using core::Command;
using core::ScriptEnd;
using core::ScriptOutcome;
using runtime::ScriptClient;
using runtime::ScriptReport;
using runtime::testing::run_until;

namespace {

std::string content(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Command command_of(std::vector<std::string> argv) {
  return {.argv = std::move(argv), .user = {::geteuid(), ::getegid(), {::getegid()}}};
}

struct Stage {
  runtime::testing::TemporaryDirectory directory;
  boost::asio::io_context io;
  runtime::Logger logger{"test", {.to_stderr = false, .to_syslog = false}};
  bool is_done = false;
  std::function<bool(const Command&)> permits = [](const Command&) { return true; };
  std::unique_ptr<Helper> helper = std::make_unique<Helper>(
      io, logger, [this](const Command& command) { return permits(command); },
      [this] { is_done = true; });
  std::size_t begun = 0;                                    // of which the client knows
  std::vector<std::pair<std::string, ScriptOutcome>> ends;  // "subject state"
  std::unique_ptr<ScriptClient> client =
      std::make_unique<ScriptClient>(io, [this](const ScriptClient::News& news) {
        if (news.what == ScriptReport::What::started) ++begun;
        if (news.what == ScriptReport::What::ended)
          ends.emplace_back(news.subject + " " + news.state, news.outcome);
      });

  Stage() { connect(); }
  void connect() {
    auto pair = runtime::make_pipe_pair();
    REQUIRE(pair.has_value());
    helper->serve("vrrp", std::move(pair->one));
    client->connect(std::move(pair->other));
  }
  std::string script(const std::string& name, const std::string& body) {
    const std::string path = directory / name;
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    ::chmod(path.c_str(), 0755);
    return path;
  }
  void wait_for_ends(std::size_t count) {
    REQUIRE(run_until(io, [&] { return ends.size() >= count; }));
  }
  ScriptOutcome run(Command command) {
    ends.clear();
    client->run("VI_1", "MASTER", {std::move(command)});
    wait_for_ends(1);
    return ends.front().second;
  }
};

}  // namespace

TEST_CASE("scripts: exit code, signal, refusal and failed start are told apart") {
  Stage stage;
  CHECK(stage.run(command_of({"true"})).succeeded());
  CHECK(stage.run(command_of({stage.script("three", "exit 3")})).to_string() ==
        "exited with code 3");
  CHECK(stage.run(command_of({stage.script("kill", "kill -9 $$")})).to_string() ==
        "was ended by signal 9");
  CHECK(stage.run(command_of({stage.directory / "missing"})).to_string() ==
        "is not run: No such file or directory");
  CHECK(stage.run(command_of({"/etc/passwd"})).end == ScriptEnd::refused);
  CHECK(stage.run(command_of({})).to_string() == "is not run: the command is empty");
  CHECK(stage.run({.argv = {"true"}, .problem = "there is no user 'x' on this host"}).to_string() ==
        "is not run: there is no user 'x' on this host");
  const std::string broken = stage.directory / "broken";
  std::ofstream(broken) << "#!/no/such/interpreter\n";
  ::chmod(broken.c_str(), 0755);
  CHECK(stage.run(command_of({broken})).to_string() ==
        "could not be started: No such file or directory");
}

TEST_CASE("scripts: what the configuration does not hold is not run, whoever asks for it") {
  Stage stage;
  stage.permits = [](const Command& command) { return command.argv.front() == "true"; };
  CHECK(stage.run(command_of({"true"})).succeeded());
  CHECK(stage.run(command_of({"false"})).to_string() ==
        "is not run: it is not in the configuration");
}

TEST_CASE("scripts: words reach it as they are, without a shell in between") {
  Stage stage;
  const std::string out = stage.directory / "out";
  const std::string script = stage.script("args", "printf '%s|' \"$@\" > " + out);
  CHECK(stage.run(command_of({script, "INSTANCE", "VI 1; rm -rf /", "$HOME", ""})).succeeded());
  CHECK(content(out) == "INSTANCE|VI 1; rm -rf /|$HOME||");
}

TEST_CASE(
    "scripts: nothing of ours reaches one: stdio, descriptors, session, signals, linker words") {
  Stage stage;
  const std::string out = stage.directory / "out";
  ::setenv("LD_LIBRARY_PATH", "/tmp", 1);
  ::setenv("HOLDFAST_TEST_KEPT", "yes", 1);
  const int leak = ::open("/dev/null", O_RDONLY);  // not close-on-exec on purpose
  const std::string script = stage.script(
      "env",
      "{ readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2; ls /proc/$$/fd | wc -l; "
      "echo \"[$LD_LIBRARY_PATH][$HOLDFAST_TEST_KEPT]\"; "
      "[ $(ps -o sess= -p $$) = $$ ] && echo session; grep -E 'SigIgn|SigBlk' /proc/self/status; } "
      "> " +
          out);
  const auto before = std::signal(SIGUSR1, SIG_IGN);
  const auto realtime = std::signal(SIGRTMIN + 2, SIG_IGN);
  CHECK(stage.run(command_of({script})).succeeded());
  std::signal(SIGUSR1, before);
  std::signal(SIGRTMIN + 2, realtime);
  ::close(leak);
  ::unsetenv("LD_LIBRARY_PATH");

  const std::string text = content(out);
  CHECK(text.starts_with("/dev/null\n"));
  CHECK(text.find("[][yes]\nsession\n") != std::string::npos);
  CHECK(text.find("SigIgn:\t0000000000000000") != std::string::npos);
  CHECK(text.find("SigBlk:\t0000000000000000") != std::string::npos);
}

TEST_CASE("scripts: too slow is ended with its whole group") {
  Stage stage;
  const std::string pid_file = stage.directory / "pid";
  Command command = command_of(
      {stage.script("slow", "(trap '' TERM; sleep 100) & echo $! > " + pid_file + "; sleep 100")});
  command.limit = 300ms;
  const ScriptOutcome outcome = stage.run(std::move(command));
  CHECK(outcome.to_string() == "was ended by signal 15, because its time was over");
  const pid_t left = std::stoi(content(pid_file));
  CHECK(run_until(stage.io, [&] {
    return content(fmt::format("/proc/{}/stat", left)).find(") S") == std::string::npos;
  }));
}

TEST_CASE("scripts: a newer state does not wait for one that never ends, and says so") {
  Stage stage;
  const std::string out = stage.directory / "out";
  stage.client->run("VI_1", "MASTER",
                    {command_of({stage.script("hang", "trap '' TERM; echo began >> " + out +
                                                          "; while :; do sleep 1; done")})});
  REQUIRE(run_until(stage.io, [&] { return content(out) == "began\n"; }));
  stage.client->run("VI_1", "FAULT", {command_of({"true"})});
  stage.client->run("VI_1", "BACKUP", {command_of({stage.script("next", "echo next >> " + out)})});
  stage.wait_for_ends(3);

  CHECK(content(out) == "began\nnext\n");
  CHECK(stage.ends[0].first == "VI_1 FAULT");
  CHECK(stage.ends[0].second.end == ScriptEnd::skipped);
  CHECK(stage.ends[1].first == "VI_1 MASTER");
  CHECK(stage.ends[1].second.to_string() == "was ended by signal 9, because a newer state came");
  CHECK(stage.ends[2].second.succeeded());
  CHECK(stage.client->idle());
}

TEST_CASE("scripts: a hundred subjects with slow scripts are all told") {
  Stage stage;
  const std::string script =
      stage.script("slow", "sleep 0.1; echo $1 >> " + (stage.directory / "out"));
  for (int i = 0; i < 100; ++i)
    stage.client->run(fmt::format("server {}", i), "DOWN",
                      {command_of({script, fmt::format("{}", i)})});
  stage.wait_for_ends(100);
  const std::string text = content(stage.directory / "out");
  CHECK(std::count(text.begin(), text.end(), '\n') == 100);
}

TEST_CASE("scripts: when their process dies, what had not begun is run by the next one") {
  Stage stage;
  const std::string out = stage.directory / "out";
  stage.client->run("VI_1", "MASTER",
                    {command_of({stage.script("a", "echo a >> " + out + "; sleep 5")}),
                     command_of({stage.script("b", "echo b >> " + out)})});
  REQUIRE(run_until(stage.io, [&] { return content(out) == "a\n" && stage.begun == 1; }));
  stage.helper = std::make_unique<Helper>(
      stage.io, stage.logger, [](const Command&) { return true; }, [] {});
  REQUIRE(run_until(stage.io, [&] { return stage.ends.size() == 1; }));
  CHECK(stage.ends[0].second.end == ScriptEnd::lost);
  stage.connect();
  stage.wait_for_ends(2);
  CHECK(stage.ends[1].second.succeeded());
  CHECK(content(out) == "a\nb\n");
}

TEST_CASE("scripts: a state that has passed is not asked for again when their process dies") {
  Stage stage;
  const std::string out = stage.directory / "out";
  stage.client->run("VI_1", "MASTER",
                    {command_of({stage.script("a", "echo a >> " + out + "; sleep 5")}),
                     command_of({stage.script("b", "echo b >> " + out)})});
  REQUIRE(run_until(stage.io, [&] { return content(out) == "a\n"; }));
  // No script for this state, so nothing is left of it once it was told.
  stage.client->run("VI_1", "BACKUP", {});
  stage.helper = std::make_unique<Helper>(
      stage.io, stage.logger, [](const Command&) { return true; }, [] {});
  stage.wait_for_ends(2);
  stage.connect();
  CHECK(stage.run(command_of({"true"})).succeeded());
  CHECK(stage.client->idle());
  CHECK(content(out) == "a\n");
}

TEST_CASE("scripts: while nobody takes them, the newest state of each subject waits and is named") {
  boost::asio::io_context io;
  ScriptClient client(io, [](const ScriptClient::News&) {});
  CHECK(client.unsent().empty());
  for (int i = 0; i < 1000; ++i) {
    client.run("VI_1", "BACKUP", {command_of({"true"})});
    client.run("VI_1", "MASTER", {command_of({"true"})});
  }
  client.run("VI_2", "MASTER", {});
  io.poll();
  CHECK(client.unsent() == "VI_1 for MASTER");
  for (int i = 3; i < 10; ++i) client.run(fmt::format("VI_{}", i), "STOP", {command_of({"true"})});
  CHECK(client.unsent() ==
        "VI_1 for MASTER, VI_3 for STOP, VI_4 for STOP, VI_5 for STOP, VI_6 for STOP and 3 more");
}

TEST_CASE(
    "scripts: a request outlives who asked, and the helper waits for it behind a closed door") {
  Stage stage;
  const std::string out = stage.directory / "out";
  stage.client->run("VI_1", "STOP",
                    {command_of({stage.script("a", "sleep 0.2; echo a >> " + out)})});
  REQUIRE(run_until(stage.io, [&] { return !stage.helper->is_idle(); }));
  stage.client.reset();
  stage.helper->close_door();
  CHECK_FALSE(stage.is_done);
  REQUIRE(run_until(stage.io, [&] { return stage.is_done; }));
  CHECK(content(out) == "a\n");
}

TEST_CASE("scripts: nonsense on a connection ends that connection only") {
  Stage stage;
  auto pair = runtime::make_pipe_pair();
  REQUIRE(pair.has_value());
  stage.helper->serve("checkers", std::move(pair->one));
  const std::string nonsense("\x04\x00\x00\x00\x01\x00\x00\x00", 8);
  REQUIRE(::write(pair->other.get(), nonsense.data(), nonsense.size()) == 8);
  char byte = 0;
  REQUIRE(run_until(stage.io, [&] { return ::read(pair->other.get(), &byte, 1) == 0; }));
  CHECK(stage.run(command_of({"true"})).succeeded());
}

TEST_CASE("scripts: out of descriptors one does not run, and that is its outcome") {
  Stage stage;
  const std::string trace = stage.directory / "ran";
  const std::string script = stage.script("late", "sleep 0.05; touch " + trace);
  {
    const runtime::testing::NoMoreDescriptors limit(0);  // not even for the pidfd
    stage.client->run("VI_1", "MASTER", {command_of({script})});
    stage.wait_for_ends(1);
    CHECK(stage.ends[0].second.to_string() == "could not be started: Too many open files");
  }
  ::usleep(100'000);
  CHECK_FALSE(std::filesystem::exists(trace));
}

TEST_CASE("scripts: one runs as its user with all groups it is given") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: needs root to become somebody else");
    return;
  }
  Stage stage;
  ::chmod((stage.directory / "").c_str(), 0777);
  const std::string out = stage.directory / "out";
  Command command = command_of({stage.script("who", "id -u > " + out + "; id -G >> " + out)});
  command.user = {65534, 65534, {65534, 27, 4}};
  CHECK(stage.run(std::move(command)).succeeded());
  CHECK(content(out) == "65534\n65534 4 27\n");
}

TEST_CASE("scripts: nobody waits for the exec of another user's script") {
  // The exec of the program waits until this answers, as that of one on a file server that is gone.
  const runtime::UniqueFd gate(::fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY));
  if (!gate) {
    MESSAGE("skipped: needs root to hold up an exec");
    return;
  }
  Stage stage;
  ::chmod((stage.directory / "").c_str(), 0777);
  const std::string held = stage.script("held", "exit 3");
  REQUIRE(::fanotify_mark(gate.get(), FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD, held.c_str()) ==
          0);
  std::atomic<bool> may_go = false;
  std::atomic<bool> was_held = true;
  std::thread keeper([&] {
    fanotify_event_metadata asked{};
    pollfd question{.fd = gate.get(), .events = POLLIN, .revents = 0};
    if (::poll(&question, 1, 5000) != 1) return;
    if (::read(gate.get(), &asked, sizeof asked) <= 0) return;
    for (int i = 0; i < 300 && !may_go; ++i) std::this_thread::sleep_for(10ms);
    was_held = may_go.load();
    const fanotify_response answer{.fd = asked.fd, .response = FAN_ALLOW};
    if (::write(gate.get(), &answer, sizeof answer) < 0) was_held = false;
    ::close(asked.fd);
  });
  Command command = command_of({held});
  command.user = {65534, 65534, {65534}};

  stage.client->run("VI_2", "MASTER", {std::move(command)});
  CHECK(stage.run(command_of({"true"})).succeeded());
  may_go = true;
  keeper.join();

  CHECK(was_held);
  stage.wait_for_ends(2);
}

TEST_CASE("scripts: another user's that cannot be started says why") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: needs root to become somebody else");
    return;
  }
  Stage stage;
  ::chmod((stage.directory / "").c_str(), 0777);
  const std::string broken = stage.directory / "broken";
  std::ofstream(broken) << "#!/no/such/interpreter\n";
  ::chmod(broken.c_str(), 0755);
  Command command = command_of({broken});
  command.user = {65534, 65534, {65534}};
  CHECK(stage.run(std::move(command)).to_string() ==
        "could not be started: No such file or directory");
}
