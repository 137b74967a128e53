// Where an advert comes from, proven: the numbers of keepalived's AH and the moments of its
// auth_hmac, as an instance has heard and used them. Plain values; kept by the instance, carried to
// the successor of a killed process by the handover page.
#pragma once

#include "core/ip_address.hpp"
#include "core/rare.hpp"
#include "vrrp/core/signing.hpp"

#include <cstdint>
#include <vector>

namespace holdfast::vrrp {

/// Of one advert that was accepted. Zeros where the instance does not ask for a proof.
struct Proof {
  std::uint32_t ah_sequence = 0;
  Stamp stamp = 0;
  std::uint8_t key = 0;  ///< That it was signed with; 0: it was not signed.
  bool operator==(const Proof&) const = default;
};

/// The last signed advert of a sender.
struct SignedPeer {
  core::IpAddress peer;
  Stamp stamp = 0;
  std::uint8_t key = 0;
  bool operator==(const SignedPeer&) const = default;
};

/// So many senders are remembered, those heard lately: only who has the key gets in.
inline constexpr std::size_t kMostSignedPeers = 4;

struct ProofMemory {
  /// AH: the highest number heard or used; all directors count as one. 0: none yet.
  std::uint32_t ah_sequence = 0;
  Stamp sent = 0;                 ///< Of our own last signed advert.
  std::vector<SignedPeer> peers;  ///< The latest last.
  bool operator==(const ProofMemory&) const = default;
};

/// What checks of one packet need besides settings.
struct ProofContext {
  const ProofMemory* memory = nullptr;  ///< nullptr: nothing was heard yet.
  core::Duration utc{};                 ///< Now, since 1970.
};

/// An advert with this proof from `peer` was accepted.
void note_proof(ProofMemory& memory, const core::IpAddress& peer, const Proof& proof);
/// The last stamp of `peer`; nullptr: none is remembered.
[[nodiscard]] const SignedPeer* signed_peer(const ProofMemory& memory, const core::IpAddress& peer);
/// What our next advert is signed at. Later than the last one; but when the clock was set back
/// further than receivers allow, the clock counts.
[[nodiscard]] Stamp next_stamp(const Signing& signing, Stamp sent, core::Duration utc);

}  // namespace holdfast::vrrp
