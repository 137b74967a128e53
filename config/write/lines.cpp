// Addresses, routes and rules → entries of their lists.
#include "config/write/write.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

using Words = std::vector<std::string>;

void add(Words& words, std::string_view option, std::string value) {
  words.emplace_back(option);
  words.push_back(std::move(value));
}
void add_text(Words& words, std::string_view option, const std::string& value) {
  if (!value.empty()) add(words, option, value);
}
template <class T>
void add_number(Words& words, std::string_view option, const std::optional<T>& value) {
  if (value) add(words, option, fmt::format("{}", *value));
}
void add_flag(Words& words, std::string_view option, bool on) {
  if (on) words.emplace_back(option);
}
void add_others(Words& words, const std::vector<LineOption>& others) {
  for (const LineOption& each : others) {
    words.push_back(each.name);
    words.insert(words.end(), each.values.begin(), each.values.end());
  }
}

std::string scope_text(std::uint8_t scope) {
  switch (scope) {
    case kScopeGlobal:
      return "global";
    case kScopeSite:
      return "site";
    case kScopeLink:
      return "link";
    case kScopeHost:
      return "host";
    case kScopeNowhere:
      return "nowhere";
  }
  return fmt::format("{}", scope);
}

// Without the length that is meant anyway.
std::string prefix_text(const core::IpPrefix& prefix) {
  const bool whole = prefix.length == prefix.address.max_prefix_length();
  return whole ? prefix.address.to_string() : prefix.to_string();
}

std::string_view family_word(core::Family family) {
  return family == core::Family::v4 ? "inet" : "inet6";
}

void add_gateway(Words& words, const std::optional<core::IpAddress>& via, core::Family route) {
  if (!via) return;
  words.emplace_back("via");
  if (via->family() != route) words.emplace_back(family_word(via->family()));
  words.push_back(via->to_string());
}

void add_destination(Words& words, const Route& route) {
  if (route.type != RouteType::unicast) words.emplace_back(to_string(route.type));
  const core::IpPrefix& to = route.destination;
  if (to.length != 0 || !to.address.is_unspecified()) {
    words.push_back(prefix_text(to));
    return;
  }
  // `default` alone is of IPv4, or of the family of the addresses behind it.
  const bool plain = to.address.is_v4() && (!route.via || route.via->is_v4());
  if (!plain) words.emplace_back(family_word(to.address.family()));
  words.emplace_back("default");
}

Node entry_of(Words words) {
  Node made;
  made.entry = true;
  made.args = std::move(words);
  return made;
}

}  // namespace

Node document_of(const VirtualAddress& address) {
  Words words{prefix_text(address.prefix)};
  add_text(words, "dev", address.interface);
  if (address.broadcast) add(words, "brd", address.broadcast->to_string());
  add_text(words, "label", address.label);
  if (address.scope != kScopeGlobal) add(words, "scope", scope_text(address.scope));
  if (address.peer) add(words, "peer", prefix_text(*address.peer));
  add_flag(words, "home", address.home);
  add_flag(words, "-nodad", address.duplicate_detection);
  add_flag(words, "mngtmpaddr", address.manage_temporary);
  add_flag(words, "noprefixroute", address.no_prefix_route);
  add_flag(words, "autojoin", address.auto_join);
  add_flag(words, "use_vmac", address.use_vmac);
  if (address.preferred_lifetime == kForever)
    add(words, "preferred_lft", "forever");
  else
    add_number(words, "preferred_lft", address.preferred_lifetime);
  add_flag(words, "no_track", address.no_track);
  add_text(words, "track_group", address.track_group);
  return entry_of(std::move(words));
}

Node document_of(const Route& route) {
  const core::Family family = route.destination.address.family();
  Words words;
  add_destination(words, route);
  if (route.source) add(words, "src", route.source->to_string());
  add_gateway(words, route.via, family);
  add_text(words, "dev", route.interface);
  add_text(words, "table", route.table);
  if (route.scope) add(words, "scope", scope_text(*route.scope));
  add_number(words, "metric", route.metric);
  if (route.mtu) {
    words.emplace_back("mtu");
    add_flag(words, "lock", route.mtu_locked);
    words.push_back(fmt::format("{}", *route.mtu));
  }
  add_flag(words, "onlink", route.on_link);
  add_flag(words, "no_track", route.no_track);
  add_text(words, "track_group", route.track_group);
  add_others(words, route.others);
  for (const NextHop& leg : route.next_hops) {  // last: what follows would be taken for theirs
    words.emplace_back("nexthop");
    add_gateway(words, leg.via, family);
    add_text(words, "dev", leg.interface);
    if (leg.weight != 1) add(words, "weight", fmt::format("{}", leg.weight));
    add_flag(words, "onlink", leg.on_link);
    add_others(words, leg.others);
  }
  return entry_of(std::move(words));
}

Node document_of(const Rule& rule) {
  Words words;
  const bool family_shows = rule.from || rule.to || rule.family == core::Family::v4;
  if (!family_shows) words.emplace_back("inet6");
  add_flag(words, "not", rule.inverted);
  if (rule.from) add(words, "from", prefix_text(*rule.from));
  if (rule.to) add(words, "to", prefix_text(*rule.to));
  if (rule.fwmark) {
    const std::string mask = rule.fwmask ? fmt::format("/{:#x}", *rule.fwmask) : std::string();
    add(words, "fwmark", fmt::format("{:#x}{}", *rule.fwmark, mask));
  }
  add_text(words, "iif", rule.in_interface);
  add_text(words, "oif", rule.out_interface);
  add_others(words, rule.others);
  add_text(words, "table", rule.table);
  add_number(words, "priority", rule.priority);
  add_flag(words, "no_track", rule.no_track);
  add_text(words, "track_group", rule.track_group);
  return entry_of(std::move(words));
}

}  // namespace holdfast::config
