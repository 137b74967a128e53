// The brain of the VRRP process: all virtual routers, found by their key, with one heap of
// deadlines. The driver (driver.hpp) calls it; it never sees bytes, sockets or the clock. A value:
// a copy is another director in the same situation.
//
// Reload matches instances by RouterKey. Unchanged ones are not touched: no extra advert, no missed
// one. Changed ones adapt without leaving their state; new ones start; missing ones leave as on
// shutdown and end with Removed.
#pragma once

#include "vrrp/core/deadline_heap.hpp"
#include "vrrp/core/instance.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::vrrp {

struct RouterSituation;  // situation.hpp

class Router {
 public:
  /// Instances that one Tick serves: a few milliseconds of sending.
  static constexpr std::size_t kMaxDueAtOnce = 256;

  /// No instances yet is fine: Reload brings them. Keys must be unique: the configuration sees to
  /// it.
  explicit Router(std::vector<InstanceSettings> instances = {});
  /// One that goes on where another one was. Same restriction.
  explicit Router(const RouterSituation& from);

  void step(const Event& event, Instant now, Actions& out);
  /// The earliest moment at which step(Tick) has something to do. O(1).
  [[nodiscard]] std::optional<Instant> deadline() const { return deadlines_.earliest(); }

  /// All instances in the order of the configuration; leaving ones at the end. Valid until the next
  /// step.
  [[nodiscard]] std::vector<const Instance*> instances() const;
  /// How many of them.
  [[nodiscard]] std::size_t size() const { return order_.size() + leaving_.size(); }
  /// Valid until the next step; nullptr: there is none (any more).
  [[nodiscard]] const Instance* find(const RouterKey& key) const;
  /// The instance that packets with this VRID are for, by what they are addressed to; one of the
  /// same VRID when none is addressed, so that it can say what is wrong. nullptr: not one of ours.
  [[nodiscard]] const Instance* receiver(const Received& packet, std::uint8_t vrid) const;
  /// Interfaces that instances listen on, each once.
  [[nodiscard]] std::vector<std::string> interfaces_in_use() const;

  /// Those of all instances begin anew.
  void clear_counters();
  /// Packets that belong to no instance: other VRIDs, and what was too broken to say.
  void count_stray(std::string_view interface, RejectReason reason);
  /// Zeros for an interface that no setting ever named.
  [[nodiscard]] RejectCounters strays(std::string_view interface) const;

  /// What became of an instance's scripts; nullptr: none has ever been run.
  [[nodiscard]] const core::ScriptRecord* scripts(const RouterKey& key) const;

  /// Sync groups by name, as they are at `now`.
  [[nodiscard]] std::vector<GroupView> groups(Instant now) const;

  /// Smallest interval of all instances and of the masters that backups live by: a wake-up later
  /// than this may be a pause. nullopt without instances.
  [[nodiscard]] std::optional<Duration> shortest_interval() const { return shortest_interval_; }
  [[nodiscard]] bool has_stopped() const { return stopped_; }
  /// All that is remembered, but no counters.
  [[nodiscard]] RouterSituation situation() const;

 private:
  static constexpr std::size_t kNoSlot = static_cast<std::size_t>(-1);
  /// After so many rounds a group has come together: faults, wishes, and what follows from them.
  static constexpr int kMaxRounds = 8;

