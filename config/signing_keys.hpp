// The bytes of auth_hmac's keys: written as text, as hex:DIGITS, or kept in a file. Asked by the
// row of auth_hmac (an instance without usable keys rests) and by the wiring of the VRRP process.
#pragma once

#include "config/model_vrrp.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <vector>

namespace holdfast::config {

inline constexpr std::size_t kShortestKey = 32;  ///< Of auth_hmac, in bytes; keepalived's bound.
inline constexpr std::size_t kLongestKey = 64;

struct KeyBytes {
  std::uint8_t id = 1;
  std::vector<std::uint8_t> bytes;
};

/// Reads the file of `file:PATH`, which holds a key in one of the two other forms. An error names
/// the key by its number, never by what it is.
[[nodiscard]] core::Result<KeyBytes> bytes_of(const AuthHmac::Key& key);
/// All of them, in order; the number of the one that signs exists.
[[nodiscard]] core::Result<std::vector<KeyBytes>> bytes_of(const AuthHmac& hmac);
/// The one that signs. keepalived: active_key, by default the first.
[[nodiscard]] std::uint8_t active_key_of(const AuthHmac& hmac);

}  // namespace holdfast::config
