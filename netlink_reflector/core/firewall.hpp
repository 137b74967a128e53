// Which virtual addresses are closed to packets (keepalived: no_accept, strict mode), as a value:
// owners claim, hold and release, and what the kernel's table lacks or has too much is asked for.
// Used by netlink_reflector/firewall.hpp; knows no netlink.
#pragma once

#include "core/ip_address.hpp"
#include "core/router_key.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace holdfast::netlink {

/// What is sent to such an address, or from it, is dropped.
struct ClosedAddress {
  core::IpAddress address;
  /// Counts for a link-local address of IPv6 only: others may have the same on their link.
  std::string interface;

  auto operator<=>(const ClosedAddress&) const = default;
};

/// How the table is written.
struct FirewallSettings {
  std::string table = "holdfast";  ///< Of the family inet. keepalived: nftables NAME.
  std::int32_t priority = -1;      ///< Of its chains. keepalived: nftables_priority.
  bool counters = false;           ///< keepalived: nftables_counters.
  /// Interfaces of link-local addresses by number, not by name. keepalived: nftables_ifindex.
  bool by_index = false;

  bool operator==(const FirewallSettings&) const = default;
};

class FirewallWishes {
 public:
  /// What `owner` closes while it holds, held now or not. Replaces the former list, at once; an
  /// empty one is the same as forget(). Who claims nothing is not remembered as a holder either:
  /// say hold() after the first claim of one that holds.
  void claim(const core::RouterKey& owner, std::vector<ClosedAddress> addresses);
  void hold(const core::RouterKey& owner);
  void release(const core::RouterKey& owner);
  /// As release(), and forgets the claim.
  void forget(const core::RouterKey& owner);

  [[nodiscard]] bool is_empty() const { return wanted_.empty(); }
  /// Somebody will hold something sooner or later.
  [[nodiscard]] bool has_claims() const { return !owners_.empty(); }
  /// All that is to be closed, each once, however many owners hold it.
  [[nodiscard]] std::vector<ClosedAddress> wanted() const;
  /// The same, and what the table has too much: while addresses are leaving.
  [[nodiscard]] std::vector<ClosedAddress> wanted_or_leaving() const;
  [[nodiscard]] std::size_t count() const { return wanted_.size(); }
  /// How many addresses `owner` closes while it holds; 0: it closes none.
  [[nodiscard]] std::size_t claimed(const core::RouterKey& owner) const;

  /// What a table lacks and has too much that is as the last done() or done_all() said.
  [[nodiscard]] std::vector<ClosedAddress> missing() const;
  [[nodiscard]] std::vector<ClosedAddress> surplus() const;
  /// The table has these now, and no longer those.
  void done(const std::vector<ClosedAddress>& added, const std::vector<ClosedAddress>& removed);
  /// The table is exactly this.
  void done_all(const std::vector<ClosedAddress>& content);

 private:
  struct Owner {
    std::vector<ClosedAddress> claimed;
    bool holds = false;
  };
  void count_up(const std::vector<ClosedAddress>& addresses);
  void count_down(const std::vector<ClosedAddress>& addresses);

  std::map<core::RouterKey, Owner> owners_;
  std::map<ClosedAddress, std::size_t> wanted_;  // by how many owners
  std::set<ClosedAddress> actual_;
  std::set<ClosedAddress> changed_;  // where the two may differ
};

}  // namespace holdfast::netlink
