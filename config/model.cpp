#include "config/model.hpp"

#include <fmt/format.h>

namespace holdfast::config {

std::string Model::where(const SourceLocation& location) const {
  const std::string name = location.file < files.names.size() ? files.names[location.file] : "";
  if (location.line == 0) return name;
  return fmt::format("{}:{}:{}", name, location.line, location.column);
}

const char* to_string(InitialState state) {
  return state == InitialState::master ? "MASTER" : "BACKUP";
}

const char* to_string(AuthType type) {
  switch (type) {
    case AuthType::none:
      return "none";
    case AuthType::pass:
      return "PASS";
    case AuthType::ah:
      return "AH";
  }
  return "none";
}

const char* to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return "TCP";
    case Protocol::udp:
      return "UDP";
    case Protocol::sctp:
      return "SCTP";
  }
  return "TCP";
}

const char* to_string(RouteType type) {
  switch (type) {
    case RouteType::unicast:
      return "unicast";
    case RouteType::local:
      return "local";
    case RouteType::broadcast:
      return "broadcast";
    case RouteType::anycast:
      return "anycast";
    case RouteType::multicast:
      return "multicast";
    case RouteType::blackhole:
      return "blackhole";
    case RouteType::unreachable:
      return "unreachable";
    case RouteType::prohibit:
      return "prohibit";
    case RouteType::throw_:
      return "throw";
    case RouteType::nat:
      return "nat";
    case RouteType::xresolve:
      return "xresolve";
  }
  return "unicast";
}

const char* to_string(ForwardingMethod forwarding) {
  switch (forwarding) {
    case ForwardingMethod::nat:
      return "NAT";
    case ForwardingMethod::direct_route:
      return "DR";
    case ForwardingMethod::tunnel:
      return "TUN";
  }
  return "NAT";
}

const char* to_string(HttpProtocol protocol) {
  switch (protocol) {
    case HttpProtocol::http_1_0:
      return "1.0";
    case HttpProtocol::http_1_0_close:
      return "1.0C";
    case HttpProtocol::http_1_1:
      return "1.1";
  }
  return "1.0";
}

const char* type_name(const Check& check) {
  constexpr const char* kNames[] = {"TCP_CHECK",  "HTTP_GET",   "SMTP_CHECK",
                                    "DNS_CHECK",  "MISC_CHECK", "UDP_CHECK",
                                    "PING_CHECK", "BFD_CHECK",  "FILE_CHECK"};
  static_assert(std::size(kNames) == std::variant_size_v<Check>);
  const auto* http = std::get_if<HttpCheck>(&check);
  return http != nullptr && http->tls ? "SSL_GET" : kNames[check.index()];
}

bool VrrpInstance::answers() const {
  constexpr std::uint8_t kOwner = 255;
  if (priority == kOwner) return true;
  if (accept == AcceptMode::no_accept) return false;
  // RFC 3768 has no Accept_Mode, RFC 9568 §6.1 does.
  return !strict || (accept == AcceptMode::accept && version == 3);
}

std::string name_of(const VirtualServer& service) {
  if (service.fwmark != 0) {
    // The same mark of the other family is another service.
    const bool v6 = service.address.family() == core::Family::v6;
    return fmt::format("fwmark {}{}", service.fwmark, v6 ? " IPv6" : "");
  }
  if (!service.group.empty())
    return fmt::format("{} group {}", to_string(service.protocol), service.group);
  return fmt::format("{} {}", to_string(service.protocol),
                     core::Endpoint{service.address, service.port}.to_string());
}

}  // namespace holdfast::config
