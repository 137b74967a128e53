#include "ctl/online_switches.hpp"

#include "config/report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::ctl {
namespace {

using config::ForwardingMethod;
using config::Severity;
using config::VirtualServer;

struct Switches {
  const config::Model& model;
  const HostFacts& host;
  config::Reporter& reporter;

  /// As the configuration sets it, or as it is now. Unknown where ip_vs is not loaded.
  [[nodiscard]] bool is_off(const std::string& name) const {
    if (const auto& ours = model.globals.lvs_sysctl) {
      if (const auto at = ours->values.find(name); at != ours->values.end())
        return at->second == "0";
    }
    const auto at = host.ipvs_switches.find(name);
    return at != host.ipvs_switches.end() && at->second == "0";
  }

  /// Once, at the first service of that kind.
  template <class Kind>
  void note(const std::string& name, const Kind& is_meant, std::string_view follows) const {
    if (!is_off(name)) return;
    const auto first = std::ranges::find_if(model.services, is_meant);
    if (first == model.services.end()) return;
    reporter.at(Severity::note, first->location,
                fmt::format("virtual_server {}: {} (net.ipv4.vs.{} is 0)", config::name_of(*first),
                            follows, name),
                fmt::format("lvs_sysctl {{ {} 1 }} in global_defs", name));
  }
};

bool is_persistent(const VirtualServer& service) {
  return service.persistence_timeout > core::Duration{0};
}

bool uses(const VirtualServer& service, ForwardingMethod method) {
  return service.forwarding == method ||
         std::ranges::any_of(service.real_servers, [&](const config::RealServer& server) {
           return server.forwarding == method;
         });
}

bool is_hash(const VirtualServer& service) {
  return service.scheduler == "mh" || service.scheduler == "sh";
}

}  // namespace

void check_switches(const config::Model& model, const HostFacts& host, config::Reporter& reporter) {
  const Switches switches{model, host, reporter};
  switches.note("expire_quiescent_template", is_persistent,
                "clients stick to a server whose weight has become 0 until their persistence ends");
  switches.note(
      "expire_nodest_conn",
      [](const VirtualServer& one) {
        return one.protocol == config::Protocol::udp && !one.one_packet_scheduling &&
               one.fwmark == 0 && one.group.empty();
      },
      "what clients go on sending to a server that was removed is dropped until the connection "
      "times out");
  if (host.has_conntrack) {
    switches.note(
        "conntrack", [](const VirtualServer& one) { return uses(one, ForwardingMethod::nat); },
        "the firewall of this host does not know connections of NAT services, so that "
        "its rules by state and its masquerading do not apply to them");
  }
  if (!model.globals.lvs_sync_daemon) {
    switches.note("sloppy_tcp", is_hash,
                  "no director is told the connections of another one, and a successor refuses "
                  "those that it did not see begin, although it would pick the same server");
  }
  for (const VirtualServer& one : model.services) {
    if (!one.one_packet_scheduling || !uses(one, ForwardingMethod::nat)) continue;
    reporter.at(Severity::note, one.location,
                fmt::format("virtual_server {}: answers of a one-packet service by NAT keep the "
                            "real server's address, which most clients do not take",
                            config::name_of(one)),
                "use 'lb_kind DR' or TUN with 'ops'");
    break;
  }
}

}  // namespace holdfast::ctl
