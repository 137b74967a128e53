// One virtual router: RFC 3768 §6.4, RFC 9568 §6.4, with keepalived's habits where InstanceSettings
// says so. A value: it owns no clock, socket or timer. The router calls step with what concerns
// this instance.
//
// Its bodies lie beside the RFC's sections: backup.cpp, master.cpp, handover.cpp (leaving),
// fault.cpp (what keeps it from serving), followed.cpp (what it tracks), grouped.cpp (its sync
// group), steered.cpp (what an operator asked of it), peers.cpp (who was heard), instance.cpp (the
// rest).
#pragma once

#include "core/rare.hpp"
#include "core/reason_set.hpp"
#include "vrrp/core/action.hpp"
#include "vrrp/core/dialect.hpp"
#include "vrrp/core/event.hpp"
#include "vrrp/core/peer_remarks.hpp"
#include "vrrp/core/state.hpp"
#include "vrrp/core/sync_group.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::vrrp {

/// Who is master, as far as we heard.
struct HeardMaster {
  IpAddress address;
  std::uint8_t priority = 0;
  Instant heard_at;
  Duration interval{};  ///< That it advertises.
  bool operator==(const HeardMaster&) const = default;
};

/// A weaker router that advertises although we are master: it does not hear us, or rejects what it
/// hears. Both hold the addresses.
struct Rival {
  IpAddress address;
  std::uint8_t priority = 0;
  Instant since;
  Instant heard_at;
  std::uint64_t adverts = 0;
  Instant tell_at;  ///< When the next word about it is due.
  Duration gap{};   ///< Until the word after that; doubles.
  bool operator==(const Rival&) const = default;
};

/// What became of the last wish for addresses.
struct Placement {
  std::size_t wanted = 0;
  std::size_t placed = 0;
  std::string problem;
  bool operator==(const Placement&) const = default;
};

/// This director could not serve when it last tried: until `until` it takes over from silence only.
struct Setback {
  std::string why;
  Duration pause{};  ///< Between the failure and `until`; doubles with each failure.
  Instant until;
  bool operator==(const Setback&) const = default;
};

/// Adverts that the kernel does not take, since the last one that it took.
struct SendTrouble {
  std::string why;
  Instant since;
  bool operator==(const SendTrouble&) const = default;
};

/// A peer whose adverts carry other addresses than ours. keepalived before 2.3.3 drops adverts with
/// another number of them.
struct ListDifference {
  IpAddress peer;
  std::vector<IpAddress> theirs;
  bool operator==(const ListDifference&) const = default;
};

/// RFC 6527 vrrpStatistics and a few more. What happened, not what was meant. 32 bits where an
/// event is no everyday one: there are thousands of these.
struct Counters {
  std::uint64_t adverts_sent = 0;
  std::uint64_t adverts_refused = 0;  ///< The kernel did not take them.
  std::uint64_t adverts_received = 0;
  std::uint64_t announcements_refused = 0;
  std::uint32_t became_master = 0;
  std::uint32_t released_master = 0;
  std::uint32_t priority_zero_sent = 0;
  std::uint32_t priority_zero_received = 0;
  std::uint32_t addresses_repaired = 0;
  /// Times that this instance changed its mind because the process had been paused.
  std::uint32_t pauses = 0;
  RejectCounters rejected;
  bool operator==(const Counters&) const = default;
};

/// Interface events as one instance sees them.
struct InterfaceReport {
  core::Shared<InterfaceStatus> status;  ///< One for all instances there.
};
/// One of those that it tracks has said something.
struct TrackerReport {
  TrackerId tracker;
  Verdict verdict{};
};
/// New settings of the same virtual router, and what is known of all that it tracks from now on.
struct Reconfigure {
  InstanceSettings settings;
  Verdicts verdicts;
};
/// Another member of its sync group is in FAULT; empty: none is (any more).
struct GroupFault {
  std::string sentence;
};
/// What its sync group wants of it.
struct GroupSays {
  GroupWish wish{};
  std::string why;  ///< As in StateChanged; empty: its own reason.
};
/// Not all members of its sync group can go on as master: none does.
struct GroupForgetsPage {};
/// The slowest member of its sync group hands over until then, and the successor takes all over
/// together: this one waits for it.
struct GroupHandsOver {
  Instant until;
};
/// A reload removed this virtual router: leave as for Shutdown, then Removed.
struct Remove {};

