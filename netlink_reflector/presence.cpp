#include "netlink_reflector/presence.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace holdfast::netlink {
namespace {

constexpr std::string_view kPrefix = "holdfast.addresses.";
/// /proc/net/unix writes the zero byte that begins an abstract name as '@'.
constexpr std::string_view kShownPrefix = "@holdfast.addresses.";

/// By device and inode: containers have directories of one name, and one directory several names.
/// The name that follows is for people.
std::string name_of(const std::string& run_dir) {
  std::error_code ignored;  // a directory that cannot be made is complained of by its first user
  std::filesystem::create_directories(run_dir, ignored);
  struct stat directory {};
  static_cast<void>(::stat(run_dir.c_str(), &directory));
  return fmt::format("{}{}.{}.{}", kPrefix, directory.st_dev, directory.st_ino, run_dir);
}

}  // namespace

core::Result<Presence> Presence::announce(const std::string& run_dir, Company company) {
  Presence presence;
  if (run_dir.empty()) return presence;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  presence.name_ = name_of(run_dir);
  presence.name_.resize(std::min(presence.name_.size(), sizeof address.sun_path - 1));
  std::memcpy(address.sun_path + 1, presence.name_.data(), presence.name_.size());
  const auto length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + presence.name_.size());
  presence.socket_ = runtime::UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::bind(presence.socket_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0) {
    return presence;
  }
  // The other one shows the name for both.
  if (errno == EADDRINUSE && company == Company::accepted) return presence;
  if (errno == EADDRINUSE) {
    return core::fail(
        "another process of this run directory keeps the virtual addresses ({}); end it, or give "
        "this one a --run-dir of its own",
        run_dir);
  }
  return core::fail_errno(errno, "cannot show this process to other directors of this host");
}

OtherKeepers Presence::others() const {
  std::ifstream table("/proc/net/unix");
  if (!table) return OtherKeepers::some;
  std::string line;
  while (std::getline(table, line)) {
    const std::size_t at = line.find(kShownPrefix);
    if (at == std::string::npos) continue;
    if (std::string_view(line).substr(at + 1) != name_) return OtherKeepers::some;
  }
  return OtherKeepers::none;
}

}  // namespace holdfast::netlink
