// The track_* lists as words: shared by the writers of instances and groups.
#pragma once

#include "config/write/write.hpp"

namespace holdfast::config {

void write_tracking(Writer& out, const Tracking& tracking);

}  // namespace holdfast::config
