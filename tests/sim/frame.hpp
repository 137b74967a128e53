// What watchdog and child say to each other, and what a configuration is in this world.
#pragma once

#include "vrrp/core/settings.hpp"
#include "watchdog/core/role.hpp"

#include <memory>
#include <vector>

namespace holdfast::sim {

/// A configuration file, or the snapshot of one: the instances that it has.
using File = std::vector<vrrp::InstanceSettings>;
using Snapshot = std::shared_ptr<const File>;

struct Frame {
  enum class Type : std::uint8_t { prepare, commit, abort, stop, heartbeat, prepared, committed };
  Type type{};
  watchdog::Generation generation = 0;
  Snapshot snapshot = {};
};

}  // namespace holdfast::sim
