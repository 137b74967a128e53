#include "runtime/sealed_memfd.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

constexpr int kAllSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

}  // namespace

core::Result<UniqueFd> write_sealed_memfd(const char* name, std::string_view bytes) {
  if (bytes.size() > kMaxSealedBytes) {
    return core::fail("{} has {} bytes; more than {} are not passed on", name, bytes.size(),
                      kMaxSealedBytes);
  }
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return core::fail_errno(errno, "cannot create memory for {}", name);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t written = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return core::fail_errno(errno, "cannot write {} to memory", name);
    done += static_cast<std::size_t>(written);
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, kAllSeals) != 0)
    return core::fail_errno(errno, "cannot seal {}", name);
  return fd;
}

core::Result<std::string> read_sealed_memfd(int fd) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0)
    return core::fail_errno(errno, "the snapshot's descriptor is not a sealed memory file");
  if ((seals & kAllSeals) != kAllSeals)
    return core::fail("the snapshot is not sealed: somebody could change it");
  struct stat status {};
  if (::fstat(fd, &status) != 0) return core::fail_errno(errno, "cannot read the snapshot's size");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > kMaxSealedBytes)
    return core::fail("the snapshot has {} bytes, more than {}", size, kMaxSealedBytes);
  std::string bytes(size, '\0');
  for (std::size_t done = 0; done < size;) {
    const ssize_t count = ::pread(fd, bytes.data() + done, size - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return core::fail_errno(errno, "cannot read the snapshot");
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

}  // namespace holdfast::runtime
