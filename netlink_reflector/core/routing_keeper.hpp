// Who wants which routes and rules, which of those in the kernel are ours, and what is to be done.
// Called by routing.hpp's shell, which shows it what the kernel has and sends the steps. Never
// talks to the kernel, never reads a clock.
#pragma once

#include "core/router_key.hpp"
#include "core/time.hpp"
#include "netlink_reflector/core/routing.hpp"

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::netlink {

/// What the mirror knows, asked for while a plan is made.
struct Surroundings {
  FindInterface find;
  std::function<bool(InterfaceIndex index)> is_up;
  /// Some interface has this address, its duplicate detection over.
  std::function<bool(const core::IpAddress& address)> is_usable;
};

struct RoutingStep {
  enum class Kind : std::uint8_t { add, remove };
  Kind kind = Kind::add;
  RoutingEntry entry;
  Placing placing = Placing::before;
  std::string text;  ///< As DesiredRouting has it.

  bool operator==(const RoutingStep&) const = default;
};

/// One route or rule of an owner, for status.
struct RoutingState {
  std::string text;
  bool held = false;
  bool let_go = false;  ///< Somebody took it away, and no_track leaves it at that.
  std::string problem;  ///< Empty, or why it is not there.

  bool operator==(const RoutingState&) const = default;
};

/// For the log.
struct RoutingRefused {
  std::string sentence;
  bool operator==(const RoutingRefused&) const = default;
};
struct RoutingRepaired {
  std::string text;
  bool operator==(const RoutingRepaired&) const = default;
};
struct RoutingLeftOver {
  std::size_t count = 0;
  bool operator==(const RoutingLeftOver&) const = default;
};
using RoutingNotice = std::variant<RoutingRefused, RoutingRepaired, RoutingLeftOver>;

/// What is on record.
struct RoutingRecord {
  std::set<RoutingEntry> owned = {};
  /// Of those: the director's own, there as long as it is, whoever serves.
  std::set<RoutingEntry> lasting = {};

  bool operator==(const RoutingRecord&) const = default;
};

class RoutingKeeper {
 public:
  /// A refused step is tried again after this, then at doubled distances.
  static constexpr core::Duration kRetryAfter = std::chrono::seconds(1);
  static constexpr core::Duration kMaxRetryAfter = std::chrono::seconds(60);
  /// Repaired more often than this without kCalm between: somebody fights us, and gets a pause.
  static constexpr int kMaxRepairs = 10;
  static constexpr core::Duration kCalm = std::chrono::seconds(10);

  /// What this owner has in the kernel while it holds. Empty: nothing.
  void claim(const core::RouterKey& owner, std::vector<DesiredRouting> claimed);
  void hold(const core::RouterKey& owner);
  void release(const core::RouterKey& owner);
  void forget(const core::RouterKey& owner);

  /// What a predecessor has on record as its own.
  void inherit(RoutingRecord record);
  /// Every owner has claimed, and who resumes holds: what is recorded and not wanted goes.
  /// `statics`: what becomes of those that are the director's own.
  void sweep_leftovers(Statics statics = Statics::go);
  /// The kernel takes off what leads through this interface, and says nothing about it.
  void on_link_down(InterfaceIndex index);

  /// There may be something to do or to look at.
  [[nodiscard]] bool has_wishes() const { return !owners_.empty() || !record_.owned.empty(); }
  /// Since the last whole plan somebody with claims began or ended to hold, or claimed anew.
  [[nodiscard]] bool has_moved() const { return has_moved_; }
  /// By whom routes and rules are set that concern us: whose to read.
  [[nodiscard]] std::set<std::uint8_t> protocols() const;

  enum class Part : std::uint8_t { withdrawals, all };
  /// What makes `actual` (all that protocols() set) as it should be; none: it is so. What is added
  /// is in owned() before the step is sent.
  [[nodiscard]] std::vector<RoutingStep> plan(const std::vector<RoutingEntry>& actual,
                                              const Surroundings& surroundings, core::Instant now,
                                              Part part);
  struct Outcome {
    int system_errno = 0;
    std::string text;  ///< The kernel's own.
  };
  /// To each step of the last plan.
  void on_outcomes(std::span<const RoutingStep> steps, std::span<const Outcome> outcomes,
                   core::Instant now);
  /// A step of the last plan that was not sent.
  void drop(const RoutingStep& step);
  /// Something changed around us: what was refused may go now.
  void retry_now();
  [[nodiscard]] std::optional<core::Instant> deadline() const;

  [[nodiscard]] const std::set<RoutingEntry>& owned() const { return record_.owned; }
  [[nodiscard]] const RoutingRecord& record() const { return record_; }
  /// Another number whenever the record is another one.
  [[nodiscard]] std::uint64_t record_changes() const { return record_changes_; }
  /// How many of the owned the sweep let stay.
  [[nodiscard]] std::size_t staying_count() const;
  [[nodiscard]] std::vector<RoutingState> states(const core::RouterKey& owner) const;
  [[nodiscard]] std::vector<RoutingNotice> take_notices();
  [[nodiscard]] std::uint64_t repairs() const { return repairs_; }

 private:
  struct Owner {
    std::vector<DesiredRouting> claimed;
    bool holds = false;
  };
  /// How it is with one that somebody wants.
  struct Standing {
    std::string text = {};
    bool held = false;
    bool let_go = false;
    std::string problem = {};
    core::Duration pause{};
    std::optional<core::Instant> retry_at = {};
    int streak = 0;
    core::Instant repaired_at{};
    core::Instant held_since{};
    std::vector<InterfaceIndex> devices = {};  ///< As the kernel showed it last.
    bool was_cut_off = false;                  ///< One of them was down since.
  };
  /// The kernel does not let it go.
  struct Stuck {
    std::string problem = {};
    core::Duration pause{};
    std::optional<core::Instant> retry_at = {};
  };
  using Wanted = std::vector<std::pair<RoutingEntry, const DesiredRouting*>>;

  [[nodiscard]] Wanted resolve_wanted(const Surroundings& surroundings);
  void note_unresolved(const std::string& text, const std::string& why,
                       const std::map<std::string, std::string>& told);
  void plan_removals(const Wanted& wanted, core::Instant now, std::vector<RoutingStep>& steps);
  void plan_additions(const Wanted& wanted, const RoutingIndex& actual,
                      const Surroundings& surroundings, core::Instant now,
                      std::vector<RoutingStep>& steps);
  void adopt(const Wanted& wanted, const RoutingIndex& there);
  void own(const RoutingEntry& entry);
  [[nodiscard]] bool notice_loss(Standing& standing, const DesiredRouting& desired,
                                 const Surroundings& surroundings, core::Instant now);
  [[nodiscard]] bool stays(const RoutingEntry& entry) const;
  void disown(const RoutingEntry& entry);
  void refuse(const RoutingStep& step, const Outcome& outcome, core::Instant now);
  void note_stuck(const RoutingStep& step, const Outcome& outcome, core::Instant now);

  std::map<core::RouterKey, Owner> owners_;
  RoutingRecord record_;
  std::uint64_t record_changes_ = 0;
  std::set<RoutingEntry> accepted_;  // of the owned: the kernel took them, from us or a predecessor
  std::map<RoutingEntry, Stuck> stuck_;
  std::map<RoutingEntry, Standing> standings_;
  std::map<RoutingEntry, std::string> texts_;  // of those that are ours and were wanted once
  /// Of each text: why it has no entry.
  std::map<std::string, std::string> unresolved_;
  enum class Sweep : std::uint8_t { unasked, due, done };
  Sweep sweep_ = Sweep::unasked;
  Statics statics_ = Statics::go;
  bool has_moved_ = false;
  std::vector<RoutingNotice> notices_;
  std::uint64_t repairs_ = 0;
};

/// Both directions of the record `vrrp.routes`: the first line says where its numbers mean
/// something, each other one is an entry, with " static" behind a lasting one. nullopt: of another
/// place, or not readable to its end.
[[nodiscard]] std::string write_routing(const RoutingRecord& record, std::string_view scope);
[[nodiscard]] core::Result<RoutingRecord> parse_routing(std::string_view text,
                                                        std::string_view scope);

}  // namespace holdfast::netlink
