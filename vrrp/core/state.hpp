// The states of a virtual router (RFC 3768 §6.4 plus keepalived's FAULT), each with the deadlines
// that exist only in it.
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace holdfast::vrrp {

enum class StateName : std::uint8_t { init, backup, master, fault };
/// "INIT", "BACKUP", "MASTER", "FAULT".
[[nodiscard]] std::string_view to_string(StateName name);

/// Not started, or stopped. While `handover_until` is set we have resigned but still hold the
/// addresses until then (make before break); the successor's advert brings the moment nearer.
struct Init {
  std::optional<core::Instant> handover_until;
  /// Started, but something that it tracks has not said yet whether it may serve.
  bool waits_for_trackers = false;
  /// Would begin as master, if its sync group lets it: decided within the same event.
  bool waits_for_group = false;
  bool operator==(const Init&) const = default;
};

struct Backup {
  core::Instant master_down_at;
  /// RFC 9568 §6.1 Master_Adver_Interval (Active_Adver_Interval there): what the master we listen
  /// to advertises; our own until one is heard. Unit: microseconds.
  core::Duration master_adver_interval{};
  /// Set while a live master of lower priority is accepted for preempt_delay.
  std::optional<core::Instant> preempt_allowed_at;
  /// The down timer was restarted after a pause and no advert was accepted since: it is not
  /// restarted twice.
  bool restarted_after_pause = false;
  /// Its time to take over has come, but it is in a sync group: it waits until all members are
  /// ready, or until a master is heard that counts.
  bool is_ready = false;
  bool operator==(const Backup&) const = default;
};

struct Master {
  core::Instant next_advert_at;
  /// The second burst of announcements and its size.
  std::optional<core::Instant> announce_again_at;
  std::uint32_t announce_again_repeat = 0;
  std::optional<core::Instant> refresh_at;
  /// Of what adverts do not keep alive: ExtraAnnouncements.
  std::optional<core::Instant> extra_at;
  /// Adverts of lower priority and resignations are answered at most twice an interval: one forged
  /// packet must not become a hundred.
  std::optional<core::Instant> answer_from;
  /// The burst of announcements that goes with an answer waits longer: intervals can be of 10 ms.
  std::optional<core::Instant> answer_announce_from;
  bool operator==(const Master&) const = default;
};

struct Fault {
  /// Set when the reason is that we could not serve: then we try again.
  std::optional<core::Instant> retry_at;
  bool operator==(const Fault&) const = default;
};

using State = std::variant<Init, Backup, Master, Fault>;
[[nodiscard]] StateName name_of(const State& state);

}  // namespace holdfast::vrrp
