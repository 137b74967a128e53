// Virtual addresses: given twice, in two instances, more than an advert carries; and services whose
// address nobody holds, or drops what is sent to it.
#include "config/validate/parts.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

namespace holdfast::config::validation {
namespace {

// What makes two lines one address for the kernel: keepalived, too, takes an address with two
// prefix lengths for one.
struct HeldOn {
  core::IpAddress address;
  std::string_view interface;  // of the model, which does not move meanwhile

  bool operator==(const HeldOn&) const = default;
};

struct HashHeldOn {
  std::size_t operator()(const HeldOn& key) const noexcept {
    return std::hash<core::IpAddress>()(key.address) * 31 +
           std::hash<std::string_view>()(key.interface);
  }
};

using Holders = std::unordered_map<HeldOn, const VrrpInstance*, HashHeldOn>;

void check_twice(const Context& context, VrrpInstance& instance) {
  if (instance.virtual_addresses.size() + instance.virtual_addresses_excluded.size() < 2) return;
  std::unordered_map<HeldOn, SourceLocation, HashHeldOn> seen;
  for (auto* list : {&instance.virtual_addresses, &instance.virtual_addresses_excluded}) {
    std::vector<bool> duplicate(list->size(), false);
    bool found = false;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const VirtualAddress& address = (*list)[i];
      // The keys' names stay where they are until the whole list is seen.
      const auto [first, is_new] =
          seen.emplace(HeldOn{address.prefix.address, address.interface}, address.location);
      if (is_new) continue;
      duplicate[i] = found = true;
      context.warn(address.location,
                   fmt::format("{} is already on {} and is ignored here",
                               address.prefix.address.to_string(), context.line_of(first->second)));
    }
    if (found) {
      seen.clear();  // its keys point into what is moved now
      remove_flagged(*list, duplicate);
      for (const VirtualAddress& address : *list)
        seen.emplace(HeldOn{address.prefix.address, address.interface}, address.location);
    }
  }
}

// An advert has to fit into a frame of 1500 bytes; for IPv4 its count, one byte, ends first (RFC
// 9568 §5.2.5), which the instance has seen to. keepalived moves what does not fit to the excluded
// ones.
void check_length(const Context& context, VrrpInstance& instance) {
  constexpr std::size_t limit = (1500 - 40 - 8) / 16;
  if (instance.family == core::Family::v4) return;
  std::vector<VirtualAddress>& list = instance.virtual_addresses;
  if (list.size() <= limit) return;
  context.warn(
      list[limit].location,
      fmt::format("an advert carries {} addresses, vrrp_instance '{}' has {}: from here on "
                  "they are held, but not advertised",
                  limit, instance.name, list.size()),
      "move the rest to 'virtual_ipaddress_excluded' on all directors");
  auto& excluded = instance.virtual_addresses_excluded;
  const auto rest = list.begin() + static_cast<std::ptrdiff_t>(limit);
  excluded.insert(excluded.begin(), std::make_move_iterator(rest),
                  std::make_move_iterator(list.end()));
  list.erase(rest, list.end());
}

void check_shared(const Context& context, const VrrpInstance& instance, Holders& holders,
                  Few& shared) {
  for (const auto* list : {&instance.virtual_addresses, &instance.virtual_addresses_excluded}) {
    for (const VirtualAddress& address : *list) {
      const auto [holder, is_new] =
          holders.emplace(HeldOn{address.prefix.address, address.interface}, &instance);
      // A link-local address is one address a link: RFC 4291 §2.5.6.
      if (is_new || holder->second == &instance || address.prefix.address.is_link_local()) continue;
      shared.add(
          address.location,
          fmt::format("{} is held by vrrp_instance '{}' ({}) as well: whichever leaves first "
                      "takes it away from both",
                      address.prefix.address.to_string(), holder->second->name,
                      context.line_of(holder->second->location)),
          "keep it in one of them");
    }
  }
}

// The kernel takes any broadcast address; packets to a wrong one, and answers to what pretends to
// come from it, are lost. A single host (/32, /31) has no network that it could belong to.
void check_broadcast(const Context& context, const VirtualAddress& address) {
  if (!address.broadcast) return;
  if (*address.broadcast == address.prefix.address) {
    context.warn(address.location,
                 fmt::format("'brd {}' is the address itself: nobody on the link answers it then",
                             address.broadcast->to_string()),
                 "write 'brd +' for the last address of the network, or leave it out");
  } else if (address.prefix.length < 31 && !address.prefix.contains(*address.broadcast)) {
    context.warn(address.location,
                 fmt::format("'brd {}' is not in the network of {}", address.broadcast->to_string(),
                             address.prefix.to_string()),
                 "write 'brd +' for the last address of the network, or leave it out");
  }
}

// A service is only reached when somebody brings its address here. Without any instance the
// addresses come from elsewhere.
void check_held(const Context& context) {
  const Model& model = context.model;
  if (model.services.empty() || model.instances.empty()) return;
  std::unordered_map<core::IpAddress, bool> held;
  const auto hold = [&held](const std::vector<VirtualAddress>& list) {
    for (const VirtualAddress& address : list) held.emplace(address.prefix.address, true);
  };
  for (const VrrpInstance& instance : model.instances) {
    hold(instance.virtual_addresses);
    hold(instance.virtual_addresses_excluded);
  }
  hold(model.static_addresses);
  Few absent(context, Severity::note);
  for (const VirtualServer& service : model.services) {
    if (service.fwmark != 0 || !service.group.empty() || held.contains(service.address)) continue;
    absent.add(service.location,
               fmt::format("no vrrp_instance holds {}, the address of this virtual_server",
                           service.address.to_string()),
               "add it to a 'virtual_ipaddress', unless it is always on this host");
  }
  absent.finish();
}

// Closed addresses drop what is sent to them before ip_vs sees it.
using Closed = std::map<core::IpAddress, const VrrpInstance*>;

Closed closed_by(const Model& model) {
  Closed closed;
  for (const VrrpInstance& instance : model.instances) {
    if (instance.answers()) continue;
    for (const auto* list : {&instance.virtual_addresses, &instance.virtual_addresses_excluded})
      for (const VirtualAddress& address : *list) closed.emplace(address.prefix.address, &instance);
  }
  return closed;
}

Closed::const_iterator first_between(const Closed& closed, const core::IpAddress& first,
                                     const core::IpAddress& last) {
  const auto found = closed.lower_bound(first);
  return found == closed.end() || last < found->first ? closed.end() : found;
}

void check_closed(const Context& context) {
  const Model& model = context.model;
  if (model.services.empty()) return;
  const Closed closed = closed_by(model);
  if (closed.empty()) return;
  const auto groups = by_name(model.service_groups);
  Few deaf(context, Severity::warning);
  for (const VirtualServer& service : model.services) {
    auto found = closed.end();
    const auto group = service.group.empty() ? groups.end() : groups.find(service.group);
    if (group != groups.end()) {
      for (const GroupEntry& entry : group->second->entries)
        if (found == closed.end() && entry.fwmark == 0)
          found = first_between(closed, entry.first, entry.last);
    } else if (service.group.empty() && service.fwmark == 0) {
      found = closed.find(service.address);
    }
    if (found == closed.end()) continue;
    const VrrpInstance& instance = *found->second;
    const bool by_word = instance.accept == AcceptMode::no_accept;
    const std::string whom = group == groups.end()
                                 ? "this virtual_server"
                                 : found->first.to_string() + " of this virtual_server";
    deaf.add(service.location,
             fmt::format("nobody reaches {}: {} of vrrp_instance '{}' ({}) drops all packets to {}",
                         whom, by_word ? "'no_accept'" : "strict mode", instance.name,
                         context.line_of(instance.location), found->first.to_string()),
             by_word                 ? "remove 'no_accept' there"
             : instance.version == 3 ? "add 'accept' to that instance"
                                     : "remove 'vrrp_strict' (or 'strict_mode'), or write 'version "
                                       "3' and 'accept' there on all directors");
  }
  deaf.finish();
}

}  // namespace

void check_addresses(const Context& context) {
  Few shared(context, Severity::warning);
  for (VrrpInstance& instance : context.model.instances) {
    check_twice(context, instance);
    check_length(context, instance);
  }
  Holders holders;
  for (const VrrpInstance& instance : context.model.instances)
    check_shared(context, instance, holders, shared);
  shared.finish();
  for (const VrrpInstance& instance : context.model.instances) {
    for (const auto* list : {&instance.virtual_addresses, &instance.virtual_addresses_excluded})
      for (const VirtualAddress& address : *list) check_broadcast(context, address);
  }
  for (VirtualAddress& address : context.model.static_addresses) {
    check_broadcast(context, address);
    if (!std::exchange(address.use_vmac, false)) continue;
    context.warn(address.location,
                 fmt::format("'use_vmac' has no effect on the static address {}: it belongs to no "
                             "virtual router, whose MAC address it could have",
                             address.prefix.address.to_string()),
                 "remove it, or put the address into a 'virtual_ipaddress'");
  }
  check_held(context);
  check_closed(context);
}

}  // namespace holdfast::config::validation
