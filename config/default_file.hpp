// Where a configuration is looked for when none is named. The same for the daemon and the command
// line.
#pragma once

#include <array>
#include <optional>
#include <string>

namespace holdfast::config {

/// In this order.
inline constexpr std::array kDefaultFiles{"/etc/holdfast/holdfast.conf",
                                          "/etc/holdfast/holdfast.toml",
                                          "/etc/keepalived/keepalived.conf"};

/// The first one that is there; nullopt: none is.
[[nodiscard]] std::optional<std::string> default_file();
/// The sentence for that case; it names every path.
[[nodiscard]] std::string no_default_file();

}  // namespace holdfast::config
