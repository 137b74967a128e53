// What is odd about which peer's adverts, kept a kind and peer: for the log's rate, status and
// explain. Kept by an instance; pure.
#pragma once

#include "vrrp/core/receive.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::vrrp {

/// One kind of oddity of one peer.
struct PeerRemark {
  RejectReason reason{};
  IpAddress peer = {};                  ///< Unspecified: of all those for whom there was no room.
  std::uint64_t count = 0;              ///< Adverts.
  Instant heard_at{};                   ///< The latest of them.
  std::optional<Instant> told_at = {};  ///< In the log.
  std::string sentence = {};            ///< "speaks VRRP version 3, …": follows the address.
  bool ended = false;                   ///< A later advert of the peer was in order.
  bool operator==(const PeerRemark&) const = default;
};
using PeerRemarks = std::vector<PeerRemark>;

/// So many are kept a kind and peer: who forges adverts can have as many addresses as they like.
/// The rest is kept a kind, which are RejectReason::kCount more at most.
inline constexpr std::size_t kMostRemarks = 16;
/// What was not heard for so long is over: status does not show it, and it makes room.
inline constexpr Duration kRemarkLasts = std::chrono::minutes(1);

/// Counts one more; the entry is new when its sentence is empty.
[[nodiscard]] PeerRemark& note_remark(PeerRemarks& remarks, RejectReason reason,
                                      const IpAddress& peer, Instant now);

/// An advert of the peer is in order.
void end_remarks(PeerRemarks& remarks, const IpAddress& peer);
/// Neither ended nor long ago.
[[nodiscard]] bool lasts(const PeerRemark& remark, Instant now);

/// When a remark of this kind was last told, whoever it was about.
[[nodiscard]] std::optional<Instant> last_told(const PeerRemarks& remarks, RejectReason reason);

}  // namespace holdfast::vrrp
