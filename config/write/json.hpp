// A document as JSON: for people's programs, never read back. The keys and shapes are those of
// TOML (docs/configuration.md); blocks that may come several times are arrays always.
#pragma once

#include "config/diagnostic.hpp"
#include "config/write/write.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace holdfast::config {

/// Words that are not UTF-8 are shown with U+FFFD.
[[nodiscard]] boost::json::object json_of(const Document& document);
/// As render_json of the diagnostics, with "model": everything that the configuration means,
/// defaults included.
[[nodiscard]] std::string render_json(const Diagnostics& diagnostics, const Model& model);

}  // namespace holdfast::config
