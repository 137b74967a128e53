// Carries out what the Reconciler decides: owns the IPVS client, its jobs, the timer and the list
// of owned services. Used by the daemon; works in slices between which the loop does other things.
#pragma once

#include "checkers/core/reconciler.hpp"
#include "checkers/io/owned_file.hpp"
#include "ipvs_wrapper/client.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::checkers {

/// Whoever asks for the state of the table gets it as read at most so long ago, or what is known
/// after so much patience.
inline constexpr core::Duration kFreshFor = std::chrono::seconds(3);
inline constexpr core::Duration kFreshPatience = std::chrono::seconds(2);

class TableKeeper {
 public:
  /// `desired` outlives the keeper.
  TableKeeper(runtime::Loop& loop, runtime::Logger& logger, std::string owned_path,
              const ipvs::Table& desired);
  ~TableKeeper();
  TableKeeper(const TableKeeper&) = delete;
  TableKeeper& operator=(const TableKeeper&) = delete;

  void start(Others others);
  /// Reconciler::hold().
  void hold(HeldServers servers) { reconciler_.hold(std::move(servers)); }
  /// The entry under this key should be another one. Changes of one loop turn become one plan.
  void desired_changed(const ipvs::ServiceKey& key);
  /// Calls `then` once, with state() and counters() not older than kFreshFor where the kernel can
  /// be read within kFreshPatience. Counters of a large table are read only when somebody asks.
  void when_fresh(std::function<void()> then);
  /// Removes our services from the kernel unless they are to stay, then calls `on_finished` once.
  void stop(table_event::Stopping how, std::function<void()> on_finished);

  [[nodiscard]] const Reconciler& state() const { return reconciler_; }
  /// As of the last look at each service.
  [[nodiscard]] const std::map<ipvs::ServiceKey, ipvs::ServiceCounters>& counters() const {
    return counters_;
  }

 private:
  void handle(const TableEvent& event);
  void act(const table_action::Open&);
  void act(const table_action::Read&);
  void act(const table_action::ReadServices& read);
  void act(const table_action::ListServices&);
  void act(const table_action::Apply& apply);
  void act(const table_action::SaveOwned& save);
  void act(const table_action::ReportAccess& report);
  void act(const table_action::ReportDrift& report);
  void act(const table_action::ReportStubborn& report);
  void act(const table_action::ReportUnsteady&);
  void act(const table_action::ReportForeign& report);
  void act(const table_action::ReportFlushed& report);
  void act(const table_action::ReportAdopted& report);
  void act(const table_action::ReportFailedStep& report);
  void act(const table_action::Finished&);
  void later(void (TableKeeper::*what)());
  void open();
  void flush_changes();
  void read_slice();
  void read_services_slice();
  void list();
  void reading_failed(const core::Error& error);
  void apply_slice();
  void answer_waiting();

  runtime::Loop& loop_;
  runtime::Logger& logger_;
  OwnedFile owned_file_;
  const ipvs::Table& desired_;
  Reconciler reconciler_;
  runtime::DeadlineTimer timer_;
  std::optional<ipvs::Client> client_;
  std::optional<ipvs::ReadJob> read_;
  std::optional<ipvs::ReadServicesJob> read_services_;
  core::Duration reading_took_{};  // the slices of read_services_ together
  std::optional<ipvs::ApplyJob> apply_;
  std::map<ipvs::ServiceKey, ipvs::ServiceCounters> counters_;
  std::vector<ipvs::ServiceKey> changed_;
  std::optional<core::Instant> read_at_;  // the whole table
  std::vector<std::function<void()>> waiting_;
  runtime::DeadlineTimer patience_;
  std::function<void()> on_finished_;
  /// Handlers posted to the loop look here whether the keeper is still there.
  std::shared_ptr<TableKeeper*> self_;
};

}  // namespace holdfast::checkers
