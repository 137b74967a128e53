// The options of an address in a recording: ",peer=192.0.2.1/32,autojoin=yes".
#pragma once

#include "core/address_options.hpp"

#include <string>
#include <string_view>

namespace holdfast::vrrp::scenario {

/// Each with a comma in front.
[[nodiscard]] std::string to_parts(const core::AddressOptions& options);
/// False: it is none of them.
[[nodiscard]] bool take_part(std::string_view part, core::AddressOptions& options);

}  // namespace holdfast::vrrp::scenario
