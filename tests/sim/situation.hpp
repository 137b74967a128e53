// The run as the oracles see it: all machines, what they are configured for, and which troubles the
// swarm has made. The first contradiction ends the run.
#pragma once

#include "tests/sim/machine.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace holdfast::sim {

/// Thrown by an oracle: test code may.
struct Violation {
  std::string oracle;
  Instant at;
  std::string sentence;
};

/// A virtual router as people mean it: its number stays when it is renamed or gets another VRID.
struct VirtualRouter {
  std::size_t wire = 0;
  core::Family family = core::Family::v4;
  std::uint8_t version = 2;
  bool is_unicast = false;
  bool has_mixed_intervals = false;
  /// The longest that any of its directors may have; in version 2 all have it.
  Duration interval{};
  /// Any of these may stand in its configuration.
  std::vector<core::IpAddress> pool;
};

class Situation {
 public:
  explicit Situation(World& world) : world_(world) {}
  std::vector<std::unique_ptr<Machine>> machines;
  std::vector<VirtualRouter> routers;
  /// After this long without trouble and change the elections must be over.
  Duration settle_bound{};

  // ---- said by the swarm ----
  /// Something is broken that ends later; `on_the_wire`: packets are lost or late.
  void trouble_begins(bool on_the_wire);
  void trouble_ends(bool on_the_wire);
  /// People or accidents changed something for good.
  void changed();
  /// Looks for machines that cannot serve one of their routers at all: what they learn from that
  /// may keep them from pre-empting for a long time.
  void note_the_unable();
  /// A planned stop: with it the former quiet ends.
  void stops(const Machine& machine);

  // ---- asked by oracles ----
  [[nodiscard]] Instant now() const { return world_.now(); }
  [[nodiscard]] bool is_calm() const {
    return troubles_ == 0 && now() - last_change_ > settle_bound;
  }
  [[nodiscard]] Instant last_change() const { return last_change_; }
  [[nodiscard]] bool stops_in_peace(const Machine& machine) const { return leaver_ == &machine; }
  [[nodiscard]] bool was_unable(const Machine& machine) const { return unable_.contains(&machine); }
  [[nodiscard]] bool wire_is_sound() const { return wire_troubles_ == 0; }
  [[nodiscard]] std::size_t number_of(const vrrp::InstanceSettings& settings) const {
    return static_cast<std::size_t>(settings.name.at(kNameStem.size()) - '0');
  }
  /// The router that this address is meant for; nullopt: it is no virtual one.
  [[nodiscard]] std::optional<std::size_t> number_of(const core::IpAddress& address) const;
  /// The instance of a router on a machine whose vrrp process runs; nullptr: none.
  [[nodiscard]] const vrrp::Instance* instance(const Machine& machine, std::size_t number) const;
  /// It could serve now, and nothing is wrong with it or another member of its sync group.
  [[nodiscard]] bool is_eligible(const Machine& machine, std::size_t number) const;
  /// Some machine has it in a sync group.
  [[nodiscard]] bool is_grouped(std::size_t number) const;
  /// Of two directors each may outrank the other in another member of the group: then both yield,
  /// and who serves is open.
  [[nodiscard]] bool has_crossed_priorities() const;
  /// There is something that its adverts can come from.
  [[nodiscard]] static bool has_source(const Machine& machine, std::size_t wire,
                                       const vrrp::InstanceSettings& settings);
  /// All machines mean the same VRID by this router, and all unicast peers know each other.
  [[nodiscard]] bool agree_about(std::size_t number) const;
  [[noreturn]] void violated(std::string oracle, const std::string& who,
                             const std::string& sentence) const;

  [[nodiscard]] bool could_serve(const Machine& machine, std::size_t number) const;
  [[nodiscard]] bool agree_about_one(std::size_t number) const;

  static constexpr std::string_view kNameStem = "VI_";

 private:
  World& world_;
  int troubles_ = 0;
  int wire_troubles_ = 0;
  Instant last_change_{};
  const Machine* leaver_ = nullptr;
  std::set<const Machine*> unable_;
};

}  // namespace holdfast::sim
