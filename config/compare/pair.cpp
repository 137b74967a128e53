#include "config/compare/pair.hpp"

#include "config/compare/pair_parts.hpp"

#include <unordered_map>
#include <unordered_set>

namespace holdfast::config {
namespace pair {
namespace {

std::string router_of(const VrrpInstance& instance) {
  return fmt::format("{} {}", static_cast<int>(instance.family), instance.virtual_router_id);
}

using ByRouter = std::unordered_map<std::string, std::vector<const VrrpInstance*>>;

ByRouter by_router(const Model& model) {
  ByRouter map;
  for (const VrrpInstance& instance : model.instances)
    map[router_of(instance)].push_back(&instance);
  return map;
}

// A router id may be used on several links, and interfaces may be called otherwise over there: the
// same interface first, then the same name, then the only one that is left.
const VrrpInstance* counterpart(const VrrpInstance& instance, const ByRouter& theirs,
                                std::size_t same_here) {
  const auto found = theirs.find(router_of(instance));
  if (found == theirs.end()) return nullptr;
  const std::vector<const VrrpInstance*>& candidates = found->second;
  for (const VrrpInstance* one : candidates) {
    if (one->interface == instance.interface) return one;
  }
  for (const VrrpInstance* one : candidates) {
    if (one->name == instance.name) return one;
  }
  return candidates.size() == 1 && same_here == 1 ? candidates.front() : nullptr;
}

const VrrpInstance* same_name(const VrrpInstance& instance, const Model& model) {
  for (const VrrpInstance& one : model.instances) {
    if (one.name == instance.name && one.family == instance.family) return &one;
  }
  return nullptr;
}

bool shares_address(const VrrpInstance& a, const VrrpInstance& b) {
  for (const VirtualAddress& one : a.virtual_addresses) {
    for (const VirtualAddress& other : b.virtual_addresses) {
      if (one.prefix.address == other.prefix.address) return true;
    }
  }
  return false;
}

void say_alone(Reporter& reporter, const VrrpInstance& instance, const std::string& other) {
  reporter.at(Severity::warning, instance.location,
              fmt::format("virtual_router_id {} of vrrp_instance '{}' is not in {}: nobody takes "
                          "over from this director",
                          instance.virtual_router_id, instance.name, other));
}

// Who has the addresses of `instance` over there, when not the one with its router id.
const VrrpInstance* crossed_with(const VrrpInstance& instance, const VrrpInstance& other,
                                 const Model& there) {
  if (instance.name == other.name || shares_address(instance, other)) return nullptr;
  for (const VrrpInstance& one : there.instances) {
    if (&one != &other && one.family == instance.family && shares_address(instance, one))
      return &one;
  }
  return nullptr;
}

// Router ids that stand at each other's addresses: nothing else about the two is worth a word.
void say_crossed(const Context& context, const RouterPair& routers) {
  context.say(Severity::error, routers.here.location,
              fmt::format("virtual_router_id {} is '{}' here and '{}' in {}: each takes the "
                          "other's adverts for those of other addresses, which may be on nobody or "
                          "on both",
                          routers.here.virtual_router_id, routers.here.name, routers.there.name,
                          context.there(routers.there.location)),
              "write the same virtual_router_id for the same addresses");
}

void compare_instances(const Context& context) {
  const Model& here = context.first.loaded.model;
  const Model& there = context.second.loaded.model;
  const ByRouter ours = by_router(here);
  const ByRouter theirs = by_router(there);
  std::unordered_set<const VrrpInstance*> matched;
  std::unordered_set<const VrrpInstance*> crossed;  // theirs: what was said about ours says it all
  for (const VrrpInstance& instance : here.instances) {
    const VrrpInstance* other = counterpart(instance, theirs, ours.at(router_of(instance)).size());
    if (other != nullptr) {
      matched.insert(other);
      const RouterPair routers{instance, *other};
      if (const VrrpInstance* owner = crossed_with(instance, *other, there); owner != nullptr) {
        matched.insert(owner);
        if (!crossed.contains(other)) say_crossed(context, routers);
        crossed.insert(owner);
        continue;
      }
      compare_elections(context, routers);
      compare_addresses(context, routers);
      continue;
    }
    const VrrpInstance* namesake = same_name(instance, there);
    if (namesake != nullptr && !theirs.contains(router_of(instance)) &&
        shares_address(instance, *namesake)) {
      matched.insert(namesake);
      context.say(Severity::error, instance.location,
                  fmt::format("vrrp_instance '{}' has virtual_router_id {} here and {} in {}: both "
                              "directors become master of the same addresses",
                              instance.name, instance.virtual_router_id,
                              namesake->virtual_router_id, context.there(namesake->location)),
                  "write the same virtual_router_id");
      continue;
    }
    say_alone(context.reporter, instance, context.second.name);
  }
  for (const VrrpInstance& instance : there.instances) {
    if (!matched.contains(&instance))
      say_alone(context.other_reporter, instance, context.first.name);
  }
}

}  // namespace
}  // namespace pair

void compare_directors(const Director& first, const Director& second, Diagnostics& out) {
  Reporter reporter(first.loaded.snapshot, out);
  Reporter other_reporter(second.loaded.snapshot, out);
  const pair::Context context{first, second, reporter, other_reporter};
  pair::compare_instances(context);
  pair::compare_groups(context);
  pair::compare_services(context);
}

}  // namespace holdfast::config
