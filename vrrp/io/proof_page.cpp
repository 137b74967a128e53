#include "vrrp/io/proof_page.hpp"

#include <algorithm>

namespace holdfast::vrrp {

void put_proofs(const ProofMemory& proofs, runtime::VrrpRecord& record) {
  record.ah_sequence = proofs.ah_sequence;
  record.signed_at = proofs.sent;
  const std::size_t kept = std::min(proofs.peers.size(), record.signed_peers.size());
  for (std::size_t i = 0; i < kept; ++i) {
    const SignedPeer& peer = proofs.peers[proofs.peers.size() - kept + i];
    auto& slot = record.signed_peers[i];
    const auto address = peer.peer.bytes();
    std::copy(address.begin(), address.end(), slot.address.begin());
    slot.signed_at = peer.stamp;
    slot.key = peer.key;
    slot.is_v4 = peer.peer.is_v4();
  }
}

std::optional<ProofMemory> proofs_of(const runtime::VrrpRecord& record) {
  ProofMemory proofs{.ah_sequence = record.ah_sequence, .sent = record.signed_at, .peers = {}};
  for (const auto& slot : record.signed_peers) {
    if (slot.key == 0) continue;
    const std::span<const std::uint8_t> bytes(slot.address);
    const auto address = core::IpAddress::from_bytes(slot.is_v4 ? bytes.first(4) : bytes);
    proofs.peers.push_back({*address, slot.signed_at, slot.key});
  }
  if (proofs == ProofMemory{}) return std::nullopt;
  return proofs;
}

}  // namespace holdfast::vrrp
