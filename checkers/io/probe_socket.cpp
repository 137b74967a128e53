#include "checkers/io/probe_socket.hpp"

#include "checkers/io/socket_address.hpp"
#include "checkers/io/socket_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <netinet/in.h>

namespace holdfast::checkers {
namespace {

std::optional<Outcome> bind_to_interface(int fd, const std::string& name) {
  if (::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name.c_str(),
                   static_cast<socklen_t>(name.size())) == 0)
    return std::nullopt;
  return outcome_of_local_error(fmt::format("send the probe by the interface {}", name), errno);
}

std::optional<Outcome> mark(int fd, std::uint32_t value) {
  if (::setsockopt(fd, SOL_SOCKET, SO_MARK, &value, sizeof(value)) == 0) return std::nullopt;
  return outcome_of_local_error(fmt::format("put mark {} on the probe", value), errno);
}

std::optional<Outcome> bind_to_source(int fd, const ProbeSettings& settings, SocketKind kind) {
  const bool is_v4 = settings.target.address.is_v4();
  const core::Endpoint source{
      settings.bind_address.value_or(is_v4 ? core::IpAddress{} : core::IpAddress::v6({})),
      settings.bind_port};
  const int on = 1;
  if (settings.bind_port != 0 && kind.type == SOCK_STREAM) {
    // The port is needed again for the next run: no TIME_WAIT, the connection ends with a reset.
    const ::linger at_once{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  } else if (settings.bind_port == 0) {
    // The kernel chooses the port in connect(), where it knows the target: many more fit.
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  }
  const SocketAddress address(source);
  if (::bind(fd, address.get(), address.size()) == 0) return std::nullopt;
  return outcome_of_local_error(fmt::format("bind the probe to {}", source.to_string()), errno);
}

}  // namespace

std::variant<runtime::UniqueFd, Outcome> open_probe_socket(const ProbeSettings& settings,
                                                           SocketKind kind) {
  const int family = settings.target.address.is_v4() ? AF_INET : AF_INET6;
  runtime::UniqueFd fd(::socket(family, kind.type | SOCK_NONBLOCK | SOCK_CLOEXEC, kind.protocol));
  if (!fd) return outcome_of_local_error("open a socket for the probe", errno);
  std::optional<Outcome> problem;
  if (settings.bind_interface) problem = bind_to_interface(fd.get(), *settings.bind_interface);
  if (!problem && settings.mark != 0) problem = mark(fd.get(), settings.mark);
  if (!problem && (settings.bind_address || settings.bind_port != 0))
    problem = bind_to_source(fd.get(), settings, kind);
  if (problem) return std::move(*problem);
  return fd;
}

}  // namespace holdfast::checkers
