#include "tests/sim/segment_oracle.hpp"

#include <algorithm>
#include <set>

namespace holdfast::sim {

using namespace vrrp;
using namespace std::chrono_literals;

namespace {

/// What a start or the process that takes addresses off may take beyond the election's own bound.
constexpr Duration kSlack = 700ms;
/// Supervisor::Settings: look_after, and successor_time to see whether it works.
constexpr Duration kHangingIsSeen = 1300ms;
/// A watchdog that has just begun to run again has to look first.
constexpr Duration kLookTakes = 1500ms;

/// A sync group on a sound wire, between two faults: it goes with each of its members.
constexpr unsigned kGroupTakes = 12;

}  // namespace

void SegmentOracle::woke(const Child& child, const Wake& wake) {
  count_takes(child, wake);
  check_handover(child, wake);
}

void SegmentOracle::look() {
  for (const auto& machine : situation_.machines) {
    const Watchdog* watchdog = machine->watchdog();
    // One that has not begun knows nothing of what an earlier life has left.
    if (watchdog == nullptr || !watchdog->runs() || !machine->has_begun())
      unguarded_at_[machine.get()] = situation_.now();
  }
  const bool is_calm = situation_.is_calm();
  check_doubles();
  for (std::size_t number = 0; is_calm && number < situation_.routers.size(); ++number)
    check_settled(number);
}

/// Only addresses that two machines have are worth a closer look.
void SegmentOracle::check_doubles() {
  std::set<core::IpAddress> seen;
  std::set<core::IpAddress> doubled;
  for (const auto& machine : situation_.machines) {
    for (const auto& [address, wire] : machine->kernel().ours()) {
      if (!seen.insert(address).second) doubled.insert(address);
    }
  }
  std::erase_if(doubled_since_, [&](const auto& each) { return !doubled.contains(each.first); });
  for (const core::IpAddress& address : doubled) {
    if (const auto number = situation_.number_of(address)) check_holders(*number, address);
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
  const bool is_open = situation_.is_grouped(number) && situation_.has_crossed_priorities();
  if (able != nullptr && !somebody_reigns && !is_open)
    situation_.violated("exactly one master", name(*able), "could be master, but nobody is");
  if (master == nullptr || is_open) return;
  const Instance& reigning = *situation_.instance(*master, number);
  for (const auto& machine : situation_.machines) {
    if (!situation_.is_eligible(*machine, number)) continue;
    const Instance& own = *situation_.instance(*machine, number);
    if (own.settings().may_preempt() && own.effective_priority() > reigning.effective_priority())
      situation_.violated("the best eligible master", name(*machine),
                          "should have preempted " + name(*master));
  }
}

// Two masters on a sound wire hear each other within one interval, one whose adverts do not leave
// needs another to be sure, and one that hangs has its budget, but at least until that is seen. Who
// neither sends nor understands what others send cannot know.
void SegmentOracle::check_holders(std::size_t number, const core::IpAddress& address) {
  const VirtualRouter& router = situation_.routers[number];
  unsigned holders = 0;
  unsigned mute = 0;
  bool guarded = true;
  Duration bound = 3 * router.interval;
  std::string names;
  for (const auto& machine : situation_.machines) {
    if (machine->sending_fails()) mute += machine->is_narrow() ? 2 : 1;
    if (!machine->kernel().ours().contains(address)) continue;
    const Kernel::Card* card = machine->kernel().card_on(router.wire);
    if (card == nullptr || !card->link.is_usable()) continue;
    ++holders;
    const Child* child = machine->child();
    if (child != nullptr && !child->runs()) bound = std::max(bound, kHangingIsSeen);
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
  if (situation_.now() - since > bound + kSlack)
    situation_.violated(
        "never two holders for long", names,
        fmt::format("have had {} for {:.3f} s", address.to_string(),
                    std::chrono::duration<double>(situation_.now() - since).count()));
}

// ---- changes of mastership ----

void SegmentOracle::count_takes(const Child& child, const Wake& wake) {
  if (situation_.last_change() != counted_since_ || !situation_.wire_is_sound()) {
    counted_since_ = situation_.last_change();
    takes_.clear();
  }
  if (wake.cause == Wake::Cause::first_commit) return;
  for (const Wake::Former& former : wake.before) {
    const Instance* instance = child.router().find(former.key);
    if (instance == nullptr) continue;
    if (name_of(former.state) == StateName::master || instance->state_name() != StateName::master)
      continue;
    const unsigned takes = ++takes_[{&child.machine(), former.key}];
    if (takes > takes_allowed(situation_.number_of(instance->settings())))
      situation_.violated("no oscillation", child.machine().name(),
                          fmt::format("{} takes mastership for the {}th time since the last fault",
                                      instance->settings().name, takes));
  }
}

/// Who was quicker than the best one takes it and gives it up. A director that can place none of
/// its addresses tries again after 10, 20, 40 … s.
unsigned SegmentOracle::takes_allowed(std::size_t number) const {
  // Members follow each other: how often is that one's affair that has the setbacks.
  if (situation_.is_grouped(number)) return kGroupTakes;
  // Of masters at once a backup may learn the interval of one that yields.
  unsigned allowed = situation_.routers[number].has_mixed_intervals ? 2 : 1;
  for (const auto& machine : situation_.machines) {
    const Instance* instance = situation_.instance(*machine, number);
    if (instance == nullptr || !instance->setback() || !situation_.was_unable(*machine)) continue;
    // The first failure; then each pause, and the election after it.
    allowed += 1;
    const Duration election = 3 * instance->settings().advert_interval;
    Duration pause = instance->settings().retry_after;
    for (Duration spent = pause + election; spent <= situation_.now() - counted_since_;
         spent += pause + election) {
      allowed += 1;
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
    // Groups that are not of the same members go their own ways.
    const bool is_open = situation_.is_grouped(number) &&
                         (situation_.has_crossed_priorities() || !situation_.agree_about(number));
    if (somebody_could && !somebody_has && !is_open)
      situation_.violated("make before break", child.machine().name(),
                          "let go of its addresses before the successor had them");
  }
}

}  // namespace holdfast::sim
