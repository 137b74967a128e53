#include "ctl/listener.hpp"

#include "runtime/control_socket.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace holdfast::ctl {
namespace {

constexpr int kBacklog = 128;

core::Error not_an_address(std::string_view words) {
  return core::fail(
      "'{}' is no address to listen on: write 127.0.0.1:9650, [::1]:9650 or a path that begins "
      "with /",
      words);
}

core::Result<Listener> bound(int family, const sockaddr* address, socklen_t length,
                             const std::string& name) {
  Listener made{runtime::UniqueFd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
                family};
  const int yes = 1;
  if (family != AF_UNIX)
    ::setsockopt(made.socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (family == AF_INET6)
    ::setsockopt(made.socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  if (::bind(made.socket.get(), address, length) != 0 || ::listen(made.socket.get(), kBacklog) != 0)
    return core::fail_errno(errno, "cannot listen on {}", name);
  return made;
}

core::Result<Listener> listen_at(const TcpAddress& where) {
  const std::string name = fmt::format("{} port {}", where.host, where.port);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(where.port);
  if (::inet_pton(AF_INET, where.host.c_str(), &v4.sin_addr) == 1)
    return bound(AF_INET, reinterpret_cast<const sockaddr*>(&v4), sizeof v4, name);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(where.port);
  if (::inet_pton(AF_INET6, where.host.c_str(), &v6.sin6_addr) == 1)
    return bound(AF_INET6, reinterpret_cast<const sockaddr*>(&v6), sizeof v6, name);
  return not_an_address(where.host);
}

core::Result<Listener> listen_at(const SocketPath& where) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (where.path.size() >= sizeof address.sun_path)
    return core::fail("the path {} is too long for a socket", where.path);
  std::memcpy(address.sun_path, where.path.c_str(), where.path.size() + 1);
  if (runtime::somebody_listens(where.path))
    return core::fail("another process listens on {} already", where.path);
  struct stat there {};
  if (::lstat(where.path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode))
    ::unlink(where.path.c_str());
  return bound(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, where.path);
}

}  // namespace

core::Result<ListenAddress> parse_listen_address(std::string_view words) {
  if (words.starts_with('/')) return ListenAddress(SocketPath{std::string(words)});
  const std::size_t colon = words.rfind(':');
  if (colon == std::string_view::npos) return not_an_address(words);
  std::string_view host = words.substr(0, colon);
  const std::string_view digits = words.substr(colon + 1);
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  in6_addr ignored{};
  const int family = in_brackets ? AF_INET6 : AF_INET;
  const std::string address(host);
  if (::inet_pton(family, address.c_str(), &ignored) != 1) return not_an_address(words);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port == 0)
    return not_an_address(words);
  return ListenAddress(TcpAddress{address, port});
}

core::Result<Listener> listen_on(const ListenAddress& address) {
  return std::visit([](const auto& where) { return listen_at(where); }, address);
}

}  // namespace holdfast::ctl
