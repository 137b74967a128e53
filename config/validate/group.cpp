// vrrp_sync_group and track_group: members that do not want the same, weights that do not count.
// The names themselves are resolved where the objects are built.
#include "config/started.hpp"
#include "config/validate/parts.hpp"

#include <fmt/format.h>

namespace holdfast::config::validation {
namespace {

using Instances = std::unordered_map<std::string_view, VrrpInstance*>;

Instances instances_of(Model& model) {
  Instances instances;
  instances.reserve(model.instances.size());
  for (VrrpInstance& instance : model.instances) instances.emplace(instance.name, &instance);
  return instances;
}

// keepalived ignores weights of members: the group would change with every one of them. `who`
// tracks it: a member, or the group itself.
void drop_weights(const Context& context, const SyncGroup& group, Tracking& tracking,
                  const std::string& who) {
  const auto drop = [&](std::vector<Tracked>& list, auto weight_of) {
    std::vector<bool> remove(list.size(), false);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (weight_of(list[i]) == 0) continue;
      remove[i] = true;
      context.warn(
          list[i].location,
          fmt::format("'{}' has a weight, and weights do not count in vrrp_sync_group '{}' "
                      "({}): {} does not track it",
                      list[i].name, group.name, context.line_of(group.location), who),
          "write 'sync_group_tracking_weight' in the group, or 'weight 0': its failure is "
          "then a fault");
    }
    remove_flagged(list, remove);
  };
  const auto drop_from = [&](std::vector<Tracked>& list, const auto& named) {
    const auto known = by_name(named);
    drop(list, [&](const Tracked& one) -> std::int16_t {
      if (one.weight) return *one.weight;
      const auto found = known.find(one.name);
      return found == known.end() ? std::int16_t{0} : found->second->weight;
    });
  };
  drop(tracking.interfaces, [](const Tracked& one) { return one.weight.value_or(0); });
  if (!tracking.scripts.empty()) drop_from(tracking.scripts, context.model.scripts);
  if (!tracking.files.empty()) drop_from(tracking.files, context.model.track_files);
  if (!tracking.processes.empty()) drop_from(tracking.processes, context.model.track_processes);
}

// The others would be master without it.
void check_resting(const Context& context, const SyncGroup& group,
                   const std::vector<VrrpInstance*>& members) {
  if (members.size() < 2) return;
  for (const VrrpInstance* member : members) {
    const std::string reason = why_not_started(*member);
    if (reason.empty()) continue;
    context.warn(group.location,
                 fmt::format("vrrp_sync_group '{}' is not started, because its member '{}' is not: "
                             "{}",
                             group.name, member->name, reason),
                 "mend that instance, or take it out of the group");
    return;
  }
}

void check_members(const Context& context, const SyncGroup& group,
                   const std::vector<VrrpInstance*>& members) {
  if (group.instances.size() == 1) {
    context.note(group.location,
                 fmt::format("vrrp_sync_group '{}' has one instance only: there is nothing to keep "
                             "together",
                             group.name));
  }
  for (const VrrpInstance* member : members) {
    const VrrpInstance& first = *members.front();
    if (member->state != first.state) {
      context.warn(group.location,
                   fmt::format("vrrp_instance '{}' and '{}' of vrrp_sync_group '{}' start with "
                               "different states: {} and {}",
                               first.name, member->name, group.name, to_string(first.state),
                               to_string(member->state)),
                   "give all members of the group the same 'state'");
      return;
    }
    if (member->priority != first.priority) {
      context.note(
          group.location,
          fmt::format("vrrp_instance '{}' and '{}' of vrrp_sync_group '{}' have different "
                      "priorities, {} and {}: both must outrank the other director, or "
                      "both must not",
                      first.name, member->name, group.name, first.priority, member->priority));
      return;
    }
  }
}

// Members that were left out for an error of their own are not missed here a second time.
std::vector<VrrpInstance*> members_of(const SyncGroup& group, const Instances& instances) {
  std::vector<VrrpInstance*> members;
  for (const std::string& name : group.instances) {
    const auto found = instances.find(name);
    if (found != instances.end()) members.push_back(found->second);
  }
  return members;
}

void check_sync_groups(const Context& context, const Instances& instances) {
  for (SyncGroup& group : context.model.sync_groups) {
    const std::vector<VrrpInstance*> members = members_of(group, instances);
    if (!group.sync_group_tracking_weight) {
      for (VrrpInstance* member : members)
        drop_weights(context, group, member->tracking,
                     fmt::format("vrrp_instance '{}'", member->name));
      drop_weights(context, group, group.tracking, "the group");
    }
    check_members(context, group, members);
    check_resting(context, group, members);
  }
}

// What is static may take a group of instances down with it.
void check_track_groups(const Context& context) {
  Model& model = context.model;
  const auto groups = by_name(model.track_groups);
  const auto check = [&](auto& list, const auto& text_of) {
    for (auto& each : list) {
      if (each.track_group.empty() || groups.contains(each.track_group)) continue;
      context.warn(each.location,
                   fmt::format("there is no track_group '{}': nobody follows when {} goes",
                               each.track_group, text_of(each)));
      each.track_group.clear();
    }
  };
  check(model.static_addresses,
        [](const VirtualAddress& each) { return each.prefix.address.to_string(); });
  check(model.static_routes, [](const Route& each) {
    return fmt::format("the route to {}", each.destination.to_string());
  });
  check(model.static_rules, [](const Rule&) { return std::string("this rule"); });
}

}  // namespace

void check_groups(const Context& context) {
  check_track_groups(context);
  if (context.model.sync_groups.empty()) return;
  const Instances instances = instances_of(context.model);
  check_sync_groups(context, instances);
}

}  // namespace holdfast::config::validation
