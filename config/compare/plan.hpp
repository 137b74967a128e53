// What a reload from one model to another does to the traffic: every difference with its
// consequence in a sentence. Asked by `holdfastctl plan`, and by the loader for reload_limit. Pure:
// what runs is passed in as values.
#pragma once

#include "config/compare/diff.hpp"
#include "config/model.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::config {

/// How much of the running service a step costs.
enum class Impact : std::uint8_t {
  harmless,  ///< nobody notices
  disturbs,  ///< traffic moves: another master, other servers for new connections
  drops,     ///< addresses go or connections are cut off
};

/// One line of a plan: "VI_1: priority 100 → 150: will preempt 10.0.0.2".
struct PlanStep {
  std::string object;       ///< "VI_1", "TCP 198.51.100.7:80", "TCP 198.51.100.7:80 10.0.0.9:80"
  std::string change;       ///< "priority 100 → 150"
  std::string consequence;  ///< a sentence's second half; may be empty
  Impact impact = Impact::harmless;

  bool operator==(const PlanStep&) const = default;
};

/// How many virtual addresses and real servers of the model before are in no instance and in no
/// service of the same name any more.
struct Removal {
  std::size_t addresses = 0;
  std::size_t of_addresses = 0;
  std::size_t servers = 0;
  std::size_t of_servers = 0;

  bool operator==(const Removal&) const = default;
};

/// What the running VRRP process says about an instance.
struct RunningInstance {
  std::string interface;
  core::Family family = core::Family::v4;
  std::uint8_t virtual_router_id = 0;
  bool is_master = false;
  bool is_in_fault = false;
  int priority = 0;            ///< as configured
  int effective_priority = 0;  ///< with what tracking adds
  std::string master;          ///< address of the master that is heard; empty: none, or it is us
  int master_priority = 0;
};

/// What the running checkers say about a service, or about one of its servers.
struct RunningService {
  std::string service;  ///< as name_of()
  std::uint64_t up_weight = 0;
};
struct RunningServer {
  std::string service;
  std::string server;             ///< "192.168.1.67:80"
  std::uint64_t connections = 0;  ///< active ones
};

/// Lists that are empty say nothing: the consequences are then given without them.
struct RunningView {
  std::vector<RunningInstance> instances;
  std::vector<RunningService> services;
  std::vector<RunningServer> servers;
};

struct Plan {
  std::vector<PlanStep> steps;  ///< empty: nothing changes
  /// What goes wrong between the two directors while only one of them has the new file: sentences.
  std::vector<std::string> warnings = {};
  Removal removal;
  std::string beyond_limit;  ///< as beyond_limit()
};

[[nodiscard]] Plan plan_reload(const Model& before, const Model& after,
                               const RunningView& running = {});

[[nodiscard]] Removal removal(const Model& before, const Model& after);
/// A sentence when the reload removes more than reload_limit allows; empty: it does not. The limit
/// of what runs counts before that of the new file, which may have lost the line together with the
/// rest. Without a limit, when every virtual router or every service is gone: a file that was cut
/// off or commented out is the usual reason. `reload_limit 100` allows that, too.
[[nodiscard]] std::string beyond_limit(const Model& before, const Model& after);
/// "removes 3 of 12 servers"; empty: none.
[[nodiscard]] std::string removed_text(const Removal& removal);

[[nodiscard]] const char* to_string(Impact impact);  ///< "harmless", "disturbs", "drops"

}  // namespace holdfast::config
