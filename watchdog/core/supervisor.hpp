// The watchdog's brain: starts, supervises, reloads and stops the children. Driven by watchdog/io;
// never touches a process.
//
// Starting and reloading are one thing: a load, then the barrier (reload_barrier.hpp). A restarted
// child goes through prepare and commit of the current generation by itself. Going back to the
// generation before (confirmation.hpp) is the barrier without the load.
#pragma once

#include "core/time.hpp"
#include "watchdog/core/action.hpp"
#include "watchdog/core/child_state.hpp"
#include "watchdog/core/confirmation.hpp"
#include "watchdog/core/event.hpp"
#include "watchdog/core/reload_barrier.hpp"

#include <array>
#include <optional>
#include <string>
#include <variant>

namespace holdfast::watchdog {

enum class Respawn : std::uint8_t { no, yes };
enum class KeepAddresses : std::uint8_t { no, yes };

struct SupervisorSettings {
  RestartSettings restart = {};
  ConfirmationSettings confirmation = {};
  /// keepalived: -R (--dont-respawn) means no.
  Respawn respawn = Respawn::yes;
  /// keepalived: -V (--dont-release-vrrp) means yes: addresses stay when the vrrp child is gone.
  KeepAddresses keep_addresses = KeepAddresses::no;
  /// A child that has spoken before, is silent for this long and does not work either hangs.
  /// Children send a heartbeat twice a second.
  core::Duration silence_limit = std::chrono::seconds(3);
  /// After so much silence it is looked at for the first time: whether it works shows when it is
  /// looked at again.
  core::Duration look_after = std::chrono::seconds(1);
  /// One that works is late, not dead; but nothing takes this long, so it does not come back.
  core::Duration busy_limit = std::chrono::seconds(60);
  /// A new process may take this long until its first frame: it loads libraries, opens sockets and
  /// reads the interfaces first, and a busy or emulated machine does that slowly.
  core::Duration start_limit = std::chrono::seconds(10);
  /// Time to write a core file between SIGABRT and SIGKILL.
  core::Duration abort_limit = std::chrono::seconds(1);
  /// What a successor needs until it can send: a master that is stopped is replaced this long
  /// before its peers take over.
  core::Duration successor_time = std::chrono::milliseconds(300);
  /// A process that is told to stop says on its page within this time until when it hands over.
  /// What the page said before does not count meanwhile: an instance whose adverts do not leave
  /// looks as if peers had taken over long ago, and must not cost the others their handover.
  core::Duration word_time = std::chrono::milliseconds(100);
  /// With less than this left a process that only hands over would come too late.
  core::Duration parting_time = std::chrono::milliseconds(100);
  /// An orderly stop may take this long, then SIGKILL. keepalived: child_wait_time (5 s); ours is
  /// longer because a planned handover waits until the successor is heard.
  core::Duration stop_limit = std::chrono::seconds(10);
  /// The same for the vrrp child, once somebody has asked a second time.
  core::Duration hurried_stop_limit = std::chrono::seconds(2);
  /// Bound on prepare and on commit, each; on prepare within a reload.
  core::Duration answer_limit = std::chrono::seconds(10);
  /// Bound on reading the configuration.
  core::Duration load_limit = std::chrono::seconds(30);
  /// Woken this much later than asked, the watchdog itself did not run (paused machine): silence
  /// proves nothing then.
  core::Duration pause_tolerance = std::chrono::milliseconds(100);
};

class Supervisor {
 public:
  explicit Supervisor(const SupervisorSettings& settings);

  /// Appends the actions in the order in which they must happen.
  void step(const Event& event, core::Instant now, Actions& out);
  /// When to call with Tick at the latest; nullopt: nothing to wait for.
  [[nodiscard]] std::optional<core::Instant> deadline() const;

  [[nodiscard]] const ChildRecord& child(Role role) const;
  /// The configuration that runs; 0 before the first commit.
  [[nodiscard]] Generation generation() const { return current_; }
  [[nodiscard]] bool is_stopping() const;
  /// The generation on trial, if any.
  [[nodiscard]] const Confirmation& confirmation() const { return confirmation_; }
  /// It is being replaced by the one before at the moment.
  [[nodiscard]] bool is_going_back() const { return going_back_; }
  /// A sentence when a reload would not be taken at the moment.
  [[nodiscard]] std::optional<std::string> why_no_reload(core::Instant now) const;
  /// Steady: no load, no barrier, not stopping. (Children may still be restarting.)
  [[nodiscard]] bool is_steady() const;

 private:
  // What the process as a whole is doing.
  struct Fresh {};
  struct Steady {};
  struct Loading {
    Generation candidate = 0;
    core::Instant kill_at{};
    bool killed = false;
  };
  struct Settling {  ///< loaded; waits until no child is in the middle of a restart
    Generation candidate = 0;
  };
  struct Reloading {  ///< the barrier is up
    Generation candidate = 0;
  };
  struct Stopping {
    ExitCode code = ExitCode::ok;
    bool hurried = false;  ///< asked for more than once
  };
  struct Done {};
  using Phase = std::variant<Fresh, Steady, Loading, Settling, Reloading, Stopping, Done>;

