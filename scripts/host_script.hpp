// keepalived's startup_script and shutdown_script: one command, run on behalf of the watchdog, with
// a limit. Beside the queue: they belong to no subject, and somebody waits for their end.
#pragma once

#include "core/script.hpp"
#include "runtime/loop.hpp"

#include <boost/asio/io_context.hpp>

#include "scripts/running.hpp"
#include <functional>
#include <memory>
#include <string>

namespace holdfast::scripts {

class HostScript {
 public:
  /// Between the request to end and the end of one that does not.
  static constexpr core::Duration kGrace = std::chrono::seconds(2);

  explicit HostScript(boost::asio::io_context& io);
  /// What runs is asked to end.
  ~HostScript();
  HostScript(const HostScript&) = delete;
  HostScript& operator=(const HostScript&) = delete;

  /// `done` comes once, from the loop or at once, with how it went; empty: well. One at a time.
  void run(const core::Command& command, std::function<void(std::string how)> done);

 private:
  void on_limit();
  void finish(std::string how);

  boost::asio::io_context& io_;
  runtime::DeadlineTimer limit_;
  std::shared_ptr<Running> running_;
  bool was_asked_ = false;
  std::function<void(std::string)> done_;
};

}  // namespace holdfast::scripts
