// Files → one snapshot, in whatever syntax each of them is written: follows includes from one
// syntax into the other. Called by load.cpp. Reads files, nothing else.
#pragma once

#include "config/diagnostic.hpp"
#include "config/load.hpp"
#include "config/source_set.hpp"

#include <string>
#include <string_view>

namespace holdfast::config {

/// `text` stands for the file `name`. What cannot be read or found goes to `diagnostics`.
[[nodiscard]] Snapshot assemble(std::string text, const std::string& name,
                                const LoadOptions& options, Diagnostics& diagnostics);

}  // namespace holdfast::config
