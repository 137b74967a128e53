#include "tests/sim/plan.hpp"

#include "vrrp/core/dialect.hpp"

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
    NamedKind{WireFault::stranger, "stranger"},
    NamedKind{KernelFault::link_down, "link down"},
    NamedKind{KernelFault::renamed, "interface renamed"},
    NamedKind{KernelFault::made_anew, "interface made anew"},
    NamedKind{KernelFault::address_refused, "address refused"},
    NamedKind{KernelFault::all_refused, "all addresses refused"},
    NamedKind{KernelFault::address_stolen, "address stolen"},
    NamedKind{KernelFault::address_taken, "address taken by somebody"},
    NamedKind{KernelFault::strange_address, "strange address"},
    NamedKind{KernelFault::source_lost, "source address lost"},
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
    NamedKind{PeoplesFault::other_interval, "reload with another interval"},
    NamedKind{PeoplesFault::without_peer, "reload without a peer"},
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

/// Of version 3.
constexpr std::array<Duration, 5> kIntervals{100ms, 250ms, 1s, 1s, 2s};

Duration draw_interval(core::Rng& rng, std::uint8_t version) {
  if (version == 3) return kIntervals.at(rng.below(std::uint64_t{kIntervals.size()}));
  return rng.chance(80) ? Duration(1s) : Duration(2s);
}

/// Another director that holds it would be taken for its host by unicast peers.
bool moves_own_address(const Plan& plan, std::size_t wire) {
  return std::any_of(plan.routers.begin(), plan.routers.end(), [&](const VirtualRouter& router) {
    return router.pool.back() == own_address(0, wire);
  });
}

VirtualRouter draw_router(core::Rng& rng, const Plan& plan, std::size_t number) {
  VirtualRouter router;
  router.wire = rng.below(std::uint64_t{kWires});
  router.version = rng.chance(45) ? 2 : 3;
  if (router.version == 3 && rng.chance(45)) router.family = core::Family::v6;
  router.is_unicast = rng.chance(35) && !moves_own_address(plan, router.wire);
  router.interval = draw_interval(rng, router.version);
  for (std::uint8_t i = 0; i < 5; ++i) {
    const auto last = static_cast<std::uint8_t>(100 + 10 * number + i);
    const std::uint16_t network = i == 0 ? 0xfe80 : 0xfd00;  // RFC 9568 §5.2.9: link-local first
    router.pool.push_back(
        router.family == core::Family::v6
            ? ipv6(network, router.wire, last)
            : core::IpAddress::v4({10, 0, static_cast<std::uint8_t>(router.wire), last}));
  }
  return router;
}

InstanceSettings draw_instance(core::Rng& rng, const VirtualRouter& router, std::size_t number,
                               bool equal_priorities) {
  InstanceSettings settings;
  settings.name = fmt::format("{}{}", Situation::kNameStem, number);
  settings.interface = interface_name(router.wire);
  settings.family = router.family;
  settings.vrid = static_cast<std::uint8_t>(51 + 20 * number);
  settings.version = router.version;
  settings.advert_interval = router.interval;
  // Every second router proves where its adverts come from; not one whose directors differ in the
  // checksum, which the proof of a signed one does not let the wire rewrite.
  const bool proves = number % 2 == 1;
  settings.authentication = proves && router.version == 2 ? Authentication::header("secret")
                                                          : Authentication::password("secret");
  if (proves && router.family == core::Family::v6)
    settings.signing = Signing{.keys = {{1, std::vector<std::uint8_t>(32, 7)}}};
  settings.priority =
      static_cast<std::uint8_t>(equal_priorities ? 100 : 1 + rng.below(std::uint64_t{254}));
  if (rng.chance(20)) settings.preempt = Preempt::no;
  if (rng.chance(20)) settings.preempt_delay = rng.below(Duration(5s));
  return settings;
}

std::vector<VirtualAddress> draw_addresses(core::Rng& rng, const VirtualRouter& router) {
  std::vector<VirtualAddress> addresses;
  const std::size_t count = 1 + rng.below(std::uint64_t{3});
  const bool is_v6 = router.family == core::Family::v6;
  const bool has_network = rng.chance(50);
  const std::uint8_t v6 = has_network ? 64 : 128;
  const std::uint8_t v4 = has_network ? 24 : 32;
  for (std::size_t i = 0; i < count; ++i) {
    addresses.push_back({.prefix = {router.pool[i], is_v6 ? v6 : v4},
                         .interface = {},
                         .label = {},
                         .broadcast = {},
                         .scope = {}});
  }
  return addresses;
}

