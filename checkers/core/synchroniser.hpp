// Keeps the kernel's sync daemons and timeouts as they should be: which roles run, when one ends,
// when to read, command and complain. Pure; driven by checkers/io/sync_keeper.cpp. Like the table
// (reconciler.hpp) the kernel announces nothing, so it is read again from time to time.
#pragma once

#include "checkers/core/settings.hpp"
#include "core/time.hpp"
#include "ipvs_wrapper/sync.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::checkers {

/// A role that ends goes on this long: the master's kernel sends what it has collected after two
/// seconds (ip_vs_sync.c: IPVS_SYNC_FLUSH_TIME), a successor may still hear it.
inline constexpr core::Duration kHandOver = std::chrono::seconds(3);
/// Two requests each.
inline constexpr core::Duration kSyncLookInterval = std::chrono::seconds(5);
inline constexpr core::Duration kSyncReadBack = std::chrono::milliseconds(250);
/// After what did not help or could not be tried; doubles up to kLongestSyncPause.
inline constexpr core::Duration kFirstSyncPause = std::chrono::seconds(3);
inline constexpr core::Duration kLongestSyncPause = std::chrono::minutes(1);

namespace sync_event {
struct Configured {
  core::Rare<SyncSettings> sync;
  ipvs::Timeouts timeouts;
};
/// Whether an address of the instance that decides is here. Until it is first said, it is not.
struct Held {
  bool here = false;
};
struct WasRead {
  ipvs::SyncDaemons daemons;
  ipvs::Timeouts timeouts;
};
/// The kernel cannot be reached.
struct ReadFailed {
  std::string sentence;
};
/// A sentence for each command that was refused.
struct Commanded {
  std::vector<std::string> refusals;
};
struct Tick {};
/// Leave. The daemons and timeouts stay where `keep` is set.
struct Stopping {
  bool keep = false;
};
}  // namespace sync_event
using SyncEvent = std::variant<sync_event::Configured, sync_event::Held, sync_event::WasRead,
                               sync_event::ReadFailed, sync_event::Commanded, sync_event::Tick,
                               sync_event::Stopping>;

namespace sync_action {
/// Answer with WasRead or ReadFailed.
struct Read {
  bool operator==(const Read&) const = default;
};
/// Answer with Commanded.
struct Command {
  std::vector<ipvs::SyncCommand> commands;
  bool operator==(const Command&) const = default;
};
/// Somebody else stopped, started or changed what is ours; it is being put right.
struct ReportDrift {
  std::vector<ipvs::SyncCommand> repair;
  bool operator==(const ReportDrift&) const = default;
};
/// What does not work, or nullopt: it works again. Only when it changes.
struct ReportTrouble {
  std::optional<std::string> sentence;
  bool operator==(const ReportTrouble&) const = default;
};
/// These roles run now, as they should. Only when it changes.
struct ReportRoles {
  ipvs::SyncDaemons daemons;
  bool operator==(const ReportRoles&) const = default;
};
struct Finished {
  bool operator==(const Finished&) const = default;
};
}  // namespace sync_action
using SyncAction =
    std::variant<sync_action::Read, sync_action::Command, sync_action::ReportDrift,
                 sync_action::ReportTrouble, sync_action::ReportRoles, sync_action::Finished>;
using SyncActions = std::vector<SyncAction>;

class Synchroniser {
 public:
  void step(const SyncEvent& event, core::Instant now, SyncActions& out);
  [[nodiscard]] std::optional<core::Instant> deadline() const { return wake_at_; }

  /// nullopt: none is configured.
  [[nodiscard]] const core::Rare<SyncSettings>& settings() const { return settings_; }
  [[nodiscard]] const ipvs::Timeouts& timeouts() const { return timeouts_; }
  /// The roles that should run.
  [[nodiscard]] ipvs::SyncDaemons wanted(core::Instant now) const;
  /// As read last.
  [[nodiscard]] const ipvs::SyncDaemons& daemons() const { return daemons_; }
  [[nodiscard]] const std::optional<std::string>& trouble() const { return trouble_; }
  [[nodiscard]] std::uint64_t drift() const { return drift_; }

 private:
  enum class Phase : std::uint8_t { idle, reading, commanding, finished };

  void on_event(const sync_event::Configured&, core::Instant, SyncActions&);
  void on_event(const sync_event::Held&, core::Instant, SyncActions&);
  void on_event(const sync_event::WasRead&, core::Instant, SyncActions&);
  void on_event(const sync_event::ReadFailed&, core::Instant, SyncActions&);
  void on_event(const sync_event::Commanded&, core::Instant, SyncActions&);
  void on_event(const sync_event::Tick&, core::Instant, SyncActions&);
  void on_event(const sync_event::Stopping&, core::Instant, SyncActions&);

  void changed(core::Instant now);
  void end_later(ipvs::SyncRole role, core::Instant now);
  void go_on(core::Instant now, SyncActions& out);
  /// Daemons are ours to command: some are configured, or were.
  [[nodiscard]] bool owns_daemons() const { return settings_ || leaves_daemons_; }
  [[nodiscard]] bool is_concerned() const {
    return owns_daemons() || !timeouts_.is_empty() || !set_before_.is_empty();
  }
  [[nodiscard]] std::vector<ipvs::SyncCommand> missing(const sync_event::WasRead& read,
                                                       core::Instant now) const;
  void settle(core::Instant now, SyncActions& out);
  void pause(core::Instant now);
  void report(std::optional<std::string> sentence, SyncActions& out);

  core::Rare<SyncSettings> settings_;
  ipvs::Timeouts timeouts_;
  /// Timeouts that we set and do not want any more: back to the kernel's. Not 0: this one.
  ipvs::Timeouts set_before_;
  bool leaves_daemons_ = false;
  bool restart_ = false;  // settings changed in a way that reading back does not show
  std::optional<bool> held_;
  std::map<ipvs::SyncRole, core::Instant> ends_at_;
  ipvs::SyncDaemons daemons_;
  std::optional<ipvs::SyncDaemons> reported_;
  Phase phase_ = Phase::idle;
  bool by_ourselves_ = true;  // what differs is our own doing
  unsigned attempts_ = 0;
  core::Instant look_at_{};
  std::optional<core::Instant> wake_at_;
  std::optional<std::string> trouble_;
  std::uint64_t drift_ = 0;
  bool stopping_ = false;
};

}  // namespace holdfast::checkers
