// What a route and its legs (`nexthop`) have in common: gateways and encapsulation.
#pragma once

#include "config/words/lines.hpp"

namespace holdfast::config {

struct Leg : NextHop {
  using Object = NextHop;

  std::optional<core::Family> family;  ///< of its gateway, unless it was said on purpose
  bool broken = false;
};

/// The words behind `nexthop`; nullopt after a warning.
[[nodiscard]] std::optional<Leg> read_leg(const Args& args);

/// False after a warning: the words behind `encap` are not what they should be.
[[nodiscard]] bool check_encap(const Args& args);
/// The address behind [inet|inet6]: it is the last value.
[[nodiscard]] core::IpAddress gateway_of(const Args& args);
/// With its family, where that is not the route's.
void write_gateway(const std::optional<core::IpAddress>& via, core::Family family, Writer& out);
[[nodiscard]] std::string family_word(core::Family family);

/// The rows of a leg, and of an encapsulation.
[[nodiscard]] std::span<const Keyword> next_hop_line();
[[nodiscard]] std::span<const Keyword> encap_line();

}  // namespace holdfast::config