/// Where adverts come from, and where they go to.
void draw_ways(core::Rng& rng, Plan& plan, std::size_t number) {
  const VirtualRouter& router = plan.routers[number];
  const bool has_checks = rng.chance(50);
  const bool lists_all = rng.chance(50);  // the same file everywhere: itself too
  std::vector<core::IpAddress> sources;
  for (std::size_t i = 0; i < plan.directors.size(); ++i) {
    Director& director = plan.directors[i];
    InstanceSettings& settings = director.file[number];
    const bool has_second = director.host.has_second_addresses;
    const Which which = has_second && rng.chance(50) ? Which::second : Which::first;
    sources.push_back(own_address(i, router.wire, router.family, which));
    // With two addresses only a written one is known to be the one that peers list.
    const bool is_written = router.is_unicast && has_second ? true : rng.chance(30);
    if (is_written) settings.source_address = sources.back();
    if (is_written && rng.chance(50)) settings.source_tracking = SourceTracking::yes;
  }
  for (std::size_t i = 0; router.is_unicast && i < plan.directors.size(); ++i) {
    Unicast unicast;
    for (std::size_t peer = 0; peer < sources.size(); ++peer) {
      if (peer != i || lists_all) unicast.peers.push_back({.address = sources[peer]});
    }
    if (has_checks) unicast.senders = Senders::listed;
    if (rng.chance(30)) unicast.hop_limit = 64;
    plan.directors[i].file[number].unicast = unicast;
  }
}

/// Version 3 learns the master's interval: they need not be the same.
void draw_intervals(core::Rng& rng, Plan& plan, std::size_t number) {
  VirtualRouter& router = plan.routers[number];
  if (router.version == 2 || !rng.chance(50)) return;
  for (Director& director : plan.directors) {
    Duration& interval = director.file[number].advert_interval;
    interval = draw_interval(rng, router.version);
    router.has_mixed_intervals |= interval != router.interval;
    router.interval = std::max(router.interval, interval);
  }
}

/// Every fourth run with several virtual routers has them in one sync group. With draws of its own:
/// all other runs are what they would be without.
void draw_group(Plan& plan) {
  core::Rng rng(plan.seed ^ 0x96009);
  if (plan.routers.size() < 2 || !rng.chance(25)) return;
  // As people are told to: a director outranks another one in all of the group or in none.
  const bool keeps_priorities = rng.chance(30);
  plan.settle_bound *= 2;
  for (Director& director : plan.directors) {
    for (InstanceSettings& each : director.file) {
      each.sync_group = "G";
      if (!keeps_priorities) each.priority = director.file.front().priority;
      each.preempt = director.file.front().preempt;
    }
  }
}

/// Who speaks version 3 over IPv4 with which checksum. Where somebody understands one only, nobody
/// is told to write another.
void draw_dialects(core::Rng& rng, Plan& plan) {
  constexpr std::array kForms{ChecksumForm::with_pseudo_header, ChecksumForm::without_pseudo_header,
                              ChecksumForm::with_group};
  const ChecksumForm only = kForms.at(rng.below(std::uint64_t{kForms.size()}));
  const bool somebody_is_narrow = rng.chance(40);
  const bool may_be_told = !somebody_is_narrow || only == ChecksumForm::without_pseudo_header;
  for (Director& director : plan.directors) {
    if (somebody_is_narrow && rng.chance(40)) director.host.only_form = only;
    if (may_be_told && rng.chance(30)) {
      for (InstanceSettings& each : director.file)
        each.checksum = ChecksumChoice::without_pseudo_header;
    }
  }
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
  if (kind == FaultKind(TrackerFault::says_otherwise)) return "a tracker says otherwise";
  if (kind == FaultKind(TrackerFault::other_weight)) return "reload with another weight";
  return std::find_if(kKinds.begin(), kKinds.end(),
                      [&](const NamedKind& each) { return each.kind == kind; })
      ->name;
}

