// What a configuration asks of the watchdog itself. The loader reads it and tells the watchdog in
// its reply; it belongs to a generation like the snapshot does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::watchdog {

struct Directives {
  std::string router_id;         ///< keepalived: router_id, shown by status; empty: none
  std::string reload_time_file;  ///< keepalived: reload_time_file; empty: none
  bool reload_repeat = false;    ///< keepalived: reload_repeat
  /// keepalived: reload_file. Set and empty: the default path.
  std::optional<std::string> reload_file;
  /// keepalived: reload_check_config. Set and empty: no file.
  std::optional<std::string> check_log;
  /// keepalived: umask, 0 to 0777; not set: that of who started the watchdog.
  std::optional<std::uint16_t> umask;
  /// keepalived: startup_script, shutdown_script: how long each may take; not set: there is none.
  /// Which it is the process that runs scripts reads itself. Unit: milliseconds.
  std::optional<std::uint32_t> startup_limit_ms;
  std::optional<std::uint32_t> shutdown_limit_ms;
  std::string net_namespace;  ///< keepalived: net_namespace; empty: that of who starts the watchdog

  bool operator==(const Directives&) const = default;
};

}  // namespace holdfast::watchdog
