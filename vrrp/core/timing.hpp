// The formulas of RFC 3768 §6.1 and RFC 9568 §6.1, in microseconds and never rounded to anything
// coarser.
#pragma once

#include "vrrp/core/settings.hpp"

namespace holdfast::vrrp {

/// Delay that makes the best backup time out first: (256 - Priority) / 256 seconds in VRRPv2, RFC
/// 3768 §6.1, so many 256ths of the master's interval in VRRPv3, RFC 9568 §6.1. Priority 0 (a
/// resigned master) counts as 1 would: it cannot be a backup's own priority.
[[nodiscard]] Duration skew_time(std::uint8_t priority, Duration master_adver_interval,
                                 std::uint8_t version);

/// Silence after which a backup takes over: Master_Down_Interval = 3 * Master_Adver_Interval +
/// Skew_Time, RFC 3768 §6.1, with the 3 as InstanceSettings::down_timer_adverts. Priority 100 and 1
/// s: 3.609375 s.
[[nodiscard]] Duration master_down_interval(const InstanceSettings& settings,
                                            Duration master_adver_interval);
/// The same with the priority that tracking has left.
[[nodiscard]] Duration master_down_interval(const InstanceSettings& settings,
                                            Duration master_adver_interval, std::uint8_t priority);

/// The earliest that any backup can time out: no skew, our own factor.
[[nodiscard]] Duration silence_allowed(const InstanceSettings& settings);
/// The same of a master that advertises every `interval`.
[[nodiscard]] Duration silence_allowed(const InstanceSettings& settings, Duration interval);

/// How long a leaving master keeps its addresses at most: the successor's Skew_Time plus one
/// interval for its advert to arrive. Without a known peer the slowest possible successor (priority
/// 1) is assumed.
[[nodiscard]] Duration handover_bound(const InstanceSettings& settings,
                                      std::optional<std::uint8_t> peer_priority);

/// A peer that was not heard for longer says nothing about who will succeed us.
inline constexpr Duration kPeerMemory = std::chrono::minutes(10);

/// How long a leaving master still serves after the successor's first advert. By contract (and in
/// keepalived) the advert leaves before the successor has put its addresses in place and announced
/// them; without this a client's SYN falls into the gap and is repeated a second later. Short,
/// because meanwhile both answer ARP.
inline constexpr Duration kHandoverGrace = std::chrono::milliseconds(100);

/// A process that has not ended its handover this long after the time for it will not do so.
inline constexpr Duration kHandoverLate = std::chrono::milliseconds(500);

}  // namespace holdfast::vrrp
