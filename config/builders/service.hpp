// What the builders of virtual_server and real_server share.
#pragma once

#include "config/words/meaning.hpp"
#include "config/write/service.hpp"

namespace holdfast::config {

/// How packets get to a server: lb_kind, lvs_method, sorry_server_lvs_method.
struct ForwardingDraft {
  ForwardingMethod method = ForwardingMethod::nat;
  Rare<Tunnel> tunnel;
};
[[nodiscard]] ForwardingDraft read_forwarding(const Args& args);

/// keepalived: what a bare "persistence_timeout", and a service of all ports, get.
inline constexpr core::Duration kDefaultPersistence = std::chrono::seconds(360);

/// A word that only counts with one scheduler, or with any.
struct SchedulerFlag {
  std::uint8_t bit = 0;
  std::string_view scheduler;  ///< empty: any
  std::string_view word;
  TextRange range;
};

/// A service while its words are read.
struct ServiceDraft : VirtualServer {
  using Object = VirtualServer;

  CheckDefaults defaults;  ///< of the checkers of its servers
  std::uint32_t weight = 1;
  bool inhibit_on_failure = false;
  bool has_protocol = false;
  std::optional<core::Family> family;  ///< of a service by mark: ip_family, persistence_granularity
  bool netmask_is_dotted = false;
  TextRange granularity;
  std::vector<SchedulerFlag> flags;
  std::optional<ForwardingDraft> sorry_forwarding;
  bool sorry_inhibit = false;
  std::vector<const Statement*> servers;  ///< built when all of the service's own words are known

  [[nodiscard]] bool by_address() const { return fwmark == 0 && group.empty(); }
};

/// A weight, with a warning when the kernel's schedulers are not safe with it.
[[nodiscard]] std::uint32_t read_weight(const Args& args);

/// Builds the servers of a service whose own words are known. Servers of the wrong family are left
/// in: drop_strangers() follows when the service's family is known.
void build_servers(ServiceDraft& draft, BuildContext& context);
/// With direct routing and tunnels the port of an address cannot change. Ports behind a firewall
/// mark or a group are left as written, as keepalived 2.4 does.
void force_port(const ServiceDraft& draft, ForwardingMethod forwarding, std::uint16_t& port,
                TextRange at, Reporter& reporter);

/// The family of a service by mark or group when 'ip_family' does not say it: what its servers are.
[[nodiscard]] core::Family implied_family(const VirtualServer& service);
[[nodiscard]] std::vector<std::string> forwarding_words(ForwardingMethod method,
                                                        const Rare<Tunnel>& tunnel);
/// A server as a statement of its service; `common` is what its service has said already.
[[nodiscard]] Node server_node(const RealServer& server, const VirtualServer& service,
                               const Globals& globals, Detail detail, const CheckDefaults& common);

/// A word that both levels hand down to their checkers.
template <class Draft, auto kMember>
void read_default(Draft& draft, const Args& args) {
  read_value(draft.defaults.*kMember, args);
}
template <class Draft, auto kMember>
inline constexpr rows::Reads kDefault = rows::reads<read_default<Draft, kMember>>;

}  // namespace holdfast::config
