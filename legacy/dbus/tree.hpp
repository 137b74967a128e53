// What keepalived shows of an instance on D-Bus: where, under which number and word. Values only.
#pragma once

#include <boost/json/object.hpp>

#include "legacy/status_view.hpp"
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::legacy {

[[nodiscard]] std::string word_of(State state);  ///< "Init", "Backup", …
/// Of a line of a notification pipe or a status document: "MASTER"; nullopt: it is no state.
[[nodiscard]] std::optional<State> bus_state_named(std::string_view word);

/// How paths are made of what an instance is called.
struct BusNames {
  std::string net_namespace{};        ///< keepalived: net_namespace; empty: none
  std::string instance{};             ///< keepalived: instance; empty: none
  std::string no_interface = "none";  ///< keepalived: dbus_no_interface_name
};

/// "/org/keepalived/Vrrp1/Vrrp", or below the network namespace and `instance`.
[[nodiscard]] std::string service_path(const BusNames& names);
/// "/org/keepalived/Vrrp1/Instance/eth0/51/IPv4". `family` as in status documents: "ipv4".
[[nodiscard]] std::string instance_path(const BusNames& names, std::string_view interface,
                                        std::int64_t vrid, std::string_view family);

struct BusInstance {
  std::string path;
  State state = State::init;
  bool operator==(const BusInstance&) const = default;
};

/// By the names of the instances. What `status` of the VRRP process tells.
[[nodiscard]] std::map<std::string, BusInstance> instances_of(const BusNames& names,
                                                              const boost::json::object& status);

struct StateLine {
  std::string name;
  State state = State::init;
};
/// Of `INSTANCE "VI_1" MASTER 100`; nullopt: the line tells of no instance's state.
[[nodiscard]] std::optional<StateLine> state_line_of(std::string_view line);

}  // namespace holdfast::legacy
