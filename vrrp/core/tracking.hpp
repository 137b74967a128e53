// What an instance tracks besides its own interface, and what follows: faults, and an effective
// priority with its sum in words. Pure; trackers are shells that only report values. Called by
// Instance; the router knows who tracks what.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::vrrp {

/// Who says something. The name is that of the interface, or of keepalived's vrrp_script,
/// track_file or vrrp_track_process; of something static, what it is: "route 10.0.0.0/8 dev eth1".
enum class TrackerKind : std::uint8_t { interface, script, file, process, static_item };
struct TrackerId {
  TrackerKind kind{};
  std::string name;
  auto operator<=>(const TrackerId&) const = default;
};
/// "interface", "script", "file", "process", "static".
[[nodiscard]] std::string_view name_of(TrackerKind kind);
/// "interface eth1", "script chk", "file load", "process haproxy".
[[nodiscard]] std::string to_string(const TrackerId& id);

/// What it says: an interface is up, a script succeeds, enough processes run, something static is
/// there; or not. A file says its number.
struct Verdict {
  std::int32_t number = 0;
  static const Verdict bad;   ///< 0
  static const Verdict good;  ///< 1
  bool operator==(const Verdict&) const = default;
};
inline constexpr Verdict Verdict::bad{0};
inline constexpr Verdict Verdict::good{1};

/// keepalived: `reverse`. With a weight: it is taken off when it would be added, and the other way
/// round. Without one: good is the fault.
enum class Reverse : std::uint8_t { no, yes };

/// keepalived: one line of track_interface, track_script, track_file or track_process, or what a
/// track_group of the instance has.
struct Tracker {
  TrackerId id;
  /// 0: fault while bad. Positive: added while good. Negative: taken off while bad. -254..254.
  /// Of a file: 0: fault while its number is not 0. Otherwise number times weight is added.
  std::int16_t weight = 0;
  Reverse reverse = Reverse::no;
  bool operator==(const Tracker&) const = default;
};

/// Who has said what. One that is not in it has not said anything yet: it changes nothing.
using Verdicts = std::map<TrackerId, Verdict>;

/// keepalived: what tracking makes of a priority stays within these.
inline constexpr int kLeastTracked = 1;
inline constexpr int kMostTracked = 254;
/// keepalived: a file whose number times weight is this or less is a fault, more than it the other
/// way is no more than it.
inline constexpr int kMostOfFile = 254;

/// What this one adds; 0 also when it has not said anything, or has no weight.
[[nodiscard]] int contribution(const Tracker& tracker, const Verdicts& verdicts);
/// Why it keeps an instance from serving, a sentence; empty: it does not.
[[nodiscard]] std::string fault_of(const Tracker& tracker, const Verdicts& verdicts);
/// Without weight, and has not said anything: nobody knows whether the instance may serve.
[[nodiscard]] bool is_awaited(const Tracker& tracker, const Verdicts& verdicts);
/// With a weight, and has not said anything.
[[nodiscard]] bool may_still_count(const Tracker& tracker, const Verdicts& verdicts);

/// `base` and what the trackers and an operator (`steered`) add, within kLeastTracked and
/// kMostTracked. 255, the owner, stays (keepalived).
[[nodiscard]] std::uint8_t effective_priority(std::uint8_t base,
                                              const std::vector<Tracker>& trackers,
                                              const Verdicts& verdicts, int steered = 0);
/// "100 + 20 (chk succeeds) - 30 (eth1 is down) = 90". Empty: nothing is added.
[[nodiscard]] std::string sum_text(std::uint8_t base, const std::vector<Tracker>& trackers,
                                   const Verdicts& verdicts, int steered = 0);
/// "chk succeeds", "eth1 is down", "load holds 30", "chk has not said anything yet".
[[nodiscard]] std::string verdict_text(const Tracker& tracker, const Verdicts& verdicts);

}  // namespace holdfast::vrrp
