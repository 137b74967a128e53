// Keeps the kernel's IPVS table as it should be: decides when to open the client, read, plan,
// apply, compare and complain. Pure; driven by checkers/io/table_keeper.cpp, which owns the client.
// There are no kernel events for IPVS: our own changes are read back, and what others do is found
// by looking at a few services at a time (docs/checkers.md). No single reading is acted upon.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "ipvs_wrapper/plan.hpp"
#include "ipvs_wrapper/table.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::checkers {

/// Looks of the rolling window come after this, and read so many services: up to 15 services are
/// all compared every three seconds. What a look costs is measured, and those at a larger table
/// take kLookShare of a core: at 0.5 ms each they come every half second, which is 100 services
/// within four seconds and 2,000 within about a minute. Where they are dearer, or nothing has been
/// measured yet, they come less often, up to a bound.
inline constexpr core::Duration kLookInterval = std::chrono::seconds(3);
inline constexpr core::Duration kLongestLookInterval = std::chrono::seconds(15);
inline constexpr core::Duration kLookTimePerService = std::chrono::milliseconds(200);
inline constexpr std::size_t kServicesPerLook = 16;
inline constexpr core::Duration kQuickestLookInterval = std::chrono::milliseconds(500);
/// One part in so many: 0.1 %.
inline constexpr std::int64_t kLookShare = 1000;
/// The list of all services, without their servers, is much cheaper: it is read after this for each
/// service in it, but not faster than kShortestListInterval. It finds services that are missing,
/// strange or differently set: within four minutes for 2,000.
inline constexpr core::Duration kShortestListInterval = std::chrono::seconds(10);
inline constexpr core::Duration kListTimePerService = std::chrono::milliseconds(120);
/// `cost`: what one look takes; 0: not known.
[[nodiscard]] core::Duration look_interval(std::size_t services, core::Duration cost = {});
[[nodiscard]] core::Duration list_interval(std::size_t services);
/// What we changed is read back this soon; changes that follow closely share one read.
inline constexpr core::Duration kReadBackDelay = std::chrono::milliseconds(250);
/// A difference that one reading shows is looked at again after this before anything is done.
inline constexpr core::Duration kConfirmDelay = std::chrono::milliseconds(50);
/// Between two attempts to reach a kernel that has no IPVS.
inline constexpr core::Duration kReopenInterval = std::chrono::seconds(5);
/// After so many repairs of one service in a row that did not last, it is said, and further ones
/// come after growing pauses. A refused change pauses at once.
inline constexpr unsigned kMaxRounds = 3;
inline constexpr core::Duration kFirstPause = std::chrono::seconds(3);
inline constexpr core::Duration kLongestPause = std::chrono::minutes(1);
/// Readings that contradict themselves are made again after a pause that grows from kConfirmDelay
/// to kReopenInterval; after so many in a row it is said.
inline constexpr unsigned kMaxDisagreements = 5;
/// 7.x kernels keep a service table of 16 buckets for ever when the last service goes while a
/// resize is pending: the last deletion of many waits this long. 10 ms would do.
inline constexpr core::Duration kRestBeforeLastDeletion = std::chrono::milliseconds(50);

/// What becomes of services that are not ours. keepalived: lvs_flush, lvs_flush_on_stop.
enum class Others : std::uint8_t { stay, go };

