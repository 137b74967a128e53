// Notification pipes: made, kept, written, read, left.
#include "tests/unit/runtime/support.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "scripts/crier.hpp"
#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::scripts;
using namespace std::chrono_literals;
using runtime::testing::run_until;

namespace {

struct Stage {
  runtime::testing::TemporaryDirectory directory;
  boost::asio::io_context io;
  runtime::Logger logger{"test", {.to_stderr = false, .to_syslog = false}};
  std::unique_ptr<Pipes> pipes = std::make_unique<Pipes>(io, logger, "test");
  std::array<PipeSettings, kPipeKinds.size()> settings;

  PipeSettings& at(PipeKind kind) { return settings[static_cast<std::size_t>(kind)]; }
  std::string add(PipeKind kind, const std::string& name) {
    at(kind).path = directory / name;
    at(kind).owner = {::geteuid(), ::getegid(), {}};
    return at(kind).path;
  }
  core::Command script(const std::string& name, const std::string& body, const std::string& pipe) {
    const std::string path = directory / name;
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    ::chmod(path.c_str(), 0755);
    return {.argv = {path, pipe}, .user = {::geteuid(), ::getegid(), {::getegid()}}};
  }
  std::int64_t count(const char* word, std::size_t pipe = 0) {
    return pipes->status().at(pipe).as_object().at(word).to_number<std::int64_t>();
  }
};

runtime::UniqueFd reader_of(const std::string& path) {
  return runtime::UniqueFd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

/// What is there now.
std::string read(const runtime::UniqueFd& fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

std::string content(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

bool is_pipe_of_ours(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0 && S_ISFIFO(found.st_mode) &&
         (found.st_mode & 0777) == 0600;
}

/// A zombie, whose new parent may be slow to reap it, has ended, too.
bool has_ended(pid_t pid) {
  const std::string stat = content(fmt::format("/proc/{}/stat", pid));
  const std::size_t name_ends = stat.rfind(") ");
  return name_ends == std::string::npos || stat.substr(name_ends + 2).starts_with('Z');
}

}  // namespace

TEST_CASE("pipes: made with mode 0600; notify_fifo gets every line, its sisters their own") {
  Stage stage;
  const std::string all = stage.add(PipeKind::all, "all");
  const std::string vrrp = stage.add(PipeKind::vrrp, "vrrp");
  const std::string lvs = stage.add(PipeKind::lvs, "lvs");
  stage.pipes->use(stage.settings);
  for (const std::string& path : {all, vrrp, lvs}) CHECK(is_pipe_of_ours(path));
  const auto from_all = reader_of(all);
  const auto from_vrrp = reader_of(vrrp);
  const auto from_lvs = reader_of(lvs);

  stage.pipes->write(PipeKind::vrrp, "INSTANCE \"VI_1\" MASTER 100");
  stage.pipes->write(PipeKind::lvs, "VS [192.0.2.1]:tcp:80 UP");

  CHECK(read(from_all) == "INSTANCE \"VI_1\" MASTER 100\nVS [192.0.2.1]:tcp:80 UP\n");
  CHECK(read(from_vrrp) == "INSTANCE \"VI_1\" MASTER 100\n");
  CHECK(read(from_lvs) == "VS [192.0.2.1]:tcp:80 UP\n");
}

TEST_CASE("pipes: a reload does not end a reader's input, unless the path changes") {
  Stage stage;
  const std::string path = stage.add(PipeKind::all, "all");
  stage.pipes->use(stage.settings);
  const auto reader = reader_of(path);
  stage.pipes->write(PipeKind::vrrp, "one");
  stage.add(PipeKind::vrrp, "another");
  stage.pipes->use(stage.settings);
  stage.pipes->write(PipeKind::vrrp, "two");
  CHECK(read(reader) == "one\ntwo\n");
  char byte = 0;
  CHECK(::read(reader.get(), &byte, 1) == -1);  // not the end: there is a writer
  CHECK(errno == EAGAIN);

  stage.add(PipeKind::all, "elsewhere");
  stage.pipes->use(stage.settings);
  CHECK(::read(reader.get(), &byte, 1) == 0);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE(
    "pipes: lines wait for a reader that comes later; beyond 64 KiB they are lost and counted") {
  Stage stage;
  const std::string path = stage.add(PipeKind::all, "all");
  stage.pipes->use(stage.settings);
  for (int i = 0; i < 2000; ++i) stage.pipes->write(PipeKind::vrrp, fmt::format("{:0>99}", i));
  CHECK(stage.count("written") + stage.count("lost") == 2000);
  CHECK(stage.count("lost") > 1000);
  {
    const auto reader = reader_of(path);
    CHECK(read(reader).starts_with(fmt::format("{:0>99}\n{:0>99}\n", 0, 1)));
  }
  stage.pipes->write(PipeKind::vrrp, "after a reader has died");
  CHECK(read(reader_of(path)) == "after a reader has died\n");
  stage.pipes->write(PipeKind::vrrp, fmt::format("{:x<5000}", ""));  // pipe(7) might tear it apart
  CHECK(read(reader_of(path)).empty());
}

TEST_CASE("pipes: our own reader is told to ask again when lines were lost") {
  Stage stage;
  const std::string path = stage.add(PipeKind::bus, "bus");
  stage.at(PipeKind::bus).reader_is_ours = true;
  stage.pipes->use(stage.settings);
  for (int i = 0; i < 20'000; ++i) stage.pipes->write(PipeKind::vrrp, fmt::format("{:0>99}", i));
  CHECK(stage.count("lost") > 1000);
  const auto reader = reader_of(path);
  CHECK(read(reader).find("ASK AGAIN") == std::string::npos);
  std::string told;
  CHECK(run_until(stage.io, [&] { return !(told += read(reader)).empty(); }));
  CHECK(told == "ASK AGAIN\n");
}

TEST_CASE("pipes: one that is there already is used and left; something else is not touched") {
  Stage stage;
  const std::string path = stage.add(PipeKind::all, "all");
  REQUIRE(::mkfifo(path.c_str(), 0640) == 0);
  const std::string file = stage.add(PipeKind::vrrp, "file");
  std::ofstream(file) << "mine";
  stage.pipes->use(stage.settings);
  stage.pipes->write(PipeKind::vrrp, "line");
  CHECK(read(reader_of(path)) == "line\n");
  CHECK(content(file) == "mine");
  CHECK(stage.pipes->status().at(1).as_object().at("error").as_string().find("is no pipe") !=
        std::string::npos);
  CHECK(stage.count("lost", 1) == 1);

  bool has_left = false;
  stage.pipes->leave([&] { has_left = true; });
  CHECK(run_until(stage.io, [&] { return has_left; }));
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("pipes: the reader gets the path, is started again, and at the end reads the last line") {
  Stage stage;
  const std::string path = stage.add(PipeKind::all, "all");
  const std::string out = stage.directory / "out";
  stage.at(PipeKind::all).reader =
      stage.script("reader",
                   fmt::format("trap 'echo over >> {0}; exit 0' TERM\nwhile read -r line < $1; do\n"
                               "echo \"$line\" >> {0}\n[ \"$line\" = die ] && exit 1\ndone",
                               out),
                   path);
  stage.pipes->use(stage.settings);
  stage.pipes->write(PipeKind::vrrp, "first");
  REQUIRE(run_until(stage.io, [&] { return content(out) == "first\n"; }));
  stage.pipes->write(PipeKind::vrrp, "die");
  REQUIRE(run_until(stage.io, [&] { return content(out) == "first\ndie\n"; }));
  stage.pipes->write(PipeKind::vrrp, "second");
  REQUIRE(run_until(stage.io, [&] { return content(out) == "first\ndie\nsecond\n"; }));

  stage.pipes->write(PipeKind::vrrp, "last");
  bool has_left = false;
  stage.pipes->leave([&] { has_left = true; });
  REQUIRE(run_until(stage.io, [&] { return has_left; }));
  CHECK(content(out).starts_with("first\ndie\nsecond\nlast\n"));
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("pipes: a reader that does not end is ended") {
  Stage stage;
  const std::string path = stage.add(PipeKind::all, "all");
  const std::string pid = stage.directory / "pid";
  stage.at(PipeKind::all).reader =
      stage.script("reader", fmt::format("trap '' TERM\necho $$ > {}\nexec sleep 1000", pid), path);
  stage.pipes->use(stage.settings);
  REQUIRE(run_until(stage.io, [&] { return !content(pid).empty(); }));
  bool has_left = false;
  stage.pipes->write(PipeKind::vrrp, "nobody reads this");
  stage.pipes->leave([&] { has_left = true; });
  REQUIRE(run_until(stage.io, [&] { return has_left; }));
  REQUIRE(run_until(stage.io, [&] { return ::kill(std::stoi(content(pid)), 0) != 0; }) == true);
}

TEST_CASE("pipes: a reader ends with the process that started it, of whatever user it is") {
  Stage stage;
  ::chmod((stage.directory / "").c_str(), 0777);
  const std::string path = stage.add(PipeKind::all, "all");
  const std::string pid = stage.directory / "pid";
  const std::string body =
      fmt::format("echo $$ > {}.new; mv {}.new {}\nexec sleep 100", pid, pid, pid);
  std::vector<core::ScriptUser> users{{::geteuid(), ::getegid(), {::getegid()}}};
  if (::geteuid() == 0) users.push_back({65534, 65534, {65534}});
  for (const core::ScriptUser& user : users) {
    std::filesystem::remove(pid);
    stage.at(PipeKind::all).reader = stage.script("reader", body, path);
    stage.at(PipeKind::all).reader->user = user;
    const pid_t process = ::fork();
    if (process == 0) {
      boost::asio::io_context io;
      Pipes pipes(io, stage.logger, "test");
      pipes.use(stage.settings);
      while (true) ::pause();
    }
    REQUIRE(run_until(stage.io, [&] { return !content(pid).empty(); }));
    const pid_t reader = std::stoi(content(pid));

    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);

    CHECK(run_until(stage.io, [&] { return has_ended(reader); }));
    ::kill(reader, SIGKILL);
  }
}

TEST_CASE("pipes: a reader that cannot be run yet is tried again, and said once") {
  Stage stage;
  const std::string path = stage.add(PipeKind::all, "all");
  const std::string out = stage.directory / "out";
  core::Command reader = stage.script("reader", "echo runs > " + out + "; exec sleep 100", path);
  ::chmod(reader.argv.front().c_str(), 0644);
  stage.at(PipeKind::all).reader = reader;
  stage.pipes->use(stage.settings);
  CHECK(stage.pipes->status().at(0).as_object().at("error").is_string());
  CHECK_FALSE(stage.pipes->status().at(0).as_object().at("reader_runs").as_bool());

  ::chmod(reader.argv.front().c_str(), 0755);

  CHECK(run_until(stage.io, [&] { return content(out) == "runs\n"; }));
  CHECK(stage.pipes->status().at(0).as_object().at("error").is_null());
}

TEST_CASE(
    "pipes: a reader that is not wanted any more is ended and reaped, even an unwilling one") {
  Stage stage;
  const std::string path = stage.add(PipeKind::all, "all");
  const std::string pid = stage.directory / "pid";
  stage.at(PipeKind::all).reader =
      stage.script("reader", fmt::format("trap '' TERM\necho $$ > {}\nexec sleep 1000", pid), path);
  stage.pipes->use(stage.settings);
  REQUIRE(run_until(stage.io, [&] { return !content(pid).empty(); }));
  const pid_t reader = std::stoi(content(pid));

  stage.at(PipeKind::all).reader.reset();
  stage.pipes->use(stage.settings);

  CHECK(run_until(stage.io, [&] { return ::kill(reader, 0) != 0; }));  // a zombie would be there
}

TEST_CASE("pipes: a reader that outlived SIGTERM at the stop is not started again") {
  Stage stage;
  const std::string path = stage.add(PipeKind::all, "all");
  const std::string pids = stage.directory / "pids";
  stage.at(PipeKind::all).reader = stage.script(
      "reader", fmt::format("trap '' TERM\necho $$ >> {}\nexec sleep 1000", pids), path);
  stage.pipes->use(stage.settings);
  REQUIRE(run_until(stage.io, [&] { return !content(pids).empty(); }));
  const std::string first = content(pids);
  bool has_left = false;
  stage.pipes->leave([&] { has_left = true; });
  REQUIRE(run_until(stage.io, [&] { return has_left; }));

  const core::Instant until = runtime::now() + NotifyPipe::kFirstPause + 300ms;
  REQUIRE(run_until(stage.io, [&] { return runtime::now() > until; }));

  CHECK(content(pids) == first);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("pipes: one that cannot be given to its owner is not left behind") {
  Stage stage;
  ::chmod((stage.directory / "").c_str(), 0777);
  const std::string path = stage.add(PipeKind::all, "all");
  stage.at(PipeKind::all).owner = {0, 0, {}};
  // In a process of its own: all threads of one change their user together, or it is ended.
  const pid_t process = ::fork();
  if (process == 0) {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) ::_exit(2);
    boost::asio::io_context io;
    Pipes pipes(io, stage.logger, "test");
    pipes.use(stage.settings);
    ::_exit(std::filesystem::exists(path) ? 1 : 0);
  }
  int status = -1;
  ::waitpid(process, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("pipes: one that a killed predecessor has made is ours, a stranger's is not") {
  Stage stage;
  const std::string path = stage.add(PipeKind::all, "all");
  const pid_t process = ::fork();
  if (process == 0) {
    boost::asio::io_context io;
    Pipes pipes(io, stage.logger, "one");
    pipes.use(stage.settings);
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(process, nullptr, 0);
  REQUIRE(is_pipe_of_ours(path));
  std::array<char, 64> mark{};
  if (::lgetxattr(path.c_str(), "trusted.holdfast", mark.data(), mark.size()) < 0) {
    MESSAGE("skipped: needs CAP_SYS_ADMIN to mark a file");
    return;
  }
  for (const std::string director : {"another", "one"}) {
    boost::asio::io_context io;
    Pipes pipes(io, stage.logger, director);
    pipes.use(stage.settings);
    bool has_left = false;

    pipes.leave([&] { has_left = true; });

    REQUIRE(run_until(io, [&] { return has_left; }));
    CHECK(std::filesystem::exists(path) == (director == "another"));
  }
}

TEST_CASE("crier: a line is answered at once; without a relay a letter is settled at once") {
  Stage stage;
  const std::string path = stage.add(PipeKind::vrrp, "vrrp");
  Crier crier(stage.io, stage.logger, "test");
  Correspondence wanted;
  wanted.pipes = stage.settings;
  crier.prepare(wanted);
  std::vector<runtime::TidingsReport> answers;
  using What = runtime::TidingsReport::What;

  crier.take("vrrp", {.id = 7, .subject = "a", .line = "x", .title = "t"},
             [&](const runtime::TidingsReport& report) { answers.push_back(report); });

  CHECK(answers == std::vector<runtime::TidingsReport>{{7, What::taken}, {7, What::settled}});
  CHECK(read(reader_of(path)) == "x\n");
}

TEST_CASE("crier: what is prepared comes into use when it is said, not by itself") {
  Stage stage;
  const std::string former = stage.add(PipeKind::vrrp, "former");
  Correspondence in_use;
  in_use.pipes = stage.settings;
  Correspondence candidate;
  const std::string refused = stage.add(PipeKind::vrrp, "refused");
  candidate.pipes = stage.settings;
  Crier crier(stage.io, stage.logger, "test");
  crier.prepare(in_use);
  crier.commit();
  crier.prepare(candidate);

  crier.take("vrrp", {.id = 1, .subject = "a", .line = "x"}, [](const auto&) {});

  CHECK(read(reader_of(former)) == "x\n");
  CHECK_FALSE(std::filesystem::exists(refused));
}
