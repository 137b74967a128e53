#include "runtime/process.hpp"
#include "runtime/signals.hpp"
#include "runtime/surroundings.hpp"
#include "runtime/syscall_filter.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <future>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::runtime;

namespace {

/// What `body` returns, in a process of its own.
int in_child(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) ::_exit(body());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// A mask that the kernel shows of this thread: "CapEff", "SigIgn".
std::uint64_t mask_of_this_thread(const std::string& name) {
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 2), nullptr, 16);
  }
  return ~std::uint64_t{0};
}

std::uint64_t effective_capabilities() {
  return mask_of_this_thread("CapEff");
}

}  // namespace

TEST_CASE(
    "daemonize: the starter's exit code is what the daemon reports, 1 when it dies silently") {
  CHECK(in_child([] {
          auto daemon = daemonize();
          if (!daemon) return 99;
          // In the background now; what is returned here is nobody's business.
          daemon->report(::getppid() != 0 && ::getsid(0) != ::getpid() ? 5 : 6);
          return 0;
        }) == 5);
  CHECK(in_child([] {
          auto daemon = daemonize();
          return 0;
        }) == 1);
}

TEST_CASE("sd_notify: one datagram to the socket in the environment") {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "notify";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);

  sd_notify("READY=1\nSTATUS=master of 1 instance");

  ::unsetenv("NOTIFY_SOCKET");
  std::array<char, 100> text{};
  const ssize_t count = ::recv(socket.get(), text.data(), text.size(), 0);
  CHECK(std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))) ==
        "READY=1\nSTATUS=master of 1 instance");
  sd_notify("READY=1");  // no variable: silence
}

TEST_CASE(
    "privileges: a child keeps the network, loses the rest, and root scripts have all of it") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: needs root");
    return;
  }
  constexpr std::uint64_t kNetAdmin = 1ULL << 12;
  constexpr std::uint64_t kSysModule = 1ULL << 16;
  CHECK(in_child([] {
          const auto before = effective_capabilities();
          if (!keep_capabilities(Role::vrrp, "/")) return 9;
          const auto after = effective_capabilities();
          if ((after & kNetAdmin) == 0 || (after & kSysModule) != 0) return 1;
          if ((before & kSysModule) == 0) return 0;  // the container has it not either
          // An exec as root gets the bounding set back.
          return std::system(
              "grep -q \"CapEff:.*$(grep CapBnd /proc/self/status | cut -f2)\" /proc/self/status");
        }) == 0);
}

TEST_CASE("signals: habit ends nothing of ours, and a program that we start begins afresh") {
  CHECK(in_child([] {
          sigset_t waiting = harmless_signal_set();
          ::sigprocmask(SIG_BLOCK, &waiting, nullptr);  // as the parent does until main()
          ignore_harmless_signals();
          for (const int number : harmless_signals()) std::raise(number);
          for (const int number : {SIGPIPE, SIGXFSZ}) std::raise(number);
          if (mask_of_this_thread("SigBlk") != 0) return 1;
          use_default_signals();
          return mask_of_this_thread("SigIgn") == 0 ? 0 : 2;
        }) == 0);
}

TEST_CASE("signals: a thread that is made while they are blocked is not interrupted") {
  CHECK(in_child([] {
          std::uint64_t blocked = 0;
          {
            const SignalsBlocked here;
            std::thread([&blocked] { blocked = mask_of_this_thread("SigBlk"); }).join();
          }
          if ((blocked & (1ULL << (SIGTERM - 1))) == 0) return 1;
          if ((blocked & (1ULL << (SIGSEGV - 1))) != 0) return 2;
          return mask_of_this_thread("SigBlk") == 0 ? 0 : 3;
        }) == 0);
}

