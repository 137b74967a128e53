// The parts of the checkers process and the wires between them: channel callbacks, engine driver,
// actions, control socket. Made once by run_daemon().
#pragma once

#include "checkers/core/engine.hpp"
#include "checkers/io/probe_driver.hpp"
#include "checkers/io/switch_keeper.hpp"
#include "checkers/io/sync_keeper.hpp"
#include "checkers/io/table_keeper.hpp"
#include "checkers/local_addresses.hpp"
#include "checkers/notifier.hpp"
#include "checkers/rehearsal_desk.hpp"
#include "checkers/status.hpp"
#include "checkers/tidings.hpp"
#include "runtime/child.hpp"
#include "runtime/control_socket.hpp"
#include "runtime/handover_page.hpp"
#include "runtime/line_budget.hpp"
#include "runtime/order_desk.hpp"
#include "runtime/preparation.hpp"
#include "runtime/scheduling.hpp"
#include "runtime/tracked_files.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace holdfast::checkers {

/// Notifications that are still running at an orderly stop get this long. The watchdog waits longer
/// than that.
inline constexpr core::Duration kScriptFarewell = std::chrono::seconds(3);

/// Without a watchdog nobody orders the two children: the table must serve until the VRRP process
/// has handed its addresses over and ended. That process allows itself 3 s, and 1 s for scripts; a
/// busy machine may make more of it. One that hangs is not waited for longer than this.
inline constexpr core::Duration kVrrpFarewell = std::chrono::seconds(15);

class Runner {
 public:
  /// `probe_limit`: connections of probes that may be open at one time.
  Runner(runtime::Loop& loop, runtime::Logger& logger, const runtime::ChildOptions& options,
         std::size_t probe_limit);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Opens the page and the control socket and says hello to the watchdog.
  void start();

 private:
  void listen();
  void commit(std::uint64_t generation);
  void stop(const std::string& why);
  void watch_vrrp(runtime::UniqueFd pidfd);
  void leave();
  void leave_when_scripts_are_done();
  void finish();

  void handle(Event event);
  void act(const StartProbe& start);
  void act(const StopProbe& stop);
  void act(const CheckChanged& changed);
  void act(const CheckTroubled& troubled);
  void act(const ServerChanged& changed);
  void act(const WeightChanged& changed);
  void act(const QuorumChanged& changed);
  void act(const TableChanged& changed);
  void act(const Notify& notify);
  void cry(const Notify& notify);
  void act(const Remember& remember);
  void act(const Forget& forget);

  void follow_addresses();
  void follow_orders();
  void check_now(const boost::json::object& request, const runtime::ControlReply& reply);
  void finish_part();

  [[nodiscard]] std::shared_ptr<StatusDocument> status() const;
  [[nodiscard]] Memory recall() const;
  [[nodiscard]] std::string server_name(std::size_t service, std::size_t server) const;
  void forget_scripts_of_others();
  [[nodiscard]] std::string check_name(std::size_t service, std::size_t server,
                                       std::size_t check) const;

  runtime::Loop& loop_;
  runtime::Logger& logger_;
  const runtime::ChildOptions& options_;
  Engine engine_;
  TableKeeper keeper_;
  SwitchKeeper switches_;
  SyncKeeper sync_;
  LocalAddresses addresses_;
  Notifier notifier_;
  ProbeDriver probes_;
  std::string last_why_;                 // of the server that changed last
  std::set<std::string> told_services_;  // of whose quorum anything was said
  runtime::DeadlineTimer tick_;
  runtime::DeadlineTimer farewell_;
  /// Readable when the VRRP process has ended; closed when there is none.
  boost::asio::posix::stream_descriptor vrrp_;
  runtime::DeadlineTimer vrrp_farewell_;
  runtime::RateLimiter not_tried_;
  runtime::LineBudget failures_{60, std::chrono::minutes(1)};  // of log_all_failures
  runtime::Scheduler scheduler_;
  std::optional<runtime::HandoverPage<runtime::CheckRecord>> page_;
  RehearsalDesk rehearsals_;
  std::unique_ptr<runtime::ControlServer> control_;
  std::unique_ptr<runtime::Child> child_;
  runtime::TrackedFiles files_;
  runtime::OrderDesk orders_;
  Counters counters_;
  std::uint64_t generation_ = 0;  // of the configuration that is in use
  std::deque<Event> events_;
  Actions actions_;  // reused between steps
  bool handling_ = false;
  bool configured_ = false;
  unsigned vrrp_number_ = 0;  // of the wait that counts
  bool vrrp_runs_ = false;
  bool stopping_ = false;
  bool leaving_ = false;
  int parts_left_ = 2;  // of the end: table, synchronisation
  runtime::Preparation<Settings> preparation_;
  /// Waits that end later look here whether the process is still there.
  std::shared_ptr<Runner*> self_;
};

}  // namespace holdfast::checkers
