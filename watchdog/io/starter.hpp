// Who started the parent and waits for the outcome: a person at a terminal, a service manager.
#pragma once

#include "runtime/process.hpp"
#include "runtime/unique_fd.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace holdfast::watchdog {

class Starter {
 public:
  /// `waiting`: set in daemon mode; the process that exits with the outcome. `errors`: where a
  /// person reads what went wrong at the start (the terminal's stderr, kept open over the way into
  /// the background); none when the log goes there anyway.
  Starter(std::optional<runtime::Daemonized> waiting, runtime::UniqueFd errors);

  /// What a person must see. Returns how many bytes nobody read; nothing is told from then on.
  [[nodiscard]] std::size_t tell(const std::string& text);
  /// The start has succeeded, or the process ends. Nothing is told from then on.
  void report(int exit_code);

 private:
  std::optional<runtime::Daemonized> waiting_;
  runtime::UniqueFd errors_;
};

}  // namespace holdfast::watchdog
