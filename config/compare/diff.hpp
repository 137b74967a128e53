// The difference between two models, object by object: what a reload has to do, and what
// `holdfastctl plan` explains. Hashed look-ups: the cost follows the number of objects. Never
// touches anything.
#pragma once

#include "config/model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::config {

enum class ChangeKind : std::uint8_t { added, removed, changed };

/// A field that differs, as text for people: {"priority", "100", "150"}. `field` is the word of the
/// configuration, with the block it stands in before it where that is not the object itself
/// ("TCP_CHECK retry").
struct FieldChange {
  std::string field;
  std::string before;  ///< empty: it was not there
  std::string after;   ///< empty: it is not there any more; both equal: not shown (a password)

  bool operator==(const FieldChange&) const = default;
};

/// The lists of Model, and what stands alone in it.
enum class ObjectKind : std::uint8_t {
  globals,
  garp_group,
  script,
  track_process,
  track_file,
  bfd_instance,
  track_group,
  static_address,
  static_route,
  static_rule,
  sync_group,
  instance,
  service_group,
  tls,
  service,
  server,
};

/// One object that differs. Instances are matched by interface, family and virtual router id (so
/// that a new name alone disturbs nobody), services by protocol, address and port, servers by their
/// service, address and port, everything else by name or, without one, by its whole line.
struct Change {
  ChangeKind kind = ChangeKind::changed;
  ObjectKind object = ObjectKind::globals;
  std::string name;     ///< "VI_1", "TCP 192.168.1.200:80"; of a server "192.168.1.67:80"
  std::string service;  ///< of a server: the service's name
  /// Indices into the lists of the two models (of a server: into its service's list); the index of
  /// a missing side is unspecified.
  std::size_t before = 0;
  std::size_t after = 0;
  /// Of a server: indices of its service.
  std::size_t service_before = 0;
  std::size_t service_after = 0;
  std::vector<FieldChange> fields;  ///< of a changed object; a service's own, without its servers

  bool operator==(const Change&) const = default;
};

/// Empty exactly when before == after (order within the lists aside). In the order of ObjectKind;
/// servers follow their service.
[[nodiscard]] std::vector<Change> diff(const Model& before, const Model& after);

/// "vrrp_instance VI_1", "virtual_server TCP 192.0.2.1:80: real_server 192.0.2.7:80".
[[nodiscard]] std::string object_name(const Change& change);
/// "priority 100 → 150", "auth_pass differs", "virtual_ipaddress 192.0.2.5/32 removed".
[[nodiscard]] std::string describe(const FieldChange& field);
/// One line a change: "vrrp_instance VI_1: priority 100 → 150".
[[nodiscard]] std::string describe(const Change& change);

}  // namespace holdfast::config
