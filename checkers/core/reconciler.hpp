// Keeps the kernel's IPVS table as it should be: decides when to open the client, read, plan,
// apply, compare and complain. Pure; driven by checkers/table_keeper.cpp, which owns the client.
// There are no kernel events for IPVS, so what others do is found by comparing every few seconds.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "ipvs_wrapper/plan.hpp"
#include "ipvs_wrapper/table.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::checkers {

/// Between two looks at the kernel's table.
inline constexpr core::Duration kCompareInterval = std::chrono::seconds(3);
/// After a change of ours the table is read back this soon; changes that follow closely share one
/// read.
inline constexpr core::Duration kReadBackDelay = std::chrono::milliseconds(250);
/// Between two attempts to reach a kernel that has no IPVS.
inline constexpr core::Duration kReopenInterval = std::chrono::seconds(5);

namespace table_event {
/// Begin: services in `owned` are ours although nobody may want them any more (the former process
/// wrote them down).
struct Started {
  ipvs::OwnedKeys owned;
};
/// The entries under these keys should be other ones; the desired table is passed to step().
struct DesiredChanged {
  std::vector<ipvs::ServiceKey> keys;
};
struct Opened {};
struct OpenFailed {
  std::string sentence;
};
struct WasRead {
  ipvs::Table table;
};
struct ReadFailed {
  std::string sentence;
};
struct Applied {
  /// Indices of refused steps, with a sentence each.
  struct Failure {
    std::size_t index = 0;
    std::string sentence;
  };
  std::vector<Failure> failures;
  /// The last so many steps were not sent any more, because the kernel could not be reached.
  std::size_t not_tried = 0;
};
struct Tick {};
/// Leave; the desired table should be empty by now, unless the table is to stay.
struct Stopping {
  bool keep_table = false;
};
}  // namespace table_event

using TableEvent =
    std::variant<table_event::Started, table_event::DesiredChanged, table_event::Opened,
                 table_event::OpenFailed, table_event::WasRead, table_event::ReadFailed,
                 table_event::Applied, table_event::Tick, table_event::Stopping>;

namespace table_action {
/// Answer with Opened or OpenFailed.
struct Open {
  bool operator==(const Open&) const = default;
};
/// Answer with WasRead or ReadFailed.
struct Read {
  bool operator==(const Read&) const = default;
};
/// Answer with Applied.
struct Apply {
  ipvs::Plan steps;
  bool operator==(const Apply&) const = default;
};
/// Write down whose services are ours; comes before the Apply that creates them.
struct SaveOwned {
  ipvs::OwnedKeys keys;
  bool operator==(const SaveOwned&) const = default;
};
/// IPVS became reachable (nullopt) or is not, with a sentence. Only when it changes.
struct ReportAccess {
  std::optional<std::string> error;
  bool operator==(const ReportAccess&) const = default;
};
/// Somebody else changed entries of ours; they are being repaired.
struct ReportDrift {
  std::vector<std::string> differences;
  bool operator==(const ReportDrift&) const = default;
};
/// The set of services that are not ours changed.
struct ReportForeign {
  ipvs::OwnedKeys keys;
  bool operator==(const ReportForeign&) const = default;
};
/// The first look at the kernel's table found services that are wanted: taken over as they are.
struct ReportAdopted {
  std::size_t services = 0;
  std::size_t steps = 0;  ///< how much differs
  bool operator==(const ReportAdopted&) const = default;
};
struct ReportFailedStep {
  std::string sentence;
  bool operator==(const ReportFailedStep&) const = default;
};
/// Nothing more will be asked for after Stopping.
struct Finished {
  bool operator==(const Finished&) const = default;
};
}  // namespace table_action

using TableAction =
    std::variant<table_action::Open, table_action::Read, table_action::Apply,
                 table_action::SaveOwned, table_action::ReportAccess, table_action::ReportDrift,
                 table_action::ReportForeign, table_action::ReportAdopted,
                 table_action::ReportFailedStep, table_action::Finished>;
using TableActions = std::vector<TableAction>;

class Reconciler {
 public:
  /// `desired` is the table that the kernel should have now.
  void step(const TableEvent& event, const ipvs::Table& desired, core::Instant now,
            TableActions& out);
  [[nodiscard]] std::optional<core::Instant> deadline() const;

  /// What the kernel has, as far as we know.
  [[nodiscard]] const ipvs::Table& actual() const { return actual_; }
  [[nodiscard]] const ipvs::OwnedKeys& owned() const { return owned_; }
  [[nodiscard]] const ipvs::OwnedKeys& foreign() const { return foreign_; }
  /// Why IPVS cannot be reached; nullopt: it can.
  [[nodiscard]] const std::optional<std::string>& error() const { return error_; }
  [[nodiscard]] bool is_available() const {
    return phase_ != Phase::closed && phase_ != Phase::opening;
  }
  /// Entries of ours that somebody else changed, since start.
  [[nodiscard]] std::uint64_t drift() const { return drift_; }

 private:
  /// `closed`: waits for wake_at_ to open again. `idle`: waits for wake_at_ to read.
  enum class Phase : std::uint8_t {
    waiting_for_start,
    closed,
    opening,
    idle,
    reading,
    applying,
    finished
  };

  void on_event(const table_event::Started&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::DesiredChanged&, const ipvs::Table&, core::Instant,
                TableActions&);
  void on_event(const table_event::Opened&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::OpenFailed&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::WasRead&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::ReadFailed&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::Applied&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::Tick&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::Stopping&, const ipvs::Table&, core::Instant, TableActions&);

  void look(TableActions& out);
  void lose_access(const std::string& sentence, core::Instant now, TableActions& out);
  void reconcile_all(const ipvs::Table& desired, core::Instant now, TableActions& out);
  void reconcile_dirty(const ipvs::Table& desired, TableActions& out);
  void report_first_look(const ipvs::Table& desired, std::size_t steps, TableActions& out);
  void report_drift(const ipvs::Table& desired, TableActions& out);
  void report_failures(const table_event::Applied& applied, TableActions& out);
  void own(const ipvs::Table& desired, TableActions& out);
  void disown_what_is_gone(const ipvs::Table& desired, TableActions& out);
  void apply(ipvs::Plan steps, bool whole_table, TableActions& out);
  void remove_ours(TableActions& out);
  void finish(TableActions& out);

  Phase phase_ = Phase::waiting_for_start;
  std::optional<core::Instant> wake_at_;
  ipvs::Table actual_;
  ipvs::OwnedKeys owned_;
  ipvs::OwnedKeys foreign_;
  /// Changed since the last plan was made.
  std::set<ipvs::ServiceKey> dirty_;
  ipvs::Plan steps_;  // under way while applying
  /// steps_ came from a fresh look at everything, so what fails in it is worth a message.
  bool steps_are_whole_ = false;
  std::optional<std::string> error_;
  std::uint64_t drift_ = 0;
  std::set<std::string> failures_;  // reported ones, so that each is said once until it is over
  /// True between an answer that said "all is as desired" and the next change of ours: what differs
  /// then, others did.
  bool settled_ = false;
  bool read_once_ = false;
  bool stopping_ = false;
  bool removing_ = false;
};

}  // namespace holdfast::checkers
