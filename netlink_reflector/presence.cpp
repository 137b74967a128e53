#include "netlink_reflector/presence.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <sys/socket.h>
#include <sys/un.h>

namespace holdfast::netlink {
namespace {

constexpr std::string_view kPrefix = "holdfast.addresses.";
/// /proc/net/unix writes the zero byte that begins an abstract name as '@'.
constexpr std::string_view kShownPrefix = "@holdfast.addresses.";

}  // namespace

Presence::Presence(std::string_view run_dir) {
  if (run_dir.empty()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name_ = std::string(kPrefix) + std::string(run_dir);
  name_.resize(std::min(name_.size(), sizeof address.sun_path - 1));
  std::memcpy(address.sun_path + 1, name_.data(), name_.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
  socket_ = runtime::UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // Two containers may have a run directory of one name: the second is not shown, but sees the
  // first.
  if (!socket_ || ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) {
    socket_ = {};
  }
}

OtherKeepers Presence::others() const {
  std::ifstream table("/proc/net/unix");
  if (!table) return OtherKeepers::some;
  std::string line;
  while (std::getline(table, line)) {
    const std::size_t at = line.find(kShownPrefix);
    if (at == std::string::npos) continue;
    const bool is_own = socket_ && std::string_view(line).substr(at + 1) == name_;
    if (!is_own) return OtherKeepers::some;
  }
  return OtherKeepers::none;
}

}  // namespace holdfast::netlink