  void on(const StartRequested& event);
  void on(const ReloadRequested& event);
  void on(const ConfirmRequested& event);
  void on(const RevertRequested& event);
  void on(const StopRequested& event);
  void on(const LoaderFinished& event);
  void on(const ChildExited& event);
  void on(const SpawnFailed& event);
  void on(const Observed& event);
  void on(const HeartbeatReceived& event);
  void on(const PreparedReceived& event);
  void on(const RefusedReceived& event);
  void on(const CommittedReceived& event);
  void on(const AddressesReleased& event);
  void on(const Tick& event);

  void forgive_silence_after_own_pause();
  void start_load(const ReloadOptions& options);
  void start_what_was_asked_meanwhile();
  void go_back_when_due();
  void start_former(const std::string& why);
  void return_to(const Confirmation::Former& former, const std::string& why);
  [[nodiscard]] bool rescue_by_going_back(Role role, const std::string& what);
  void begin_barrier_when_settled();
  void follow(ReloadBarrier::Verdict verdict);
  void commit_candidate();
  void abort_candidate();
  void finish_reload();
  void spawn(Role role, Generation generation);
  void ask_to_prepare(Role role, Live& live, Generation generation);
  void stop_child(Role role, const Live& live);
  void end_hung(Role role, const std::string& how);
  void kill(Role role);
  void on_gone(Role role, const ExitStatus& status, const std::string& sentence);
  void after_death(Role role, const ExitStatus& status, const std::string& sentence,
                   core::Instant spawned_at);
  void give_up_on(Role role, const ExitStatus& status, const std::string& sentence);
  void release_addresses();
  void release_addresses(Statics statics);
  [[nodiscard]] Statics fate_of_statics() const;
  [[nodiscard]] bool addresses_are_served() const;
  [[nodiscard]] std::optional<core::Instant> release_deadline() const;
  [[nodiscard]] std::optional<core::Instant> replacement_deadline() const;
  [[nodiscard]] std::string why_replaced() const;
  [[nodiscard]] bool resumes_at_once(Role role, bool was_busy) const;
  void keep_the_clock();
  void commit_alone(Role role);
  [[nodiscard]] bool can_part() const;
  void begin_parting(const Parting& parting);
  void finish_parting(const ExitStatus& status);
  void stand_down();
  void stop_everything(ExitCode code);
  void hurry_stop(Stopping& stopping);
  void advance_stop();
  void tick_child(Role role);
  /// Any frame is a sign of life.
  void note_frame(Live& live) const;
  /// How long this child may be silent.
  [[nodiscard]] core::Duration patience_with(const Live& live) const;
  [[nodiscard]] core::Instant silence_deadline(const Live& live) const;
  [[nodiscard]] static bool has_worked(const ChildRecord& child, const Live& live);
  [[nodiscard]] bool peers_may_serve(Role role, const Live& live) const;
  void judge_silence(Role role);
  void set_state(Role role, ChildState state);
  void report(ReportId id, std::string text);
  [[nodiscard]] bool is_settled() const;
  [[nodiscard]] std::optional<Generation> candidate() const;
  [[nodiscard]] bool is_in_barrier(const Live& live) const;
  [[nodiscard]] ChildRecord& record(Role role);

  SupervisorSettings settings_;
  std::array<ChildRecord, kRoles.size()> children_;
  Phase phase_;
  ReloadBarrier barrier_;
  Generation current_ = 0;
  Generation newest_ = 0;  ///< numbers are never reused, so a late answer cannot be mistaken
  RoleSet wanted_;         ///< of the current generation
  RoleSet candidate_roles_;
  std::string candidate_diagnostics_;
  std::string candidate_changes_;
  ReloadOptions candidate_options_;
  bool going_back_ = false;  ///< the candidate is the former generation
  Confirmation confirmation_;
  /// Until the first configuration runs: the trial that a killed parent left.
  std::optional<InterruptedTrial> interrupted_;
  ExitCode candidate_exit_ = ExitCode::fatal;  ///< how a first start ends when the candidate fails
  std::optional<ReloadOptions> reload_again_;  ///< asked for while a reload was under way
  bool announced_ready_ = false;
  bool releasing_ = false;  ///< ReleaseAddresses is out
  /// A vrrp child that is gone may have left something, and none has it in its care since: to be
  /// taken off at the end.
  bool statics_stay_ = false;
  /// When the first peer takes over from the vrrp child, as last told.
  std::optional<core::Instant> holds_until_;
  /// Set when that is old news and matters from now on: a Tick is due, which brings an Observed.
  std::optional<core::Instant> look_at_;
  std::optional<core::Instant> expected_tick_;  ///< deadline() after the last step

  // Only valid within step().
  core::Instant now_{};
  Actions* out_ = nullptr;
};

}  // namespace holdfast::watchdog