TEST_CASE("standard descriptors: what is closed leads to /dev/null, what is open stays") {
  CHECK(in_child([] {
          const auto target = [](int fd) {
            std::array<char, 64> name{};
            const auto path = fmt::format("/proc/self/fd/{}", fd);
            const ssize_t length = ::readlink(path.c_str(), name.data(), name.size());
            return std::string(name.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
          };
          const std::string output = target(STDOUT_FILENO);
          ::close(STDIN_FILENO);
          ::close(STDERR_FILENO);
          open_standard_descriptors();
          return target(STDIN_FILENO) == "/dev/null" && target(STDERR_FILENO) == "/dev/null" &&
                         target(STDOUT_FILENO) == output
                     ? 0
                     : 1;
        }) == 0);
}

TEST_CASE("privileges: who has given up programs gets nothing back by one") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: needs root");
    return;
  }
  CHECK(in_child([] {
          if (!give_up_programs()) return 9;
          if (mask_of_this_thread("CapBnd") != 0) return 8;
          if (!keep_capabilities(Role::vrrp, "/")) return 7;
          return std::system("grep -q 'CapEff:.*0000000000000000' /proc/self/status");
        }) == 0);
}

namespace {

/// The errno of the call, in a process under the filter; 0: done.
int under_filter(FilterFor what, const std::function<bool()>& call) {
  ::unsetenv(kFilterVariable);
  return in_child([&] {
    if (!filter_syscalls(what)) return 99;
    errno = 0;
    return call() ? 0 : errno;
  });
}

bool can_open(int family) {
  return UniqueFd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)).get() >= 0;
}

}  // namespace

TEST_CASE("system calls: another program or user is refused, a thread and a file are not") {
  using enum FilterFor;
  constexpr std::array<const char*, 2> kWords{"true", nullptr};
  for (const FilterFor what : {files, network}) {
    CHECK(under_filter(what, [&] {
            return ::execv("/bin/true", const_cast<char* const*>(kWords.data())) == 0;
          }) == EPERM);
    CHECK(under_filter(what, [] { return ::setresuid(1, 1, 1) == 0; }) == EPERM);
#if !defined(__SANITIZE_ADDRESS__)  // which stops its own process to look for leaks
    CHECK(under_filter(what, [] { return ::ptrace(PTRACE_TRACEME, 0, 0, 0) == 0; }) == EPERM);
    CHECK(under_filter(what, [] { return ::kill(::getppid(), 0) == 0; }) == EPERM);
    CHECK(under_filter(what, [] { return ::fork() >= 0; }) == ENOSYS);
#endif
    CHECK(under_filter(what, [] { return ::syscall(SYS_sync) >= 0; }) == ENOSYS);
    CHECK(under_filter(what, [] {
            bool ran = false;
            std::thread([&ran] { ran = std::ifstream("/proc/self/status").good(); }).join();
            return ran;
          }) == 0);
  }
}

TEST_CASE("system calls: sockets of the families that are needed, threads of before included") {
  using enum FilterFor;
  for (const int family : {AF_UNIX, AF_INET, AF_INET6})
    CHECK(under_filter(files, [family] { return can_open(family); }) == 0);
  CHECK(under_filter(files, [] { return can_open(AF_PACKET); }) == ENOSYS);
  CHECK(under_filter(network, [] { return can_open(AF_PACKET) || errno == EPERM; }) == 0);
  CHECK(under_filter(network, [] { return can_open(AF_ALG); }) == ENOSYS);
  CHECK(in_child([] {
          std::promise<void> filtered;
          int error = 0;
          std::thread earlier([&] {
            filtered.get_future().wait();
            error = ::unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
          });
          if (!filter_syscalls(network)) return 99;
          filtered.set_value();
          earlier.join();
          return error == EPERM ? 0 : 1;
        }) == 0);
}

TEST_CASE("system calls: the variable switches it off, or loud, and a wrong word is said") {
  ::setenv(kFilterVariable, "off", 1);
  CHECK(in_child([] {
          return filter_syscalls(FilterFor::files) && ::kill(::getpid(), 0) == 0 ? 0 : 1;
        }) == 0);
  ::setenv(kFilterVariable, "loud", 1);
  CHECK(in_child([] {
          if (!filter_syscalls(FilterFor::files)) return 99;
          ::unshare(0);
          return 0;
        }) == 128 + SIGSYS);
  ::setenv(kFilterVariable, "quiet", 1);
  const auto refused = filter_syscalls(FilterFor::files);
  ::unsetenv(kFilterVariable);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message == "HOLDFAST_SYSCALL_FILTER is on, off or loud, not 'quiet'");
}
