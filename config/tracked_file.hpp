// A tracked file as the processes watch it.
#pragma once

#include "config/model_vrrp.hpp"
#include "core/tracked_number.hpp"

namespace holdfast::config {

/// keepalived: track_file NAME.
[[nodiscard]] inline core::TrackedFile tracked_file_of(const TrackFile& written) {
  core::TrackedFile file{.name = written.name, .path = written.path};
  if (written.init_value)
    file.beginning = {.number = *written.init_value, .overwrites = written.init_overwrite};
  return file;
}

}  // namespace holdfast::config