namespace table_event {
/// Begin: services in `owned` are ours although nobody may want them any more (the former process
/// wrote them down).
struct Started {
  ipvs::OwnedKeys owned;
  Others others = Others::stay;
};
/// The entries under these keys should be other ones; the desired table is passed to step().
struct DesiredChanged {
  std::vector<ipvs::ServiceKey> keys;
};
struct Opened {};
struct OpenFailed {
  std::string sentence;
};
/// The whole table.
struct WasRead {
  ipvs::Table table;
  /// The kernel made the list of services at one go: nothing can be missing in it.
  bool in_one_piece = true;
};
/// Some services; those of the keys that are not in `table` are not there.
struct ServicesWereRead {
  std::vector<ipvs::ServiceKey> keys;
  ipvs::Table table;
  /// The reading kept the process busy for so long.
  core::Duration took{};
};
/// All services, without their servers.
struct WasListed {
  ipvs::ServiceList list;
};
/// The kernel cannot be reached any more.
struct ReadFailed {
  std::string sentence;
};
/// The reading that was asked for contradicts itself: the table changed meanwhile, or the kernel
/// was resizing it.
struct ReadDisagreed {};
/// Somebody asks for the state of the whole table.
struct LookWanted {};
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
  Others others = Others::stay;
};
}  // namespace table_event

using TableEvent =
    std::variant<table_event::Started, table_event::DesiredChanged, table_event::Opened,
                 table_event::OpenFailed, table_event::WasRead, table_event::ServicesWereRead,
                 table_event::WasListed, table_event::ReadFailed, table_event::ReadDisagreed,
                 table_event::LookWanted, table_event::Applied, table_event::Tick,
                 table_event::Stopping>;

namespace table_action {
/// Answer with Opened or OpenFailed.
struct Open {
  bool operator==(const Open&) const = default;
};
/// Read the whole table. Answer with WasRead, ReadFailed or ReadDisagreed.
struct Read {
  bool operator==(const Read&) const = default;
};
/// Read these services by their keys. Answer with ServicesWereRead, ReadFailed or ReadDisagreed.
struct ReadServices {
  std::vector<ipvs::ServiceKey> keys;
  bool operator==(const ReadServices&) const = default;
};
/// Answer with WasListed, ReadFailed or ReadDisagreed.
struct ListServices {
  bool operator==(const ListServices&) const = default;
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
/// Entries that were put right kMaxRounds times and differ again: something changes them as fast,
/// or the kernel keeps another value than it is given. Once until it is over.
struct ReportStubborn {
  std::vector<std::string> differences;
  bool operator==(const ReportStubborn&) const = default;
};
/// kMaxDisagreements readings in a row contradicted themselves. Once until one succeeds.
struct ReportUnsteady {
  bool operator==(const ReportUnsteady&) const = default;
};
/// The set of services that are not ours changed.
struct ReportForeign {
  ipvs::OwnedKeys keys;
  bool operator==(const ReportForeign&) const = default;
};
/// Services of others that were found are removed as if they were ours.
struct ReportFlushed {
  ipvs::OwnedKeys keys;
  bool operator==(const ReportFlushed&) const = default;
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

using TableAction = std::variant<
    table_action::Open, table_action::Read, table_action::ReadServices, table_action::ListServices,
    table_action::Apply, table_action::SaveOwned, table_action::ReportAccess,
    table_action::ReportDrift, table_action::ReportStubborn, table_action::ReportUnsteady,
    table_action::ReportForeign, table_action::ReportFlushed, table_action::ReportAdopted,
    table_action::ReportFailedStep, table_action::Finished>;
using TableActions = std::vector<TableAction>;

/// Services that are known not to be as they should, now.
struct Differing {
  std::vector<std::string> sentences{};
  /// The oldest of them.
  core::Instant since{};
  bool operator==(const Differing&) const = default;
};

/// Servers that nobody can judge, by service.
using HeldServers = std::map<ipvs::ServiceKey, std::set<core::Endpoint>>;

class Reconciler {
 public:
  /// What the kernel has of these servers is as it should be, also when it is nothing. In force
  /// with the next step.
  void hold(HeldServers servers);
  /// `desired` is the table that the kernel should have now.
  void step(const TableEvent& event, const ipvs::Table& desired, core::Instant now,
            TableActions& out);
  [[nodiscard]] std::optional<core::Instant> deadline() const { return wake_at_; }

  /// The action whose answer is awaited.
  [[nodiscard]] std::optional<TableAction> under_way() const;

