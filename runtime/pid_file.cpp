#include "runtime/pid_file.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

/// The first line of the file, for the error text only.
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
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

core::Result<PidFile> PidFile::acquire(const std::string& path) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  // The holder removes the file when it ends: after the lock, look whether the name still leads to
  // it.
  for (int attempt = 0; attempt < 10; ++attempt) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd) return core::fail_errno(errno, "cannot open the pid file {}", path);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
      if (errno != EAGAIN && errno != EACCES)
        return core::fail_errno(errno, "cannot lock the pid file {}", path);
      return core::Error{
          fmt::format(
              "it is already running as process {} (pid file {}); stop that one first, or use "
              "another pid file and run directory",
              pid_in(fd.get()), path),
          EAGAIN};
    }
    if (!is_still_the_file(fd.get(), path)) continue;
    PidFile file(path, std::move(fd));
    if (auto written = file.write_own_pid(); !written) return written.error();
    return file;
  }
  return core::fail("cannot get hold of the pid file {}: it is replaced all the time", path);
}

PidFile& PidFile::operator=(PidFile&& other) noexcept {
  remove();
  path_ = std::move(other.path_);
  fd_ = std::move(other.fd_);
  return *this;
}

PidFile::~PidFile() {
  remove();
}

void PidFile::remove() {
  if (fd_) ::unlink(path_.c_str());
  fd_.reset();
}

core::Result<void> PidFile::write_own_pid() {
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd_.get(), 0) != 0 ||
      ::pwrite(fd_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return core::fail_errno(errno, "cannot write the pid file {}", path_);
  }
  return {};
}

}  // namespace holdfast::runtime
