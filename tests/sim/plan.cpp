#include "tests/sim/plan.hpp"

#include <algorithm>
#include <array>

namespace holdfast::sim {

using namespace vrrp;
using namespace std::chrono_literals;

namespace {

struct NamedKind {
  FaultKind kind;
  std::string_view name;
};
constexpr std::array kKinds{
    NamedKind{WireFault::loss, "loss"},
    NamedKind{WireFault::delay, "delay"},
    NamedKind{WireFault::duplicates, "duplicates"},
    NamedKind{WireFault::cut, "cut"},
    NamedKind{WireFault::partition, "partition"},
    NamedKind{KernelFault::link_down, "link down"},
    NamedKind{KernelFault::renamed, "interface renamed"},
    NamedKind{KernelFault::made_anew, "interface made anew"},
    NamedKind{KernelFault::address_refused, "address refused"},
    NamedKind{KernelFault::all_refused, "all addresses refused"},
    NamedKind{KernelFault::address_stolen, "address stolen"},
    NamedKind{KernelFault::address_taken, "address taken by somebody"},
    NamedKind{KernelFault::strange_address, "strange address"},
    NamedKind{KernelFault::sending_fails, "sending fails"},
    NamedKind{ProcessFault::child_stopped, "child stopped"},
    NamedKind{ProcessFault::child_hangs, "child hangs"},
    NamedKind{ProcessFault::child_busy, "child is busy"},
    NamedKind{ProcessFault::watchdog_stopped, "watchdog stopped"},
    NamedKind{ProcessFault::everything_stopped, "everything stopped"},
    NamedKind{ProcessFault::child_killed, "child killed"},
    NamedKind{ProcessFault::watchdog_killed, "watchdog killed"},
    NamedKind{ProcessFault::everything_killed, "everything killed"},
    NamedKind{ProcessFault::slow_birth, "child killed, slow birth"},
    NamedKind{ProcessFault::stop_before_birth, "child killed, stop before the next is born"},
    NamedKind{ProcessFault::stop_while_hanging, "child hangs, stop"},
    NamedKind{ProcessFault::power_off, "power off"},
    NamedKind{PeoplesFault::stop_and_start, "stop and start"},
    NamedKind{PeoplesFault::reload, "reload unchanged"},
    NamedKind{PeoplesFault::other_priority, "reload with another priority"},
    NamedKind{PeoplesFault::other_addresses, "reload with other addresses"},
    NamedKind{PeoplesFault::without_instance, "reload without instance"},
    NamedKind{PeoplesFault::renumbered, "reload renumbered"},
    NamedKind{PeoplesFault::renamed, "reload renamed"},
    NamedKind{PeoplesFault::without_vrrp, "reload without vrrp"},
};
constexpr Duration kFaultsFor = 40s;
constexpr std::uint64_t kMostFaults = 16;
/// Percent of the faults that hit the same router of the same machine as the one before, soon.
constexpr unsigned kTroubleComesInPairs = 40;
/// As good as for ever: longer than a first pause, and than the second.
constexpr Duration kLongFault = 75s;
/// From the end of the last trouble to the planned stop, beyond the settling.
constexpr Duration kQuiet = 15s;
/// A director that could not serve leaves a healthy master alone for as long again as it failed.
constexpr Duration kSetbacks = 45s;
constexpr Duration kAfterStop = 8s;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

VirtualRouter draw_router(core::Rng& rng, std::size_t number) {
  VirtualRouter router;
  router.wire = rng.below(std::uint64_t{kWires});
  router.interval = rng.chance(80) ? Duration(1s) : Duration(2s);
  for (std::uint8_t i = 0; i < 5; ++i) {
    router.pool.push_back(core::IpAddress::v4({10, 0, static_cast<std::uint8_t>(router.wire),
                                               static_cast<std::uint8_t>(100 + 10 * number + i)}));
  }
  return router;
}

InstanceSettings draw_instance(core::Rng& rng, const VirtualRouter& router, std::size_t number,
                               bool equal_priorities) {
  InstanceSettings settings;
  settings.name = fmt::format("{}{}", Situation::kNameStem, number);
  settings.interface = interface_name(router.wire);
  settings.vrid = static_cast<std::uint8_t>(51 + 20 * number);
  // Without a draw of its own: half of the wires speak version 3, and a third of the directors
  // write its checksum as RFC 9568 does.
  settings.version = router.wire % 2 == 0 ? 2 : 3;
  settings.advert_interval = router.interval;
  // Every second router proves where its adverts come from.
  const bool proves = number % 2 == 1;
  settings.authentication = proves && settings.version == 2 ? Authentication::header("secret")
                                                            : Authentication::password("secret");
  if (proves && settings.version == 3)
    settings.signing = Signing{.keys = {{1, std::vector<std::uint8_t>(32, 7)}}};
  settings.priority =
      static_cast<std::uint8_t>(equal_priorities ? 100 : 1 + rng.below(std::uint64_t{254}));
  if (settings.priority % 3 == 0) settings.checksum = ChecksumChoice::without_pseudo_header;
  if (rng.chance(20)) settings.preempt = Preempt::no;
  if (rng.chance(20)) settings.preempt_delay = rng.below(Duration(5s));
  return settings;
}

std::vector<VirtualAddress> draw_addresses(core::Rng& rng, const VirtualRouter& router) {
  std::vector<VirtualAddress> addresses;
  const std::size_t count = 1 + rng.below(std::uint64_t{3});
  const auto length = static_cast<std::uint8_t>(rng.chance(50) ? 24 : 32);
  for (std::size_t i = 0; i < count; ++i) {
    addresses.push_back({.prefix = {router.pool[i], length},
                         .interface = {},
                         .label = {},
                         .broadcast = {},
                         .scope = {}});
  }
  return addresses;
}

bool makes_setbacks(const FaultKind& kind) {
  return kind == FaultKind(KernelFault::all_refused) ||
         kind == FaultKind(KernelFault::address_refused) ||
         kind == FaultKind(KernelFault::sending_fails);
}

Fault draw_fault(core::Rng& rng, FaultKind kind, const Plan& plan) {
  Fault fault;
  fault.kind = kind;
  fault.at = 5s + rng.below(kFaultsFor);
  fault.lasts = 10ms + rng.below(rng.chance(50) ? Duration(3s) : Duration(15s));
  if (makes_setbacks(kind) && rng.chance(25)) fault.lasts = kLongFault;
  const std::uint64_t directors = plan.directors.size();
  fault.host = rng.below(directors);
  fault.other = (fault.host + 1 + rng.below(directors - 1)) % directors;
  fault.router = rng.below(std::uint64_t{plan.routers.size()});
  fault.amount = static_cast<unsigned>(rng.below(std::uint64_t{1000}));
  return fault;
}

void draw_faults(core::Rng& rng, Plan& plan) {
  // Only some kinds exist in one run: rare combinations get their chance, and quiet runs exist.
  std::vector<FaultKind> kinds;
  for (const NamedKind& each : kKinds) {
    if (rng.chance(20)) kinds.push_back(each.kind);
  }
  const std::uint64_t faults = kinds.empty() ? 0 : rng.below(kMostFaults);
  Duration last = 10s;
  for (std::uint64_t i = 0; i < faults; ++i) {
    Fault fault = draw_fault(rng, kinds[rng.below(std::uint64_t{kinds.size()})], plan);
    if (i > 0 && rng.chance(kTroubleComesInPairs)) {
      const Fault& former = plan.faults.back();
      fault.at = former.at + rng.below(Duration(2s));
      fault.host = former.host;
      fault.other = former.other;
      fault.router = former.router;
    }
    const Duration quiet = makes_setbacks(fault.kind) ? kSetbacks : Duration::zero();
    last = std::max(last, fault.at + fault.lasts + quiet);
    plan.faults.push_back(fault);
  }
  plan.last_stop_at = last + plan.settle_bound + kQuiet;
  plan.ends_at = plan.last_stop_at + kAfterStop;
}

}  // namespace

std::string_view to_string(const FaultKind& kind) {
  return std::find_if(kKinds.begin(), kKinds.end(),
                      [&](const NamedKind& each) { return each.kind == kind; })
      ->name;
}

Plan draw_plan(std::uint64_t seed) {
  core::Rng rng(seed);
  Plan plan;
  plan.seed = seed;
  plan.directors.resize(2 + rng.below(std::uint64_t{3}));
  for (Director& director : plan.directors) {
    director.habits.keeps_marks = rng.chance(70);
    if (rng.chance(50)) director.habits.promote = netlink::PromoteSecondaries::yes;
    director.starts_at = rng.below(rng.chance(50) ? Duration(1ms) : Duration(8s));
  }
  const std::size_t routers = 1 + rng.below(std::uint64_t{3});
  for (std::size_t number = 0; number < routers; ++number) {
    const VirtualRouter router = draw_router(rng, number);
    plan.routers.push_back(router);
    std::vector<VirtualAddress> addresses = draw_addresses(rng, router);
    const bool equal_priorities = rng.chance(20);
    const bool has_owner = rng.chance(10);
    // RFC 3768 §1.1: the owner's own address is the virtual one.
    const bool is_free =
        std::none_of(plan.routers.begin(), plan.routers.end(), [&](const VirtualRouter& other) {
          return other.pool.back() == own_address(0, router.wire);
        });
    if (has_owner && is_free && rng.chance(50)) {
      plan.routers.back().pool.push_back(own_address(0, router.wire));
      addresses = {addresses.front()};
      addresses.front().prefix = {own_address(0, router.wire), 24};
    }
    for (Director& director : plan.directors) {
      InstanceSettings settings = draw_instance(rng, router, number, equal_priorities);
      settings.addresses = addresses;
      if (has_owner && director.file.size() == number && &director == &plan.directors.front())
        settings.priority = kOwnerPriority;
      // A master to appear, then a better one to preempt it: two down intervals, whatever delay it
      // is told to keep, the start of a process, and slack.
      plan.settle_bound = std::max(
          plan.settle_bound,
          2 * (3 * settings.advert_interval + std::max(Duration(1s), settings.advert_interval)) +
              settings.preempt_delay + 2 * settings.advert_interval);
      director.file.push_back(std::move(settings));
    }
  }
  draw_faults(rng, plan);
  return plan;
}

std::string describe(const Plan& plan) {
  std::string text = fmt::format("seed {}\n", plan.seed);
  for (std::size_t i = 0; i < plan.directors.size(); ++i) {
    const Director& director = plan.directors[i];
    text += fmt::format("h{} starts at {}{}\n", i + 1, seconds(director.starts_at),
                        director.habits.keeps_marks ? "" : ", its kernel keeps no marks");
    for (const InstanceSettings& settings : director.file) {
      text += fmt::format("  {} {} vrid {} prio {}{} preempt_delay {} advert_int {}", settings.name,
                          settings.interface, settings.vrid, settings.priority,
                          settings.preempt == Preempt::no ? " nopreempt" : "",
                          seconds(settings.preempt_delay), seconds(settings.advert_interval));
      for (const VirtualAddress& address : settings.addresses)
        text += " " + address.prefix.to_string();
      text += "\n";
    }
  }
  for (const Fault& fault : plan.faults) {
    text += fmt::format("at {} {} h{} other h{} {}{} for {} amount {}\n", seconds(fault.at),
                        to_string(fault.kind), fault.host + 1, fault.other + 1,
                        Situation::kNameStem, fault.router, seconds(fault.lasts), fault.amount);
  }
  return text;
}

}  // namespace holdfast::sim
