#include "watchdog/io/reload_files.hpp"

#include "runtime/unique_fd.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::watchdog {

namespace {

/// A link in the place of the file would let its owner choose what root overwrites; a pipe would
/// make the watchdog wait.
runtime::UniqueFd open_emptied(const std::string& path, mode_t mode) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  return runtime::UniqueFd(::open(path.c_str(), kFlags, mode));
}

/// Whoever waits for a reload looks at whether the file is there.
constexpr mode_t kForEverybody = 0644;
/// What is said of a configuration quotes it: for root and its group, also where an older file was
/// left to everybody.
constexpr mode_t kForOwners = 0640;

}  // namespace

core::Result<void> announce_reading(const std::string& path) {
  if (open_emptied(path, kForEverybody)) return {};
  return core::fail_errno(errno, "cannot make {}", path);
}

void announce_read(const std::string& path) {
  ::unlink(path.c_str());
}

core::Result<void> write_check_log(const std::string& path, const std::string& text) {
  const runtime::UniqueFd fd = open_emptied(path, kForOwners);
  if (fd && ::fchmod(fd.get(), kForOwners) != 0)
    return core::fail_errno(errno, "cannot keep {} from others", path);
  std::string_view left = text;
  while (fd && !left.empty()) {
    const ssize_t count = ::write(fd.get(), left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    left.remove_prefix(static_cast<std::size_t>(count));
  }
  if (fd && left.empty()) return {};
  return core::fail_errno(errno, "cannot write {}", path);
}

}  // namespace holdfast::watchdog
