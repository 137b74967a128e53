#include "tests/sim/swarm.hpp"

#include "vrrp/core/timing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

namespace holdfast::sim {

using namespace vrrp;
using namespace std::chrono_literals;

namespace {

constexpr std::array<std::string_view, kFaultKinds> kNames{"loss",
                                                           "delay",
                                                           "duplicates",
                                                           "cut",
                                                           "partition",
                                                           "pause",
                                                           "restart with page",
                                                           "restart without page",
                                                           "power off",
                                                           "link down",
                                                           "stop and start",
                                                           "reload unchanged",
                                                           "reload priority",
                                                           "kernel refuses addresses",
                                                           "addresses removed"};
constexpr std::size_t kTraceLines = 200;
constexpr Duration kFaultsFor = 60s;
constexpr Duration kLastStopBeforeEnd = 30s;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

class Run : public Watcher {
 public:
  explicit Run(const Plan& plan) : plan_(plan), rng_(plan.seed ^ 0x5eed), lan_(world_, rng_) {
    begin_ = world_.now();
    Duration slowest = 0s;
    for (std::size_t i = 0; i < plan.directors.size(); ++i) {
      const auto address = core::IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(i + 1)});
      hosts_.push_back(
          std::make_unique<Host>(world_, lan_, rng_, *this, plan.directors[i], address));
      oracles_.add(*hosts_.back());
      // A master to appear, then a better one to preempt it: two down intervals, whatever delay it
      // is told to keep, and slack.
      const InstanceSettings& settings = plan.directors[i];
      slowest = std::max(slowest, 2 * (3 * settings.advert_interval + 1s) + settings.preempt_delay +
                                      2 * settings.advert_interval);
    }
    oracles_.settle_bound = slowest;
  }

