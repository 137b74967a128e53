// A handover page that outlives the watchdog: a file in the run directory. When everything was
// ended at once (a container that is stopped by SIGKILL and started again) the next watchdog finds
// it, and a master that is back within its budget resumes. Called by the watchdog only.
#pragma once

#include "core/result.hpp"
#include "runtime/handover_page.hpp"

#include <string>

namespace holdfast::runtime {

/// Opens or makes the page at `path`, mode 0600, and locks it for as long as any process has the
/// descriptor. What is there is used again only when it was written on this boot of the machine, in
/// this network and with this clock; otherwise the page is empty. Fails where a file would be worse
/// than a memfd: on a file system that is not memory (a store could wait for a disk), while
/// somebody else uses it, and when it belongs to another user.
[[nodiscard]] core::Result<UniqueFd> open_handover_file(const std::string& path);

}  // namespace holdfast::runtime
