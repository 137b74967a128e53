// What a reload does as long as the other director has the former file: two lists of addresses, two
// meanings of one router id.
#include "config/compare/partner.hpp"

#include "config/started.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace holdfast::config {
namespace {

struct RouterId {
  std::string_view interface;
  core::Family family;
  std::uint8_t virtual_router_id;

  auto operator<=>(const RouterId&) const = default;
};

RouterId id_of(const VrrpInstance& instance) {
  return {instance.place(), instance.family, instance.virtual_router_id};
}

using ById = std::map<RouterId, const VrrpInstance*>;

ById by_id(const Model& model) {
  ById all;
  for (const VrrpInstance& instance : model.instances) all.emplace(id_of(instance), &instance);
  return all;
}

std::string counted(std::size_t count) {
  return fmt::format("{} address{}", count, count == 1 ? "" : "es");
}

// keepalived before 2.3.3 compares the number, not the list, and drops the advert when it differs.
// A backup whose list changes drops nothing: only what a master sends is in question.
void compare_counts(const ById& before, const Model& after, const std::set<std::string>& backups,
                    StateIs state, std::vector<std::string>& warnings) {
  const NotStarted rest = not_started(after);
  for (const VrrpInstance& instance : after.instances) {
    const auto same = before.find(id_of(instance));
    if (same == before.end() || rest.contains(instance.name)) continue;
    const std::size_t had = same->second->virtual_addresses.size();
    const std::size_t has = instance.virtual_addresses.size();
    if (had == has || backups.contains(same->second->name)) continue;
    warnings.push_back(fmt::format(
        "{}: {}its adverts list {} instead of {}: a partner with keepalived before 2.3.3 drops "
        "adverts with another number of addresses than its own, and becomes a second master until "
        "it has the new list too; reload the backup first and this director within three "
        "advertisement intervals, or write the difference into 'virtual_ipaddress_excluded', which "
        "is not advertised",
        instance.name, state == StateIs::known ? "" : "if it is master: ", counted(has), had));
  }
}

// A name that now stands at a router id that was another's: the other director still takes adverts
// of that id for those of the other addresses.
void find_crossed_ids(const Model& before, const ById& before_ids, const Model& after,
                      std::vector<std::string>& warnings) {
  std::set<std::string_view> told;
  for (const VrrpInstance& instance : after.instances) {
    const auto former = before_ids.find(id_of(instance));
    if (former == before_ids.end() || former->second->name == instance.name) continue;
    const bool was_elsewhere =
        std::any_of(before.instances.begin(), before.instances.end(),
                    [&](const VrrpInstance& one) { return one.name == instance.name; });
    if (!was_elsewhere) continue;  // a new name for the same virtual router
    const bool is_new = told.insert(instance.name).second;
    if (told.contains(former->second->name) || !is_new) continue;  // the other half of an exchange
    warnings.push_back(fmt::format(
        "{}: virtual_router_id {} on {} was that of {}: until the other director has the new file, "
        "each takes the other's adverts for those of another address, which may be on nobody or on "
        "both; reload both directors within three advertisement intervals, or choose router ids "
        "that neither file has used",
        instance.name, instance.virtual_router_id, instance.interface, former->second->name));
  }
}

}  // namespace

std::vector<std::string> partner_warnings(const Model& before, const Model& after,
                                          const std::set<std::string>& backups, StateIs state) {
  const ById before_ids = by_id(before);
  std::vector<std::string> warnings;
  compare_counts(before_ids, after, backups, state, warnings);
  find_crossed_ids(before, before_ids, after, warnings);
  return warnings;
}

}  // namespace holdfast::config
