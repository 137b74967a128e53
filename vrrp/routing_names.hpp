// Names of routing tables, protocols, realms … as the host's iproute2 has them. Asked by the wiring
// only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::vrrp {

/// What a name stands for; `dsfield` is written in hexadecimal.
enum class NameOf : std::uint8_t { table, protocol, dsfield, realm, group, ip_protocol };

/// A number, a name that everybody knows, or one in /etc/iproute2 or /usr/share/iproute2.
[[nodiscard]] std::optional<std::uint32_t> number_of(NameOf what, std::string_view text);
/// "routing table", "protocol" …: for messages.
[[nodiscard]] std::string_view to_string(NameOf what);

}  // namespace holdfast::vrrp
