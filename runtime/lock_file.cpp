#include "runtime/lock_file.hpp"

#include "runtime/clock.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

/// How often the name may be replaced under our hands.
constexpr int kMaxAttempts = 10;
constexpr std::chrono::milliseconds kLook{10};

std::string pid_in(int fd) {
  std::array<char, 16> text{};
  const ssize_t count = ::pread(fd, text.data(), text.size() - 1, 0);
  std::string pid(text.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? "unknown" : pid;
}

bool is_still_the_file(int fd, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

core::Result<void> clear_the_name(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (S_ISREG(found.st_mode) && found.st_uid == ::geteuid() && (found.st_mode & 077) == 0)
    return {};
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return core::fail_errno(errno, "cannot replace what is in the way of the lock file {}", path);
}

}  // namespace

bool lock_within(int fd, core::Duration patience) {
  const core::Instant give_up = now() + patience;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error != EINTR && (error != EWOULDBLOCK || now() >= give_up)) {
      errno = error;
      return false;
    }
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

core::Result<LockFile> LockFile::acquire(const std::string& path, core::Duration patience) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  // The holder removes the file when it ends: after the lock, look whether the name still leads to
  // it.
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    if (auto cleared = clear_the_name(path); !cleared) return cleared.error();
    constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    UniqueFd fd(::open(path.c_str(), kFlags, 0600));
    if (!fd) return core::fail_errno(errno, "cannot open the lock file {}", path);
    if (!lock_within(fd.get(), patience)) {
      if (errno != EWOULDBLOCK) return core::fail_errno(errno, "cannot lock {}", path);
      return core::Error{
          fmt::format("it is already running as process {} (lock file {}); stop that one first, or "
                      "use another pid file and run directory",
                      pid_in(fd.get()), path),
          EAGAIN};
    }
    if (!is_still_the_file(fd.get(), path)) continue;
    LockFile file(path, std::move(fd));
    file.write_own_pid();
    return file;
  }
  return core::fail("cannot get hold of the lock file {}: it is replaced all the time", path);
}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  remove();
  path_ = std::move(other.path_);
  fd_ = std::move(other.fd_);
  return *this;
}

LockFile::~LockFile() {
  remove();
}

void LockFile::remove() {
  if (fd_) ::unlink(path_.c_str());
  fd_.reset();
}

// The lock is what counts: on a full disk the number is missing in the text, nothing else.
void LockFile::write_own_pid() {
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd_.get(), 0) == 0) [[maybe_unused]]
    const ssize_t ignored = ::pwrite(fd_.get(), text.data(), text.size(), 0);
}

}  // namespace holdfast::runtime