using InstanceEvent =
    std::variant<Startup, Tick, AdvertReceived, AdvertRejected, AdvertSent, AdvertRefused,
                 AnnouncementsRefused, InterfaceReport, AddressesPlaced, AddressesRepaired,
                 Shutdown, ShutdownNow, ProcessPaused, ResumeFromPage, TrackerReport, Reconfigure,
                 Remove, RecallProofs, ClockTold, GroupFault, GroupSays, GroupForgetsPage,
                 GroupHandsOver, Steered>;

/// What faults_ calls those that it tracks begins with this.
inline constexpr std::string_view kTrackedSource = "tracked ";

/// On its way out: with the whole process, or because a reload removed it.
enum class Leaving : std::uint8_t { no, stopped, removed };

struct Situation;  // situation.hpp

class Instance {
 public:
  explicit Instance(InstanceSettings settings);
  /// One that goes on where another one was, possibly in another process: with zero counters.
  Instance(InstanceSettings settings, const Situation& from);

  void step(const InstanceEvent& event, Instant now, Actions& out);
  /// When step(Tick) is wanted; nullopt: nothing to wait for.
  [[nodiscard]] std::optional<Instant> deadline() const;

  [[nodiscard]] const RouterKey& key() const { return subject_->key; }
  [[nodiscard]] const InstanceSettings& settings() const { return settings_; }
  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] StateName state_name() const { return name_of(state_); }
  [[nodiscard]] Instant since() const { return since_; }
  /// Why it is in this state: the last StateChanged's sentence.
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] const std::optional<HeardMaster>& heard_master() const { return heard_master_; }
  /// nullopt when there is none, or it has been silent for a while.
  [[nodiscard]] std::optional<Rival> rival(Instant now) const;
  [[nodiscard]] const core::Rare<ListDifference>& list_difference() const {
    return list_difference_;
  }
  /// Of version 3 over IPv4: what peers use. Empty otherwise.
  [[nodiscard]] const core::Rare<Dialects>& dialects() const { return dialects_; }
  /// What is odd about whom; those older than kRemarkLasts are over.
  [[nodiscard]] const core::Rare<PeerRemarks>& remarks() const { return remarks_; }
  /// Of an instance that asks for a proof of origin. Empty otherwise, or when nothing was heard or
  /// sent yet.
  [[nodiscard]] const core::Rare<ProofMemory>& proofs() const { return proofs_; }
  [[nodiscard]] ProofContext proof_context(Instant now) const;
  /// What its sync group has to know of it.
  [[nodiscard]] GroupMember as_member(Instant now) const;
  /// The first reason for FAULT that is not another member's; nullptr: there is none.
  [[nodiscard]] const std::string* own_fault() const;
  /// The page lets it go on as master.
  [[nodiscard]] bool may_resume(Instant now) const;
  /// Reasons for FAULT.
  [[nodiscard]] const core::ReasonSet& faults() const { return faults_; }
  /// While addresses should be held: what the kernel has of them.
  [[nodiscard]] const std::optional<Placement>& placement() const { return placement_; }
  [[nodiscard]] const core::Rare<Setback>& setback() const { return setback_; }
  [[nodiscard]] const core::Rare<SendTrouble>& send_trouble() const { return send_trouble_; }
  [[nodiscard]] Steering steering() const { return steering_ ? *steering_ : Steering{}; }
  /// Why it does not hear those that it should, and what to do: sentences.
  [[nodiscard]] std::vector<std::string> deafness() const;
  /// "100 + 20 (chk succeeds) = 120"; empty: the configured priority counts.
  [[nodiscard]] std::string priority_sum() const;
  [[nodiscard]] const Counters& counters() const { return counters_; }
  void clear_counters() { counters_ = {}; }
  /// True while the addresses should be in the kernel: as master, and during a handover.
  [[nodiscard]] bool holds_addresses() const;
  /// A backup whose interface has received nothing of anybody yet: it does not take over.
  [[nodiscard]] bool is_deaf() const;
  /// What adverts are sent from; nullopt: the interface has no usable address.
  [[nodiscard]] std::optional<IpAddress> source_address() const;
  /// What it would send now as master, but for the moment that it is signed at; nullopt: it has
  /// nothing to send from.
  [[nodiscard]] std::optional<Departure> next_departure() const;
  /// What its addresses are announced with once more; nullopt: it is not master.
  [[nodiscard]] std::optional<Announce> announcement() const;
  /// The configured one and what tracking makes of it: in adverts and elections only this counts.
  [[nodiscard]] std::uint8_t effective_priority() const { return priority_; }
  /// What those that it tracks have said.
  [[nodiscard]] const Verdicts& verdicts() const;
  /// Of this reign, or of the last one.
  [[nodiscard]] Instant became_master_at() const { return became_master_at_; }
  /// The last one that really went out.
  [[nodiscard]] Instant last_advert_at() const { return last_advert_at_; }
  /// Shutdown or removal is complete: nothing held, nothing to wait for.
  [[nodiscard]] bool has_stopped() const { return leaving_ != Leaving::no && !holds_addresses(); }
  [[nodiscard]] bool is_being_removed() const { return leaving_ == Leaving::removed; }
  /// All that it remembers but the counters.
  [[nodiscard]] Situation situation() const;

 private:
  // One for every event; those whose answer depends on the state visit it with all four states
  // written out.
  void on(const Startup& event, Instant now, Actions& out);
  void on(const Tick& event, Instant now, Actions& out);
  void on(const AdvertReceived& event, Instant now, Actions& out);
  void on(const AdvertRejected& event, Instant now, Actions& out);
  void on(const AdvertSent& event, Instant now, Actions& out);
  void on(const AdvertRefused& event, Instant now, Actions& out);
  void on(const AnnouncementsRefused& event, Instant now, Actions& out);
  void on(const InterfaceReport& event, Instant now, Actions& out);
  void on(const AddressesPlaced& event, Instant now, Actions& out);
  void on(const AddressesRepaired& event, Instant now, Actions& out);
  void on(const Shutdown& event, Instant now, Actions& out);
  void on(const ShutdownNow& event, Instant now, Actions& out);
  void on(const ProcessPaused& event, Instant now, Actions& out);
  void on(const ResumeFromPage& event, Instant now, Actions& out);
  void on(const TrackerReport& event, Instant now, Actions& out);
  void on(const Reconfigure& event, Instant now, Actions& out);
  void on(const Remove& event, Instant now, Actions& out);
  void on(const RecallProofs& event, Instant now, Actions& out);
  void on(const ClockTold& event, Instant now, Actions& out);
  void on(const GroupFault& event, Instant now, Actions& out);
  void on(const GroupSays& event, Instant now, Actions& out);
  void on(const GroupForgetsPage& event, Instant now, Actions& out);
  void on(const GroupHandsOver& event, Instant now, Actions& out);
  void on(const Steered& event, Instant now, Actions& out);

  void begin(Instant now, Actions& out);

  // backup.cpp
  [[nodiscard]] Duration down_interval(Duration master_adver_interval) const;
  [[nodiscard]] Duration own_skew_time(Duration master_adver_interval) const;
  void listen(Duration interval, Instant master_down_at, std::string why, Instant now,
              Actions& out);
  void on_advert_as_backup(const AdvertReceived& advert, Instant now, Backup& backup);
  void on_pause_as_backup(const ProcessPaused& pause, Instant now, Backup& backup);
  void reconfigure_backup(const InstanceSettings& old, std::uint8_t old_priority, Instant now,
                          Backup& backup);
  void move_skew_time(std::uint8_t old_priority, Backup& backup) const;
  [[nodiscard]] std::string why_take_over(Instant now) const;

  // master.cpp
  void become_master(std::string why, Instant now, Actions& out);
  [[nodiscard]] Duration promised_by(const ResumeFromPage& page) const;
  void resume_as_master(const ResumeFromPage& page, Instant now, Actions& out);
  [[nodiscard]] FormsInUse forms_in_use(const IpAddress& destination) const;
  [[nodiscard]] std::optional<ChecksumForm> common_form() const;
  void tick_master(Instant now, Master& master, Actions& out);
  void on_advert_as_master(const AdvertReceived& advert, Instant now, Master& master, Actions& out);
  void on_lower_priority_as_master(const AdvertReceived& advert, Instant now, Master& master,
                                   Actions& out);
  void on_pause_as_master(const ProcessPaused& pause, Instant now, Actions& out);
  void reconfigure_master(const InstanceSettings& old, Instant now, Master& master, Actions& out);
  void announce(std::uint32_t repeat, Actions& out) const;

  void advertise_change(Instant now, Master& master, Actions& out);

  // handover.cpp
  void leave(Leaving kind, Instant now, Actions& out);
  void finish_handover(Actions& out);

  // fault.cpp
  void set_interface_fault();
  void set_device_fault();
  [[nodiscard]] std::string why_without_source() const;
  void reconsider_faults(Instant now, Actions& out);
  void enter_fault(Instant now, Actions& out);
  void suffer_setback(const std::string& source, const std::string& why, Instant now, Actions& out);
  void stop_if_unheard(Instant now, Actions& out);
  void yield_if_mute(const IpAddress& other, Instant now, Actions& out);
  void forget_failures();

  // grouped.cpp
  [[nodiscard]] bool is_member() const;
  [[nodiscard]] bool hears_better_master(Instant now) const;
  [[nodiscard]] std::string why_in_group(Instant now) const;
  void step_down(const std::string& why, Instant now, Actions& out);
  void leave_group(const InstanceSettings& old);

  // steered.cpp
  /// It leaves a master that it hears alone, however weak that one is.
  [[nodiscard]] bool must_not_preempt(Instant now) const;

  // followed.cpp
  [[nodiscard]] std::uint8_t reckon_priority();
  [[nodiscard]] bool waits_for_trackers() const;
  void set_tracker_faults();
  void tell_priority(std::uint8_t old_priority, Actions& out) const;
  void follow_priority(Instant now, Actions& out);

  // peers.cpp
  void note_sender(const AdvertReceived& advert, Instant now, Actions& out);
  void note_addresses(const AdvertReceived& advert, Instant now, Actions& out);
  void note_rival(const AdvertReceived& advert, Instant now, Actions& out);
  void report(RejectReason reason, const IpAddress& source, const std::string& sentence,
              Instant now, Actions& out);
  void judge(Rejected& rejected, Instant now) const;
  [[nodiscard]] bool hears_another_master(Instant now) const;
  [[nodiscard]] Duration master_interval(Instant now) const;

  // credentials.cpp
  /// What proves the origin of one advert of ours.
  struct Credentials {
    std::uint16_t identification = 0;
    std::uint32_t ah_sequence = 0;
    Stamp stamp = 0;
  };
  [[nodiscard]] Credentials next_credentials(Instant now) const;
  void use_up(const Credentials& credentials);
  void note_number_left();
  void authenticate(Letter& letter, const IpAddress& source, const Credentials& credentials) const;
  void note_proof_of(const AdvertReceived& advert, Actions& out);
  [[nodiscard]] bool must_hear_a_number_first() const;
  void forget_needless_proofs();

  void send_advert(std::uint8_t priority, Instant now, Actions& out);
  [[nodiscard]] Departure departure(const IpAddress& source, std::uint8_t priority,
                                    const Credentials& credentials) const;
  [[nodiscard]] std::vector<IpAddress> destinations(const IpAddress& source) const;
  [[nodiscard]] std::optional<IpAddress> routed_source() const;
  [[nodiscard]] bool is_down() const;
  void hear_again(Instant now);
  [[nodiscard]] bool is_own(const IpAddress& address) const;
  void change_state(State next, std::string why, Instant now, Actions& out);
  void remember(Actions& out) const;
  void notify(NotifyState state, Actions& out) const;
  void adopt_settings();

  InstanceSettings settings_;
  core::Shared<Subject> subject_;
  AddressList addresses_;  // settings_.all_addresses(), as actions carry them
  State state_ = Init{};
  Instant since_{};
  std::string why_ = "not started";
  Leaving leaving_ = Leaving::no;

  std::optional<core::Shared<InterfaceStatus>> interface_;  // nullopt: nothing reported yet
  std::optional<IpAddress> last_source_;  // to resign from when the present one is gone
  core::ReasonSet faults_;
  core::Rare<Verdicts> verdicts_;
  std::uint8_t priority_ = 0;          // the effective one
  std::uint8_t resumed_priority_ = 0;  // of the predecessor, while trackers are silent; 0: none
  int resumed_adds_ = 0;               // what an operator has added since
  core::Rare<ResumeFromPage> resume_;
  std::optional<Placement> placement_;
  core::Rare<Setback> setback_;
  core::Rare<SendTrouble> send_trouble_;
  core::Rare<Steering> steering_;

  std::optional<HeardMaster> heard_master_;
  bool master_resigned_ = false;             // the last advert heard was a priority 0
  std::optional<HeardMaster> slowest_peer_;  // of those heard lately: the successor to wait for
  core::Rare<Rival> rival_;
  core::Rare<ListDifference> list_difference_;
  core::Rare<Dialects> dialects_;
  core::Rare<PeerRemarks> remarks_;

  std::uint16_t identification_ = 0;
  Instant became_master_at_{};
  Instant last_advert_at_{};
  core::Rare<ProofMemory> proofs_;
  Duration utc_ahead_{};
  std::uint32_t offered_number_ = 0;  // of an advert of this turn, until the shell has answered
  Counters counters_;
};

}  // namespace holdfast::vrrp
