#include "runtime/handover_file.hpp"

#include "runtime/lock_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

/// Where the instants and interfaces of a page mean something. Padded by hand: it is compared as
/// bytes.
struct Origin {
  std::array<char, 40> boot_id{};    ///< random(4): a UUID of this boot
  std::uint64_t network_cookie = 0;  ///< never used again on this boot, unlike the number in /proc
  std::uint64_t clock_namespace = 0;

  bool operator==(const Origin&) const = default;
};
static_assert(sizeof(Origin) == 56);

core::Result<Origin> origin_here() {
  Origin here;
  const UniqueFd boot(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  if (!boot || ::read(boot.get(), here.boot_id.data(), 36) != 36)
    return core::fail_errno(errno, "cannot read the boot id of this machine");
  const UniqueFd probe(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  socklen_t length = sizeof(here.network_cookie);
  if (!probe ||
      ::getsockopt(probe.get(), SOL_SOCKET, SO_NETNS_COOKIE, &here.network_cookie, &length) != 0)
    return core::fail_errno(errno,
                            "cannot tell this network from others (Linux 5.14 or later can)");
  struct stat clock {};
  if (::stat("/proc/self/ns/time", &clock) == 0) here.clock_namespace = clock.st_ino;
  return here;
}

/// A child that was killed with its parent keeps the page until the kernel has ended it.
constexpr core::Duration kEndOfTheKilled = std::chrono::milliseconds(300);

core::Result<UniqueFd> open_and_lock(const std::string& path) {
  struct statfs system {};
  if (::statfs(std::filesystem::path(path).parent_path().c_str(), &system) != 0)
    return core::fail_errno(errno, "cannot look at the directory of {}", path);
  if (system.f_type != TMPFS_MAGIC) return core::fail("{} would be on a disk", path);
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return core::fail_errno(errno, "cannot open the handover page {}", path);
  struct stat file {};
  if (::fstat(fd.get(), &file) != 0)
    return core::fail_errno(errno, "cannot look at the handover page {}", path);
  if (!S_ISREG(file.st_mode) || file.st_uid != ::geteuid() || (file.st_mode & 077) != 0)
    return core::fail("the handover page {} belongs to somebody else", path);
  if (!lock_within(fd.get(), kEndOfTheKilled))
    return core::fail_errno(errno, "the handover page {} is in use", path);
  return fd;
}

}  // namespace

core::Result<UniqueFd> open_handover_file(const std::string& path) {
  const auto here = origin_here();
  if (!here) return here.error();
  auto fd = open_and_lock(path);
  if (!fd) return fd;
  const auto bytes = static_cast<off_t>(handover_page_bytes());
  struct stat file {};
  Origin written;
  const bool whole =
      ::fstat(fd->get(), &file) == 0 && file.st_size == bytes &&
      ::pread(fd->get(), &written, sizeof(written), kHandoverNoteAt) == sizeof(written);
  if (whole && written == *here) return fd;
  if (::ftruncate(fd->get(), 0) != 0 || ::ftruncate(fd->get(), bytes) != 0 ||
      ::pwrite(fd->get(), &*here, sizeof(Origin), kHandoverNoteAt) != sizeof(Origin))
    return core::fail_errno(errno, "cannot empty the handover page {}", path);
  return fd;
}

}  // namespace holdfast::runtime