  /// What the kernel has of ours, as far as we know.
  [[nodiscard]] const ipvs::Table& actual() const { return actual_; }
  [[nodiscard]] const ipvs::OwnedKeys& owned() const { return owned_; }
  [[nodiscard]] const ipvs::OwnedKeys& foreign() const { return foreign_; }
  /// Why IPVS cannot be reached; nullopt: it can.
  [[nodiscard]] const std::optional<std::string>& error() const { return error_; }
  [[nodiscard]] bool is_available() const {
    return !error_ && phase_ != Phase::waiting_for_start && phase_ != Phase::opening;
  }
  /// Entries of ours that somebody else changed, since start, and the last time it happened.
  [[nodiscard]] std::uint64_t drift() const { return drift_; }
  [[nodiscard]] std::optional<core::Instant> last_drift() const { return last_drift_; }
  /// nullopt: all is as it should be, as far as we know.
  [[nodiscard]] std::optional<Differing> differing(const ipvs::Table& desired) const;

 private:
  /// `closed`: waits for wake_at_ to open again. `resting`: before the last deletion.
  enum class Phase : std::uint8_t {
    waiting_for_start,
    closed,
    opening,
    idle,
    reading,
    applying,
    resting,
    finished
  };

  /// Who can have made a difference; if others, it is drift.
  enum class Cause : std::uint8_t { ourselves, others };

  /// A service that needs more attention than the rolling window gives. Gone when a reading shows
  /// it as it should be.
  struct Watch {
    enum class Stage : std::uint8_t {
      read_back,  ///< we changed it
      confirm,    ///< one reading showed a difference
      paused      ///< repairs did not help: the next one comes after a while
    };
    Stage stage = Stage::confirm;
    core::Instant look_at{};
    Cause cause = Cause::others;
    /// Repairs since it was last as it should be.
    unsigned rounds = 0;
    core::Duration pause = kFirstPause;
    bool said = false;
    /// What the kernel answered to the last change; empty: it took it.
    std::string refusal{};
    /// When two readings had shown it; nullopt: it is as we left it, as far as we know.
    std::optional<core::Instant> differs_since{};
  };

  void on_event(const table_event::Started&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::DesiredChanged&, const ipvs::Table&, core::Instant,
                TableActions&);
  void on_event(const table_event::Opened&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::OpenFailed&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::WasRead&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::ServicesWereRead&, const ipvs::Table&, core::Instant,
                TableActions&);
  void on_event(const table_event::WasListed&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::ReadFailed&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::ReadDisagreed&, const ipvs::Table&, core::Instant,
                TableActions&);
  void on_event(const table_event::LookWanted&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::Applied&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::Tick&, const ipvs::Table&, core::Instant, TableActions&);
  void on_event(const table_event::Stopping&, const ipvs::Table&, core::Instant, TableActions&);

  // What to do next.
  void go_on(const ipvs::Table& desired, core::Instant now, TableActions& out);
  enum class Asked : std::uint8_t { whole, services, list };
  void begin_reading(Asked what);
  void read_all(TableActions& out);
  void read_some(std::vector<ipvs::ServiceKey> keys, TableActions& out);
  void list_all(TableActions& out);
  [[nodiscard]] std::vector<ipvs::ServiceKey> due_watches(core::Instant now) const;
  void learn_cost(const table_event::ServicesWereRead& read);
  [[nodiscard]] std::vector<ipvs::ServiceKey> next_window(const ipvs::Table& desired);
  void reading_succeeded(TableActions& out);
  void lose_access(const std::string& sentence, core::Instant now, TableActions& out);
  void finish(TableActions& out);

