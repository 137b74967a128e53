// Has the scripts that instances track run by the process that runs scripts, and tells the core
// what they say. Made by the daemon; the notifier hands on the news. Waits for nothing.
#pragma once

#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "runtime/script_client.hpp"
#include "vrrp/core/event.hpp"
#include "vrrp/core/script_checks.hpp"

#include <functional>
#include <string>
#include <vector>

namespace holdfast::vrrp {

class ScriptTracker {
 public:
  /// `on_event`: what a script says, for the core.
  ScriptTracker(boost::asio::io_context& io, runtime::Logger& logger, runtime::ScriptClient& client,
                std::function<void(Event)> on_event);

  /// Those of a configuration that is in use. `at_work` as for ScriptChecks::follow.
  void follow(const std::vector<ScriptCheck>& checks, const std::set<std::string>& at_work);
  void on_news(const runtime::ScriptClient::News& news);
  /// Nothing is run any more, and what runs is ended: an orderly stop waits for the end of scripts.
  void stop() { follow({}, {}); }

 private:
  void perform(const ScriptChecks::Actions& actions);
  void perform(const ScriptChecks::Run& run);
  void perform(const ScriptChecks::Drop& drop);
  void perform(const ScriptChecks::Said& said);

  runtime::Logger& logger_;
  runtime::ScriptClient& client_;
  std::function<void(Event)> on_event_;
  ScriptChecks checks_;
  runtime::DeadlineTimer timer_;
};

}  // namespace holdfast::vrrp