namespace {

bool may_move_own_address(const Plan& plan, const VirtualRouter& router) {
  if (router.family == core::Family::v6 || moves_own_address(plan, router.wire)) return false;
  return std::none_of(plan.routers.begin(), plan.routers.end(), [&](const VirtualRouter& each) {
    return each.wire == router.wire && each.is_unicast;
  });
}

/// A master to appear, somebody who does not understand it to find out and to be answered, then a
/// better one to preempt: down intervals, whatever delay it is told to keep, the start of a
/// process, and slack.
Duration settling_takes(const VirtualRouter& router, const InstanceSettings& settings) {
  const Duration election = 3 * router.interval + std::max(Duration(1s), router.interval);
  return 2 * election + settings.preempt_delay + 2 * router.interval;
}

// Ports that forward nothing after a boot, and directors that wait for a first frame. Owners speak
// at once all the same, so that two would have the addresses until the ports open. A randomness of
// its own: the other seeds stay what they were.
void draw_ears(Plan& plan) {
  core::Rng rng(plan.seed ^ 0x65617273);
  const auto owns = [](const InstanceSettings& each) { return each.priority == kOwnerPriority; };
  const bool has_owner = std::ranges::any_of(plan.directors, [&](const Director& director) {
    return std::ranges::any_of(director.file, owns);
  });
  if (has_owner || !rng.chance(15)) return;
  constexpr Duration kListens = 5s;
  for (Director& director : plan.directors) {
    director.host.listens_for = kListens;
    if (rng.chance(60)) director.host.ports_open_after = 500ms + rng.below(Duration(3s));
  }
  plan.settle_bound += kListens;
}

Tracker draw_tracker(core::Rng& rng, std::size_t number, std::size_t wire) {
  constexpr std::array kTracked{TrackerKind::script, TrackerKind::file, TrackerKind::interface};
  Tracker tracker;
  tracker.id.kind = kTracked.at(rng.below(std::uint64_t{kTracked.size()}));
  tracker.id.name = tracker.id.kind == TrackerKind::interface ? interface_name((wire + 1) % kWires)
                                                              : fmt::format("t{}", number);
  const bool is_file = tracker.id.kind == TrackerKind::file;
  const auto size = static_cast<std::int16_t>(1 + rng.below(std::uint64_t{is_file ? 20U : 120U}));
  tracker.weight = rng.chance(50) ? size : static_cast<std::int16_t>(-size);
  if (rng.chance(20)) tracker.weight = 0;
  if (tracker.weight != 0 && rng.chance(20)) tracker.reverse = Reverse::yes;
  return tracker;
}

// Trackers, and what they say in the course of time. A randomness of its own, and only of seeds
// that nobody had before: all others stay what they were. Not of groups, where a weight sets
// members against each other.
void draw_trackers(Plan& plan) {
  core::Rng rng(plan.seed ^ 0x747261636b);
  const bool is_grouped = !plan.directors.front().file.front().sync_group.empty();
  if (plan.seed >> 32 == 0 || is_grouped || !rng.chance(60)) return;
  for (Director& director : plan.directors) {
    for (std::size_t number = 0; number < plan.routers.size(); ++number) {
      std::vector<Tracker>& trackers = director.file[number].trackers;
      const std::uint64_t count = rng.below(std::uint64_t{4});
      for (std::uint64_t i = 0; i < count; ++i) {
        Tracker tracker = draw_tracker(rng, number, plan.routers[number].wire);
        const bool is_there =
            std::ranges::find(trackers, tracker.id, &Tracker::id) != trackers.end();
        if (!is_there) trackers.push_back(std::move(tracker));
      }
    }
  }
  plan.settle_bound += 1s;
  const std::uint64_t changes = 2 + rng.below(std::uint64_t{12});
  for (std::uint64_t i = 0; i < changes; ++i) {
    const TrackerFault kind =
        rng.chance(70) ? TrackerFault::says_otherwise : TrackerFault::other_weight;
    Fault fault = draw_fault(rng, kind, plan);
    if (i > 0 && rng.chance(kTroubleComesInPairs))
      fault.at = plan.faults.back().at + rng.below(Duration(500ms));
    fault.lasts = Duration::zero();
    plan.last_stop_at = std::max(plan.last_stop_at, fault.at + plan.settle_bound + kQuiet);
    plan.faults.push_back(fault);
  }
  plan.ends_at = plan.last_stop_at + kAfterStop;
}

}  // namespace

