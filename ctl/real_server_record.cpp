#include "ctl/real_server_record.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include <algorithm>
#include <exception>

namespace holdfast::ctl {
namespace {

namespace json = boost::json;

json::array addresses_to_json(const RealServerRecord& record) {
  json::array out;
  for (const HeldAddress& one : record.addresses)
    out.push_back(
        {{"address", one.address.to_string()}, {"device", one.device}, {"found", one.found}});
  return out;
}

json::array switches_to_json(const RealServerRecord& record) {
  json::array out;
  for (const ChangedSwitch& one : record.switches)
    out.push_back({{"path", one.path}, {"found", one.found}, {"set", one.set}});
  return out;
}

json::array devices_to_json(const RealServerRecord& record) {
  json::array out;
  for (const RaisedDevice& one : record.devices) {
    json::object entry{{"name", one.name}, {"created", one.created}, {"was_up", one.was_up}};
    if (one.protocol) entry["protocol"] = *one.protocol;
    out.push_back(std::move(entry));
  }
  return out;
}

/// A name that is one component of a path.
bool is_device_name(std::string_view name) {
  constexpr std::size_t kLongest = 15;  // IFNAMSIZ without its zero
  return !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
         name.find('/') == std::string_view::npos;
}

/// Only what `up` writes: a record decides what root writes into /proc.
bool is_switch_path(std::string_view path) {
  constexpr std::string_view kPrefix = "ipv4/conf/";
  if (!path.starts_with(kPrefix)) return false;
  path.remove_prefix(kPrefix.size());
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || !is_device_name(path.substr(0, slash))) return false;
  const std::string_view name = path.substr(slash + 1);
  return name == "arp_ignore" || name == "arp_announce" || name == "rp_filter";
}

/// Throws what Boost.JSON throws when a member is missing or of another kind.
core::Result<RealServerRecord> read_members(const json::object& from) {
  RealServerRecord record;
  record.network_namespace = from.at("network_namespace").to_number<std::uint64_t>();
  for (const json::value& one : from.at("addresses").as_array()) {
    const std::string text(one.at("address").as_string());
    const auto address = core::IpAddress::parse(text);
    if (!address) return core::fail("'{}' is no address", text);
    record.addresses.push_back(
        {*address, std::string(one.at("device").as_string()), one.at("found").as_bool()});
    if (!is_device_name(record.addresses.back().device))
      return core::fail("'{}' is no name of a device", record.addresses.back().device);
  }
  for (const json::value& one : from.at("switches").as_array()) {
    record.switches.push_back({std::string(one.at("path").as_string()),
                               one.at("found").to_number<std::int64_t>(),
                               one.at("set").to_number<std::int64_t>()});
    if (!is_switch_path(record.switches.back().path))
      return core::fail("'{}' is no switch of ours", record.switches.back().path);
  }
  for (const json::value& one : from.at("devices").as_array()) {
    record.devices.push_back({std::string(one.at("name").as_string()), one.at("created").as_bool(),
                              one.at("was_up").as_bool()});
    if (const json::value* protocol = one.as_object().if_contains("protocol"))
      record.devices.back().protocol = protocol->to_number<std::uint8_t>();
    if (!is_device_name(record.devices.back().name))
      return core::fail("'{}' is no name of a device", record.devices.back().name);
  }
  if (const json::value* port = from.if_contains("gue_port"))
    record.gue_port = port->to_number<std::uint16_t>();
  return record;
}

void want(std::vector<WantedSwitch>& out, std::string path, std::vector<std::int64_t> good) {
  WantedSwitch one{std::move(path), std::move(good)};
  if (std::ranges::find(out, one) == out.end()) out.push_back(std::move(one));
}

}  // namespace

bool RealServerRecord::is_empty() const {
  return addresses.empty() && switches.empty() && devices.empty() && !gue_port;
}

const HeldAddress* RealServerRecord::find(const core::IpAddress& address) const {
  const auto at = std::ranges::find(addresses, address, &HeldAddress::address);
  return at == addresses.end() ? nullptr : &*at;
}

const ChangedSwitch* RealServerRecord::find_switch(std::string_view path) const {
  const auto at = std::ranges::find(switches, path, &ChangedSwitch::path);
  return at == switches.end() ? nullptr : &*at;
}

bool RealServerRecord::is_tunnel(std::string_view device) const {
  return std::ranges::find(devices, device, &RaisedDevice::name) != devices.end();
}

std::string write_record(const RealServerRecord& record) {
  json::object out{{"network_namespace", record.network_namespace},
                   {"addresses", addresses_to_json(record)},
                   {"switches", switches_to_json(record)},
                   {"devices", devices_to_json(record)}};
  if (record.gue_port) out["gue_port"] = *record.gue_port;
  return json::serialize(out) + "\n";
}

core::Result<RealServerRecord> parse_record(std::string_view text) {
  try {
    return read_members(json::parse(text).as_object());
  } catch (const std::exception& error) {
    return core::fail("it is not what `real-server up` writes: {}", error.what());
  }
}

bool WantedSwitch::accepts(std::int64_t value) const {
  return std::ranges::find(good, value) != good.end();
}

std::vector<WantedSwitch> wanted_switches(const RealServerRecord& record) {
  std::vector<WantedSwitch> out;
  for (const HeldAddress& one : record.addresses) {
    if (!one.address.is_v4()) continue;
    for (const std::string& device : {std::string("all"), one.device}) {
      // 2 is stricter, and 8 never answers at all.
      want(out, fmt::format("ipv4/conf/{}/arp_ignore", device), {1, 2, 8});
      want(out, fmt::format("ipv4/conf/{}/arp_announce", device), {2});
    }
    // The larger of `all` and the device counts: 2 is loose, whatever `all` says. The way back to
    // the client is never the tunnel, so that strict filtering would drop all it brings.
    if (record.is_tunnel(one.device))
      want(out, fmt::format("ipv4/conf/{}/rp_filter", one.device), {2});
  }
  return out;
}

std::optional<ServerTunnel> parse_tunnel(std::string_view word) {
  if (word == "ipip") return ServerTunnel::ipip;
  if (word == "sit") return ServerTunnel::sit;
  if (word == "ip6tnl") return ServerTunnel::ip6tnl;
  if (word == "gre") return ServerTunnel::gre;
  if (word == "ip6gre") return ServerTunnel::ip6gre;
  if (word == "gue") return ServerTunnel::gue;
  return std::nullopt;
}

std::optional<TunnelDevice> tunnel_device(ServerTunnel tunnel, core::Family inside) {
  const bool v4 = inside == core::Family::v4;
  switch (tunnel) {
    case ServerTunnel::none:
      return std::nullopt;
    case ServerTunnel::ipip:
      return v4 ? TunnelDevice{"tunl0", "ipip"} : TunnelDevice{"ip6tnl0", "ip6tnl"};
    case ServerTunnel::sit:
      if (v4) return std::nullopt;
      return TunnelDevice{"sit0", "sit"};
    case ServerTunnel::ip6tnl:
      return TunnelDevice{"ip6tnl0", "ip6tnl"};
    case ServerTunnel::gre:
      return TunnelDevice{"gre0", "gre"};
    case ServerTunnel::ip6gre:
      return TunnelDevice{"ip6gre0", "ip6gre"};
    case ServerTunnel::gue:
      return v4 ? TunnelDevice{"tunl0", "ipip"} : TunnelDevice{"sit0", "sit"};
  }
  return std::nullopt;
}

}  // namespace holdfast::ctl
