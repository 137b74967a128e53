// The two files that a reload may write for others to see: keepalived's reload_file (the
// configuration is being read, do not change it now) and the log of reload_check_config.
#pragma once

#include "core/result.hpp"

#include <string>

namespace holdfast::watchdog {

/// Makes the file, or empties it when somebody else has made it to wait for us.
[[nodiscard]] core::Result<void> announce_reading(const std::string& path);
/// Removes it: whoever waits may change the configuration again.
void announce_read(const std::string& path);

/// Replaces what is in the file.
[[nodiscard]] core::Result<void> write_check_log(const std::string& path, const std::string& text);

}  // namespace holdfast::watchdog
