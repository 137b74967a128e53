// From what should be true to the steps that make it so: which addresses to add, delete and put
// back, in which order. Pure; the reflector sends the steps, tests apply them to a model of the
// kernel.
#pragma once

#include "netlink_reflector/core/table.hpp"

#include <span>
#include <string>
#include <vector>

namespace holdfast::netlink {

/// What should be true on one interface. Addresses in neither list belong to somebody else and
/// survive.
struct Wanted {
  /// To be there with exactly these attributes. Two with one key: the first wins, so owners do not
  /// fight.
  std::vector<Address> present;
  /// To be gone, unless also in `present`.
  std::vector<AddressKey> absent;
};

/// Why a step is there.
enum class StepKind : std::uint8_t {
  add,     ///< was missing
  remove,  ///< is not wanted (any more), or is in the way of one with other attributes
  /// went with the removal of its primary, unless the kernel promoted it: "exists" is success
  restore,
};

struct Step {
  StepKind kind = StepKind::add;
  Address address;

  bool operator==(const Step&) const = default;
};

/// Steps from `actual` (the addresses of one interface) to `wanted`; empty when it is so already.
/// An address that only changes its prefix length is added before the old one goes. Removing a
/// primary takes its secondaries along unless net.ipv4.conf.*.promote_secondaries is set:
/// everything that has to survive, also what others configured, is put back right behind it.
[[nodiscard]] std::vector<Step> plan(const Wanted& wanted, std::span<const Address> actual);

/// net.ipv4.conf.<interface>.promote_secondaries.
enum class PromoteSecondaries : std::uint8_t { no, yes };

/// What the kernel would make of the steps.
struct Applied {
  std::vector<Address> addresses;
  /// errno of every step, 0 for success; EEXIST of a restore is 0.
  std::vector<int> results;
};

/// A model of the kernel's rules (net/ipv4/devinet.c, net/ipv6/addrconf.c) for tests and
/// simulators.
[[nodiscard]] Applied apply(std::span<const Step> steps, std::span<const Address> actual,
                            PromoteSecondaries promote);

/// One sentence for a step that the kernel refused: what was tried, where, what the kernel said,
/// what to do. `extended`: the kernel's own text (NLMSGERR_ATTR_MSG), may be empty.
[[nodiscard]] std::string explain(const Step& step, std::string_view interface_name,
                                  int system_errno, std::string_view extended);

}  // namespace holdfast::netlink
