#include "tests/sim/swarm.hpp"

#include "tests/sim/accidents.hpp"
#include "tests/sim/oracles.hpp"

#include <deque>

namespace holdfast::sim {

namespace {

constexpr std::size_t kTraceLines = 400;

class Run {
 public:
  Run(const Plan& plan, Trace trace)
      : plan_(plan),
        world_(trace == Trace::no ? std::function<void(std::string)>{}
                                  : [this](const std::string& line) { note(line); }),
        rng_(plan.seed ^ 0x5eed),
        wires_{Lan(world_, rng_), Lan(world_, rng_)},
        situation_(world_),
        oracles_(situation_),
        accidents_(world_, rng_, wires_, situation_, plan) {
    begin_ = world_.now();
    situation_.routers = plan.routers;
    situation_.settle_bound = plan.settle_bound;
    for (std::size_t i = 0; i < plan.directors.size(); ++i) {
      const Director& director = plan.directors[i];
      situation_.machines.push_back(
          std::make_unique<Machine>(world_, rng_, wires_, oracles_, i, director.host));
      situation_.machines.back()->edit(director.file);
      world_.at(begin_ + director.starts_at, [this, i] {
        situation_.changed();
        situation_.machines[i]->start();
      });
    }
    for (const Fault& fault : plan.faults)
      world_.at(begin_ + fault.at, [this, &fault] { accidents_.happen(fault); });
    world_.at(begin_ + plan.last_stop_at, [this] { stop_a_master(); });
  }

  Outcome go() {
    Outcome outcome;
    try {
      world_.run_until(begin_ + plan_.ends_at, [this] {
        watch_for_changes();
        oracles_.look();
      });
    } catch (const Violation& violation) {
      outcome.violation = violation;
      if (world_.is_traced()) note_states();
    }
    outcome.wakes = oracles_.wakes();
    outcome.trace = {trace_.begin(), trace_.end()};
    return outcome;
  }

 private:
  void note(const std::string& text) {
    const double at = std::chrono::duration<double>(world_.now() - begin_).count();
    trace_.push_back(fmt::format("{:10.6f} {}", at, text));
    if (trace_.size() > kTraceLines) trace_.pop_front();
  }

  void note_states() {
    for (const auto& machine : situation_.machines) {
      const Child* child = machine->child();
      world_.note("{} is {}settled, {} addresses of ours", machine->name(),
                  machine->is_settled() ? "" : "not ", machine->kernel().ours().size());
      if (child == nullptr) continue;
      for (const vrrp::Instance* each : child->router().instances()) {
        const auto deadline = each->deadline();
        world_.note("{} {} is {}, next deadline in {} us: {}", machine->name(),
                    each->settings().name, vrrp::to_string(each->state_name()),
                    deadline ? (*deadline - world_.now()).count() : -1, each->why());
      }
    }
  }

  /// A machine that starts, reloads, stops or restarts a process goes on being a change.
  void watch_for_changes() {
    situation_.note_the_unable();
    for (const auto& machine : situation_.machines) {
      if (!machine->is_settled() && !situation_.stops_in_peace(*machine)) situation_.changed();
    }
  }

  /// Every run ends with a planned handover in peace.
  void stop_a_master() {
    for (const auto& machine : situation_.machines) {
      for (std::size_t number = 0; number < plan_.routers.size(); ++number) {
        const vrrp::Instance* instance = situation_.instance(*machine, number);
        if (instance == nullptr || instance->state_name() != vrrp::StateName::master) continue;
        world_.note("planned stop of {}", machine->name());
        situation_.stops(*machine);
        machine->stop();
        return;
      }
    }
  }

  const Plan& plan_;
  World world_;
  core::Rng rng_;
  std::array<Lan, kWires> wires_;
  Situation situation_;
  Oracles oracles_;
  Accidents accidents_;
  std::deque<std::string> trace_;
  Instant begin_{};
};

}  // namespace

Outcome run(const Plan& plan, Trace trace) {
  return Run(plan, trace).go();
}

}  // namespace holdfast::sim
