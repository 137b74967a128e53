// One line of virtual_ipaddress: an address and its options.
#pragma once

#include "config/builder.hpp"

namespace holdfast::config {

/// nullopt when the line gives no address that can be held; every reason is reported. `interface`
/// stays empty unless the line has `dev`.
[[nodiscard]] std::optional<VirtualAddress> read_address_line(BuildContext& context,
                                                              const Statement& entry);
/// The address before the options, when it is one: for the question which family an instance has.
[[nodiscard]] std::optional<core::IpPrefix> address_of(const BuildContext& context,
                                                       const Statement& entry);

}  // namespace holdfast::config
