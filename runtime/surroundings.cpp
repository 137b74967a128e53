#include "runtime/surroundings.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

/// Enough for a snapshot, the pages and the pid files of a very large configuration.
constexpr rlim_t kLeastFileBytes = rlim_t{1} << 30;

core::Result<void> raise(__rlimit_resource resource, rlim_t least, const char* what) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0)
    return core::fail_errno(errno, "cannot read the limit of {}", what);
  if (limit.rlim_cur >= least) return {};
  const rlimit wanted{least, std::max(limit.rlim_max, least)};
  if (::setrlimit(resource, &wanted) == 0) return {};
  const int error = errno;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(resource, &limit);
  return core::fail_errno(error, "cannot raise the limit of {} from {} to {}", what, limit.rlim_max,
                          least);
}

}  // namespace

void open_standard_descriptors() {
  // The lowest free number is what open() gives: in this order each gets its own.
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(standard, F_GETFD) >= 0) continue;
    const int opened = ::open("/dev/null", O_RDWR);
    if (opened > STDERR_FILENO) ::close(opened);
  }
}

core::Result<void> raise_limits() {
  const auto files = raise(RLIMIT_FSIZE, kLeastFileBytes, "the size of files");
  // For vrrp_no_swap and checker_no_swap, which say it where this is refused.
  static_cast<void>(raise(RLIMIT_MEMLOCK, RLIM_INFINITY, "locked memory"));
  const auto descriptors = raise(RLIMIT_NOFILE, kLeastDescriptors, "open files");
  return files ? descriptors : files;
}

}  // namespace holdfast::runtime