  Outcome go() {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      world_.at(begin_ + plan_.start_at[i], [this, i] {
        oracles_.changed(world_.now());
        hosts_[i]->start(false);
      });
    }
    for (const Fault& fault : plan_.faults) {
      world_.at(begin_ + fault.at, [this, &fault] { begin(fault); });
    }
    world_.at(begin_ + plan_.ends_at - kLastStopBeforeEnd, [this] { stop_the_master(); });
    Outcome outcome;
    try {
      world_.run_until(begin_ + plan_.ends_at, [this] { oracles_.look(world_.now()); });
    } catch (const Violation& violation) {
      outcome.violation = violation;
      outcome.trace = {trace_.begin(), trace_.end()};
    }
    outcome.wakes = wakes_;
    return outcome;
  }

  void woke(Host& host, const Wake& wake) override {
    ++wakes_;
    for (const Action& action : wake.actions) note(host.name() + " " + to_string(action));
    oracles_.woke(host, wake);
  }

 private:
  void note(std::string text) {
    trace_.emplace_back(fmt::format("{:10.6f} {}", seconds(world_.now() - begin_), text));
    if (trace_.size() > kTraceLines) trace_.pop_front();
  }

  /// Something breaks now and is whole again after its time.
  void trouble(const Fault& fault, std::function<void()> breaks, std::function<void()> mends) {
    oracles_.trouble_begins();
    breaks();
    world_.after(fault.lasts, [this, &fault, mends = std::move(mends)] {
      note(fmt::format("end of {}", kNames[static_cast<std::size_t>(fault.kind)]));
      mends();
      oracles_.trouble_ends(world_.now());
    });
  }

  void begin(const Fault& fault) {
    Host& host = *hosts_[fault.host];
    note(fmt::format("{} on {} for {} s", kNames[static_cast<std::size_t>(fault.kind)], host.name(),
                     seconds(fault.lasts)));
    switch (fault.kind) {
      case FaultKind::loss:
        trouble(
            fault, [&] { lan_.loss_percent = fault.amount; }, [this] { lan_.loss_percent = 0; });
        break;
      case FaultKind::delay:
        trouble(
            fault, [&] { lan_.longest_delay = std::chrono::milliseconds(fault.amount); },
            [this] { lan_.longest_delay = 500us; });
        break;
      case FaultKind::duplicates:
        trouble(
            fault, [&] { lan_.duplicate_percent = fault.amount; },
            [this] { lan_.duplicate_percent = 0; });
        break;
      case FaultKind::cut:
        trouble(
            fault, [&] { lan_.cut(fault.host, fault.other); },
            [this, &fault] { lan_.mend(fault.host, fault.other); });
        break;
      case FaultKind::partition:
        trouble(
            fault, [&] { partition(fault.amount, true); },
            [this, &fault] { partition(fault.amount, false); });
        break;
      case FaultKind::pause:
        trouble(
            fault, [&] { host.pause(); }, [&host] { host.go_on(); });
        break;
      case FaultKind::restart_with_page:
        trouble(
            fault, [&] { host.kill(); }, [&host] { host.start(true); });
        break;
      case FaultKind::restart_without_page:
        trouble(
            fault, [&] { host.kill(); }, [&host] { host.start(false); });
        break;
      case FaultKind::power_off:
        trouble(
            fault, [&] { host.power_off(); }, [&host] { host.start(false); });
        break;
      case FaultKind::link_down:
        trouble(
            fault, [&] { host.set_link(false); }, [&host] { host.set_link(true); });
        break;
      case FaultKind::kernel_refuses:
        // The instance leaves a working master alone for a while: the trouble is over when that has
        // passed too.

        trouble(
            fault, [&] { host.refuse_addresses(true); },
            [this, &host] {
              host.refuse_addresses(false);
              oracles_.trouble_begins();
              Instant quiet = world_.now() + host.settings().retry_after;
              if (host.is_running() && host.instance().setback())
                quiet = std::max(quiet, host.instance().setback()->until);
              world_.at(quiet + 1s, [this] { oracles_.trouble_ends(world_.now()); });
            });
        break;
      case FaultKind::stop_and_start:
        host.stop();
        oracles_.changed(world_.now() + fault.lasts);
        world_.after(fault.lasts, [&host] { host.start(false); });
        break;
      case FaultKind::reload_same:
        host.reload(host.settings());
        break;
      case FaultKind::reload_priority: {
        InstanceSettings settings = host.settings();
        settings.priority = static_cast<std::uint8_t>(fault.amount);
        host.reload(settings);
        oracles_.changed(world_.now());
        break;
      }
      case FaultKind::addresses_removed:
        host.disturb_addresses();
        break;
    }
  }

  /// Every run ends with a planned handover in peace.
  void stop_the_master() {
    for (const auto& host : hosts_) {
      if (!host->is_master()) continue;
      note("planned stop of " + host->name());
      host->stop();
      oracles_.changed(world_.now());
      return;
    }
  }

  /// Hosts whose bit is set in `side` and the others do not hear each other.
  void partition(unsigned side, bool cut) {
    for (std::size_t a = 0; a < hosts_.size(); ++a) {
      for (std::size_t b = 0; b < hosts_.size(); ++b) {
        if (((side >> a) & 1U) == ((side >> b) & 1U)) continue;
        cut ? lan_.cut(a, b) : lan_.mend(a, b);
      }
    }
  }

  const Plan& plan_;
  World world_;
  core::Rng rng_;
  Lan lan_;
  Oracles oracles_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::deque<std::string> trace_;
  Instant begin_;
  std::uint64_t wakes_ = 0;
};

InstanceSettings draw_director(core::Rng& rng, std::size_t number, Duration interval,
                               bool equal_priorities) {
  InstanceSettings settings;
  settings.name = "VI_1";
  settings.interface = "eth0";
  settings.vrid = 51;
  settings.advert_interval = interval;
  settings.authentication = Authentication::password("secret");
  settings.addresses = {{.prefix = {core::IpAddress::v4({192, 0, 2, 100}), 32},
                         .interface = {},
                         .label = {},
                         .broadcast = {},
                         .scope = {}}};
  settings.priority =
      static_cast<std::uint8_t>(equal_priorities ? 100 : 1 + rng.below(std::uint64_t{254}));
  if (number == 0 && rng.chance(10)) settings.priority = kOwnerPriority;
  if (rng.chance(20)) settings.preempt = Preempt::no;
  if (rng.chance(20)) settings.preempt_delay = rng.below(Duration(5s));
  return settings;
}

