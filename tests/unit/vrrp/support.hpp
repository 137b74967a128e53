// What the VRRP unit tests share: addresses, settings of an everyday instance, hex, and action
// lists as text.
#pragma once

#include "vrrp/core/action.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::vrrp::test {

using namespace std::chrono_literals;

inline IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

inline std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

/// eth0, VRID 51, priority 100, one second, 192.0.2.100.
inline InstanceSettings everyday() {
  InstanceSettings settings;
  settings.name = "VI_1";
  settings.interface = "eth0";
  settings.vrid = 51;
  settings.addresses = {{.prefix = {ip("192.0.2.100"), 32},
                         .interface = {},
                         .label = {},
                         .broadcast = {},
                         .scope = {}}};
  return settings;
}

/// Without Remember, which repeats what the others say.
inline std::vector<std::string> texts(const Actions& actions) {
  std::vector<std::string> lines;
  for (const Action& action : actions) {
    if (!std::holds_alternative<Remember>(action)) lines.push_back(to_string(action));
  }
  return lines;
}

inline Advert advert_of(const InstanceSettings& settings, int priority) {
  Advert advert;
  advert.vrid = settings.vrid;
  advert.priority = static_cast<std::uint8_t>(priority);
  advert.interval = settings.advert_interval;
  for (const VirtualAddress& address : settings.addresses)
    advert.addresses.push_back(address.prefix.address);
  return advert;
}

}  // namespace holdfast::vrrp::test
