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

/// What a file with a weight adds.
int points_of_file(const Tracker& tracker, Verdict verdict) {
  const std::int64_t weight = tracker.reverse == Reverse::yes ? -tracker.weight : tracker.weight;
  return static_cast<int>(
      std::clamp<std::int64_t>(weight * verdict.number, -kMostOfFile, kMostOfFile));
}

bool is_good(const Tracker& tracker, Verdict verdict) {
  if (tracker.id.kind == TrackerKind::file)
    return (verdict.number == 0) != (tracker.reverse == Reverse::yes);
  return (verdict == Verdict::good) != (tracker.reverse == Reverse::yes);
}

int points_of(const std::vector<Tracker>& trackers, const Verdicts& verdicts) {
  int points = 0;
  for (const Tracker& each : trackers) points += contribution(each, verdicts);
  return points;
}

}  // namespace

std::string_view name_of(TrackerKind kind) {
  switch (kind) {
    case TrackerKind::interface:
      return "interface";
    case TrackerKind::script:
      return "script";
    case TrackerKind::file:
      return "file";
    case TrackerKind::static_item:
      return "static";
    case TrackerKind::process:
      break;
  }
  return "process";
}

std::string to_string(const TrackerId& id) {
  return fmt::format("{} {}", name_of(id.kind), id.name);
}

int contribution(const Tracker& tracker, const Verdicts& verdicts) {
  const auto said = said_by(tracker, verdicts);
  if (!said) return 0;
  if (tracker.id.kind == TrackerKind::file) return points_of_file(tracker, *said);
  const bool counts = (*said == Verdict::good) == (tracker.weight > 0);
  if (!counts) return 0;
  return tracker.reverse == Reverse::yes ? -tracker.weight : tracker.weight;
}

std::string fault_of(const Tracker& tracker, const Verdicts& verdicts) {
  const auto said = said_by(tracker, verdicts);
  if (!said) return {};
  if (tracker.id.kind == TrackerKind::file && tracker.weight != 0) {
    if (points_of_file(tracker, *said) > -kMostOfFile) return {};
    return fmt::format(
        "{}, which times its weight {} is {} or less", verdict_text(tracker, verdicts),
        tracker.reverse == Reverse::yes ? -tracker.weight : tracker.weight, -kMostOfFile);
  }
  if (tracker.weight != 0 || is_good(tracker, *said)) return {};
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
                                const Verdicts& verdicts, int steered) {
  if (base == kOwnerPriority || (trackers.empty() && steered == 0)) return base;
  const int sum = base + points_of(trackers, verdicts) + steered;
  return static_cast<std::uint8_t>(std::clamp(sum, kLeastTracked, kMostTracked));
}

std::string sum_text(std::uint8_t base, const std::vector<Tracker>& trackers,
                     const Verdicts& verdicts, int steered) {
  if (base == kOwnerPriority) return {};
  std::string text = fmt::format("{}", base);
  bool any = steered != 0;
  for (const Tracker& each : trackers) {
    const int points = contribution(each, verdicts);
    if (points == 0) continue;
    any = true;
    text += fmt::format(" {} {} ({})", points > 0 ? '+' : '-', std::abs(points),
                        verdict_text(each, verdicts));
  }
  if (!any) return {};
  if (steered != 0)
    text += fmt::format(" {} {} (asked for by an operator)", steered > 0 ? '+' : '-',
                        std::abs(steered));
  const int sum = base + points_of(trackers, verdicts) + steered;
  text += fmt::format(" = {}", sum);
  if (sum > kMostTracked) text += fmt::format(", at most {}", kMostTracked);
  if (sum < kLeastTracked) text += fmt::format(", at least {}", kLeastTracked);
  return text;
}

std::string verdict_text(const Tracker& tracker, const Verdicts& verdicts) {
  const auto said = said_by(tracker, verdicts);
  const std::string& name = tracker.id.name;
  if (!said) return fmt::format("{} has not said anything yet", name);
  const bool is_good = *said == Verdict::good;
  switch (tracker.id.kind) {
    case TrackerKind::interface:
      return fmt::format("{} is {}", name, is_good ? "up" : "down or has no carrier");
    case TrackerKind::script:
      return fmt::format("{} {}", name, is_good ? "succeeds" : "fails");
    case TrackerKind::file:
      return fmt::format("{} holds {}", name, said->number);
    case TrackerKind::static_item:
      return fmt::format("the static {} is {}", name, is_good ? "there" : "missing");
    case TrackerKind::process:
      break;
  }
  return fmt::format("{} {}", name, is_good ? "runs" : "does not run as it should");
}

}  // namespace holdfast::vrrp
