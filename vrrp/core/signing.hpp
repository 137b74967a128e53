// keepalived's auth_hmac: adverts of either version and family with a signed trailer. What the
// operator wants of it, and the moments that it signs. Plain values, part of InstanceSettings.
#pragma once

#include "core/time.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace holdfast::vrrp {

/// keepalived: `mode`. A pair comes to signed adverts without a gap: first all directors
/// receive_only, then all permissive, then all enforce.
enum class SigningMode : std::uint8_t {
  enforce,       ///< Signs; unsigned adverts are refused.
  permissive,    ///< Signs; unsigned adverts count.
  receive_only,  ///< Does not sign; adverts of both kinds count.
};

/// keepalived: `anti_replay`. What an advert must be besides newer than its sender's last one.
enum class AntiReplay : std::uint8_t {
  time,       ///< Signed at a moment within the window around our own clock.
  monotonic,  ///< Nothing: the clocks need not agree, but must never go back.
};

/// keepalived: `key ID VALUE`.
struct SigningKey {
  std::uint8_t id = 1;              ///< 1..255.
  std::vector<std::uint8_t> bytes;  ///< 32 to 64. Secret: in no log, status or recording.
  bool operator==(const SigningKey&) const = default;
};

struct Signing {
  std::vector<SigningKey> keys;
  std::uint8_t active_key = 1;  ///< That signs; one of keys.
  core::Duration window = std::chrono::seconds(5);
  AntiReplay anti_replay = AntiReplay::time;
  SigningMode mode = SigningMode::enforce;

  [[nodiscard]] const SigningKey* key(std::uint8_t id) const {
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [id](const SigningKey& each) { return each.id == id; });
    return found == keys.end() ? nullptr : &*found;
  }
  bool operator==(const Signing&) const = default;
};

/// When an advert was signed: seconds of UTC in the upper half, 65536ths of a second, and a counter
/// for those of the same moment. Each advert of a sender has a later one.
using Stamp = std::uint64_t;

/// `utc`: since 1970.
[[nodiscard]] constexpr Stamp stamp_of(core::Duration utc) {
  constexpr std::int64_t kSecond = 1'000'000;
  const auto seconds = static_cast<std::uint32_t>(utc.count() / kSecond);
  const auto fraction = static_cast<Stamp>(utc.count() % kSecond) * 65536 / kSecond;
  return Stamp{seconds} << 32 | fraction << 16;
}

/// RFC 1982: also when the seconds have begun anew, in 2106.
[[nodiscard]] constexpr bool is_after(Stamp one, Stamp other) {
  return static_cast<std::int64_t>(one - other) > 0;
}

/// How many whole seconds `stamp` is ahead of `utc`; negative: behind.
[[nodiscard]] constexpr std::int32_t seconds_ahead(Stamp stamp, core::Duration utc) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(stamp >> 32) -
                                   static_cast<std::uint32_t>(stamp_of(utc) >> 32));
}

}  // namespace holdfast::vrrp
