// One virtual router: RFC 3768 §6.4 with keepalived's habits where InstanceSettings says so. A
// value: it owns no clock, socket or timer. The router calls step with what concerns this instance.
#pragma once

#include "core/reason_set.hpp"
#include "vrrp/core/action.hpp"
#include "vrrp/core/event.hpp"
#include "vrrp/core/state.hpp"

#include <array>
#include <optional>
#include <string>
#include <variant>

namespace holdfast::vrrp {

/// Who is master, as far as we heard.
struct HeardMaster {
  IpAddress address;
  std::uint8_t priority = 0;
  Instant heard_at;
  bool operator==(const HeardMaster&) const = default;
};

/// RFC 6527 vrrpStatistics and a few more.
struct Counters {
  std::uint64_t adverts_sent = 0;
  std::uint64_t adverts_received = 0;
  std::uint64_t became_master = 0;
  std::uint64_t released_master = 0;
  std::uint64_t priority_zero_sent = 0;
  std::uint64_t priority_zero_received = 0;
  std::uint64_t addresses_repaired = 0;
  /// Times that this instance changed its mind because the process had been paused.
  std::uint64_t pauses = 0;
  RejectCounters rejected;
  bool operator==(const Counters&) const = default;
};

/// Interface events as one instance sees them.
struct InterfaceReport {
  InterfaceStatus status;
};
/// New settings of the same virtual router.
struct Reconfigure {
  InstanceSettings settings;
};
/// A reload removed this virtual router: leave as for Shutdown, then Removed.
struct Remove {};

using InstanceEvent = std::variant<Startup, Tick, AdvertReceived, AdvertRejected, InterfaceReport,
                                   AddressesFailed, AddressesRepaired, Shutdown, ShutdownNow,
                                   ProcessPaused, ResumeFromPage, Reconfigure, Remove>;

class Instance {
 public:
  Instance(InstanceId id, InstanceSettings settings);

  void step(const InstanceEvent& event, Instant now, Actions& out);
  /// When step(Tick) is wanted; nullopt: nothing to wait for.
  [[nodiscard]] std::optional<Instant> deadline() const;

  [[nodiscard]] InstanceId id() const { return id_; }
  [[nodiscard]] const InstanceSettings& settings() const { return settings_; }
  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] StateName state_name() const { return name_of(state_); }
  [[nodiscard]] Instant since() const { return since_; }
  /// Why it is in this state: the last StateChanged's sentence.
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] const std::optional<HeardMaster>& heard_master() const { return heard_master_; }
  [[nodiscard]] const core::ReasonSet& faults() const { return faults_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  /// True while the addresses should be in the kernel: as master, and during a handover.
  [[nodiscard]] bool holds_addresses() const;
  /// What adverts are sent from; nullopt: the interface has no usable address.
  [[nodiscard]] std::optional<IpAddress> source_address() const;
  [[nodiscard]] std::uint8_t effective_priority() const { return settings_.priority; }
  /// For the handover page: of this reign, or of the last one.
  [[nodiscard]] Instant became_master_at() const { return became_master_at_; }
  [[nodiscard]] Instant last_advert_at() const { return last_advert_at_; }
  /// Shutdown or removal is complete: nothing held, nothing to wait for.
  [[nodiscard]] bool has_stopped() const { return leaving_ != Leaving::no && !holds_addresses(); }
  [[nodiscard]] bool is_being_removed() const { return leaving_ == Leaving::removed; }

 private:
  enum class Leaving : std::uint8_t { no, stopped, removed };

  // One for every event; those whose answer depends on the state visit it with all four states
  // written out.
  void on(const Startup& event, Instant now, Actions& out);
  void on(const Tick& event, Instant now, Actions& out);
  void on(const AdvertReceived& event, Instant now, Actions& out);
  void on(const AdvertRejected& event, Instant now, Actions& out);
  void on(const InterfaceReport& event, Instant now, Actions& out);
  void on(const AddressesFailed& event, Instant now, Actions& out);
  void on(const AddressesRepaired& event, Instant now, Actions& out);
  void on(const Shutdown& event, Instant now, Actions& out);
  void on(const ShutdownNow& event, Instant now, Actions& out);
  void on(const ProcessPaused& event, Instant now, Actions& out);
  void on(const ResumeFromPage& event, Instant now, Actions& out);
  void on(const Reconfigure& event, Instant now, Actions& out);
  void on(const Remove& event, Instant now, Actions& out);

  void on_advert_as_backup(const AdvertReceived& advert, Instant now, Backup& backup);
  void on_advert_as_master(const AdvertReceived& advert, Instant now, Master& master, Actions& out);
  void on_lower_priority_as_master(const AdvertReceived& advert, Instant now, Master& master,
                                   Actions& out);
  void on_pause_as_backup(const ProcessPaused& pause, Instant now, Backup& backup);
  void on_pause_as_master(const ProcessPaused& pause, Instant now, Actions& out);
  void tick_master(Instant now, Master& master, Actions& out);

  void start_election(std::string why, Instant now, Actions& out);
  void resume_as_master(Instant now, Actions& out);
  void become_master(std::string why, Instant now, Actions& out);
  void yield(Instant master_down_at, bool after_pause, std::string why, Instant now, Actions& out);
  void enter_fault(Instant now, Actions& out);
  void leave(Leaving kind, Instant now, Actions& out);
  void finish_handover(Actions& out);
  void reconsider_faults(Instant now, Actions& out);

  void send_advert(std::uint8_t priority, Instant now, Actions& out);
  void change_state(State next, std::string why, Instant now, Actions& out);
  void notify(NotifyState state, Actions& out) const;
  void note_sender(const AdvertReceived& advert, Instant now, Actions& out);
  void report(RejectReason reason, const IpAddress& source, const std::string& sentence,
              Instant now, Actions& out);
  void set_interface_fault();
  [[nodiscard]] std::string why_take_over(Instant now) const;

  InstanceId id_;
  InstanceSettings settings_;
  State state_ = Init{};
  Instant since_{};
  std::string why_ = "not started";
  Leaving leaving_ = Leaving::no;

  std::optional<InterfaceStatus> interface_;  // nullopt: nothing reported yet
  core::ReasonSet faults_;
  std::optional<ResumeFromPage> resume_;

  std::optional<HeardMaster> heard_master_;
  bool master_resigned_ = false;  // the last advert heard was a priority 0
  std::optional<std::uint8_t>
      peer_priority_;  // lowest that ever advertised: the slowest successor we know of
  std::vector<IpAddress> reported_addresses_;  // the differing address list reported last
  IpAddress reported_addresses_from_;
  std::array<std::optional<Instant>, kRejectReasons> reported_at_{};

  Instant became_master_at_{};
  Instant last_advert_at_{};
  Counters counters_;
};

}  // namespace holdfast::vrrp
