// vrrp and checkers children that do what a test tells them: the real binary's main, loader and
// watchdog with children whose behaviour is a word in a file. HOLDFAST_TEST_DIR/<role>:
// "crash-on-start", "refuse <reason>", "exit <code>", "mute", "slow-stop"; "busy" works for five
// seconds behind its commit, "hang" waits there; anything else or no file: well behaved. Every step
// is appended to HOLDFAST_TEST_DIR/<role>.log.
#include "checkers/daemon.hpp"
#include "runtime/child.hpp"
#include "runtime/child_files.hpp"
#include "runtime/loop.hpp"
#include "runtime/sealed_memfd.hpp"
#include "vrrp/daemon.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>

namespace {

using namespace holdfast;

std::string path_of(const std::string& name) {
  const char* directory = std::getenv("HOLDFAST_TEST_DIR");
  return (directory == nullptr ? std::string("/nonexistent") : std::string(directory)) + "/" + name;
}

std::string behaviour(const std::string& role) {
  std::ifstream file(path_of(role));
  std::string line;
  std::getline(file, line);
  return line;
}

void note(const std::string& role, const std::string& line) {
  std::ofstream(path_of(role + ".log"), std::ios::app) << ::getpid() << ' ' << line << '\n';
}

void work_for(std::chrono::seconds length) {
  const auto end = std::chrono::steady_clock::now() + length;
  while (std::chrono::steady_clock::now() < end) {
  }
}

int run_scripted(const runtime::ChildOptions& options) {
  const std::string role = options.role;
  const std::string word = behaviour(role);
  note(role, "started");
  if (word == "crash-on-start") std::abort();
  if (word.starts_with("exit ")) return std::atoi(word.c_str() + 5);
  runtime::Logger logger(role, options.log);
  const runtime::ChildFiles files(logger, options);

  runtime::Loop loop;
  runtime::DeadlineTimer later(loop.io(), [&loop] { loop.stop(0); });
  runtime::ChildCallbacks callbacks;
  callbacks.prepare = [&](std::uint64_t generation, runtime::UniqueFd snapshot,
                          const std::function<void(core::Result<void>)>& done) {
    const auto bytes = runtime::read_sealed_memfd(snapshot.get());
    note(role, fmt::format("prepare {} {}", generation, bytes ? "sealed" : bytes.error().message));
    const std::string now_word = behaviour(role);
    if (now_word.starts_with("refuse ")) return done(core::Error{now_word.substr(7), 0});
    if (now_word == "crash-on-prepare") std::abort();
    if (now_word != "mute") done({});
  };
  callbacks.commit = [&](std::uint64_t generation) {
    note(role, fmt::format("commit {}", generation));
    const std::string now_word = behaviour(role);
    if (now_word == "crash-after-commit") std::abort();
    if (now_word == "busy") boost::asio::post(loop.io(), [] { work_for(std::chrono::seconds(5)); });
    if (now_word == "hang")
      boost::asio::post(loop.io(), [] { std::this_thread::sleep_for(std::chrono::hours(1)); });
  };
  callbacks.abort = [&](std::uint64_t generation) {
    note(role, fmt::format("abort {}", generation));
  };
  callbacks.stop = [&](const std::string& why) {
    note(role, "stop: " + why);
    const bool slow = behaviour(role) == "slow-stop";
    later.arm(core::Instant(std::chrono::duration_cast<core::Duration>(
                  std::chrono::steady_clock::now().time_since_epoch())) +
              (slow ? core::Duration(std::chrono::hours(1))
                    : core::Duration(std::chrono::milliseconds(50))));
  };
  runtime::Child child(loop, logger, options, callbacks);
  const int code = loop.run();
  note(role, "ended");
  return code;
}

}  // namespace

int holdfast::vrrp::run_daemon(const runtime::ChildOptions& options) {
  return run_scripted(options);
}
int holdfast::checkers::run_daemon(const runtime::ChildOptions& options) {
  return run_scripted(options);
}
