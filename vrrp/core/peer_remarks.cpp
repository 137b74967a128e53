#include "vrrp/core/peer_remarks.hpp"

#include <algorithm>

namespace holdfast::vrrp {
namespace {

bool is_named(const PeerRemark& remark) {
  return !remark.peer.is_unspecified();
}

/// False: all of them are of the last minute, and whoever comes new must share.
bool make_room(PeerRemarks& remarks, Instant now) {
  if (std::count_if(remarks.begin(), remarks.end(), is_named) <
      static_cast<std::ptrdiff_t>(kMostRemarks))
    return true;
  auto oldest = remarks.end();
  for (auto each = remarks.begin(); each != remarks.end(); ++each) {
    if (is_named(*each) && (oldest == remarks.end() || each->heard_at < oldest->heard_at))
      oldest = each;
  }
  if (now - oldest->heard_at < kRemarkLasts) return false;
  remarks.erase(oldest);
  return true;
}

}  // namespace

PeerRemark& note_remark(PeerRemarks& remarks, RejectReason reason, const IpAddress& peer,
                        Instant now) {
  const auto find = [&](const IpAddress& whose) {
    return std::find_if(remarks.begin(), remarks.end(), [&](const PeerRemark& each) {
      return each.reason == reason && each.peer == whose;
    });
  };
  IpAddress whose = peer;
  auto found = find(whose);
  if (found == remarks.end() && !make_room(remarks, now)) whose = IpAddress{};
  found = find(whose);
  if (found == remarks.end())
    found = remarks.insert(remarks.end(), PeerRemark{reason, whose, 0, now});
  ++found->count;
  found->heard_at = now;
  found->ended = false;
  return *found;
}

void end_remarks(PeerRemarks& remarks, const IpAddress& peer) {
  for (PeerRemark& each : remarks) each.ended = each.ended || each.peer == peer;
}

bool lasts(const PeerRemark& remark, Instant now) {
  return !remark.ended && now - remark.heard_at < kRemarkLasts;
}

std::optional<Instant> last_told(const PeerRemarks& remarks, RejectReason reason) {
  std::optional<Instant> last;
  for (const PeerRemark& each : remarks) {
    if (each.reason == reason && each.told_at) last = std::max(last, each.told_at);
  }
  return last;
}

}  // namespace holdfast::vrrp
