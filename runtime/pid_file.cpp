#include "runtime/pid_file.hpp"

#include "runtime/small_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace holdfast::runtime {
namespace {

constexpr std::size_t kLongest = 32;

std::string text_of(pid_t pid) {
  return fmt::format("{}\n", pid);
}

/// A number that means another process by now is worse than none.
void remove_stale(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode)) ::unlink(path.c_str());
}

}  // namespace

core::Result<PidFile> PidFile::write(const std::string& path) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const pid_t pid = ::getpid();
  if (auto replaced = replace_file(path, text_of(pid), 0644); !replaced) {
    remove_stale(path);
    return core::Error{fmt::format("there is no pid file: {}", replaced.error().message),
                       replaced.error().system_errno};
  }
  return PidFile(path, pid);
}

PidFile::PidFile(PidFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), pid_(other.pid_) {}

PidFile& PidFile::operator=(PidFile&& other) noexcept {
  remove();
  path_ = std::exchange(other.path_, {});
  pid_ = other.pid_;
  return *this;
}

PidFile::~PidFile() {
  remove();
}

// A successor may have written its own, and a forked child is not the one that is named.
void PidFile::remove() {
  if (path_.empty() || pid_ != ::getpid()) return;
  const auto text = read_small_file(path_, kLongest);
  if (text && *text == text_of(pid_)) ::unlink(path_.c_str());
}

}  // namespace holdfast::runtime
