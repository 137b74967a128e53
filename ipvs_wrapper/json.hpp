// The table as JSON, both ways. Times in whole seconds, named *_s; defaults are written out, and
// may be left out when read.
// {"services":[{"protocol":"TCP","address":"192.0.2.1","port":80,"scheduler":"wlc",
//   "flags":["one-packet"],"persistence":{"timeout_s":360,"netmask":"255.255.255.0"},
//   "persistence_engine":"sip","servers":[{"address":"10.0.0.1","port":80,"forwarding":"DR",
//     "weight":1,"upper_threshold":0,"lower_threshold":0,
//     "tunnel":{"type":"gue","port":6080,"checksum":"none"}}]}]}
// A mark service has {"mark":7,"family":"ipv4"} as its key.
#pragma once

#include "core/result.hpp"
#include "ipvs_wrapper/table.hpp"

#include <boost/json/value.hpp>

#include <string_view>

namespace holdfast::ipvs {

[[nodiscard]] boost::json::value to_json(const Table& table);
/// The error says where: "services[2].servers[0].weight: must be a number from 0 to 2147483647".
[[nodiscard]] core::Result<Table> table_from_json(const boost::json::value& value);
/// Parses and converts.
[[nodiscard]] core::Result<Table> parse_json(std::string_view text);

/// Names of the flags of a service, in both directions.
inline constexpr std::pair<std::uint32_t, std::string_view> kFlagNames[] = {
    {kOnePacket, "one-packet"},
    {kSchedulerFlag1, "flag-1"},
    {kSchedulerFlag2, "flag-2"},
    {kSchedulerFlag3, "flag-3"}};

/// "NAT", "DR", "TUN", "LOCAL", "BYPASS" or "FWD <n>": the words of lb_kind where there is one.
[[nodiscard]] std::string to_string(Forwarding forwarding);

}  // namespace holdfast::ipvs
