// The list of addresses that are ours, and its text: what a successor, or the process that takes
// addresses off, reads after a crash. A journal, so that a change costs a line and not the list.
// Changes come from the keeper; the shell's OwnedFile writes them before the kernel hears of them.
#pragma once

#include "core/ip_address.hpp"
#include "core/result.hpp"
#include "netlink_reflector/core/table.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::netlink {

/// An address that we put on an interface. Ordered by what the kernel tells apart (index, address,
/// length); the name is what the interface was called.
struct OwnedAddress {
  InterfaceIndex index = 0;
  core::IpAddress address;
  /// IPv4: the prefix length. IPv6: 0, the kernel has each address once per interface.
  std::uint8_t length = 0;
  std::string interface;
  /// It is there as long as the director, whoever serves: static.
  bool lasting = false;

  auto operator<=>(const OwnedAddress&) const = default;
  /// The same address of the same interface, whatever that is called.
  [[nodiscard]] bool is_same_place(const OwnedAddress& other) const;
};

enum class Ownership : std::uint8_t { began, ended };

/// One line of the journal.
struct OwnedChange {
  Ownership what = Ownership::began;
  OwnedAddress address;

  bool operator==(const OwnedChange&) const = default;
};

/// What the changes so far amount to.
class OwnedList {
 public:
  void apply(const OwnedChange& change);
  [[nodiscard]] const std::set<OwnedAddress>& all() const { return addresses_; }

 private:
  std::set<OwnedAddress> addresses_;
};

/// "+ 2 eth0 10.0.0.9/32", with the line's end; " static" before it for a lasting one.
[[nodiscard]] std::string line_of(const OwnedChange& change);
/// A journal that says the list in the fewest lines. `scope`: the boot and the network namespace in
/// which interface numbers mean something.
[[nodiscard]] std::string write_owned(const OwnedList& list, std::string_view scope);
/// Empty when the journal is of another boot or network namespace. A last line without its end was
/// being written when the process died, before the kernel was asked: it counts for nothing. An
/// error names the line.
[[nodiscard]] core::Result<OwnedList> parse_owned(std::string_view text, std::string_view scope);

}  // namespace holdfast::netlink