Plan draw_plan(std::uint64_t seed) {
  core::Rng rng(seed);
  Plan plan;
  plan.seed = seed;
  plan.directors.resize(2 + rng.below(std::uint64_t{3}));
  for (Director& director : plan.directors) {
    director.host.habits.keeps_marks = rng.chance(70);
    if (rng.chance(50)) director.host.habits.promote = netlink::PromoteSecondaries::yes;
    director.host.has_second_addresses = rng.chance(40);
    director.starts_at = rng.below(rng.chance(50) ? Duration(1ms) : Duration(8s));
  }
  const std::size_t routers = 1 + rng.below(std::uint64_t{3});
  for (std::size_t number = 0; number < routers; ++number) {
    const VirtualRouter router = draw_router(rng, plan, number);
    plan.routers.push_back(router);
    std::vector<VirtualAddress> addresses = draw_addresses(rng, router);
    const bool equal_priorities = rng.chance(20);
    const bool has_owner = rng.chance(10);
    for (Director& director : plan.directors) {
      InstanceSettings settings = draw_instance(rng, router, number, equal_priorities);
      if (has_owner && &director == &plan.directors.front()) settings.priority = kOwnerPriority;
      director.file.push_back(std::move(settings));
    }
    draw_ways(rng, plan, number);
    draw_intervals(rng, plan, number);
    // RFC 3768 §1.1: the owner's own address is the virtual one.
    if (has_owner && may_move_own_address(plan, router) && rng.chance(50)) {
      plan.routers.back().pool.push_back(own_address(0, router.wire));
      addresses = {addresses.front()};
      addresses.front().prefix = {own_address(0, router.wire), 24};
    }
    for (Director& director : plan.directors) {
      director.file.back().addresses = addresses;
      plan.settle_bound =
          std::max(plan.settle_bound, settling_takes(plan.routers.back(), director.file.back()));
    }
  }
  draw_dialects(rng, plan);
  draw_group(plan);
  draw_ears(plan);
  draw_faults(rng, plan);
  draw_trackers(plan);
  return plan;
}

namespace {

std::string describe_way(const InstanceSettings& settings) {
  std::string text = fmt::format(" version {}", settings.version);
  if (settings.source_address) text += " from " + settings.source_address->to_string();
  if (settings.source_tracking == SourceTracking::yes) text += " tracked";
  if (settings.checksum == ChecksumChoice::without_pseudo_header) text += " checksum_as_v2";
  if (!settings.unicast) return text;
  text += settings.unicast->senders == Senders::listed ? " to and from" : " to";
  for (const UnicastPeer& peer : settings.unicast->peers) text += " " + peer.address.to_string();
  return text + ", addresses";
}

}  // namespace

namespace {

std::string describe_ears(const Host& host) {
  if (host.listens_for == 0us) return {};
  return fmt::format(", waits {} for a first frame, its ports open after {}",
                     seconds(host.listens_for), seconds(host.ports_open_after));
}

}  // namespace

std::string describe(const Plan& plan) {
  std::string text = fmt::format("seed {}\n", plan.seed);
  for (std::size_t i = 0; i < plan.directors.size(); ++i) {
    const Director& director = plan.directors[i];
    text += fmt::format("h{} starts at {}{}{}{}\n", i + 1, seconds(director.starts_at),
                        director.host.habits.keeps_marks ? "" : ", its kernel keeps no marks",
                        describe_ears(director.host) +
                            (director.host.has_second_addresses ? ", has second addresses" : ""),
                        director.host.only_form
                            ? fmt::format(", knows {} only", to_string(*director.host.only_form))
                            : "");
    for (const InstanceSettings& settings : director.file) {
      text += fmt::format("  {}{} {} vrid {} prio {}{} preempt_delay {} advert_int {}{}",
                          settings.name, settings.sync_group.empty() ? "" : " (grouped)",
                          settings.interface, settings.vrid, settings.priority,
                          settings.preempt == Preempt::no ? " nopreempt" : "",
                          seconds(settings.preempt_delay), seconds(settings.advert_interval),
                          describe_way(settings));
      for (const VirtualAddress& address : settings.addresses)
        text += " " + address.prefix.to_string();
      for (const Tracker& each : settings.trackers)
        text += fmt::format(", tracks {} weight {}{}", to_string(each.id), each.weight,
                            each.reverse == Reverse::yes ? " reverse" : "");
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