  /// One instance as packets find it; sorted by family and VRID.
  struct Listener {
    core::Family family{};
    std::uint8_t vrid = 0;
    IpAddress channel;
    std::size_t slot = kNoSlot;
    [[nodiscard]] auto number() const { return std::pair(family, vrid); }
  };
  struct Interface {
    std::optional<core::Shared<InterfaceStatus>> status;
    std::vector<Listener> listeners;
    RejectCounters strays;
  };
  /// Look-up by a view: packets name their interface by one.
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  void on(const Startup& event, Instant now, Actions& out);
  void on(const Tick& event, Instant now, Actions& out);
  void on(const InterfaceChanged& event, Instant now, Actions& out);
  void on(const Shutdown& event, Instant now, Actions& out);
  void on(const ShutdownNow& event, Instant now, Actions& out);
  void on(const ProcessPaused& event, Instant now, Actions& out);
  void on(const Reload& event, Instant now, Actions& out);
  void on(const ScriptStarted& event, Instant now, Actions& out);
  void on(const ScriptEnded& event, Instant now, Actions& out);
  void on(const TrackerReported& event, Instant now, Actions& out);
  void on(const ClockTold& event, Instant now, Actions& out);
  void on(const Steered& event, Instant now, Actions& out);
  /// Everything else that names its router. One that a reload removed meanwhile hears nothing.
  template <class AboutOne>
  void on(const AboutOne& event, Instant now, Actions& out) {
    const std::size_t slot = slot_of(event.router);
    if (slot != kNoSlot) step_slot(slot, event, now, out);
  }

  void report(const TrackerId& tracker, Verdict verdict, Instant now, Actions& out);
  [[nodiscard]] bool is_tracked(const TrackerId& tracker) const;
  [[nodiscard]] Verdicts verdicts_for(const std::vector<Tracker>& trackers) const;
  void forget_unused();
  std::size_t add_instance(InstanceSettings settings);
  std::size_t replace_instance(const InstanceSettings& settings, Instant now, Actions& out);
  void step_slot(std::size_t slot, const InstanceEvent& event, Instant now, Actions& out);
  void step_all(const InstanceEvent& event, Instant now, Actions& out);
  void forget(std::size_t slot);
  void update_shortest_interval();
  [[nodiscard]] Duration interval_of(std::size_t slot) const;
  [[nodiscard]] std::size_t slot_of(const RouterKey& key) const;
  [[nodiscard]] bool is_leaving(std::size_t slot) const;
  [[nodiscard]] bool is_addressed(const Listener& listener, const IpAddress& destination) const;
  [[nodiscard]] std::span<const Listener> listeners(std::string_view interface, core::Family family,
                                                    std::uint8_t vrid) const;
  [[nodiscard]] const Instance* routed_receiver(const Received& packet,
                                                std::span<const Listener> here) const;

  // router_groups.cpp
  void find_groups();
  void recall_groups();
  [[nodiscard]] std::vector<GroupMember> members_of(const SyncGroup& group, Instant now) const;
  void judge_pages(Instant now, Actions& out);
  void hand_over_together(Instant now, Actions& out);
  void settle_groups(Instant now, Actions& out);
  void settle(const std::string& name, SyncGroup& group, Instant now, Actions& out);
  void spread_faults(const std::string& name, SyncGroup& group, Instant now, Actions& out);
  [[nodiscard]] std::string why_of(const SyncGroup& group,
                                   const std::vector<GroupMember>& members) const;
  void tell_group(const std::string& name, SyncGroup& group, const std::string& why, Instant now,
                  Actions& out);
  void tell_stopped(const std::string& name, SyncGroup& group, Actions& out);

  std::vector<std::optional<Instance>> slots_;
  std::vector<std::size_t> free_;     // empty slots
  std::vector<std::size_t> order_;    // slots in the order of the configuration
  std::vector<std::size_t> leaving_;  // slots that a reload removed, in their handover
  std::unordered_map<std::string, Interface, TextHash, std::equal_to<>> interfaces_;
  std::map<RouterKey, core::ScriptRecord> scripts_;  // of those that have any
  Verdicts verdicts_;                                // what interfaces say stands there
  std::map<std::string, SyncGroup> groups_;
  std::set<std::string> unsettled_;  // groups with a member that looks different now
  DeadlineHeap deadlines_;
  std::optional<Duration> shortest_interval_;
  bool shortest_is_stale_ = false;  // who had it lives by a longer one now
  bool running_ = false;
  bool stopping_ = false;
  bool stopped_ = false;
  Duration utc_ahead_{};  // as told last; new instances have it from here
};

}  // namespace holdfast::vrrp
