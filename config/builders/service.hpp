// What the builders of virtual_server and real_server share.
#pragma once

#include "config/builders/builder.hpp"

namespace holdfast::config {

/// How packets get to a server: lb_kind, lvs_method, sorry_server_lvs_method.
struct ForwardingDraft {
  ForwardingMethod method = ForwardingMethod::nat;
  Rare<Tunnel> tunnel;
};
[[nodiscard]] ForwardingDraft read_forwarding(const Args& args);

/// Both levels set the same words for their checkers.
struct WithDefaults {
  CheckDefaults defaults;
};

template <class T>
[[nodiscard]] std::vector<typename Setters<T>::Row> shared_setters() {
  return {
      {"delay_loop", [](T& d, const Args& a) { d.defaults.delay_loop = a.duration(0); }},
      {"retry", [](T& d, const Args& a) { d.defaults.retry = a.template as<std::uint32_t>(0); }},
      {"delay_before_retry",
       [](T& d, const Args& a) { d.defaults.delay_before_retry = a.duration(0); }},
      {"warmup", [](T& d, const Args& a) { d.defaults.warmup = a.duration(0); }},
      {"connect_timeout", [](T& d, const Args& a) { d.defaults.connect_timeout = a.duration(0); }},
      {"virtualhost", [](T& d, const Args& a) { d.defaults.virtualhost = a.text(0); }}};
}

/// A word that only counts with one scheduler, or with any.
struct SchedulerFlag {
  std::uint8_t bit = 0;
  std::string_view scheduler;  ///< empty: any
  std::string_view word;
  TextRange range;
};

/// A service while its words are read.
struct ServiceDraft : WithDefaults {
  VirtualServer service;
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

  [[nodiscard]] bool by_address() const { return service.fwmark == 0 && service.group.empty(); }
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
[[nodiscard]] bool servers_know(KeywordId id);

/// The family of a service by mark or group when 'ip_family' does not say it: what its servers are.
[[nodiscard]] core::Family implied_family(const VirtualServer& service);
/// keepalived: mail for servers is on as soon as mail is set up, for services it is not.
[[nodiscard]] bool service_mails_by_default(const Globals& globals);
[[nodiscard]] bool servers_mail_by_default(const Globals& globals);
/// Of virtual_server_group and SSL.
[[nodiscard]] bool service_groups_know(KeywordId id);

}  // namespace holdfast::config
