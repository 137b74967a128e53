// The difference between two models, object by object: what a reload has to do, and what `plan`
// will print. Hashed look-ups: the cost follows the number of objects. Never touches anything.
#pragma once

#include "config/model.hpp"

#include <string>
#include <variant>
#include <vector>

namespace holdfast::config {

enum class ChangeKind : std::uint8_t { added, removed, changed };

/// A field that differs, as text for people: {"priority", "100", "150"}.
struct FieldChange {
  std::string field;
  std::string before;
  std::string after;

  bool operator==(const FieldChange&) const = default;
};

struct GlobalsChange {
  std::vector<FieldChange> fields;
  bool operator==(const GlobalsChange&) const = default;
};

/// An instance, matched by interface, family and virtual router id (so that a new name alone
/// disturbs nobody). Indices point into the models that were compared; an index of the missing side
/// is unspecified.
struct InstanceChange {
  ChangeKind kind = ChangeKind::changed;
  std::string name;
  std::size_t before = 0;
  std::size_t after = 0;
  std::vector<FieldChange> fields;
  bool operator==(const InstanceChange&) const = default;
};

/// A service, matched by protocol, address and port; `fields` are its own, without its servers.
struct ServiceChange {
  ChangeKind kind = ChangeKind::changed;
  std::string service;  ///< "TCP 192.168.1.200:8099"
  std::size_t before = 0;
  std::size_t after = 0;
  std::vector<FieldChange> fields;
  bool operator==(const ServiceChange&) const = default;
};

/// A real server of a service that both models have, matched by address and port.
struct ServerChange {
  ChangeKind kind = ChangeKind::changed;
  std::string service;
  std::string server;  ///< "192.168.1.67:8099"
  std::vector<FieldChange> fields;
  bool operator==(const ServerChange&) const = default;
};

using Change = std::variant<GlobalsChange, InstanceChange, ServiceChange, ServerChange>;

/// Empty exactly when before == after (order of instances, services and servers aside).
[[nodiscard]] std::vector<Change> diff(const Model& before, const Model& after);
/// One line a change: "vrrp_instance VI_1: priority 100 → 150".
[[nodiscard]] std::string describe(const Change& change);

}  // namespace holdfast::config
