// What became of an owner's addresses. Told to the daemons by the reflector and shown in status.
#pragma once

#include "netlink_reflector/core/desired.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::netlink {

/// One address of an owner, as read back from the kernel.
struct HeldAddress {
  DesiredAddress desired;
  bool held = false;
  /// It is there without us: the host's own, or another program's. Used while it is wanted, and
  /// never taken off by us.
  bool foreign = false;
  /// Somebody took it away, and DesiredAddress::when_taken leaves it at that.
  bool let_go = false;
  /// Empty when it is as it should be; else the sentence why not ("cannot add 10.0.0.1/32 on
  /// eth0: …", "there is no interface eth9").
  std::string problem;

  bool operator==(const HeldAddress&) const = default;
};

/// The state of an owner after its addresses were applied and read back. One that cannot be had is
/// no reason to give up the others.
struct Publication {
  /// hold() was called last (false: release()).
  bool wanted = false;
  /// Everything is as it should be: all held after hold(), none of ours left after release().
  bool complete = false;
  std::vector<HeldAddress> addresses;

  /// How many of `addresses` should be on their interface: all but those let go.
  [[nodiscard]] std::size_t wished() const;
  /// How many of `addresses` are on their interface.
  [[nodiscard]] std::size_t placed() const;
  /// The first address's problem; empty where none has one.
  [[nodiscard]] std::string_view first_problem() const;
  bool operator==(const Publication&) const = default;
};

struct ReflectorCounters {
  /// Addresses that somebody else removed (or changed) and that were put back.
  std::uint64_t repairs = 0;
  /// Steps that the kernel refused.
  std::uint64_t failures = 0;
  /// The event socket's buffer overflowed.
  std::uint64_t overruns = 0;
  /// Full dumps compared with the mirror, after overruns (the first load not counted).
  std::uint64_t resyncs = 0;
};

}  // namespace holdfast::netlink
