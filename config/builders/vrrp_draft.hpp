// A vrrp_instance while its block is read: the value, and what was written besides that later
// decisions need. Lives inside one build.
#pragma once

#include "config/builders/builder.hpp"

namespace holdfast::config {

struct InstanceDraft {
  VrrpInstance instance;
  std::optional<core::Family> family;  ///< of its first address
  std::optional<bool> strict;          ///< strict_mode
  std::optional<std::uint8_t> version;
  std::vector<TextRange> addresses_at;  ///< places of virtual_addresses
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
/// The words of the blocks and lines inside an instance.
[[nodiscard]] bool instance_parts_know(KeywordId id);

/// Decides what one word cannot: family, version, what strict_mode forbids, what cancels what. Says
/// what it changes. False: the instance lacks something it cannot do without.
[[nodiscard]] bool finish_instance(InstanceDraft& draft, const Args& args);

}  // namespace holdfast::config
