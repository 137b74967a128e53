// How a process ended, as a value, and what the supervisor makes of it. The exit codes are
// documented in docs/exit-codes.md.
#pragma once

#include <cstdint>

namespace holdfast::watchdog {

/// Exit codes of holdfast itself and of its children. keepalived uses the same numbers for the same
/// causes (2 and 5 for configuration, 4 for permission, 6 for a missing file).
enum class ExitCode : std::uint8_t {
  ok = 0,
  fatal = 1,           ///< could not start, or gave up
  bad_config = 2,      ///< the configuration has errors; also: wrong command line
  no_permission = 4,   ///< a capability is missing; trying again cannot help
  test_failed = 5,     ///< -t: the configuration has errors
  no_config_file = 6,  ///< the configuration file is missing or cannot be read
};

constexpr int to_int(ExitCode code) {
  return static_cast<int>(code);
}

/// What waitid(2) told: either an exit code or a signal.
struct ExitStatus {
  enum class Kind : std::uint8_t { exited, signalled };
  Kind kind = Kind::exited;
  int value = 0;  ///< exit code or signal number

  /// Exit code 0: the child did what it was asked to do.
  [[nodiscard]] constexpr bool is_clean() const { return kind == Kind::exited && value == 0; }
  /// A reason that another start cannot mend: permission or configuration.
  [[nodiscard]] constexpr bool is_permanent() const {
    return kind == Kind::exited &&
           (value == to_int(ExitCode::bad_config) || value == to_int(ExitCode::no_permission));
  }
  bool operator==(const ExitStatus&) const = default;
};

}  // namespace holdfast::watchdog
