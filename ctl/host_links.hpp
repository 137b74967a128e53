// Whom sockets on this host's interfaces do not hear, because another interface takes the frames:
// the judgement of the VRRP process, for `check --online` and the doctor.
#pragma once

#include <map>
#include <string>

namespace holdfast::ctl {

/// By interface: by MAC address ("": everybody), why and what to do. Those that hear all are not in
/// it. Empty when the kernel does not tell, too.
[[nodiscard]] std::map<std::string, std::map<std::string, std::string>> read_unheard();

}  // namespace holdfast::ctl
