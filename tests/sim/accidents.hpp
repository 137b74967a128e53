// Makes the faults of a plan happen, and ends them.
#pragma once

#include "tests/sim/plan.hpp"

#include <functional>

namespace holdfast::sim {

class Accidents {
 public:
  Accidents(World& world, core::Rng& rng, std::array<Lan, kWires>& wires, Situation& situation,
            const Plan& plan)
      : world_(world), rng_(rng), wires_(wires), situation_(situation), plan_(plan) {}
  void happen(const Fault& fault);

 private:
  void hit(WireFault kind, const Fault& fault, Machine& machine);
  void hit(KernelFault kind, const Fault& fault, Machine& machine);
  void hit(ProcessFault kind, const Fault& fault, Machine& machine);
  void hit(PeoplesFault kind, const Fault& fault, Machine& machine);
  void hit(TrackerFault kind, const Fault& fault, Machine& machine);
  void put_strange_address(KernelFault kind, const Fault& fault, Machine& machine);
  void lose_source(const Fault& fault, Machine& machine);
  void without_peer(const Fault& fault, Machine& machine);
  void change_interval(const Fault& fault, Machine& machine);
  /// Somebody who has no part in it sends what must not count, until `end`.
  void strange_advert(const Fault& fault, Instant end);

  /// People stop the service soon, and start it again in the end.
  void stop_meanwhile(const Fault& fault, Machine& machine);
  /// Something breaks now and is whole again after its time.
  void breaks(const Fault& fault, bool on_the_wire, std::function<void()> mend);
  /// Somebody who could not serve leaves a working master alone for a while: the trouble is over
  /// when that has passed too.
  void breaks_with_setbacks(const Fault& fault, Machine& machine, std::function<void()> mend);
  void partition(unsigned side, bool cut);
  [[nodiscard]] core::IpAddress some_address(const Fault& fault) const;
  void refuse_all(const Fault& fault, Machine& machine, bool refuse);
  void edit(Machine& machine, const std::function<void(File&)>& change);
  void without_instance(const Fault& fault, Machine& machine);
  void renumber(const Fault& fault);
  void change_addresses(const Fault& fault, Machine& machine);

  World& world_;
  core::Rng& rng_;
  std::array<Lan, kWires>& wires_;
  Situation& situation_;
  const Plan& plan_;
};

}  // namespace holdfast::sim