Fault draw_fault(core::Rng& rng, FaultKind kind, std::size_t directors) {
  Fault fault;
  fault.kind = kind;
  fault.at = 5s + rng.below(kFaultsFor);
  fault.lasts = 10ms + rng.below(rng.chance(50) ? Duration(3s) : Duration(15s));
  fault.host = rng.below(std::uint64_t{directors});
  fault.other = (fault.host + 1 + rng.below(std::uint64_t{directors - 1})) % directors;
  switch (kind) {
    case FaultKind::loss:
    case FaultKind::duplicates:
      fault.amount = static_cast<unsigned>(5 + rng.below(std::uint64_t{70}));
      break;
    case FaultKind::delay:
      fault.amount = static_cast<unsigned>(1 + rng.below(std::uint64_t{900}));
      break;
    case FaultKind::partition:
    case FaultKind::reload_priority:
      fault.amount = static_cast<unsigned>(1 + rng.below(std::uint64_t{254}));
      break;
    case FaultKind::cut:
    case FaultKind::pause:
    case FaultKind::restart_with_page:
    case FaultKind::restart_without_page:
    case FaultKind::power_off:
    case FaultKind::link_down:
    case FaultKind::stop_and_start:
    case FaultKind::reload_same:
    case FaultKind::kernel_refuses:
    case FaultKind::addresses_removed:
      break;
  }
  return fault;
}

}  // namespace

Plan draw_plan(std::uint64_t seed) {
  core::Rng rng(seed);
  Plan plan;
  plan.seed = seed;
  const std::size_t directors = 2 + rng.below(std::uint64_t{4});
  const Duration interval = rng.chance(80) ? Duration(1s) : Duration(2s);
  const bool equal_priorities = rng.chance(20);
  for (std::size_t i = 0; i < directors; ++i) {
    plan.directors.push_back(draw_director(rng, i, interval, equal_priorities));
    plan.start_at.push_back(rng.below(rng.chance(50) ? Duration(1ms) : Duration(10s)));
  }
  // Only some kinds exist in one run: rare combinations get their chance, and quiet runs exist.
  std::vector<FaultKind> kinds;
  for (std::size_t kind = 0; kind < kFaultKinds; ++kind) {
    if (rng.chance(30)) kinds.push_back(static_cast<FaultKind>(kind));
  }
  const std::uint64_t faults = kinds.empty() ? 0 : rng.below(std::uint64_t{12});
  for (std::uint64_t i = 0; i < faults; ++i) {
    plan.faults.push_back(
        draw_fault(rng, kinds[rng.below(std::uint64_t{kinds.size()})], directors));
  }
  plan.ends_at = 5s + kFaultsFor + 15s + 41s +
                 40s;  // the last fault, its end, a setback's, and quiet to settle and stay
  return plan;
}

Outcome run(const Plan& plan) {
  return Run(plan).go();
}

std::string describe(const Plan& plan, const Outcome& outcome) {
  std::string text = fmt::format("seed {}\n", plan.seed);
  for (std::size_t i = 0; i < plan.directors.size(); ++i) {
    const InstanceSettings& settings = plan.directors[i];
    text +=
        fmt::format("director 192.0.2.{} prio {}{} preempt_delay {} advert_int {} starts at {}\n",
                    i + 1, settings.priority, settings.preempt == Preempt::no ? " nopreempt" : "",
                    seconds(settings.preempt_delay), seconds(settings.advert_interval),
                    seconds(plan.start_at[i]));
  }
  for (const Fault& fault : plan.faults) {
    text += fmt::format("at {} {} host 192.0.2.{} other 192.0.2.{} for {} amount {}\n",
                        seconds(fault.at), kNames[static_cast<std::size_t>(fault.kind)],
                        fault.host + 1, fault.other + 1, seconds(fault.lasts), fault.amount);
  }
  if (outcome.violation) {
    text +=
        fmt::format("violated: {}: {}\n", outcome.violation->oracle, outcome.violation->sentence);
  }
  for (const std::string& line : outcome.trace) text += line + "\n";
  return text;
}

}  // namespace holdfast::sim
