// Where the metrics are served: a TCP address or a path, as an operator writes it.
#pragma once

#include "core/result.hpp"
#include "runtime/unique_fd.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace holdfast::ctl {

struct TcpAddress {
  std::string host;  ///< an address, without brackets
  std::uint16_t port = 0;
  bool operator==(const TcpAddress&) const = default;
};
struct SocketPath {
  std::string path;
  bool operator==(const SocketPath&) const = default;
};
using ListenAddress = std::variant<TcpAddress, SocketPath>;

/// "127.0.0.1:9650", "[::1]:9650", "/run/holdfast-metrics.sock". Names are not looked up: who
/// listens where must not depend on a name server.
[[nodiscard]] core::Result<ListenAddress> parse_listen_address(std::string_view words);

struct Listener {
  runtime::UniqueFd socket;  ///< listens, does not block
  int family = 0;
};
/// A socket file that nobody listens on any more is replaced; its mode is 0666 less the umask.
[[nodiscard]] core::Result<Listener> listen_on(const ListenAddress& address);

}  // namespace holdfast::ctl
