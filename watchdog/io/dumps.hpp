// Dumps in the form of keepalived: a process for each, one at a time, so that whoever sends signals
// waits for files and nobody waits for him.
#pragma once

#include "runtime/child.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "watchdog/io/process.hpp"

#include "legacy/dump_request.hpp"
#include <functional>
#include <memory>
#include <optional>
#include <sys/types.h>

namespace holdfast::watchdog {

/// What a dump is made of.
struct DumpSource {
  runtime::UniqueFd snapshot;  ///< in use; empty: nothing is yet
  std::optional<mode_t> mask;  ///< not set: keepalived's own
};

class Dumps {
 public:
  /// `source` is called when a dump begins; `on_trouble` says a sentence.
  Dumps(boost::asio::io_context& io, runtime::ChildOptions options,
        std::function<DumpSource()> source, std::function<void(const std::string&)> on_trouble);

  /// What is asked for within a moment, or while another dump is made, is written together.
  void ask(const legacy::DumpRequest& request);

 private:
  void begin();
  void on_exit(ExitStatus status);

  boost::asio::io_context& io_;
  runtime::ChildOptions options_;
  std::function<DumpSource()> source_;
  std::function<void(const std::string&)> on_trouble_;
  legacy::DumpRequest wanted_;
  runtime::DeadlineTimer gather_;
  runtime::DeadlineTimer limit_;
  std::unique_ptr<Process> process_;
};

}  // namespace holdfast::watchdog
