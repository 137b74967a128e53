#include "runtime/process.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

/// The starter lives until the daemon reports or dies.
[[noreturn]] void wait_for_report(int fd) {
  unsigned char code = 1;
  ssize_t count = 0;
  do {
    count = ::read(fd, &code, 1);
  } while (count < 0 && errno == EINTR);
  ::_exit(count == 1 ? code : 1);
}

}  // namespace

core::Result<Daemonized> daemonize() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return core::fail_errno(errno, "cannot go to the background");
  UniqueFd from_daemon(ends[0]);
  UniqueFd to_starter(ends[1]);
  const pid_t first = ::fork();
  if (first < 0) return core::fail_errno(errno, "cannot go to the background");
  if (first > 0) {
    to_starter.reset();
    wait_for_report(from_daemon.get());
  }
  ::setsid();
  const pid_t second = ::fork();  // not a session leader: can never get a terminal again
  if (second < 0) return core::fail_errno(errno, "cannot go to the background");
  if (second > 0) ::_exit(0);
  if (::chdir("/") != 0) return core::fail_errno(errno, "cannot change to /");
  const UniqueFd null_fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null_fd) return core::fail_errno(errno, "cannot open /dev/null");
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    ::dup2(null_fd.get(), standard);
  return Daemonized(std::move(to_starter));
}

void Daemonized::report(int exit_code) {
  if (!to_starter_) return;
  const auto code = static_cast<unsigned char>(exit_code);
  [[maybe_unused]] const ssize_t ignored = ::write(to_starter_.get(), &code, 1);
  to_starter_.reset();
}

void sd_notify(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // abstract name
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, generic, size);
}

}  // namespace holdfast::runtime
