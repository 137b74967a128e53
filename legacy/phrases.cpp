#include "legacy/phrases.hpp"

#include "core/address_words.hpp"

#include <fmt/format.h>

namespace holdfast::legacy {
namespace {

void add_others(std::string& text, const std::vector<config::LineOption>& others) {
  for (const config::LineOption& option : others) {
    text += " " + option.name;
    for (const std::string& value : option.values) text += " " + value;
  }
}

std::string gateway_text(const core::IpAddress& via) {
  return fmt::format(" via {} {}", via.is_v4() ? "inet" : "inet6", via.to_string());
}

}  // namespace

std::string address_phrase(const config::VirtualAddress& address, bool is_set) {
  std::string text =
      address.peer ? address.prefix.address.to_string() : prefix_text(address.prefix);
  text += fmt::format(" dev {} scope {}", address.interface, core::scope_text(address.scope));
  if (address.peer) text += " peer " + prefix_text(*address.peer);
  if (address.broadcast) text += " brd " + address.broadcast->to_string();
  if (!address.label.empty()) text += " label " + address.label;
  if (!address.prefix.address.is_v4()) {
    const bool is_single = address.prefix.length == 128;
    const auto lifetime = address.preferred_lifetime.value_or(is_single ? 0 : config::kForever);
    text += lifetime == config::kForever ? std::string(" preferred_lft forever")
                                         : fmt::format(" preferred_lft {}", lifetime);
  }
  if (address.no_prefix_route) text += " noprefixroute";
  if (address.no_track) text += " no_track";
  if (is_set) text += " set";
  return text;
}

std::string route_phrase(const config::Route& route) {
  std::string text = route.destination.length == 0 ? "default" : prefix_text(route.destination);
  if (route.source) text += " src " + route.source->to_string();
  if (route.via) text += gateway_text(*route.via);
  if (!route.interface.empty()) text += " dev " + route.interface;
  if (!route.table.empty()) text += " table " + route.table;
  if (route.metric) text += fmt::format(" metric {}", *route.metric);
  add_others(text, route.others);
  for (const config::NextHop& hop : route.next_hops) {
    text += " nexthop";
    if (hop.via) text += gateway_text(*hop.via);
    if (!hop.interface.empty()) text += " dev " + hop.interface;
    text += fmt::format(" weight {}", hop.weight);
  }
  if (route.no_track) text += " no_track";
  return text;
}

std::string rule_phrase(const config::Rule& rule) {
  std::string text = rule.inverted ? "not from " : "from ";
  text += rule.from ? prefix_text(*rule.from) : std::string("all");
  if (rule.to) text += " to " + prefix_text(*rule.to);
  if (rule.priority) text += fmt::format(" priority {}", *rule.priority);
  if (rule.fwmark) text += fmt::format(" fwmark {:#x}", *rule.fwmark);
  if (!rule.in_interface.empty()) text += " iif " + rule.in_interface;
  if (!rule.out_interface.empty()) text += " oif " + rule.out_interface;
  add_others(text, rule.others);
  if (!rule.table.empty()) text += " lookup " + rule.table;
  if (rule.no_track) text += " no_track";
  return text;
}

std::string command_phrase(const config::Script& script) {
  std::string text;
  for (const std::string& word : script.argv) {
    if (!text.empty()) text += ' ';
    text += "'" + word + "'";
  }
  return text;
}

std::string seconds_text(core::Duration duration) {
  const std::int64_t micros = duration.count();
  std::string text = fmt::format("{}.{:06}", micros / 1'000'000, micros % 1'000'000);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::int64_t whole_seconds(core::Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

std::string moment_text(std::int64_t moment) {
  return fmt::format("{}.{:06}", moment / 1'000'000, moment % 1'000'000);
}

bool accepts(const config::VrrpInstance& instance) {
  if (instance.accept != config::AcceptMode::by_strictness)
    return instance.accept == config::AcceptMode::accept;
  return !instance.strict;
}

}  // namespace holdfast::legacy
