// What a change of an instance or of global_defs does. The rules follow the election of
// vrrp/core/instance: priorities and preemption as in RFC 3768 §6.4, a reload as in
// Instance::on(Reconfigure).
#include "config/compare/plan_rules.hpp"
#include "config/started.hpp"
#include "config/write/write.hpp"

#include <fmt/format.h>

#include <set>

namespace holdfast::config {
namespace {

constexpr std::uint8_t kOwner = 255;

std::vector<core::IpAddress> addresses_of(const VrrpInstance& instance) {
  std::vector<core::IpAddress> all;
  for (const auto& one : instance.virtual_addresses) all.push_back(one.prefix.address);
  for (const auto& one : instance.virtual_addresses_excluded) all.push_back(one.prefix.address);
  return all;
}

std::set<core::IpAddress> addresses_of(const Model& model) {
  std::set<core::IpAddress> all;
  for (const VrrpInstance& instance : model.instances)
    for (const core::IpAddress& address : addresses_of(instance)) all.insert(address);
  return all;
}

std::string names_of(const std::vector<core::IpAddress>& addresses) {
  std::vector<std::string> names;
  for (const core::IpAddress& address : addresses) names.push_back(address.to_string());
  return enumerate(names);
}

std::string held_by(const VrrpInstance& instance) {
  const auto addresses = addresses_of(instance);
  return addresses.empty() ? "its addresses" : names_of(addresses);
}

bool is_known_backup(const RunningInstance* running) {
  return running != nullptr && !running->is_master && !running->is_in_fault;
}

Consequence takes_over(const VrrpInstance& after, const std::string& whom) {
  if (after.preempt_delay > core::Duration::zero())
    return {fmt::format("will preempt {} after {} s", whom, seconds_text(after.preempt_delay)),
            Impact::disturbs};
  return {fmt::format("will preempt {}", whom), Impact::disturbs};
}

// Whether the present master is preempted, with the new settings.
Consequence against_the_master(const InstanceRule& rule) {
  const VrrpInstance& after = *rule.after;
  const RunningInstance& running = *rule.running;
  if (running.master.empty()) return {"becomes master when no other is heard", Impact::harmless};
  const int effective =
      running.effective_priority + int{after.priority} - int{rule.before->priority};
  const std::string other =
      fmt::format("{} (priority {})", running.master, running.master_priority);
  if (effective <= running.master_priority)
    return {fmt::format("stays backup of {}", other), Impact::harmless};
  if (!after.preempt)
    return {fmt::format("leaves {} master because of nopreempt", other), Impact::harmless};
  return takes_over(after, running.master);
}

Consequence priority_changes(const InstanceRule& rule) {
  const std::uint8_t before = rule.before->priority;
  const std::uint8_t after = rule.after->priority;
  const RunningInstance* running = rule.running;
  if (running == nullptr) {
    if (after < before)
      return {fmt::format("as master it gives way to a peer above {}", after), Impact::disturbs};
    if (!rule.after->preempt)
      return {"a master that is there stays master because of nopreempt", Impact::harmless};
    return {fmt::format("will preempt a master below {}", after), Impact::disturbs};
  }
  if (running->is_in_fault) return {"counts when the fault is over", Impact::harmless};
  if (!running->is_master) return against_the_master(rule);
  if (after >= before) return {"stays master", Impact::harmless};
  return {fmt::format("stays master only if no peer that may preempt is above {}", after),
          Impact::disturbs};
}

Consequence preemption_changes(const InstanceRule& rule) {
  if (!rule.after->preempt)
    return {"a master that is there is left alone from now on", Impact::harmless};
  if (rule.running == nullptr) return {"will preempt a master of lower priority", Impact::disturbs};
  if (rule.running->is_master) return {"stays master", Impact::harmless};
  return is_known_backup(rule.running) ? against_the_master(rule) : Consequence{};
}

// A line of virtual_ipaddress came or went. The same address can do both: its label, device or
// prefix length differs.
Consequence address_changes(const InstanceRule& rule, const FieldChange& field) {
  const bool is_removed = field.after.empty();
  const std::string& line = is_removed ? field.before : field.after;
  const std::string_view written = std::string_view(line).substr(0, line.find_first_of(" /"));
  const auto has = [&](const VrrpInstance& instance) {
    for (const core::IpAddress& address : addresses_of(instance))
      if (address.to_string() == written) return true;
    return false;
  };
  const bool stays = has(*rule.before) && has(*rule.after);
  const bool is_master = rule.running == nullptr || rule.running->is_master;
  const std::string condition = rule.running == nullptr ? "if it is master: " : "";
  if (!is_master) {
    return {is_removed ? fmt::format("the master holds {} until it is reloaded too", written)
                       : fmt::format("holds {} when it becomes master", written),
            Impact::harmless};
  }
  if (stays && is_removed) return {"written in another way, see below", Impact::harmless};
  if (stays) {
    return {condition + fmt::format("{} is taken off and put on again", written), Impact::disturbs};
  }
  if (!is_removed)
    return {condition + fmt::format("takes {} and announces it", written), Impact::harmless};
  if (addresses_of(rule.in_after)
          .contains(core::IpAddress::parse(written).value_or(core::IpAddress())))
    return {condition + fmt::format("{} goes to another instance", written), Impact::disturbs};
  return {condition + fmt::format("releases {}, which nobody holds then", written), Impact::drops};
}

Consequence no_longer_understood(std::string_view what) {
  return {fmt::format("peers with another {} do not understand its adverts and become master as "
                      "well: reload both directors at the same time",
                      what),
          Impact::disturbs};
}

std::string not_started(const VrrpInstance& instance) {
  const std::string why = why_not_started(instance);
  return why.empty() ? std::string() : fmt::format("not started: {}", why);
}

}  // namespace

Consequence added_instance(const InstanceRule& rule) {
  if (std::string text = not_started(*rule.after); !text.empty())
    return {std::move(text), Impact::harmless};
  if (rule.after->priority == kOwner)
    return {fmt::format("becomes master at once and takes {}", held_by(*rule.after)),
            Impact::disturbs};
  return {
      fmt::format("begins as backup and takes {} when no master is heard", held_by(*rule.after)),
      Impact::harmless};
}

Consequence removed_instance(const InstanceRule& rule) {
  const RunningInstance* running = rule.running;
  if (running != nullptr && running->is_in_fault)
    return {"was in fault and held nothing", Impact::harmless};
  if (is_known_backup(running))
    return {running->master.empty()
                ? "nothing is released"
                : fmt::format("nothing is released; {} has one backup less", running->master),
            Impact::harmless};
  const auto still = addresses_of(rule.in_after);
  std::vector<core::IpAddress> gone;
  for (const core::IpAddress& address : addresses_of(*rule.before))
    if (!still.contains(address)) gone.push_back(address);
  const std::string condition = running == nullptr ? "if it is master: " : "";
  if (gone.empty())
    return {condition + "resigns; its addresses are those of another instance now",
            Impact::disturbs};
  return {condition + fmt::format("releases {}, its peer takes over", names_of(gone)),
          Impact::drops};
}

Consequence moved_instance(const InstanceRule& rule) {
  if (std::string text = not_started(*rule.after); !text.empty())
    return {std::move(text), Impact::drops};
  const bool may_be_master = rule.running == nullptr || rule.running->is_master;
  return {fmt::format("another virtual router for its peers: {}begins anew as backup",
                      may_be_master ? "releases " + held_by(*rule.before) + " and " : ""),
          may_be_master ? Impact::drops : Impact::harmless};
}

Consequence changed_instance(const InstanceRule& rule, const FieldChange& field) {
  const std::string_view word = first_word(field.field);
  if (word == "priority") return priority_changes(rule);
  if (is_one_of(word, {"preempt", "nopreempt"})) return preemption_changes(rule);
  if (word == "preempt_delay") return {"counts from the next master that is heard", {}};
  if (is_one_of(word, {"virtual_ipaddress", "virtual_ipaddress_excluded"}))
    return address_changes(rule, field);
  if (word == "advert_int") return no_longer_understood("interval");
  if (is_one_of(word, {"authentication", "auth_type", "auth_pass", "auth_hmac"}))
    return no_longer_understood("password");
  if (is_one_of(word, {"version", "native_ipv6"})) return no_longer_understood("version");
  if (is_one_of(word, {"unicast_peer", "unicast_src_ip", "mcast_dst_ip", "unicast_ttl"}))
    return no_longer_understood("way of sending");
  if (word == "mcast_src_ip") return {"adverts come from another address", Impact::harmless};
  if (word == "state") return {"counts at a start only", Impact::harmless};
  if (word == "name") return {"another name in messages and scripts, nothing else", {}};
  if (word.starts_with("notify") || word == "smtp_alert")
    return {"counts from the next change of state", Impact::harmless};
  if (word.starts_with("garp_")) return {"another pace of announcements", Impact::harmless};
  if (word.starts_with("track_"))
    return {"counts at once: may change the priority or be a fault", Impact::disturbs};
  if (is_one_of(word, {"virtual_routes", "virtual_rules"}))
    return {"the master's routes and rules follow", Impact::disturbs};
  if (is_one_of(word, {"use_vmac", "use_ipvlan", "vrf"}))
    return {"the addresses move to another interface", Impact::disturbs};
  return {"counts at once", Impact::harmless};
}

Consequence changed_globals(const FieldChange& field) {
  const std::string_view word = first_word(field.field);
  if (is_one_of(word, {"instance", "net_namespace", "net_namespace_ipvs"}))
    return {"counts only after a restart", Impact::harmless};
  if (is_one_of(word, {"vrrp_startup_delay", "vrrp_delay_after_boot", "lvs_flush"}))
    return {"counts at the next start", Impact::harmless};
  if (is_one_of(word, {"lvs_flush_on_stop"})) return {"counts at the next stop", Impact::harmless};
  if (word.starts_with("smtp") || word.starts_with("notification_email"))
    return {"counts from the next mail", Impact::harmless};
  if (word.starts_with("reload_")) return {"counts from the next reload", Impact::harmless};
  if (word == "router_id") return {"another name in messages, nothing else", Impact::harmless};
  if (word.starts_with("script_") || word == "enable_script_security")
    return {"counts from the next run of a script", Impact::harmless};
  return {"counts at once; what instances inherit is listed with them", Impact::harmless};
}

}  // namespace holdfast::config
