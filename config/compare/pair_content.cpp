// What two directors hold and serve: addresses, groups, services. What only one has is lost when it
// goes.
#include "config/compare/pair_parts.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace holdfast::config::pair {
namespace {

constexpr std::size_t kShownNames = 3;

// "10.0.0.1, 10.0.0.2 and 5 more".
std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kShownNames; ++i)
    out += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kShownNames) out += fmt::format(" and {} more", names.size() - kShownNames);
  return out;
}

std::vector<std::string> only_in(const std::vector<std::string>& list,
                                 const std::vector<std::string>& other) {
  const std::set<std::string> known(other.begin(), other.end());
  std::vector<std::string> out;
  for (const std::string& one : list) {
    if (!known.contains(one)) out.push_back(one);
  }
  return out;
}

std::vector<std::string> texts(const std::vector<VirtualAddress>& list) {
  std::vector<std::string> out;
  out.reserve(list.size());
  for (const VirtualAddress& one : list) out.push_back(one.prefix.address.to_string());
  return out;
}

// What the sets of both sides lack, in one sentence each.
struct Lists {
  std::string_view what;   // "addresses of vrrp_instance 'VI_1'"
  std::string_view where;  // the place over there
  SourceLocation at;
};

bool compare_lists(const Context& context, const Lists& lists, const std::vector<std::string>& here,
                   const std::vector<std::string>& there, std::string_view consequence) {
  const std::vector<std::string> missing = only_in(there, here);
  const std::vector<std::string> surplus = only_in(here, there);
  if (!surplus.empty()) {
    context.say(Severity::warning, lists.at,
                fmt::format("{}: {} only here, not in {}: {}", lists.what, listed(surplus),
                            lists.where, consequence));
  }
  if (!missing.empty()) {
    context.say(Severity::warning, lists.at,
                fmt::format("{}: {} only in {}, not here: {}", lists.what, listed(missing),
                            lists.where, consequence));
  }
  return surplus.empty() && missing.empty();
}

std::string key_of(const VirtualServer& service) {
  return fmt::format("{} {}", name_of(service), static_cast<int>(service.address.family()));
}

std::vector<std::string> servers_of(const VirtualServer& service) {
  std::vector<std::string> out;
  out.reserve(service.real_servers.size());
  for (const RealServer& server : service.real_servers)
    out.push_back(core::Endpoint{server.address, server.port}.to_string());
  return out;
}

void compare_service(const Context& context, const VirtualServer& here,
                     const VirtualServer& there) {
  const std::string place = context.there(there.location);
  const std::string what = fmt::format("real servers of virtual_server {}", name_of(here));
  (void)compare_lists(context, {what, place, here.location}, servers_of(here), servers_of(there),
                      "the pool changes at a take-over");
  std::string differs;
  if (here.scheduler != there.scheduler)
    differs += fmt::format("lb_algo {} and {}", here.scheduler, there.scheduler);
  if (here.forwarding != there.forwarding)
    differs += fmt::format("{}lb_kind {} and {}", differs.empty() ? "" : ", ",
                           to_string(here.forwarding), to_string(there.forwarding));
  if (here.persistence_timeout != there.persistence_timeout)
    differs += fmt::format("{}persistence_timeout {} and {}", differs.empty() ? "" : ", ",
                           here.persistence_timeout / std::chrono::seconds(1),
                           there.persistence_timeout / std::chrono::seconds(1));
  if (differs.empty()) return;
  context.say(
      Severity::warning, here.location,
      fmt::format("virtual_server {} is not the same in {}: {}", name_of(here), place, differs));
}

}  // namespace

void compare_addresses(const Context& context, const RouterPair& routers) {
  const auto& [here, there] = routers;
  const std::string place = context.there(there.location);
  const std::string what = fmt::format("addresses of vrrp_instance '{}'", here.name);
  const std::vector<std::string> ours = texts(here.virtual_addresses);
  const std::vector<std::string> theirs = texts(there.virtual_addresses);
  const bool same = compare_lists(
      context, {what, place, here.location}, ours, theirs,
      ours.size() == theirs.size()
          ? "a take-over loses them"
          : "a take-over loses them, and keepalived before 2.3.3 drops adverts with another number "
            "of addresses: two masters");
  if (same && ours != theirs) {
    context.say(Severity::note, here.location,
                fmt::format("the addresses of vrrp_instance '{}' stand in another order in {}: "
                            "Holdfast and keepalived do not mind, other routers may",
                            here.name, place));
  }
  const std::string excluded = fmt::format("excluded addresses of vrrp_instance '{}'", here.name);
  (void)compare_lists(context, {excluded, place, here.location},
                      texts(here.virtual_addresses_excluded),
                      texts(there.virtual_addresses_excluded), "a take-over loses them");
}

// Groups match by their name, members by theirs.
void compare_groups(const Context& context) {
  const std::vector<SyncGroup>& theirs = context.second.loaded.model.sync_groups;
  for (const SyncGroup& group : context.first.loaded.model.sync_groups) {
    const auto other = std::find_if(theirs.begin(), theirs.end(),
                                    [&](const SyncGroup& one) { return one.name == group.name; });
    if (other == theirs.end()) {
      context.say(
          Severity::warning, group.location,
          fmt::format("vrrp_sync_group '{}' is not in {}: its instances part at a take-over",
                      group.name, context.second.name));
      continue;
    }
    const std::string what = fmt::format("members of vrrp_sync_group '{}'", group.name);
    (void)compare_lists(context, {what, context.there(other->location), group.location},
                        group.instances, other->instances,
                        "the directors move different instances together");
  }
}

void compare_services(const Context& context) {
  std::map<std::string, const VirtualServer*> theirs;
  for (const VirtualServer& one : context.second.loaded.model.services)
    theirs.emplace(key_of(one), &one);
  for (const VirtualServer& here : context.first.loaded.model.services) {
    const auto found = theirs.find(key_of(here));
    if (found == theirs.end()) {
      context.say(Severity::warning, here.location,
                  fmt::format("virtual_server {} is not in {}: it ends when the other director "
                              "takes over",
                              name_of(here), context.second.name));
      continue;
    }
    compare_service(context, here, *found->second);
    theirs.erase(found);
  }
  for (const VirtualServer& there : context.second.loaded.model.services) {
    if (!theirs.contains(key_of(there))) continue;
    context.other_reporter.at(Severity::warning, there.location,
                              fmt::format("virtual_server {} is not in {}: it ends when the other "
                                          "director takes over",
                                          name_of(there), context.first.name));
  }
}

}  // namespace holdfast::config::pair
