// The trailer that keepalived's auth_hmac puts behind an advert, as of 2.4.2: scheme, key, moment,
// and an HMAC-SHA-256 cut to 128 bits over family, version, router, source, advert and trailer.
// draft-cassen-vrrp-auth-hmac. As bytes; pure. IP lengths cover it. The advert's checksum does not
// over IPv4; over IPv6 it does, because kernels make and verify it over the whole payload.
#pragma once

#include "vrrp/core/codec.hpp"
#include "vrrp/core/signing.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace holdfast::vrrp {

inline constexpr std::uint8_t kSchemeHmacSha256 = 1;  ///< The only one.

using Signature = std::array<std::uint8_t, 16>;

struct Trailer {
  std::uint8_t scheme = kSchemeHmacSha256;
  std::uint8_t key = 0;
  std::uint16_t reserved = 0;
  Stamp stamp = 0;
  Signature signature{};
  bool operator==(const Trailer&) const = default;
};

/// An advert and its trailer.
struct SignedAdvert {
  std::span<const std::uint8_t> advert;
  Trailer trailer;
};

/// nullopt: nothing of a trailer's size follows what the advert claims to be.
[[nodiscard]] std::optional<SignedAdvert> split_trailer(std::span<const std::uint8_t> payload,
                                                        const Envelope& envelope);

/// What the advert's checksum field counts as. keepalived 2.4.0 and 2.4.1 signed it as they sent
/// it.
enum class SignedChecksum : std::uint8_t { zero, as_sent };
/// What the signature must be under this key. The signature in `what` is not read.
[[nodiscard]] Signature signature_of(const SignedAdvert& what, const Envelope& envelope,
                                     std::span<const std::uint8_t> key,
                                     SignedChecksum checksum = SignedChecksum::zero);

/// Signs: puts a trailer behind the only advert in `payload`.
void append_trailer(std::vector<std::uint8_t>& payload, const Envelope& envelope,
                    const SigningKey& key, Stamp stamp);

}  // namespace holdfast::vrrp
