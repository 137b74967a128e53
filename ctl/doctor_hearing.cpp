#include "ctl/doctor_hearing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::ctl {
namespace {

/// A key of HostInterface::unheard: what is sent to a group is heard.
constexpr std::string_view kUnicastOnly = "unicast";

using vrrp::InstanceSettings;
using vrrp::doctor::Finding;

/// RFC 9568 §7.3.
std::string virtual_mac_of(const InstanceSettings& settings) {
  return fmt::format("00:00:5e:00:{}:{:02x}", settings.family == core::Family::v4 ? "01" : "02",
                     settings.vrid);
}

Finding finding_of(const std::string& interface, std::string subject, const std::string& mac,
                   const std::string& sentence) {
  return {.interface = interface,
          .subject = std::move(subject),
          .speaker = {},
          .reason = mac.empty()           ? "taken_by_master"
                    : mac == kUnicastOnly ? "passthru"
                                          : "private_macvlan",
          .sentence = sentence,
          .cure = {}};
}

}  // namespace

std::vector<Finding> deaf_places(const HostFacts& host, const Expectations& expected,
                                 const std::vector<std::string>& listened) {
  std::vector<Finding> findings;
  for (const std::string& name : listened) {
    const auto interface = host.interfaces.find(name);
    if (interface == host.interfaces.end()) continue;
    for (const auto& [mac, sentence] : interface->second.unheard) {
      const std::size_t before = findings.size();
      bool is_used = false;
      for (const vrrp::doctor::Expectation& each : expected) {
        const InstanceSettings& settings = each.settings;
        if (settings.interface != name) continue;
        is_used = true;
        const bool is_met =
            mac == kUnicastOnly ? settings.unicast.has_value() : mac == virtual_mac_of(settings);
        if (!mac.empty() && !is_met) continue;
        findings.push_back(
            finding_of(name,
                       fmt::format("{} (VRID {}, {})", settings.name, settings.vrid,
                                   settings.family == core::Family::v4 ? "IPv4" : "IPv6"),
                       mac, sentence));
      }
      // A port of a bridge that nobody uses for VRRP is as it should be.
      if (!is_used && !mac.empty() && mac != kUnicastOnly && findings.size() == before)
        findings.push_back(finding_of(name, "this host", mac, sentence));
    }
  }
  return findings;
}

}  // namespace holdfast::ctl
