#include "core/router_key.hpp"

#include <charconv>
#include <string_view>

namespace holdfast::core {

// With each advert the handover page is looked up by it.
std::string to_string(const RouterKey& key) {
  constexpr std::size_t kUsualLength = 40;
  char number[3];
  const char* const end = std::to_chars(number, number + sizeof number, key.vrid).ptr;
  std::string text;
  text.reserve(kUsualLength);
  text += key.interface.empty() ? std::string_view("-") : key.interface;
  text += ' ';
  text.append(std::string_view(number, static_cast<std::size_t>(end - number)));
  text += key.family == Family::v4 ? " ipv4 " : " ipv6 ";
  text += key.channel.to_string();
  return text;
}

}  // namespace holdfast::core

std::size_t std::hash<holdfast::core::RouterKey>::operator()(
    const holdfast::core::RouterKey& key) const noexcept {
  const std::size_t name = std::hash<std::string>{}(key.interface);
  const std::size_t channel = std::hash<holdfast::core::IpAddress>{}(key.channel);
  return (name * 31 + channel) * 512 + key.vrid +
         (key.family == holdfast::core::Family::v4 ? 0 : 256);
}
