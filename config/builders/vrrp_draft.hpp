// A vrrp_instance while its block is read: the value, and what was written besides that later
// decisions need. Lives inside one build.
#pragma once

#include "config/builders/builder.hpp"
#include "config/write/write.hpp"

namespace holdfast::config {

struct InstanceDraft : VrrpInstance {
  using Object = VrrpInstance;  ///< what the rows of the block know

  explicit InstanceDraft(VrrpInstance made) : VrrpInstance(std::move(made)) {}

  std::optional<core::Family> first_family;  ///< of its first address
  std::vector<TextRange> addresses_at;       ///< places of virtual_addresses
  bool has_password = false;
  bool wants_no_preempt = false;
  bool meant_without_addresses = false;
  bool unicast_word = false;         ///< unicast_peer, unicast_src_ip or unicast_ttl
  bool unreadable_peers = false;     ///< unicast_peer has an entry that is no address
  bool mac_lacks_last_byte = false;  ///< use_vmac with five octets: the sixth is the VRID
  TextRange state_at;
  TextRange version_at;
  TextRange no_preempt_at;
  TextRange preempt_delay_at;
  TextRange advert_int_at;
  TextRange source_at;
  TextRange group_at;
  TextRange vmac_at;
  std::optional<TextRange> auth_at;
  std::optional<TextRange> peers_at;
};

// Words with a grammar of their own.
void read_virtual_addresses(InstanceDraft& draft, const Args& args);
void read_excluded_addresses(InstanceDraft& draft, const Args& args);
void read_unicast_peers(InstanceDraft& draft, const Args& args);
void read_use_vmac(InstanceDraft& draft, const Args& args);
void read_use_ipvlan(InstanceDraft& draft, const Args& args);
void read_authentication(InstanceDraft& draft, const Args& args);
void read_auth_hmac(InstanceDraft& draft, const Args& args);
void write_virtual_addresses(const VrrpInstance& instance, Writer& out);
void write_excluded_addresses(const VrrpInstance& instance, Writer& out);
void write_unicast_peers(const VrrpInstance& instance, Writer& out);
void write_use_vmac(const VrrpInstance& instance, Writer& out);
void write_use_ipvlan(const VrrpInstance& instance, Writer& out);
void write_authentication(const VrrpInstance& instance, Writer& out);
void write_auth_hmac(const VrrpInstance& instance, Writer& out);
/// Decides what one word cannot: family, version, what strict_mode forbids, what cancels what. Says
/// what it changes. False: the instance lacks something it cannot do without.
[[nodiscard]] bool finish_instance(InstanceDraft& draft, const Args& args);

void read_routes(VrrpInstance& instance, const Args& args);
void write_routes(const VrrpInstance& instance, Writer& out);
void read_rules(VrrpInstance& instance, const Args& args);
void write_rules(const VrrpInstance& instance, Writer& out);

}  // namespace holdfast::config
