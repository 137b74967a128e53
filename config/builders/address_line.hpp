// One line of virtual_ipaddress, virtual_ipaddress_excluded or static_ipaddress: an address and its
// options, rows of Block::address_list.
#pragma once

#include "config/builders/builder.hpp"

namespace holdfast::config {

/// Whose a list of addresses, routes or rules is: `track_group` is a word of the director's
/// (static_*) only.
enum class ListOwner : std::uint8_t { instance, director };

/// nullopt when the line gives no address that can be held; every reason is reported. `interface`
/// stays empty unless the line has `dev`. Words that are no option are ignored with a warning, as
/// in keepalived.
[[nodiscard]] std::optional<VirtualAddress> read_address_line(
    BuildContext& context, const Statement& entry, ListOwner owner = ListOwner::instance);
/// The address before the options, when it is one: for the question which family an instance has.
[[nodiscard]] std::optional<core::IpPrefix> address_of(const BuildContext& context,
                                                       const Statement& entry);

}  // namespace holdfast::config
