#include "runtime/small_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::runtime {

namespace {

constexpr int kReading = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

core::Result<struct stat> look_at(const UniqueFd& fd, const std::string& path) {
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0) return core::fail_errno(errno, "cannot look at {}", path);
  if (!S_ISREG(found.st_mode)) return core::fail("{} is not a file", path);
  return found;
}

core::Result<std::string> read_all(const UniqueFd& fd, const std::string& path, std::size_t longest,
                                   std::string_view of_a_longer_one) {
  std::string text;
  std::array<char, 16384> piece{};
  while (true) {
    const ssize_t count = ::read(fd.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return core::fail_errno(errno, "cannot read {}", path);
    if (count == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
    if (text.size() > longest)
      return core::fail("{} is longer than {} bytes{}", path, longest, of_a_longer_one);
  }
}

}  // namespace

core::Result<std::string> read_small_file(const std::string& path, std::size_t longest,
                                          Owner owner) {
  const UniqueFd fd(::open(path.c_str(), kReading | O_NOFOLLOW));
  if (!fd && errno == ELOOP) return core::fail_errno(ELOOP, "{} is a link, not a file", path);
  if (!fd) return core::fail_errno(errno, "cannot open {}", path);
  const auto found = look_at(fd, path);
  if (!found) return found.error();
  if (owner == Owner::ours && (found->st_uid != ::geteuid() || (found->st_mode & 077) != 0))
    return core::fail("{} belongs to somebody else, or others may use it", path);
  return read_all(fd, path, longest, ": it is not ours");
}

core::Result<std::string> read_named_file(const std::string& path, std::size_t longest) {
  const UniqueFd fd(::open(path.c_str(), kReading));
  if (!fd) return core::fail_errno(errno, "cannot open {}", path);
  const auto found = look_at(fd, path);
  if (!found) return found.error();
  return read_all(fd, path, longest, "");
}

std::string boot_id() {
  constexpr std::size_t kLongestId = 64;
  const auto read = read_small_file("/proc/sys/kernel/random/boot_id", kLongestId);
  std::string id = read ? *read : std::string{};
  while (id.ends_with('\n')) id.pop_back();
  return id;
}

core::Result<UniqueFd> create_file(const std::string& path, mode_t mode, int flags) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return core::fail_errno(errno, "cannot replace {}", path);
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | flags, mode));
  if (!fd) return core::fail_errno(errno, "cannot make {}", path);
  return fd;
}

core::Result<void> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return core::fail_errno(errno, "cannot write {}", path);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

core::Result<void> replace_file(const std::string& path, std::string_view text, mode_t mode) {
  const std::string fresh = path + ".new";
  auto fd = create_file(fresh, mode, 0);
  if (!fd) return fd.error();
  auto done = write_all(fd->get(), text, fresh);
  if (done && std::rename(fresh.c_str(), path.c_str()) != 0)
    done = core::fail_errno(errno, "cannot replace {}", path);
  if (!done) ::unlink(fresh.c_str());
  return done;
}

}  // namespace holdfast::runtime
