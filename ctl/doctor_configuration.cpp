#include "ctl/doctor_configuration.hpp"

#include "config/load.hpp"
#include "ctl/json_view.hpp"
#include "vrrp/wiring.hpp"

namespace holdfast::ctl {
namespace {

using vrrp::InstanceSettings;
using vrrp::doctor::Expectation;

std::vector<core::IpAddress> addresses_in(const object& from, std::string_view key) {
  std::vector<core::IpAddress> addresses;
  for (const value& each : find_list(from, key)) {
    if (!each.is_string()) continue;
    if (const auto address = core::IpAddress::parse(std::string_view(each.as_string())))
      addresses.push_back(*address);
  }
  return addresses;
}

vrrp::AddressList list_of(const std::vector<core::IpAddress>& addresses) {
  std::vector<vrrp::VirtualAddress> list(addresses.size());
  for (std::size_t i = 0; i < list.size(); ++i)
    list[i].prefix = {addresses[i], addresses[i].max_prefix_length()};
  return list;
}

std::uint8_t small_number(const object& from, std::string_view key, std::uint8_t fallback) {
  const auto found = number(from, key);
  return found && *found >= 0 && *found <= 255 ? static_cast<std::uint8_t>(*found) : fallback;
}

/// Those that have ended, and those of many, are not told.
std::vector<vrrp::doctor::Remembered> remembered_in(const object& instance) {
  std::vector<vrrp::doctor::Remembered> all;
  for (const value& each : find_list(instance, "peer_problems")) {
    if (!each.is_object()) continue;
    const object& problem = each.as_object();
    const auto peer = core::IpAddress::parse(text(problem, "peer"));
    const auto reason = vrrp::reason_named(text(problem, "reason"));
    if (!peer || !reason || flag(problem, "ended")) continue;
    all.push_back({.reason = *reason,
                   .peer = *peer,
                   .adverts = static_cast<std::uint64_t>(number(problem, "adverts").value_or(0)),
                   .ago = std::chrono::milliseconds(number(problem, "heard_ms").value_or(0)),
                   .sentence = text(problem, "what")});
  }
  return all;
}

Expectation expectation_of(const object& instance) {
  InstanceSettings settings;
  settings.name = text(instance, "name");
  settings.interface = text(instance, "interface");
  settings.family = text(instance, "family") == "ipv6" ? core::Family::v6 : core::Family::v4;
  settings.version = small_number(instance, "version", 2);
  settings.vrid = small_number(instance, "vrid", 1);
  settings.priority = small_number(instance, "priority", vrrp::kDefaultPriority);
  if (const auto interval = number(instance, "advert_interval_ms"))
    settings.advert_interval = std::chrono::milliseconds(*interval);
  const object* authentication = find_object(instance, "authentication");
  const std::string method = authentication == nullptr ? "" : text(*authentication, "method");
  if (method == "password")
    settings.authentication.type = vrrp::AuthenticationType::simple_password;
  if (method == "ah") settings.authentication.type = vrrp::AuthenticationType::header;
  if (method == "hmac" && text(*authentication, "mode") == "enforce")
    settings.signing = vrrp::Signing{};  // enforce is the default
  settings.addresses = list_of(addresses_in(instance, "advertises"));
  const auto channel = core::IpAddress::parse(text(instance, "channel"));
  if (find(instance, "unicast_peers") != nullptr) {
    vrrp::Unicast unicast;
    for (const core::IpAddress& each : addresses_in(instance, "unicast_peers"))
      unicast.peers.push_back({.address = each});
    settings.unicast = unicast;
    if (channel && !channel->is_unspecified()) settings.source_address = *channel;
  } else if (channel && *channel != vrrp::vrrp_group(settings.family)) {
    settings.group = *channel;
  }
  return {std::move(settings), false, remembered_in(instance)};
}

}  // namespace

Expectations expectations_of(const object& status) {
  Expectations all;
  for (const value& each : find_list(status, "instances")) {
    if (each.is_object()) all.push_back(expectation_of(each.as_object()));
  }
  return all;
}

core::Result<Expectations> read_expectations(const std::string& file,
                                             const std::string& config_id) {
  const config::Loaded loaded = config::load_files(file, {config_id});
  if (loaded.diagnostics.has_errors())
    return core::fail("{} has errors; `holdfastctl check {}` shows them", file, file);
  Expectations all;
  for (InstanceSettings& each : vrrp::wiring_of(loaded.model).instances)
    all.push_back({std::move(each), true, {}});
  return all;
}

}  // namespace holdfast::ctl
