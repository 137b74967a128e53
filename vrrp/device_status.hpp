// What became of an instance's virtual interface, for the status.
#pragma once

#include "netlink_reflector/devices.hpp"

#include <boost/json.hpp>

namespace holdfast::vrrp {

/// {"name", "kind", "above", "mac" (null: its interface's), "ours", "repairs", "problem"}.
[[nodiscard]] boost::json::object device_json(const netlink::DeviceState& state);

}  // namespace holdfast::vrrp
