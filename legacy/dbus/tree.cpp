#include "legacy/dbus/tree.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace holdfast::legacy {
namespace {

constexpr std::array kStates{State::init,  State::backup,  State::master,
                             State::fault, State::deleted, State::stop};

/// An element of a path has letters, digits and '_' only; an empty one cannot be.
std::string element(std::string_view name) {
  std::string made(name);
  for (char& c : made) {
    const bool fits =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!fits) c = '_';
  }
  return made.empty() ? "_" : made;
}

std::string root(const BusNames& names) {
  std::string path = "/org/keepalived/Vrrp1";
  if (!names.net_namespace.empty()) path += '/' + element(names.net_namespace);
  if (!names.instance.empty()) path += '/' + element(names.instance);
  return path;
}

}  // namespace

std::string word_of(State state) {
  std::string word = to_string(state);
  for (char& letter : std::span(word).subspan(1)) letter = static_cast<char>(letter - 'A' + 'a');
  return word;
}

std::optional<State> bus_state_named(std::string_view word) {
  const auto found = std::ranges::find(kStates, word, [](State each) { return to_string(each); });
  return found == kStates.end() ? std::nullopt : std::optional(*found);
}

std::string service_path(const BusNames& names) {
  return root(names) + "/Vrrp";
}

std::string instance_path(const BusNames& names, std::string_view interface, std::int64_t vrid,
                          std::string_view family) {
  return fmt::format("{}/Instance/{}/{}/{}", root(names),
                     element(interface.empty() ? std::string_view(names.no_interface) : interface),
                     vrid, family == "ipv6" ? "IPv6" : "IPv4");
}

std::map<std::string, BusInstance> instances_of(const BusNames& names,
                                                const boost::json::object& status) {
  std::map<std::string, BusInstance> all;
  const auto* list = status.if_contains("instances");
  if (list == nullptr || !list->is_array()) return all;
  for (const auto& each : list->get_array()) {
    if (!each.is_object()) continue;
    const auto& told = each.get_object();
    all.emplace(text_in(told, "name"),
                BusInstance{instance_path(names, text_in(told, "interface"),
                                          number_in(told, "vrid"), text_in(told, "family")),
                            bus_state_named(text_in(told, "state")).value_or(State::init)});
  }
  return all;
}

std::optional<StateLine> state_line_of(std::string_view line) {
  constexpr std::string_view kBegin = "INSTANCE \"";
  constexpr std::string_view kEndOfName = "\" ";
  if (!line.starts_with(kBegin)) return std::nullopt;
  line.remove_prefix(kBegin.size());
  const std::size_t end = line.rfind(kEndOfName);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view rest = line.substr(end + kEndOfName.size());
  const auto state = bus_state_named(rest.substr(0, rest.find(' ')));
  if (!state) return std::nullopt;
  return StateLine{std::string(line.substr(0, end)), *state};
}

}  // namespace holdfast::legacy
