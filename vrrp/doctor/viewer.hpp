// Whose receive checks judge a speaker: an instance of a configuration, or somebody on the wire
// whose configuration shows in what it sends. Used by the diagnosis. Pure.
#pragma once

#include "vrrp/doctor/speakers.hpp"

#include <optional>
#include <string>

namespace holdfast::vrrp::doctor {

/// Whose eyes the others are seen with.
struct Viewer {
  InstanceSettings settings;
  const Speaker* self = nullptr;  ///< Its own adverts; nullptr: they were not heard.
  bool knows_secret = true;
  std::string name;  ///< "VI_1"; empty: somebody on the wire, known by address.

  [[nodiscard]] std::optional<IpAddress> address() const;
  /// Its adverts and those of the speaker go the same way.
  [[nodiscard]] bool shares_channel(const Sighting& seen) const;
};

/// What somebody who speaks so must have in its configuration.
[[nodiscard]] InstanceSettings settings_behind(const Sighting& seen);

}  // namespace holdfast::vrrp::doctor
