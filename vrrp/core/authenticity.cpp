#include "vrrp/core/authenticity.hpp"

#include "core/hmac.hpp"
#include "vrrp/core/ah.hpp"
#include "vrrp/core/trailer.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace holdfast::vrrp {
namespace {

using Objected = std::optional<Argument>;

/// As in keepalived's 2.4.0, where a counter of 32 bits follows the seconds.
bool is_counter_only(Stamp stamp) {
  return (stamp >> 16 & 0xffff) == 0;
}

// ---- AH ----

Objected object_to_kind(const Received& packet, const InstanceSettings& settings) {
  const bool has_header = packet.protocol == kIpProtocolAh;
  if (has_header == settings.has_header()) return std::nullopt;
  if (has_header)
    return Argument{Objection::authentication_type,
                    "sends behind an authentication header (auth_type AH), we do not: write the "
                    "same 'authentication' on both"};
  return Argument{Objection::authentication_type,
                  "sends without the authentication header (auth_type AH) that we ask for: write "
                  "the same 'authentication' on both"};
}

Objected object_to_header(const AhPacket& header, const Received& packet,
                          const InstanceSettings& settings, std::uint32_t last) {
  const AhScope scope{packet.source, packet.destination, packet.identification, packet.hop_limit};
  const AhProof proof = ah_proof(header, scope, settings.authentication.data);
  if (!core::equal_in_constant_time(proof, header.header.proof)) {
    return Argument{Objection::ah_invalid,
                    "sends an authentication header that does not fit: another 'auth_pass' (all of "
                    "you will be master), or something on the way changes its packets"};
  }
  const std::uint32_t number = header.header.sequence;
  if (is_after(number, last)) return std::nullopt;
  return Argument{Objection::ah_replay,
                  fmt::format("sends the number {} in its authentication header, but {} was used "
                              "already: it has started again and not heard us yet, or somebody "
                              "repeats old packets",
                              number, last),
                  number};
}

// ---- auth_hmac ----

Argument unsigned_advert() {
  return {Objection::hmac_missing,
          "does not sign its adverts, and our auth_hmac has 'mode enforce': give it the same "
          "auth_hmac, or use 'mode permissive' until all directors have it"};
}

Objected object_to_moment(const Trailer& trailer, const Signing& signing, Duration utc) {
  if (signing.anti_replay != AntiReplay::time) return std::nullopt;
  const std::int32_t ahead = seconds_ahead(trailer.stamp, utc);
  const std::int64_t off = std::abs(std::int64_t{ahead});
  if (std::chrono::seconds(off) <= signing.window) return std::nullopt;
  return Argument{
      Objection::hmac_stale,
      fmt::format("signs with a clock that is {} s {} ours, allowed are {:g} (time_window): set "
                  "both clocks (NTP), use 'anti_replay monotonic', or somebody repeats old adverts",
                  off, ahead < 0 ? "behind" : "ahead of",
                  std::chrono::duration<double>(signing.window).count())};
}

// Who has the right key and only the form of an older version deserves to hear of that.
Argument wrong_signature(const SignedAdvert& split, const Envelope& envelope,
                         const SigningKey& key) {
  const Signature old = signature_of(split, envelope, key.bytes, SignedChecksum::as_sent);
  if (core::equal_in_constant_time(old, split.trailer.signature)) {
    return {Objection::hmac_invalid,
            fmt::format("signs as keepalived {} did, which no other version understands: update it "
                        "to 2.4.2 or later",
                        is_counter_only(split.trailer.stamp) ? "2.4.0" : "2.4.1")};
  }
  return {Objection::hmac_invalid,
          fmt::format("signs with another key than our key {}: write the same 'key {}' on both, or "
                      "somebody forges adverts",
                      key.id, key.id)};
}

/// A stamp outside the window orders only what the window refuses anyway; a sender whose clock was
/// set back comes through.
bool still_counts(const SignedPeer& last, const Signing& signing, Duration utc) {
  if (signing.anti_replay != AntiReplay::time) return true;
  const std::int64_t off = std::abs(std::int64_t{seconds_ahead(last.stamp, utc)});
  return std::chrono::seconds(off) <= signing.window;
}

Objected object_to_repetition(const Received& packet, const Trailer& trailer,
                              const Signing& signing, const ProofContext& context) {
  const SignedPeer* last =
      context.memory == nullptr ? nullptr : signed_peer(*context.memory, packet.source);
  if (last == nullptr || !still_counts(*last, signing, context.utc)) return std::nullopt;
  if (is_after(trailer.stamp, last->stamp)) return std::nullopt;
  return Argument{Objection::hmac_replay,
                  "repeats an advert, or signs with an earlier moment than before: its clock was "
                  "set back, or somebody repeats old adverts"};
}

std::variant<Proof, Argument> prove_signature(const Received& packet,
                                              std::span<const std::uint8_t> payload,
                                              const InstanceSettings& settings,
                                              const ProofContext& context) {
  const Signing& signing = *settings.signing;
  const Envelope envelope{settings.version, packet.source, packet.destination};
  const auto split = split_trailer(payload, envelope);
  if (!split) {
    if (signing.mode == SigningMode::enforce) return unsigned_advert();
    return Proof{};
  }
  const Trailer& trailer = split->trailer;
  if (trailer.scheme != kSchemeHmacSha256 || trailer.reserved != 0)
    return Argument{
        Objection::hmac_malformed,
        fmt::format("signs by scheme {}, we know only 1 (HMAC-SHA-256)", trailer.scheme)};
  // Before the digest: a flood of old ones must not cost one each.
  if (auto objection = object_to_moment(trailer, signing, context.utc)) return *objection;
  const SigningKey* key = signing.key(trailer.key);
  if (key == nullptr)
    return Argument{Objection::hmac_unknown_key,
                    fmt::format("signs with key {}, which we do not have: add 'key {}' to our "
                                "auth_hmac before it becomes the other's active_key",
                                trailer.key, trailer.key)};
  if (!core::equal_in_constant_time(signature_of(*split, envelope, key->bytes), trailer.signature))
    return wrong_signature(*split, envelope, *key);
  if (auto objection = object_to_repetition(packet, trailer, signing, context)) return *objection;
  return Proof{.ah_sequence = 0, .stamp = trailer.stamp, .key = trailer.key};
}

}  // namespace

std::variant<Proof, Argument> prove(const Received& packet, std::span<const std::uint8_t> payload,
                                    const InstanceSettings& settings, const ProofContext& context) {
  if (auto objection = object_to_kind(packet, settings)) return *objection;
  if (settings.signing) return prove_signature(packet, payload, settings, context);
  if (!settings.has_header()) return Proof{};
  const auto header = decode_ah(packet.payload);
  if (header.has_error())
    return Argument{Objection::ah_invalid, "sends an authentication header that makes no sense"};
  const std::uint32_t last = context.memory == nullptr ? 0 : context.memory->ah_sequence;
  if (auto objection = object_to_header(*header, packet, settings, last)) return *objection;
  return Proof{.ah_sequence = header->header.sequence, .stamp = 0, .key = 0};
}

}  // namespace holdfast::vrrp
