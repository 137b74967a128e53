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
#include <unistd.h>

namespace holdfast::netlink {
namespace {

constexpr std::string_view kPrefix = "holdfast.addresses.";
/// /proc/net/unix writes the zero byte that begins an abstract name as '@'.
constexpr std::string_view kShownPrefix = "@holdfast.addresses.";

std::string stem_of(const std::string& run_dir) {
  std::error_code ignored;  // a directory that cannot be made is complained of by its first user
  std::filesystem::create_directories(run_dir, ignored);
  return fmt::format("{}{}.", kPrefix, identity_of(run_dir));
}

/// errno of bind(2), 0: done.
int show(const runtime::UniqueFd& socket, std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name = name.substr(0, sizeof address.sun_path - 1);
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) == 0 ? 0 : errno;
}

OtherKeepers others_than(std::string_view stem) {
  std::ifstream table("/proc/net/unix");
  if (!table) return OtherKeepers::some;
  std::string line;
  while (std::getline(table, line)) {
    const std::size_t at = line.find(kShownPrefix);
    if (at == std::string::npos) continue;
    if (!std::string_view(line).substr(at + 1).starts_with(stem)) return OtherKeepers::some;
  }
  return OtherKeepers::none;
}

}  // namespace

// Containers have directories of one name, and one directory several names.
std::string identity_of(const std::string& run_dir) {
  struct stat directory {};
  static_cast<void>(::stat(run_dir.c_str(), &directory));
  return fmt::format("{}.{}", directory.st_dev, directory.st_ino);
}

bool keeper_lives(const std::string& identity) {
  std::ifstream table("/proc/net/unix");
  if (!table) return true;  // better to leave a thing than to take somebody's
  const std::string name = fmt::format("{}{}.", kShownPrefix, identity);
  std::string line;
  while (std::getline(table, line))
    if (line.find(name) != std::string::npos) return true;
  return false;
}

core::Result<Presence> Presence::announce(const std::string& run_dir, Company company) {
  Presence presence;
  if (run_dir.empty()) return presence;
  presence.stem_ = stem_of(run_dir);
  presence.socket_ = runtime::UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  int error = show(presence.socket_, presence.stem_ + run_dir);  // the directory is for people
  // Any account can take a name. Whoever knows that it is not a second keeper shows itself beside.
  if (error == EADDRINUSE && company == Company::accepted)
    error = show(presence.socket_, fmt::format("{}{}.{}", presence.stem_, ::getpid(), run_dir));
  if (error == 0) return presence;
  if (error == EADDRINUSE) {
    return core::fail(
        "another process of this run directory keeps the virtual addresses ({}); end it, or give "
        "this one a --run-dir of its own",
        run_dir);
  }
  return core::fail_errno(error, "cannot show this process to other directors of this host");
}

OtherKeepers Presence::others() const {
  return others_than(stem_);
}

OtherKeepers keepers_beside(const std::string& run_dir) {
  return others_than(fmt::format("{}{}.", kPrefix, identity_of(run_dir)));
}

}  // namespace holdfast::netlink
