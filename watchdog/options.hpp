// What the command line asked for, as values. Made by cli.cpp, read by main and the daemon.
#pragma once

#include "runtime/log.hpp"
#include "watchdog/core/role.hpp"
#include "watchdog/core/supervisor.hpp"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::watchdog {

struct Options {
  enum class Mode : std::uint8_t { run, test, replay };

  Mode mode = Mode::run;
  std::string config_file;  ///< absolute
  std::string recording;    ///< of Mode::replay, as it was given
  std::string config_id;    ///< keepalived: -i
  std::string test_log;     ///< -t=FILE: diagnostics go there; empty: stderr
  std::string run_dir = "/run/holdfast";
  std::string pid_file;           ///< absolute
  std::string vrrp_pid_file;      ///< empty: the child's default
  std::string checkers_pid_file;  ///< empty: the child's default
  bool foreground = false;
  bool keep_addresses = false;
  bool keep_ipvs = false;
  bool respawn = true;
  bool core_dump = false;
  std::optional<std::uint16_t> umask;  ///< keepalived: -u
  RoleSet roles = RoleSet::all();      ///< -P, -C
  runtime::LogSettings log;
  /// options that were accepted without effect, one sentence each
  std::vector<std::string> remarks;
  /// what main found wrong with the host and could go on without, one sentence each
  std::vector<std::string> troubles;
};

/// Either what to do, or that everything is done (help, version, a wrong word) and the exit code.
struct CommandLine {
  std::optional<Options> options;
  int exit_code = 0;
};

/// Prints help, version, signal numbers and complaints itself.
[[nodiscard]] CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace holdfast::watchdog
