// The VRRP process's loop: wakes for packets and deadlines, turns kernel events into the core's
// events, has the core's actions performed and tells it what came of them. Made by the daemon;
// knows nothing of the configuration's syntax or the watchdog.
#pragma once

#include "runtime/clock.hpp"
#include "runtime/loop.hpp"
#include "vrrp/core/rehearsal.hpp"
#include "vrrp/io/executor.hpp"
#include "vrrp/io/interface_watch.hpp"
#include "vrrp/io/membership_refresh.hpp"
#include "vrrp/io/stranger_log.hpp"
#include "vrrp/scenario/recording.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace holdfast::vrrp {

class Runner {
 public:
  /// Events that follow from one another within one turn; more go to the next turn of the loop.
  static constexpr int kMaxEventsPerTurn = 64;
  /// A turn of the loop hears no longer than this, however many sockets wake it; what is due waits
  /// until all was heard.
  static constexpr core::Duration kMaxHearing = std::chrono::milliseconds(5);
  /// Adverts that are due go first; but what waits behind them gets its turn after this.
  static constexpr core::Duration kMaxWait = std::chrono::milliseconds(100);
  /// Room for actions that is kept between two turns: what hundreds of instances do every second
  /// fits in, what thousands do at once is given back.
  static constexpr std::size_t kKeptActions = 1024;
  /// An orderly stop waits for successors at most this long. Less than the watchdog's patience with
  /// a leaving child.
  static constexpr core::Duration kMaxHandover = std::chrono::seconds(3);

  /// The reflector and the routing must be loaded and outlive the runner.
  Runner(boost::asio::io_context& io, runtime::Logger& logger, netlink::Reflector& reflector,
         netlink::Routing& routing, netlink::Firewall& firewall, netlink::Devices& devices,
         AnnounceSocket announcements, std::optional<HandoverPage> page,
         Executor::OnNotify on_notify, Executor::OnGroup on_group, Executor::OnRemoved on_removed);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Opens the sockets that a new configuration needs and changes nothing else. Interfaces that do
  /// not exist, or cannot be listened on, are no error: their instances wait in FAULT. Fails when
  /// this process may not open such sockets at all.
  [[nodiscard]] core::Result<void> prepare(const std::vector<InstanceSettings>& next);
  /// Before commit(): how long links have to be down or up until that counts.
  void delay_links(std::map<std::string, LinkDelay> delays) {
    interfaces_.delay(std::move(delays));
  }
  /// Before the first commit(), in a boot: elections on an interface that comes up and on which no
  /// host is heard wait for a first frame, so long at most. The director has run since `began`.
  void wait_for_frames(core::Duration longest, core::Instant began) {
    interfaces_.wait_for_frames(longest, began);
  }
  /// Swaps to it; the first time this resumes what a predecessor left in the handover page, and
  /// starts the elections: at once, or at `start` when that is still to come.
  [[nodiscard]] bool commit(std::vector<InstanceSettings> next, core::Instant start);
  /// Once, when all that was decided until now has been told.
  void when_told(std::function<void()> then);
  /// At each wake-up that came later than asked for.
  void when_late(std::function<void(core::Duration late)> then) { on_late_ = std::move(then); }
  /// Of announcements, from now on.
  void set_pace(const Pace& pace) { executor_.announcer().set_pace(pace); }
  /// From now on memberships of groups are reported so often; zero: only as the kernel does.
  void refresh_memberships(core::Duration every) { memberships_.set_interval(every); }
  /// Before commit(): adverts of virtual routers that are not ours are heard and logged.
  void tell_of_strangers(bool wanted) {
    interfaces_.hear_strangers(wanted);
    strangers_.reset();
    if (wanted) strangers_.emplace(logger_);
  }
  /// Closes what prepare opened.
  void abort();
  /// Masters resign and hand over, addresses are withdrawn (unless they are to be kept), then
  /// `on_stopped`.
  void stop(bool keep_addresses, std::function<void()> on_stopped);
  /// What became of a script, for the core.
  void tell(Event event) { handle(std::move(event)); }
  /// After stop(): whoever still hands over withdraws at once.
  void hurry() { handle(ShutdownNow{}); }

  [[nodiscard]] const Router& router() const { return driver_.router(); }
  /// keepalived: STATS_CLEAR.
  void clear_counters() { driver_.clear_counters(); }
  /// Nothing is decided by it: what a master has told its segment it tells once more.
  void announce_again(const Announce& announcement);
  /// For a rehearsal: 4,000 instances take some milliseconds. From the loop, not from within a
  /// turn.
  [[nodiscard]] DirectorCopy copy() const { return {router(), turn_, runtime::now()}; }
  /// Everything from now on goes to this tape, too, until it is detached. From the loop, not from
  /// within a turn.
  void attach(scenario::Tape& tape, scenario::Pseudonyms::Key key) {
    driver_.attach(tape, key, runtime::now());
  }
  void detach(const scenario::Tape& tape) { driver_.detach(tape); }

 private:
  struct Life {};  // its weak_ptr tells a posted handler whether the runner is still there

  void wake(const std::string* readable);
  void announce_on(const std::string& device);
  void begin_hearing(const std::string* readable, core::Instant now);
  void hear(core::Instant now);
  void handle(Event event);
  void end_turn();
  void perform_actions();
  [[nodiscard]] bool is_due(core::Instant now) const;
  [[nodiscard]] bool has_work() const;
  void go_on();
  void tell_end_of_turn();
  void work();
  void announce();
  void report_pause(const runtime::PauseDetector::Pause& pause);

  void tell_clock();
  /// True when at least one goes on as master.
  bool resume(const std::vector<InstanceSettings>& settings);
  /// Ports hear for all instances that there are, and for `coming`.
  void refresh_ports(const std::vector<InstanceSettings>& coming = {});
  void refresh_interface(const std::string& name);
  void on_published(const RouterKey& owner, const netlink::Publication& publication);

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  netlink::Reflector& reflector_;
  netlink::Routing& routing_;
  netlink::Firewall& firewall_;
  scenario::RecordedDriver driver_;
  AdvertPorts ports_;
  AdvertPorts::Sink sink_;
  Executor executor_;
  runtime::PauseDetector pauses_;
  InterfaceWatch interfaces_;
  MembershipRefresh memberships_;
  runtime::RateLimiter noise_;
  std::optional<StrangerLog> strangers_;
  Actions actions_;
  Turn turn_;
  struct Hearing {
    core::Instant since;
    bool everything = false;  // or only what was readable: enough while nothing is due
  };
  std::optional<Hearing> hearing_;  // goes on in the next turn
  std::deque<Event> pending_;
  bool in_turn_ = false;
  bool configured_ = false;
  bool started_ = false;        ///< elections run
  bool signs_ = false;          // somebody needs the wall clock
  core::Duration utc_ahead_{};  // as told last
  bool is_posted_ = false;      // work() is
  bool sweep_is_due_ = false;   // when all that the first commit wished for is done
  core::Instant worked_at_{};   // the last time that nothing waited, or was worked on

  std::function<void()> on_stopped_;
  std::function<void()> on_told_;
  std::function<void(core::Duration)> on_late_;
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
  runtime::DeadlineTimer timer_;
  runtime::DeadlineTimer start_;
  runtime::DeadlineTimer patience_;
  runtime::DeadlineTimer announce_again_;
};

}  // namespace holdfast::vrrp
