// Values of the model that several kinds of objects have: places, commands, habits of announcing.
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::config {

/// Where something was written: an index into Model::files, line and column from 1 (column counts
/// bytes). Never part of a value: all locations compare equal. Line 0 means "not written anywhere"
/// (a default).
struct SourceLocation {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  friend bool operator==(const SourceLocation&, const SourceLocation&) { return true; }
};

/// The names that SourceLocation::file points into. Like a location, never part of a value.
struct SourceFiles {
  std::vector<std::string> names;

  friend bool operator==(const SourceFiles&, const SourceFiles&) { return true; }
};

/// A command that is run without a shell, already split into words. keepalived: any SCRIPT [USER
/// [GROUP]] value.
struct Script {
  std::vector<std::string> argv;  ///< never empty
  std::string user;               ///< empty: Globals::script_user
  std::string group;              ///< empty: the user's own group
  SourceLocation location;

  bool operator==(const Script&) const = default;
};

/// Gratuitous ARP habits. keepalived: vrrp_garp_* in global_defs, garp_* in an instance. Not in the
/// RFC.
struct GarpSettings {
  /// second burst this long after taking over; 0 none
  core::Duration master_delay = std::chrono::seconds(5);
  std::uint32_t master_repeat = 5;          ///< announcements an address in a burst, at least 1
  core::Duration master_refresh{0};         ///< periodic burst while master; 0 never
  std::uint32_t master_refresh_repeat = 1;  ///< announcements in a periodic burst
  /// as master_delay, after a lower-priority advert
  core::Duration lower_prio_delay = std::chrono::seconds(5);
  std::uint32_t lower_prio_repeat = 5;  ///< as master_repeat, after a lower-priority advert
  core::Duration interval{0};  ///< least time between two announcements on an interface; 0 no limit
  core::Duration gna_interval{0};  ///< as interval, for neighbour advertisements (IPv6)
  /// keepalived: garp_extra_if. While master, addresses with MAC addresses that adverts do not have
  /// are announced this often, so that switches keep them; 0 never.
  core::Duration extra_interval{0};
  bool extra_everywhere = false;  ///< `all`: those on any other interface, too

  bool operator==(const GarpSettings&) const = default;
};

}  // namespace holdfast::config
