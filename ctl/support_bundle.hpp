// holdfastctl support-bundle: what somebody who is asked for help needs, in one archive: the
// configuration without its secrets, what the processes know and said, and what this host's kernel
// holds. Changes nothing.
#pragma once

#include "ctl/commands.hpp"

#include <string>

namespace holdfast::ctl {

/// Empty `file`: holdfast-HOST-MOMENT.tar.gz in the current directory. A file that is there already
/// is not written over. The archive is for its owner only (mode 0600).
[[nodiscard]] int support_bundle(const Target& target, std::string file);

}  // namespace holdfast::ctl
