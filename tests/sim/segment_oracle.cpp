#include "tests/sim/segment_oracle.hpp"

#include <algorithm>

namespace holdfast::sim {

using namespace vrrp;
using namespace std::chrono_literals;

namespace {

/// What a start or the process that takes addresses off may take beyond the election's own bound.
constexpr Duration kSlack = 700ms;
/// A watchdog that has just begun to run again has to look first.
constexpr Duration kLookTakes = 1500ms;

}  // namespace

void SegmentOracle::woke(const Child& child, const Wake& wake) {
  count_changes(child, wake);
  check_handover(child, wake);
}

void SegmentOracle::look() {
  for (const auto& machine : situation_.machines) {
    const Watchdog* watchdog = machine->watchdog();
    // One that has not begun knows nothing of what an earlier life has left.
    if (watchdog == nullptr || !watchdog->runs() || watchdog->supervisor().generation() == 0)
      unguarded_at_[machine.get()] = situation_.now();
  }
  const bool is_calm = situation_.is_calm();
  for (std::size_t number = 0; number < situation_.routers.size(); ++number) {
    for (const core::IpAddress& address : situation_.routers[number].pool)
      check_holders(number, address);
    if (is_calm) check_settled(number);
  }
}

void SegmentOracle::check_settled(std::size_t number) const {
  const Machine* master = nullptr;
  const Machine* able = nullptr;
  bool somebody_reigns = false;
  if (!situation_.agree_about(number)) return;
  const auto name = [&](const Machine& machine) {
    return fmt::format("{} {}", machine.name(),
                       situation_.instance(machine, number)->settings().name);
  };
  for (const auto& machine : situation_.machines) {
    const Instance* instance = situation_.instance(*machine, number);
    if (instance == nullptr) continue;
    const bool reigns = instance->state_name() == StateName::master;
    somebody_reigns |= reigns;
    if (!situation_.is_eligible(*machine, number)) continue;
    able = machine.get();
    if (!reigns) continue;
    if (master != nullptr)
      situation_.violated("exactly one master", name(*machine),
                          "and " + name(*master) + " are both master");
    master = machine.get();
  }
  if (able != nullptr && !somebody_reigns)
    situation_.violated("exactly one master", name(*able), "could be master, but nobody is");
  if (master == nullptr) return;
  const InstanceSettings& reigning = situation_.instance(*master, number)->settings();
  for (const auto& machine : situation_.machines) {
    if (!situation_.is_eligible(*machine, number)) continue;
    const InstanceSettings& own = situation_.instance(*machine, number)->settings();
    if (own.may_preempt() && own.priority > reigning.priority)
      situation_.violated("the best eligible master", name(*machine),
                          "should have preempted " + name(*master));
  }
}

// Two masters on a sound wire hear each other within one interval, one whose adverts do not leave
// needs another to be sure, and one that hangs has its budget.
void SegmentOracle::check_holders(std::size_t number, const core::IpAddress& address) {
  const VirtualRouter& router = situation_.routers[number];
  unsigned holders = 0;
  unsigned mute = 0;
  bool guarded = true;
  std::string names;
  for (const auto& machine : situation_.machines) {
    if (machine->sending_fails()) ++mute;
    if (!machine->kernel().ours().contains(address)) continue;
    const Kernel::Card* card = machine->kernel().card_on(router.wire);
    if (card == nullptr || !card->link.is_usable()) continue;
    ++holders;
    const auto unguarded = unguarded_at_.find(machine.get());
    if (unguarded != unguarded_at_.end() && situation_.now() - unguarded->second < kLookTakes)
      guarded = false;
    names += (names.empty() ? "" : " and ") + machine->name();
  }
  if (holders < 2 || !situation_.wire_is_sound() || mute > 1 || !guarded ||
      !situation_.agree_about(number)) {
    doubled_since_.erase(address);
    return;
  }
  const Instant since = doubled_since_.try_emplace(address, situation_.now()).first->second;
  if (situation_.now() - since > 3 * router.interval + kSlack)
    situation_.violated(
        "never two holders for long", names,
        fmt::format("have had {} for {:.3f} s", address.to_string(),
                    std::chrono::duration<double>(situation_.now() - since).count()));
}

// ---- changes of mastership ----

void SegmentOracle::count_changes(const Child& child, const Wake& wake) {
  if (situation_.last_change() != counted_since_ || !situation_.wire_is_sound()) {
    counted_since_ = situation_.last_change();
    changes_.clear();
  }
  if (wake.cause == Wake::Cause::first_commit) return;
  for (const Wake::Former& former : wake.before) {
    const Instance* instance = child.router().find(former.key);
    if (instance == nullptr) continue;
    const StateName after = instance->state_name();
    if ((name_of(former.state) == StateName::master) == (after == StateName::master)) continue;
    const unsigned changes = ++changes_[{&child.machine(), former.key}];
    if (changes > changes_allowed(situation_.number_of(instance->settings())))
      situation_.violated(
          "no oscillation", child.machine().name(),
          fmt::format("{} {} mastership, change {} since the last fault", instance->settings().name,
                      after == StateName::master ? "takes" : "gives up", changes));
  }
}

/// Who was quicker than the best one takes it and gives it up. A director that can place none of
/// its addresses tries again after 10, 20, 40 … s.
unsigned SegmentOracle::changes_allowed(std::size_t number) const {
  unsigned allowed = 2;
  for (const auto& machine : situation_.machines) {
    const Instance* instance = situation_.instance(*machine, number);
    if (instance == nullptr || !instance->setback() || !situation_.was_unable(*machine)) continue;
    // The first failure; then each pause, and the election after it.
    allowed += 2;
    const Duration election = 3 * instance->settings().advert_interval;
    Duration pause = instance->settings().retry_after;
    for (Duration spent = pause + election; spent <= situation_.now() - counted_since_;
         spent += pause + election) {
      allowed += 2;
      pause *= 2;
    }
  }
  return allowed;
}

/// A planned handover in peace: the successor has the addresses before they are let go.
void SegmentOracle::check_handover(const Child& child, const Wake& wake) {
  if (!child.is_stopping() || !situation_.stops_in_peace(child.machine())) return;
  for (const Wake::Former& former : wake.before) {
    const Instance* instance = child.router().find(former.key);
    if (instance == nullptr || name_of(former.state) != StateName::init || !instance->has_stopped())
      continue;
    const std::size_t number = situation_.number_of(instance->settings());
    bool somebody_could = false;
    bool somebody_has = false;
    for (const auto& machine : situation_.machines) {
      if (machine.get() == &child.machine()) continue;
      somebody_could |= situation_.is_eligible(*machine, number);
      for (const core::IpAddress& address : situation_.routers[number].pool)
        somebody_has |= machine->kernel().has(address);
    }
    if (somebody_could && !somebody_has)
      situation_.violated("make before break", child.machine().name(),
                          "let go of its addresses before the successor had them");
  }
}

}  // namespace holdfast::sim
