// How much of what runs a new configuration takes away, and whether that is more than is allowed.
// Asked by the loader for reload_limit, and by `holdfastctl plan`. Pure.
#pragma once

#include "config/model.hpp"

#include <cstddef>
#include <string>

namespace holdfast::config {

/// How many virtual addresses and real servers of the model before are in no instance and in no
/// service of the same name any more.
struct Removal {
  std::size_t addresses = 0;
  std::size_t of_addresses = 0;
  std::size_t servers = 0;
  std::size_t of_servers = 0;

  bool operator==(const Removal&) const = default;
};

[[nodiscard]] Removal removal(const Model& before, const Model& after);
/// A sentence when the reload removes more than reload_limit allows; empty: it does not. The limit
/// of what runs counts before that of the new file, which may have lost the line together with the
/// rest. Without a limit, when every virtual router or every service is gone: a file that was cut
/// off or commented out is the usual reason. `reload_limit 100` allows that, too.
[[nodiscard]] std::string beyond_limit(const Model& before, const Model& after);
/// "removes 3 of 12 servers"; empty: none.
[[nodiscard]] std::string removed_text(const Removal& removal);

}  // namespace holdfast::config
