#include "vrrp/core/tracking.hpp"

#include "vrrp/core/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace holdfast::vrrp {
namespace {

std::optional<Verdict> said_by(const Tracker& tracker, const Verdicts& verdicts) {
  const auto found = verdicts.find(tracker.id);
  return found == verdicts.end() ? std::nullopt : std::optional(found->second);
}

bool is_good(const Tracker& tracker, Verdict verdict) {
  return (verdict == Verdict::good) != (tracker.reverse == Reverse::yes);
}

int points_of(const std::vector<Tracker>& trackers, const Verdicts& verdicts) {
  int points = 0;
  for (const Tracker& each : trackers) points += contribution(each, verdicts);
  return points;
}

}  // namespace

std::string to_string(const TrackerId& id) {
  return (id.kind == TrackerKind::interface ? "interface " : "script ") + id.name;
}

int contribution(const Tracker& tracker, const Verdicts& verdicts) {
  const auto said = said_by(tracker, verdicts);
  if (!said) return 0;
  const bool counts = (*said == Verdict::good) == (tracker.weight > 0);
  if (!counts) return 0;
  return tracker.reverse == Reverse::yes ? -tracker.weight : tracker.weight;
}

std::string fault_of(const Tracker& tracker, const Verdicts& verdicts) {
  const auto said = said_by(tracker, verdicts);
  if (tracker.weight != 0 || !said || is_good(tracker, *said)) return {};
  return fmt::format("{}{}", verdict_text(tracker, verdicts),
                     tracker.reverse == Reverse::yes ? ", and 'reverse' makes that the fault" : "");
}

bool is_awaited(const Tracker& tracker, const Verdicts& verdicts) {
  return tracker.weight == 0 && !said_by(tracker, verdicts);
}

bool may_still_count(const Tracker& tracker, const Verdicts& verdicts) {
  return tracker.weight != 0 && !said_by(tracker, verdicts);
}

std::uint8_t effective_priority(std::uint8_t base, const std::vector<Tracker>& trackers,
                                const Verdicts& verdicts) {
  if (base == kOwnerPriority || trackers.empty()) return base;
  const int sum = base + points_of(trackers, verdicts);
  return static_cast<std::uint8_t>(std::clamp(sum, kLeastTracked, kMostTracked));
}

std::string sum_text(std::uint8_t base, const std::vector<Tracker>& trackers,
                     const Verdicts& verdicts) {
  if (base == kOwnerPriority) return {};
  std::string text = fmt::format("{}", base);
  bool any = false;
  for (const Tracker& each : trackers) {
    const int points = contribution(each, verdicts);
    if (points == 0) continue;
    any = true;
    text += fmt::format(" {} {} ({})", points > 0 ? '+' : '-', std::abs(points),
                        verdict_text(each, verdicts));
  }
  if (!any) return {};
  const int sum = base + points_of(trackers, verdicts);
  text += fmt::format(" = {}", sum);
  if (sum > kMostTracked) text += fmt::format(", at most {}", kMostTracked);
  if (sum < kLeastTracked) text += fmt::format(", at least {}", kLeastTracked);
  return text;
}

std::string verdict_text(const Tracker& tracker, const Verdicts& verdicts) {
  const auto said = said_by(tracker, verdicts);
  const std::string& name = tracker.id.name;
  const bool is_script = tracker.id.kind == TrackerKind::script;
  if (!said) return fmt::format("{} has not said anything yet", name);
  if (*said == Verdict::good) return fmt::format("{} {}", name, is_script ? "succeeds" : "is up");
  return fmt::format("{} {}", name, is_script ? "fails" : "is down or has no carrier");
}

}  // namespace holdfast::vrrp
