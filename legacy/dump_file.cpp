#include "legacy/dump_file.hpp"

#include "runtime/small_file.hpp"
#include "runtime/unique_fd.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::legacy {
namespace {

/// Somebody would have to guess 64 bits; a few tries are for accidents.
constexpr int kTries = 4;

std::string random_name() {
  std::random_device source;
  return fmt::format(".holdfast-dump-{:08x}{:08x}", source(), source());
}

}  // namespace

core::Result<void> write_dump(const std::string& path, std::string_view text, mode_t mode) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
  const std::string name = path.substr(slash + 1);
  const runtime::UniqueFd place(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place) return core::fail_errno(errno, "cannot write dumps to {}", directory);
  runtime::UniqueFd file;
  std::string temporary;
  for (int i = 0; i < kTries && !file; ++i) {
    temporary = random_name();
    file.reset(::openat(place.get(), temporary.c_str(),
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file && errno != EEXIST) break;
  }
  if (!file) return core::fail_errno(errno, "cannot make a file in {}", directory);
  auto written = runtime::write_all(file.get(), text, path);
  if (written && ::fchmod(file.get(), mode) != 0)
    written = core::fail_errno(errno, "cannot set the mode of {}", path);
  if (written && ::renameat(place.get(), temporary.c_str(), place.get(), name.c_str()) != 0)
    written = core::fail_errno(errno, "cannot put a new dump in the place of {}", path);
  if (!written) ::unlinkat(place.get(), temporary.c_str(), 0);
  return written;
}

}  // namespace holdfast::legacy
