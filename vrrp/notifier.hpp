// Tells the operator's scripts what the instances' states are, through the process that runs
// scripts, and the core what became of them. Made by the daemon; waits for nothing.
#pragma once

#include "runtime/log.hpp"
#include "runtime/script_client.hpp"
#include "vrrp/core/event.hpp"
#include "vrrp/script_tracker.hpp"
#include "vrrp/tidings.hpp"
#include "vrrp/wiring.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>

namespace holdfast::vrrp {

class Notifier {
 public:
  /// `on_event`: what became of a script, for the core.
  Notifier(boost::asio::io_context& io, runtime::Logger& logger,
           std::function<void(Event)> on_event);
  /// News of tracked scripts goes there.
  void give_checks_to(ScriptTracker& tracker) { tracker_ = &tracker; }

  /// The scripts of a new configuration. Those of instances that it removes are needed once more,
  /// for their last words.
  void take(Wiring& wiring);
  /// `change`: the one that it tells of, if any.
  void tell(const Notify& notify, const StateChanged* change = nullptr);
  /// After a reload, for each instance: its line once more, where the configuration asks for that.
  void repeat(const std::string& name, NotifyState state, std::uint8_t priority);
  /// keepalived: the notify scripts of a vrrp_sync_group, with GROUP as their first argument.
  void tell(const GroupChanged& change);
  /// The instance has had its last word; a new one with the same key keeps its own scripts.
  void forget(const RouterKey& key);

  /// Of the configuration, and of instances that leave.
  [[nodiscard]] KnownScripts scripts() const { return {scripts_, group_scripts_}; }
  [[nodiscard]] runtime::ScriptClient& client() { return client_; }

 private:
  void cry(const Notify& notify);
  void cry(const GroupChanged& change);
  [[nodiscard]] bool wants_letter(NotifyState state) const;
  void on_news(const runtime::ScriptClient::News& news);
  void say(const runtime::ScriptClient::News& news);

  runtime::Logger& logger_;
  std::function<void(Event)> on_event_;
  ScriptTracker* tracker_ = nullptr;
  std::map<RouterKey, InstanceScripts> scripts_;
  std::map<std::string, InstanceScripts> group_scripts_;
  std::set<std::string> told_groups_;          // whose scripts may run still
  std::set<RouterKey> departing_;              // of scripts_: what is kept for the last words
  std::map<std::string, RouterKey> subjects_;  // that scripts were ever run for
  std::set<RouterKey> mails_;
  std::set<std::string> group_mails_;
  bool mails_faults_ = true;
  bool pipes_ = false;
  bool states_on_reload_ = false;
  std::set<std::string> refusals_;  // said since the configuration came into use
  runtime::ScriptClient client_;
};

}  // namespace holdfast::vrrp
