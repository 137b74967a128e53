#include "runtime/script.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::runtime;
using namespace std::chrono_literals;
using testing::run_until;

namespace {

std::string content(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Stage {
  testing::TemporaryDirectory directory;
  boost::asio::io_context io;
  ScriptRunner runner{io};

  /// A shell script that the runner starts itself (the shell is only the interpreter of the test).
  std::string script(const std::string& name, const std::string& body) {
    const std::string path = directory / name;
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    ::chmod(path.c_str(), 0755);
    return path;
  }
  ScriptOutcome run(Command command) {
    std::optional<ScriptOutcome> outcome;
    runner.run("q", std::move(command), [&](const ScriptOutcome& done) { outcome = done; });
    REQUIRE(run_until(io, [&] { return outcome.has_value(); }));
    return *outcome;
  }
};

}  // namespace

TEST_CASE("script: exit code, signal and failed start are told apart") {
  Stage stage;
  CHECK(stage.run({.argv = {"true"}}).succeeded());
  CHECK(stage.run({.argv = {stage.script("three", "exit 3")}}).to_string() == "exited with code 3");
  CHECK(stage.run({.argv = {stage.script("kill", "kill -9 $$")}}).to_string() ==
        "was ended by signal 9");
  CHECK(stage.run({.argv = {stage.directory / "missing"}}).to_string() ==
        "could not be started: No such file or directory");
  CHECK(stage.run({.argv = {"/etc/passwd"}}).start_errno == EACCES);
  CHECK(stage.run({.argv = {}}).start_errno == EINVAL);
}

TEST_CASE("script: words reach it as they are, without a shell in between") {
  Stage stage;
  const std::string out = stage.directory / "out";
  const std::string script = stage.script("args", "printf '%s|' \"$@\" > " + out);
  CHECK(stage.run({.argv = {script, "INSTANCE", "VI 1; rm -rf /", "$HOME", ""}}).succeeded());
  CHECK(content(out) == "INSTANCE|VI 1; rm -rf /|$HOME||");
}

TEST_CASE(
    "script: gets no stdio, no inherited descriptors, own process group, clean environment, "
    "default signals") {
  Stage stage;
  const std::string out = stage.directory / "out";
  ::setenv("LD_LIBRARY_PATH", "/tmp", 1);
  ::setenv("HOLDFAST_TEST_KEPT", "yes", 1);
  const int leak = ::open("/dev/null", O_RDONLY);  // not close-on-exec on purpose
  const std::string script = stage.script(
      "env",
      "{ readlink /proc/$$/fd/0 /proc/$$/fd/1; ls /proc/$$/fd | wc -l; "
      "echo \"[$LD_LIBRARY_PATH][$HOLDFAST_TEST_KEPT]\"; "
      "[ $(ps -o pgid= -p $$) = $$ ] && echo group; grep SigIgn /proc/$$/status; } > " +
          out);
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  CHECK(stage.run({.argv = {script}}).succeeded());
  std::signal(SIGPIPE, before);
  ::close(leak);
  ::unsetenv("LD_LIBRARY_PATH");

  const std::string text = content(out);
  CHECK(text.starts_with("/dev/null\n"));
  CHECK(text.find("[][yes]\ngroup\n") != std::string::npos);
  CHECK(text.find("SigIgn:\t0000000000000000") != std::string::npos);
  CHECK(text.find("/fd/") == std::string::npos);
}

TEST_CASE("script: too slow gets SIGTERM, and its whole group goes") {
  Stage stage;
  const auto outcome = stage.run({.argv = {stage.script("slow", "sleep 100")}, .timeout = 30ms});
  CHECK(outcome.timed_out);
  CHECK(outcome.signal == SIGTERM);
  CHECK_FALSE(outcome.succeeded());
}

TEST_CASE("script: one queue runs in order and one at a time, another runs beside it") {
  Stage stage;
  const std::string out = stage.directory / "out";
  const std::string slow = stage.script("slow", "sleep 0.1; echo $1 >> " + out);
  const std::string quick = stage.script("quick", "echo $1 >> " + out);
  stage.runner.run("VI_1", {.argv = {slow, "MASTER"}});
  stage.runner.run("VI_1", {.argv = {quick, "BACKUP"}});
  stage.runner.run("VI_1", {.argv = {quick, "FAULT"}});
  stage.runner.run("VI_2", {.argv = {quick, "other"}});
  CHECK_FALSE(stage.runner.idle());
  bool idle = false;
  stage.runner.when_idle([&] { idle = true; });

  CHECK(run_until(stage.io, [&] { return idle; }));
  const std::string text = content(out);
  CHECK(text.find("MASTER\nBACKUP\nFAULT\n") != std::string::npos);
  CHECK(text.starts_with("other\n"));
}

TEST_CASE("script: a full queue drops the oldest waiting one and says so") {
  Stage stage;
  std::vector<std::size_t> dropped;
  std::size_t done = 0;
  stage.runner.run("q", {.argv = {"sleep", "0.05"}});
  for (std::size_t i = 0; i < ScriptRunner::kMaxQueued + 2; ++i) {
    stage.runner.run("q", {.argv = {"true"}}, [&, i](const ScriptOutcome& outcome) {
      ++done;
      if (outcome.start_errno == ECANCELED) dropped.push_back(i);
    });
  }
  CHECK(run_until(stage.io, [&] { return done == ScriptRunner::kMaxQueued + 2; }));
  CHECK(dropped == std::vector<std::size_t>{0, 1});
}

TEST_CASE("script: failing to start does not stop its queue") {
  Stage stage;
  std::vector<int> codes;
  for (const char* word : {"/no/such", "false", "true"}) {
    stage.runner.run("q", {.argv = {word}}, [&](const ScriptOutcome& outcome) {
      codes.push_back(outcome.start_errno + outcome.exit_code);
    });
  }
  CHECK(run_until(stage.io, [&] { return codes.size() == 3; }));
  CHECK(codes == std::vector<int>{ENOENT + 127, 1, 0});
}

TEST_CASE("script: out of descriptors it does not run, and that is its outcome") {
  Stage stage;
  const std::string trace = stage.directory / "ran";
  const std::string script = stage.script("late", "sleep 0.05; touch " + trace);
  for (const int spare : {0, 3}) {  // for nothing; for all but the pidfd
    CAPTURE(spare);
    std::optional<ScriptOutcome> outcome;
    {
      const testing::NoMoreDescriptors limit(spare);
      stage.runner.run("q", {.argv = {script}}, [&](const ScriptOutcome& done) { outcome = done; });
    }
    REQUIRE(run_until(stage.io, [&] { return outcome.has_value(); }));
    CHECK(outcome->start_errno == EMFILE);
  }
  ::usleep(100'000);
  CHECK_FALSE(std::filesystem::exists(trace));
}

TEST_CASE("script: runs as the user it is given") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: needs root to become somebody else");
    return;
  }
  Stage stage;
  ::chmod((stage.directory / "").c_str(), 0777);
  const std::string out = stage.directory / "out";
  const auto user = find_script_user("nobody", "nogroup");
  REQUIRE(user.has_value());
  CHECK(stage
            .run({.argv = {stage.script("who", "id -u > " + out + "; id -G >> " + out)},
                  .user = *user})
            .succeeded());
  CHECK(content(out) == fmt::format("{}\n{}\n", user->uid, user->gid));
  CHECK_FALSE(find_script_user("no-such-user", "").has_value());
  CHECK_FALSE(find_script_user("nobody", "no-such-group").has_value());
}
