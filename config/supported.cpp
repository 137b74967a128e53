#include "config/supported.hpp"

#include <fmt/format.h>

namespace holdfast::config {

std::string why_not_started(const VrrpInstance& instance) {
  if (instance.interface.empty())
    return "Holdfast does not do unicast peers without an 'interface' yet";
  if (instance.authentication.type == AuthType::ah) return "Holdfast does not do auth_type AH yet";
  if (instance.auth_hmac) return "Holdfast does not do auth_hmac yet";
  return {};
}

std::string why_not_started(const VirtualServer& service) {
  if (!service.group.empty()) return "Holdfast does not do groups of virtual servers yet";
  return {};
}

std::string why_not_started(const Check& check) {
  const auto* http = std::get_if<HttpCheck>(&check);
  const bool done = std::holds_alternative<TcpCheck>(check) || (http != nullptr && !http->tls);
  return done ? std::string() : fmt::format("Holdfast does not do {} yet", type_name(check));
}

}  // namespace holdfast::config
