#include "vrrp/core/proof.hpp"

#include "vrrp/core/ah.hpp"

#include <algorithm>

namespace holdfast::vrrp {

void note_proof(ProofMemory& memory, const core::IpAddress& peer, const Proof& proof) {
  if (is_after(proof.ah_sequence, memory.ah_sequence)) memory.ah_sequence = proof.ah_sequence;
  if (proof.key == 0) return;
  auto& peers = memory.peers;
  const auto known = std::find_if(peers.begin(), peers.end(),
                                  [&](const SignedPeer& each) { return each.peer == peer; });
  if (known != peers.end()) {
    peers.erase(known);
  } else if (peers.size() >= kMostSignedPeers) {
    peers.erase(peers.begin());
  }
  peers.push_back({peer, proof.stamp, proof.key});
}

const SignedPeer* signed_peer(const ProofMemory& memory, const core::IpAddress& peer) {
  const auto known = std::find_if(memory.peers.begin(), memory.peers.end(),
                                  [&](const SignedPeer& each) { return each.peer == peer; });
  return known == memory.peers.end() ? nullptr : &*known;
}

Stamp next_stamp(const Signing& signing, Stamp sent, core::Duration utc) {
  const Stamp clock = stamp_of(utc);
  if (sent == 0 || is_after(clock, sent)) return clock;
  const bool is_stranded = signing.anti_replay == AntiReplay::time &&
                           std::chrono::seconds(seconds_ahead(sent, utc)) > signing.window;
  return is_stranded ? clock : sent + 1;
}

}  // namespace holdfast::vrrp