  // What a reading means.
  [[nodiscard]] ipvs::Service with_held(const ipvs::ServiceKey& key, ipvs::Service wanted) const;
  [[nodiscard]] ipvs::Table part_of_desired(const ipvs::Table& desired,
                                            const std::set<ipvs::ServiceKey>& keys) const;
  [[nodiscard]] bool differs(const ipvs::ServiceKey& key, const ipvs::Table& desired) const;
  void take_first_look(const table_event::WasRead& read, const ipvs::Table& desired,
                       core::Instant now, TableActions& out);
  void take_others(const ipvs::Table& table, const ipvs::Table& desired, TableActions& out);
  void report_adopted(const ipvs::Table& desired, TableActions& out) const;
  void judge_whole(const ipvs::Table& table, const ipvs::Table& desired, core::Instant now,
                   TableActions& out);
  void judge_list(const ipvs::ServiceList& list, const ipvs::Table& desired, core::Instant now,
                  TableActions& out);
  void judge_foreign(ipvs::OwnedKeys seen, bool certain, core::Instant now, TableActions& out);
  void judge(const std::vector<ipvs::ServiceKey>& keys, const ipvs::Table& desired,
             core::Instant now, TableActions& out);
  void suspect(const ipvs::ServiceKey& key, Cause cause, core::Instant look_at);
  [[nodiscard]] static bool is_time_to_repair(Watch& watch, core::Instant now);
  static void pause(Watch& watch, core::Instant now);
  [[nodiscard]] std::vector<std::string> differences(const std::set<ipvs::ServiceKey>& keys,
                                                     const ipvs::Table& desired) const;

  // Changing the kernel.
  void repair(const std::set<ipvs::ServiceKey>& keys, const ipvs::Table& desired, core::Instant now,
              TableActions& out);
  void reconcile_dirty(const ipvs::Table& desired, core::Instant now, TableActions& out);
  void apply(ipvs::Plan steps, bool after_looking, TableActions& out);
  void delete_last_service(const ipvs::Table& desired, core::Instant now, TableActions& out);
  void watch_what_was_touched(const std::set<std::size_t>& refused, core::Instant now);
  void report_failures(const table_event::Applied& applied, TableActions& out);
  void own(const ipvs::Table& desired, TableActions& out);
  void disown(const std::vector<ipvs::ServiceKey>& keys, TableActions& out);
  void remove_ours(TableActions& out);
  void forget_what_was_removed(const std::set<std::size_t>& refused, TableActions& out);

  Phase phase_ = Phase::waiting_for_start;
  std::optional<core::Instant> wake_at_;
  ipvs::Table actual_;
  HeldServers held_;
  ipvs::OwnedKeys owned_;
  ipvs::OwnedKeys foreign_;
  /// Another set of foreign services, as one list that may have lost some showed it.
  std::optional<ipvs::OwnedKeys> foreign_seen_;
  /// Changed since the last plan was made.
  std::set<ipvs::ServiceKey> dirty_;
  std::map<ipvs::ServiceKey, Watch> watched_;
  /// Where the rolling window ended.
  std::optional<ipvs::ServiceKey> window_end_;
  core::Instant window_at_;
  /// What a look of the rolling window costs; rises at once, falls slowly. 0: not known.
  core::Duration look_cost_{};
  core::Instant list_at_;
  /// When to read the whole table: before anything else after opening, later on demand.
  std::optional<core::Instant> whole_at_;
  bool first_look_ = true;                   // since opening
  Asked asked_ = Asked::whole;               // while reading
  std::vector<ipvs::ServiceKey> asked_for_;  // of services
  unsigned disagreements_ = 0;
  ipvs::Plan steps_;  // under way while applying
  std::optional<ipvs::Step> last_deletion_;
  /// steps_ came from two readings, so what fails in it is worth a message.
  bool after_looking_ = false;
  std::optional<std::string> error_;
  std::uint64_t drift_ = 0;
  std::optional<core::Instant> last_drift_;
  bool read_once_ = false;
  bool stopping_ = false;
  Others others_ = Others::stay;  // at the next whole reading
  bool removing_ = false;
};

}  // namespace holdfast::checkers
