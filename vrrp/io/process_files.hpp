// Processes as /proc shows them. Reads, decides nothing. Names never wait; a command line lies in
// the memory of its process, and proc_pid_cmdline(5) waits while a stuck one holds its map.
#pragma once

#include "vrrp/core/process_checks.hpp"

#include <dirent.h>
#include <memory>
#include <optional>

namespace holdfast::vrrp {

enum class CommandLine : std::uint8_t { left_out, wanted };

/// nullopt: there is no such process, or it has ended and nobody has asked how.
[[nodiscard]] std::optional<ProcessFacts> read_process(ProcessNumber process, CommandLine line);

/// The numbers of all processes, one after the other: a host may have thousands.
class ProcessList {
 public:
  ProcessList() : directory_(::opendir("/proc"), &::closedir) {}
  /// nullopt: that was all.
  [[nodiscard]] std::optional<ProcessNumber> next();

 private:
  std::unique_ptr<DIR, int (*)(DIR*)> directory_;
};

}  // namespace holdfast::vrrp
