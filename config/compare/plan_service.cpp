// What a change of a service or of one of its servers does. The rules follow the kernel's IPVS
// (a destination that goes takes its connections along: ip_vs_core.c drops their packets) and
// checkers/core/engine_configure (health is kept over a reload).
#include "config/compare/plan_rules.hpp"
#include "config/started.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

std::string count_text(std::uint64_t connections) {
  return connections == 1 ? "1 connection" : fmt::format("{} connections", connections);
}

std::string stay_text(std::uint64_t connections) {
  return count_text(connections) + (connections == 1 ? " stays" : " stay");
}

// What happens to connections whose server leaves the table.
Consequence cut_off(const std::optional<std::uint64_t>& connections) {
  if (!connections) return {"its connections are cut off", Impact::drops};
  if (*connections == 0) return {"no connection is cut off", Impact::disturbs};
  return {fmt::format("{} cut off",
                      *connections == 1 ? "1 connection is" : count_text(*connections) + " are"),
          Impact::drops};
}

bool is_check(std::string_view word) {
  return word.ends_with("_CHECK") || is_one_of(word, {"HTTP_GET", "SSL_GET"});
}

Consequence quorum_changes(const ServiceRule& rule) {
  if (rule.running == nullptr)
    return {"counts at once: may lose or regain the quorum", Impact::disturbs};
  const std::uint64_t up = rule.running->up_weight;
  const bool met_before = up >= rule.before->quorum;
  const bool met_after = up >= rule.after->quorum;
  if (met_before == met_after) return {met_after ? "still met" : "still not met", Impact::harmless};
  if (met_after) return {fmt::format("met again with weight {}", up), Impact::disturbs};
  const std::string instead =
      rule.after->sorry_server ? "the sorry server takes over" : "no server is left";
  return {fmt::format("lost with weight {}: {}", up, instead),
          rule.after->sorry_server ? Impact::disturbs : Impact::drops};
}

Consequence persistence_changes(const ServiceRule& rule) {
  const bool before = rule.before->persistence_timeout > core::Duration::zero();
  const bool after = rule.after->persistence_timeout > core::Duration::zero();
  if (before && !after) return {"clients are no longer bound to their server", Impact::disturbs};
  if (!before && after) return {"clients stay with the server of their next connection", {}};
  return {"counts from a client's next connection", Impact::harmless};
}

Consequence weight_changes(const ServerRule& rule) {
  const std::uint32_t before = rule.before->weight;
  const std::uint32_t after = rule.after->weight;
  if (after == 0) {
    return {rule.connections && *rule.connections != 0
                ? fmt::format("takes no new connections, {}", stay_text(*rule.connections))
                : "takes no new connections, established ones stay",
            Impact::disturbs};
  }
  if (before == 0) return {"takes new connections again", Impact::harmless};
  return {after > before ? "gets more of the new connections" : "gets fewer of the new connections",
          Impact::harmless};
}

}  // namespace

Consequence added_service(const ServiceRule& rule) {
  if (const std::string why = why_not_started(*rule.after); !why.empty())
    return {fmt::format("not started: {}", why), Impact::harmless};
  const std::size_t servers = rule.after->real_servers.size();
  return {fmt::format("serves with {} server{}", servers, servers == 1 ? "" : "s"),
          Impact::harmless};
}

Consequence removed_service(const ServiceRule& rule) {
  Consequence consequence = cut_off(rule.connections);
  consequence.text = "nobody answers there any more; " + consequence.text;
  consequence.impact = Impact::drops;
  return consequence;
}

Consequence changed_service(const ServiceRule& rule, const FieldChange& field) {
  const std::string_view word = first_word(field.field);
  if (is_one_of(word, {"lb_algo", "lvs_sched"}) || word.starts_with("flag-") ||
      word.starts_with("sh-") || word.starts_with("mh-"))
    return {"new connections move, established ones stay", Impact::disturbs};
  if (is_one_of(word, {"lb_kind", "lvs_method"}))
    return {"new connections are forwarded that way, established ones stay", Impact::disturbs};
  if (is_one_of(word, {"persistence_timeout", "persistence_granularity", "persistence_engine"}))
    return persistence_changes(rule);
  if (is_one_of(word, {"quorum", "hysteresis"})) return quorum_changes(rule);
  if (is_one_of(word, {"sorry_server", "sorry_server_inhibit", "sorry_server_lvs_method"}))
    return {"counts when the quorum is lost", Impact::harmless};
  if (is_check(word)) return {"the servers keep their state until the next result", {}};
  if (word == "ops") return {"counts from the next packet", Impact::disturbs};
  if (word == "ha_suspend") return {"counts at the next change of its address", Impact::harmless};
  if (word == "alpha") return {"counts for servers that are new", Impact::harmless};
  if (word == "omega") return {"counts at the next stop", Impact::harmless};
  if (is_one_of(word, {"quorum_up", "quorum_down", "smtp_alert"}))
    return {"counts from the next change of the quorum", Impact::harmless};
  return {"counts at once", Impact::harmless};
}

Consequence added_server(const ServerRule& rule) {
  if (rule.after->weight == 0) return {"weight 0: takes no connections", Impact::harmless};
  if (rule.after->alpha) return {"takes new connections after its first good check", {}};
  return {"takes new connections at once", Impact::harmless};
}

Consequence removed_server(const ServerRule& rule) {
  return cut_off(rule.connections);
}

Consequence changed_server(const ServerRule& rule, const FieldChange& field) {
  const std::string_view word = first_word(field.field);
  if (word == "weight") return weight_changes(rule);
  if (word == "lvs_method")
    return {"new connections are forwarded that way, established ones stay", Impact::disturbs};
  if (is_check(word)) return {"keeps its present state until the next result", Impact::harmless};
  if (is_one_of(word, {"uthreshold", "lthreshold"}))
    return {"counts for new connections", Impact::harmless};
  if (word == "inhibit_on_failure") return {"counts at its next failure", Impact::harmless};
  if (word == "alpha") return {"counts for checks that are new", Impact::harmless};
  if (word.starts_with("notify_") || word == "smtp_alert")
    return {"counts from its next change of state", Impact::harmless};
  return {"counts at once", Impact::harmless};
}

}  // namespace holdfast::config
