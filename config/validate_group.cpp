// vrrp_sync_group and track_group: members that are not there, that are in two groups, that do not
// want the same.
#include "config/validate_parts.hpp"

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

std::string near(std::string_view word, const Instances& instances) {
  std::vector<std::string_view> names;
  names.reserve(instances.size());
  for (const auto& [name, instance] : instances) names.push_back(name);
  const std::string_view found = nearest_word(word, names);
  return found.empty() ? "" : fmt::format("did you mean '{}'?", found);
}

// One pass over the members: absent ones, and those that another group has already.
template <class Group>
void settle_members(const Context& context, std::string_view word, Group& group,
                    const Instances& instances,
                    std::unordered_map<std::string_view, const Group*>* taken) {
  std::vector<bool> remove(group.instances.size(), false);
  for (std::size_t i = 0; i < group.instances.size(); ++i) {
    const std::string& name = group.instances[i];
    const auto found = instances.find(name);
    if (found == instances.end()) {
      remove[i] = true;
      context.warn(group.location,
                   fmt::format("{} '{}' names '{}', but there is no such vrrp_instance: it is left "
                               "out",
                               word, group.name, name),
                   near(name, instances));
      continue;
    }
    if (taken == nullptr) continue;
    const auto [other, is_new] = taken->emplace(found->first, &group);
    if (is_new) continue;
    remove[i] = true;
    context.warn(
        group.location,
        other->second == &group
            ? fmt::format("{} '{}' names vrrp_instance '{}' twice", word, group.name, name)
            : fmt::format("vrrp_instance '{}' is in {} '{}' ({}) already and is left out of '{}'",
                          name, word, other->second->name, context.line_of(other->second->location),
                          group.name),
        "an instance can be in one group only");
  }
  if (!group.instances.empty()) remove_flagged(group.instances, remove);
}

// keepalived ignores weights of members: the group would change with every one of them.
void drop_weights(const Context& context, const SyncGroup& group, VrrpInstance& instance) {
  Tracking& tracking = instance.tracking;
  std::unordered_map<std::string_view, std::int16_t> own;
  for (const VrrpScript& one : context.model.scripts) own.emplace(one.name, one.weight);
  const auto drop = [&](std::vector<Tracked>& list, auto weight_of) {
    std::vector<bool> remove(list.size(), false);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (weight_of(list[i]) == 0) continue;
      remove[i] = true;
      context.warn(
          list[i].location,
          fmt::format("'{}' has a weight, and weights do not count in vrrp_sync_group '{}' "
                      "({}): vrrp_instance '{}' does not track it",
                      list[i].name, group.name, context.line_of(group.location), instance.name),
          "write 'sync_group_tracking_weight' in the group, or 'weight 0': its failure is "
          "then a fault");
    }
    remove_flagged(list, remove);
  };
  drop(tracking.interfaces, [](const Tracked& one) { return one.weight.value_or(0); });
  drop(tracking.scripts,
       [&own](const Tracked& one) { return one.weight ? *one.weight : own[one.name]; });
}

void check_members(const Context& context, const SyncGroup& group, const Instances& instances) {
  if (group.instances.size() == 1) {
    context.note(group.location,
                 fmt::format("vrrp_sync_group '{}' has one instance only: there is nothing to keep "
                             "together",
                             group.name));
    return;
  }
  const VrrpInstance& first = *instances.at(group.instances.front());
  for (const std::string& name : group.instances) {
    const VrrpInstance& instance = *instances.at(name);
    if (instance.state != first.state) {
      context.warn(group.location,
                   fmt::format("vrrp_instance '{}' and '{}' of vrrp_sync_group '{}' start with "
                               "different states: {} and {}",
                               first.name, name, group.name, to_string(first.state),
                               to_string(instance.state)),
                   "give all members of the group the same 'state'");
      return;
    }
    if (instance.priority != first.priority) {
      context.note(group.location,
                   fmt::format("vrrp_instance '{}' and '{}' of vrrp_sync_group '{}' have different "
                               "priorities, {} and {}: both must outrank the other director, or "
                               "both must not",
                               first.name, name, group.name, first.priority, instance.priority));
      return;
    }
  }
}

void check_sync_groups(const Context& context, const Instances& instances) {
  std::vector<SyncGroup>& groups = context.model.sync_groups;
  std::unordered_map<std::string_view, const SyncGroup*> taken;
  std::vector<bool> remove(groups.size(), false);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    SyncGroup& group = groups[i];
    settle_members(context, "vrrp_sync_group", group, instances, &taken);
    if (group.instances.empty()) {
      remove[i] = true;
      context.warn(group.location,
                   fmt::format("vrrp_sync_group '{}' has no instances: it is left out", group.name),
                   "name its instances in 'group { … }'");
      continue;
    }
    if (!group.sync_group_tracking_weight) {
      for (const std::string& name : group.instances)
        drop_weights(context, group, *instances.at(name));
    }
    check_members(context, group, instances);
  }
  remove_flagged(groups, remove);
}

// Static addresses may take a group of instances down with them.
void check_track_groups(const Context& context, const Instances& instances) {
  Model& model = context.model;
  for (TrackGroup& group : model.track_groups)
    settle_members<TrackGroup>(context, "track_group", group, instances, nullptr);
  const auto groups = by_name(model.track_groups);
  for (VirtualAddress& address : model.static_addresses) {
    if (address.track_group.empty() || groups.contains(address.track_group)) continue;
    context.warn(address.location,
                 fmt::format("there is no track_group '{}': nobody follows when {} goes",
                             address.track_group, address.prefix.address.to_string()));
    address.track_group.clear();
  }
}

}  // namespace

void check_groups(const Context& context) {
  if (context.model.sync_groups.empty() && context.model.track_groups.empty()) return;
  const Instances instances = instances_of(context.model);
  check_sync_groups(context, instances);
  check_track_groups(context, instances);
}

}  // namespace holdfast::config::validation
