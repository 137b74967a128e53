// What goes wrong between the two directors of a pair while only one of them has the new file.
// Asked by `holdfastctl plan`. Pure.
#pragma once

#include "config/model.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace holdfast::config {

/// Whether it is known who is master.
enum class StateIs : std::uint8_t { unknown, known };

/// Sentences. `backups`: names of instances before that are no master now.
[[nodiscard]] std::vector<std::string> partner_warnings(const Model& before, const Model& after,
                                                        const std::set<std::string>& backups,
                                                        StateIs state);

}  // namespace holdfast::config
