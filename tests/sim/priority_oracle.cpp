#include "tests/sim/priority_oracle.hpp"

#include <algorithm>

namespace holdfast::sim {

using namespace vrrp;

namespace {

/// In another arithmetic than the core's: keepalived's manual, word by word.
int added_by(const Tracker& tracker, int said) {
  const int sign = tracker.reverse == Reverse::yes ? -1 : 1;
  if (tracker.id.kind == TrackerKind::file) {
    const long long product = static_cast<long long>(tracker.weight) * said * sign;
    return static_cast<int>(std::max(-254LL, std::min(254LL, product)));
  }
  if (tracker.weight > 0 && said == 1) return sign * tracker.weight;
  if (tracker.weight < 0 && said == 0) return sign * tracker.weight;
  return 0;
}

std::uint8_t sum_of(const InstanceSettings& settings,
                    const std::function<std::optional<Verdict>(const TrackerId&)>& said_by) {
  if (settings.priority == kOwnerPriority) return kOwnerPriority;
  int sum = settings.priority;
  for (const Tracker& each : settings.trackers)
    if (const auto said = said_by(each.id)) sum += added_by(each, said->number);
  return static_cast<std::uint8_t>(sum < 1 ? 1 : sum > 254 ? 254 : sum);
}

}  // namespace

void PriorityOracle::woke(const Child& child, const Wake& wake) {
  if (wake.cause == Wake::Cause::first_commit)
    std::erase_if(resumed_, [&](const auto& each) { return each.first.first == &child; });
  for (const Wake::Resumed& each : wake.resumed) resumed_[{&child, each.key}] = each.priority;
  if (!child.is_committed()) return;
  for (const Instance* each : child.router().instances())
    if (!each->settings().trackers.empty()) check(child, wake, *each);
}

void PriorityOracle::check(const Child& child, const Wake& wake, const Instance& instance) {
  const InstanceSettings& settings = instance.settings();
  const bool is_open = std::ranges::any_of(settings.trackers, [&](const Tracker& each) {
    return each.weight != 0 && !child.told(each.id);
  });
  const auto resumed = resumed_.find({&child, instance.key()});
  if (!is_open && resumed != resumed_.end()) resumed_.erase(resumed);
  const bool may_be_former = is_open && resumed != resumed_.end();
  const std::uint8_t sum = sum_of(settings, [&](const TrackerId& id) { return child.told(id); });
  const auto is_right = [&](std::uint8_t priority) {
    return priority == sum || (may_be_former && priority == resumed->second);
  };
  const std::string who = fmt::format("{} {}", child.machine().name(), settings.name);
  if (!is_right(instance.effective_priority()))
    situation_.violated(
        "the sum of what is tracked", who,
        fmt::format("has priority {}, and not {}", instance.effective_priority(), sum));
  for (const Action& action : wake.actions) {
    const auto* advert = std::get_if<SendAdvert>(&action);
    if (advert == nullptr || advert->router->key != instance.key()) continue;
    for (const Letter& letter : advert->departure->letters) {
      const std::uint8_t told = letter.payload.at(2);  // RFC 3768 and RFC 9568 §5.2: Priority
      if (settings.has_header() || told == kResignPriority || is_right(told)) continue;
      situation_.violated("the sum of what is tracked", who,
                          fmt::format("advertises priority {}, and not {}", told, sum));
    }
    if (advert->priority != kResignPriority && !is_right(advert->priority))
      situation_.violated("the sum of what is tracked", who,
                          fmt::format("advertises priority {}, and not {}", advert->priority, sum));
  }
}

void PriorityOracle::look() const {
  if (!situation_.is_calm()) return;
  for (const auto& machine : situation_.machines) {
    if (!machine->is_settled()) continue;
    for (std::size_t number = 0; number < situation_.routers.size(); ++number) {
      const Instance* one = situation_.instance(*machine, number);
      if (one == nullptr || one->settings().trackers.empty()) continue;
      const std::uint8_t sum = sum_of(one->settings(), [&](const TrackerId& id) {
        return std::optional(machine->truth_of(id));
      });
      if (one->effective_priority() != sum)
        situation_.violated(
            "no wrong number stays behind",
            fmt::format("{} {}", machine->name(), one->settings().name),
            fmt::format("has priority {} in peace, and not {}", one->effective_priority(), sum));
    }
  }
}

}  // namespace holdfast::sim
