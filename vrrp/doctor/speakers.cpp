#include "vrrp/doctor/speakers.hpp"

#include <algorithm>
#include <tuple>

namespace holdfast::vrrp::doctor {
namespace {

auto identity(const Sighting& seen) {
  return std::tie(seen.interface, seen.family, seen.number, seen.protocol, seen.source,
                  seen.destination, seen.version, seen.is_ours);
}

/// Timers are late by so much.
constexpr Duration kTolerance = std::chrono::milliseconds(100);

/// To one group, or between unicast peers.
bool share_the_way(const Sighting& one, const Sighting& other) {
  if (one.destination.is_multicast() || other.destination.is_multicast())
    return one.destination == other.destination;
  return true;
}

/// 00:00:5e:00:01:id, of IPv6 …:02:id. RFC 9568 §7.3.
bool is_virtual(const Sighting& seen) {
  const std::uint8_t kind = seen.family == core::Family::v4 ? 1 : 2;
  return seen.mac.bytes ==
         std::array<std::uint8_t, 6>{0, 0, 0x5e, 0, kind, static_cast<std::uint8_t>(seen.number)};
}

bool is_frr(const Speaker& speaker) {
  const Sighting& seen = speaker.latest;
  return seen.protocol == Protocol::vrrp && seen.family == core::Family::v4 && is_virtual(seen) &&
         seen.dont_fragment;
}

std::string guess_of_vrrp(const Speaker& speaker) {
  const Sighting& seen = speaker.latest;
  if (seen.has_trailer) return "keepalived 2.4 or newer, or Holdfast (HMAC trailer)";
  if (seen.has_ah) return "keepalived or Holdfast (authentication header)";
  if (is_frr(speaker)) return "FRR (virtual MAC address, DF set)";
  if (seen.family == core::Family::v6) {
    if (!seen.destination.is_multicast() && seen.hop_limit == 64)
      return "keepalived (unicast with the kernel's hop limit 64)";
    return is_virtual(seen) ? "FRR, or keepalived with use_vmac (virtual MAC address)" : "";
  }
  if (!seen.dont_fragment && speaker.packets > 1 && speaker.counts_packets)
    return "keepalived or Holdfast (DF clear, counts its packets)";
  return is_virtual(seen) ? "has the virtual MAC address" : "";
}

}  // namespace

Duration Speaker::gap() const {
  return packets < 2 ? Duration::zero()
                     : (last_at - first_at) / static_cast<std::int64_t>(packets - 1);
}

void Speakers::note(Sighting sighting, Instant now) {
  const auto known = std::find_if(speakers_.begin(), speakers_.end(), [&](const Speaker& each) {
    return identity(each.latest) == identity(sighting);
  });
  if (known == speakers_.end()) {
    if (speakers_.size() == kMost) {
      ++unlisted_;
      return;
    }
    speakers_.push_back(
        {.latest = std::move(sighting), .packets = 1, .first_at = now, .last_at = now});
    return;
  }
  const auto expected = static_cast<std::uint16_t>(known->latest.identification + 1);
  known->counts_packets = known->counts_packets && sighting.identification == expected;
  known->latest = std::move(sighting);
  known->last_at = now;
  ++known->packets;
}

std::vector<Speaker> Speakers::all() const {
  std::vector<Speaker> sorted = speakers_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Speaker& one, const Speaker& other) {
    return identity(one.latest) < identity(other.latest);
  });
  return sorted;
}

std::string guess_of(const Speaker& speaker) {
  switch (speaker.latest.protocol) {
    case Protocol::vrrp:
      return guess_of_vrrp(speaker);
    case Protocol::carp:
      return "ucarp, pfSense, OPNsense or a BSD (CARP)";
    case Protocol::hsrp:
      return "a Cisco router, or another HSRP speaker";
  }
  return {};
}

bool may_be_keepalived(const Speaker& speaker) {
  return speaker.latest.protocol == Protocol::vrrp && !is_frr(speaker);
}

bool are_rivals(const Speaker& one, const Speaker& other) {
  if (one.latest.source == other.latest.source || !share_the_way(one.latest, other.latest))
    return false;
  for (const Speaker* each : {&one, &other}) {
    if (each->latest.protocol != Protocol::vrrp || each->latest.priority == kResignPriority ||
        each->packets < 2)
      return false;
  }
  const Duration together =
      std::min(one.last_at, other.last_at) - std::max(one.first_at, other.first_at);
  const Duration slower = std::max(one.gap(), other.gap());
  return together + std::min(kTolerance, slower / 2) >= slower;
}

}  // namespace holdfast::vrrp::doctor
