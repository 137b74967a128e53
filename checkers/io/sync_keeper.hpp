// Carries out what the Synchroniser decides: owns a client and a timer. Used by the daemon. A
// request is one system call; between two of them the loop does other things.
#pragma once

#include "checkers/core/synchroniser.hpp"
#include "ipvs_wrapper/client.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace holdfast::checkers {

class SyncKeeper {
 public:
  SyncKeeper(runtime::Loop& loop, runtime::Logger& logger);
  ~SyncKeeper();
  SyncKeeper(const SyncKeeper&) = delete;
  SyncKeeper& operator=(const SyncKeeper&) = delete;

  void configure(const Settings& settings);
  /// An address of the instance that decides is here, or none is.
  void held(bool here);
  /// Calls `on_finished` once, when all is stopped, or at once where it is to stay.
  void stop(bool keep, std::function<void()> on_finished);

  [[nodiscard]] const Synchroniser& state() const { return synchroniser_; }

 private:
  void handle(const SyncEvent& event);
  void act(const sync_action::Read&);
  void act(const sync_action::Command& command);
  void act(const sync_action::ReportDrift& report);
  void act(const sync_action::ReportTrouble& report);
  void act(const sync_action::ReportRoles& report);
  void act(const sync_action::Finished&);
  void read();
  void command();

  runtime::Loop& loop_;
  runtime::Logger& logger_;
  Synchroniser synchroniser_;
  runtime::DeadlineTimer timer_;
  std::optional<ipvs::Client> client_;
  std::vector<ipvs::SyncCommand> commands_;
  std::function<void()> on_finished_;
  /// Handlers posted to the loop look here whether the keeper is still there.
  std::shared_ptr<SyncKeeper*> self_;
};

}  // namespace holdfast::checkers
