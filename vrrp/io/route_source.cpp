#include "vrrp/io/route_source.hpp"

#include "runtime/unique_fd.hpp"

#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

namespace holdfast::vrrp {
namespace {

/// RFC 863, discard: some port must be named, none is reached.
constexpr std::uint16_t kAnyPort = 9;

template <class Socket, class Where>
std::optional<core::IpAddress> ask(int family, const core::IpAddress& peer, Socket target,
                                   Where where) {
  const runtime::UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return std::nullopt;
  std::memcpy(where(target), peer.bytes().data(), peer.bytes().size());
  auto* const address = reinterpret_cast<sockaddr*>(&target);
  socklen_t size = sizeof target;
  // udp(7): connecting chooses the route, and with it the local address.
  if (::connect(fd.get(), address, size) != 0 || ::getsockname(fd.get(), address, &size) != 0)
    return std::nullopt;
  return core::IpAddress::from_bytes(
      {reinterpret_cast<const std::uint8_t*>(where(target)), peer.bytes().size()});
}

}  // namespace

std::optional<core::IpAddress> source_towards(const core::IpAddress& peer) {
  if (peer.is_v4()) {
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_port = htons(kAnyPort);
    return ask(AF_INET, peer, target, [](sockaddr_in& to) { return &to.sin_addr; });
  }
  sockaddr_in6 target{};
  target.sin6_family = AF_INET6;
  target.sin6_port = htons(kAnyPort);
  return ask(AF_INET6, peer, target, [](sockaddr_in6& to) { return &to.sin6_addr; });
}

}  // namespace holdfast::vrrp
