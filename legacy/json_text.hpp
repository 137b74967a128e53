// keepalived.json in both of its shapes. Numbers are written by hand: consumers decode whole ones
// as integers.
#pragma once

#include "legacy/status_view.hpp"
#include <span>
#include <string>

namespace holdfast::legacy {

/// `json_version 1`: an array of instances; 2: an object with "vrrp" and "track_process".
[[nodiscard]] std::string json_text(const config::Model& model,
                                    std::span<const InstanceFacts> instances);

}  // namespace holdfast::legacy
