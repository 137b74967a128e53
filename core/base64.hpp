// Bytes as text, for a line of JSON. RFC 4648 §4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::core {

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// nullopt: not what to_base64 writes.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace holdfast::core
