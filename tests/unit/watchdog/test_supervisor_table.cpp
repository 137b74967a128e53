// Every (state of a child × event), and random walks with the rules that hold in all of them.
#include "core/rng.hpp"
#include "tests/unit/watchdog/driver.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <utility>

using namespace holdfast::watchdog;
using namespace holdfast::watchdog::test;

namespace {

enum class Kind { idle, preparing, committing, settled, stopping, aborted, backoff, failed };
constexpr std::array kKinds{Kind::idle,     Kind::preparing, Kind::committing, Kind::settled,
                            Kind::stopping, Kind::aborted,   Kind::backoff,    Kind::failed};

/// checkers in the state wanted, vrrp settled and silent for no time.
Driver in(Kind kind) {
  Driver driver;
  if (kind == Kind::idle) return std::move(driver.run(RoleSet::of(Role::vrrp)));
  driver.run();
  switch (kind) {
    case Kind::idle:
    case Kind::settled:
      break;
    case Kind::preparing:
      (void)driver.exited(Role::checkers, crash());
      break;
    case Kind::committing:
      (void)driver.exited(Role::checkers, crash());
      (void)driver.prepared(Role::checkers, 1);
      break;
    case Kind::stopping:
      (void)driver.step(ReloadRequested{});
      (void)driver.load(RoleSet::of(Role::vrrp));
      (void)driver.agree(2, RoleSet::of(Role::vrrp));
      break;
    case Kind::aborted:
      (void)driver.exited(Role::checkers, crash());
      (void)driver.refused(Role::checkers, 1, "no");
      break;
    case Kind::backoff:
      (void)driver.exited(Role::checkers, crash());
      (void)driver.exited(Role::checkers, crash());
      break;
    case Kind::failed:
      (void)driver.exited(Role::checkers, exit_with(4));
      break;
  }
  return driver;
}

std::string name_of(const Driver& driver) {
  const ChildState& state = driver.supervisor.child(Role::checkers).state;
  if (const auto* live = std::get_if<Live>(&state)) {
    switch (live->stage) {
      case Live::Stage::preparing:
        return "preparing";
      case Live::Stage::prepared:
        return "prepared";
      case Live::Stage::committing:
        return "committing";
      case Live::Stage::settled:
        return "settled";
    }
  }
  if (const auto* dying = std::get_if<Dying>(&state))
    return dying->why == Dying::Why::stop ? "stopping" : "aborted";
  if (std::holds_alternative<Backoff>(state)) return "backoff";
  return std::holds_alternative<Failed>(state) ? "failed" : "idle";
}

/// What happens to checkers in each of kKinds, in that order.
void check_row(const Event& event, const std::array<const char*, kKinds.size()>& expected) {
  for (std::size_t column = 0; column < kKinds.size(); ++column) {
    Driver driver = in(kKinds[column]);
    (void)driver.step(event);
    CHECK_MESSAGE(name_of(driver) == expected[column], "column ", column, ", event ",
                  event.index());
  }
}

}  // namespace

TEST_CASE("every (child state × event) is decided") {
  //                                          idle    preparing     committing    settled stopping
  //                                          aborted    backoff    failed
  check_row(StartRequested{}, {"idle", "preparing", "committing", "settled", "stopping", "aborted",
                               "backoff", "failed"});
  check_row(ReloadRequested{}, {"idle", "preparing", "committing", "settled", "stopping", "aborted",
                                "backoff", "failed"});
  check_row(ConfirmRequested{}, {"idle", "preparing", "committing", "settled", "stopping",
                                 "aborted", "backoff", "failed"});
  check_row(RevertRequested{}, {"idle", "preparing", "committing", "settled", "stopping", "aborted",
                                "backoff", "failed"});
  check_row(StopRequested{}, {"idle", "preparing", "committing", "settled", "stopping", "aborted",
                              "backoff", "failed"});
  check_row(ChildExited{Role::checkers, crash(), "died"},
            {"idle", "backoff", "backoff", "preparing", "idle", "backoff", "backoff", "failed"});
  check_row(ChildExited{Role::checkers, exit_with(0), "ended"},
            {"idle", "backoff", "backoff", "preparing", "idle", "backoff", "backoff", "failed"});
  check_row(ChildExited{Role::checkers, exit_with(4), "ended"},
            {"idle", "failed", "failed", "failed", "idle", "failed", "backoff", "failed"});
  check_row(SpawnFailed{Role::checkers, "x"},
            {"idle", "backoff", "backoff", "preparing", "idle", "backoff", "backoff", "failed"});
  check_row(Observed{Role::checkers, true}, {"idle", "preparing", "committing", "settled",
                                             "stopping", "aborted", "backoff", "failed"});
  check_row(HeartbeatReceived{Role::checkers}, {"idle", "preparing", "committing", "settled",
                                                "stopping", "aborted", "backoff", "failed"});
  check_row(PreparedReceived{Role::checkers, 1}, {"idle", "committing", "committing", "settled",
                                                  "stopping", "aborted", "backoff", "failed"});
  check_row(RefusedReceived{Role::checkers, 1, "no"}, {"idle", "aborted", "committing", "settled",
                                                       "stopping", "aborted", "backoff", "failed"});
  check_row(CommittedReceived{Role::checkers, 1}, {"idle", "preparing", "settled", "settled",
                                                   "stopping", "aborted", "backoff", "failed"});
  check_row(AddressesReleased{}, {"idle", "preparing", "committing", "settled", "stopping",
                                  "aborted", "backoff", "failed"});
  check_row(Tick{}, {"idle", "preparing", "committing", "settled", "stopping", "aborted", "backoff",
                     "failed"});
  check_row(
      LoaderFinished{
          .usable = true, .roles = RoleSet::all(), .diagnostics = {}, .exit_code = ExitCode::ok},
      {"idle", "preparing", "committing", "settled", "stopping", "aborted", "backoff", "failed"});
}

TEST_CASE("a stop from every child state ends with exactly one exit, after bounded time") {
  for (const Kind kind : kKinds) {
    Driver driver = in(kind);
    Actions all = driver.step(StopRequested{});
    for (int second = 0; second < 60 && only<Exit>(all).empty(); ++second) {
      Driver::append(all, driver.pass(1s));
      for (const Strike& strike : only<Strike>(all)) {
        if (strike.blow == Blow::kill)
          Driver::append(all, driver.exited(strike.role, {ExitStatus::Kind::signalled, 9}));
      }
      if (!only<ReleaseAddresses>(all).empty())
        Driver::append(all, driver.step(AddressesReleased{}));
    }
    CHECK_MESSAGE(only<Exit>(all).size() == 1, static_cast<int>(kind));
  }
}

namespace {

/// Plays the world: processes that answer, refuse, hang, crash at random, and checks the rules
/// after every step.
class Walk {
 public:
  explicit Walk(std::uint64_t seed) : rng_(seed) {}

  void run(int steps) {
    take(driver_.step(StartRequested{}));
    for (int step = 0; step < steps && !ended_; ++step) one_step();
    if (ended_) return;
    // From here on everybody behaves: it must come to rest, stop, and exit.
    calm_ = true;
    for (int step = 0; step < 500 && !ended_; ++step) one_step();
    if (!ended_) {
      CHECK(driver_.supervisor.is_steady());
      CHECK_FALSE(driver_.supervisor.confirmation().is_waiting());  // every countdown has ended
      for (const Role role : kRoles) {
        const auto* live = driver_.state<Live>(role);
        CHECK((live != nullptr) == alive_.contains(role));
        if (live == nullptr) continue;
        CHECK(live->stage == Live::Stage::settled);
        CHECK(live->applied == driver_.supervisor.generation());
      }
    }
    take(driver_.step(StopRequested{}));
    for (int step = 0; step < 400 && !ended_; ++step) one_step();
    CHECK(ended_);
  }

 private:
  struct Process {
    bool stubborn = false;  ///< does not answer and does not stop
    bool stopped = false;   ///< the kernel does not let it run
    bool applied = false;   ///< was told to commit and can have done so
    bool struck = false;    ///< will not run again
    std::vector<Event> answers;
  };

  [[nodiscard]] bool is_stopped(Role role) const {
    const auto found = alive_.find(role);
    return found != alive_.end() && found->second.stopped;
  }
  /// A vrrp process that runs sends adverts, if it is master.
  void send_adverts() {
    const auto found = alive_.find(Role::vrrp);
    if (found == alive_.end() || !found->second.applied || found->second.stubborn ||
        found->second.struck)
      return;
    page_ = rng_.chance(80) ? std::optional(driver_.now + kBudget) : std::nullopt;
  }
  /// The rule of the budget: past it a process that runs holds the addresses, or they are going.
  void check_budget() {
    if (!page_ || driver_.now <= *page_ || releasing_ || ended_) return;
    const auto found = alive_.find(Role::vrrp);
    CHECK(found != alive_.end());
    if (found == alive_.end()) return;
    CHECK_FALSE(found->second.stopped);
    CHECK_FALSE(found->second.struck);
    CHECK(found->second.applied);
  }

  void one_step() {
    driver_.now += rng_.below(Duration(400ms)) + 1ms;
    if (const auto due = driver_.supervisor.deadline(); due && *due <= driver_.now) {
      driver_.now = *due;
      for (const Role role : kRoles)
        take(driver_.step(
            Observed{role, is_stopped(role), role == Role::vrrp ? page_ : std::nullopt}));
      take(driver_.step(Tick{}));
    }
    check_budget();
    send_adverts();
    for (const Role role : kRoles) {
      if (ended_) return;
      const auto found = alive_.find(role);
      if (found == alive_.end()) continue;
      if (!calm_ && rng_.chance(3)) {
        alive_.erase(found);
        take(driver_.step(ChildExited{role, rng_.chance(90) ? crash() : exit_with(4), "died",
                                      role == Role::vrrp ? page_ : std::nullopt}));
        continue;
      }
      if (!calm_ && !found->second.stubborn && !found->second.struck && rng_.chance(2)) {
        found->second.stubborn = found->second.stopped = true;
        take(driver_.step(Observed{role, true, role == Role::vrrp ? page_ : std::nullopt}));
        continue;
      }
      if (found->second.stubborn) continue;
      take(driver_.step(HeartbeatReceived{role}));
      if (alive_.contains(role) && !alive_[role].answers.empty()) {
        const Event answer = alive_[role].answers.front();
        alive_[role].answers.erase(alive_[role].answers.begin());
        answered(role, answer);
      }
    }
    if (ended_) return;
    if (loading_ && rng_.chance(50)) {
      loading_ = false;
      if (calm_ || rng_.chance(70)) {
        snapshots_.insert(newest_);
        take(driver_.load(RoleSet(static_cast<std::uint8_t>(rng_.below(std::uint64_t{4})))));
      } else {
        take(driver_.refuse_load("bad"));
      }
    }
    if (ended_) return;
    if (releasing_ && rng_.chance(50)) {
      releasing_ = false;
      take(driver_.step(AddressesReleased{}));
    }
    if (!ended_ && !calm_ && rng_.chance(5)) take(driver_.step(ReloadRequested{some_options()}));
    if (!ended_ && !calm_ && rng_.chance(2)) take(driver_.step(ConfirmRequested{}));
    if (!ended_ && !calm_ && rng_.chance(2)) take(driver_.step(RevertRequested{}));
  }

  void answered(Role role, Event answer) {
    if (auto* exited = std::get_if<ChildExited>(&answer)) {
      // One that leaves in order leaves nothing on its page.
      if (role == Role::vrrp && exited->status.is_clean() && alive_[role].applied) page_.reset();
      alive_.erase(role);
      if (role == Role::vrrp) exited->holds_until = page_;
    }
    take(driver_.step(answer));
  }

  ReloadOptions some_options() {
    ReloadOptions options;
    if (rng_.chance(50)) options.confirm_within = rng_.below(Duration(5s)) + 1ms;
    return options;
  }

  void take(const Actions& actions) {
    for (const Action& action : actions) {
      CHECK_FALSE(ended_);  // nothing follows Exit
      std::visit([this](const auto& what) { carry_out(what); }, action);
    }
  }

  void carry_out(const StartLoader& action) {
    CHECK_FALSE(loading_);
    CHECK(action.generation > newest_);
    newest_ = action.generation;
    loading_ = true;
    open_reload_ = true;
  }
  void carry_out(const KillLoader&) { loading_ = false; }
  void carry_out(const Spawn& action) {
    CHECK_FALSE(alive_.contains(action.role));  // never two processes of a role
    CHECK_FALSE((action.role == Role::vrrp && releasing_));
    const bool stubborn = !calm_ && rng_.chance(10);
    alive_[action.role] = {.stubborn = stubborn,
                           .stopped = stubborn && rng_.chance(50),
                           .applied = false,
                           .struck = false,
                           .answers = {}};
  }
  void carry_out(const SendPrepare& action) {
    REQUIRE(alive_.contains(action.role));
    CHECK(snapshots_.contains(action.generation));  // what a child is asked to run is still there
    const bool refuses = !calm_ && rng_.chance(15);
    alive_[action.role].answers.push_back(
        refuses ? Event(RefusedReceived{action.role, action.generation, "no"})
                : Event(PreparedReceived{action.role, action.generation}));
  }
  void carry_out(const SendCommit& action) {
    REQUIRE(alive_.contains(action.role));
    CHECK(action.generation == driver_.supervisor.generation());
    if (action.role == Role::vrrp) CHECK_FALSE(releasing_);
    if (!alive_[action.role].stubborn) alive_[action.role].applied = true;
    alive_[action.role].answers.push_back(CommittedReceived{action.role, action.generation});
  }
  void carry_out(const SendAbort& action) { CHECK(alive_.contains(action.role)); }
  void carry_out(const SendStop& action) {
    REQUIRE(alive_.contains(action.role));
    alive_[action.role].answers.push_back(ChildExited{action.role, exit_with(0), "stopped"});
  }
  void carry_out(const Strike& action) {
    const auto found = alive_.find(action.role);
    if (found == alive_.end()) return;
    if (action.blow == Blow::abort && found->second.stopped) return;  // it does not even notice
    found->second.struck = true;
    found->second.stubborn = found->second.stopped = false;
    found->second.answers = {ChildExited{action.role, crash(), "was killed"}};
  }
  void carry_out(const ReleaseAddresses&) {
    CHECK_FALSE(releasing_);
    // Nobody who would put them back.
    if (const auto found = alive_.find(Role::vrrp); found != alive_.end())
      CHECK((!found->second.applied || found->second.struck));
    releasing_ = true;
    page_.reset();
  }
  void carry_out(const AdoptGeneration& action) {
    CHECK(action.generation <= newest_);
    std::set<Generation> kept{action.generation};
    if (action.former != 0) kept.insert(action.former);
    for (const Generation generation : kept) CHECK(snapshots_.contains(generation));
    snapshots_ = std::move(kept);
  }
  void carry_out(const ReuseSnapshot& action) {
    CHECK_FALSE(loading_);
    CHECK(action.generation > newest_);
    CHECK(snapshots_.contains(action.former));
    CHECK(action.former != driver_.supervisor.generation());
    newest_ = action.generation;
    snapshots_.insert(newest_);
    open_reload_ = true;
  }
  void carry_out(const DropCandidate& action) {
    snapshots_.erase(action.generation);
    CHECK(action.generation != driver_.supervisor.generation());
  }
  void carry_out(const ReloadStarted&) {}
  void carry_out(const ReloadFinished&) { open_reload_ = false; }
  void carry_out(const AnnounceReady&) { CHECK_FALSE(std::exchange(ready_, true)); }
  void carry_out(const AnnounceStopping&) {}
  void carry_out(const Report&) {}
  void carry_out(const Exit&) {
    CHECK(alive_.empty());
    CHECK_FALSE(releasing_);
    CHECK_FALSE(open_reload_);  // whoever asked for a reload has an answer
    ended_ = true;
  }

  static constexpr Duration kBudget = 3s;

  Rng rng_;
  Driver driver_;
  std::optional<Instant> page_;  ///< what the handover page says
  std::map<Role, Process> alive_;
  std::set<Generation> snapshots_;
  Generation newest_ = 0;
  bool loading_ = false;
  bool releasing_ = false;
  bool open_reload_ = false;
  bool ready_ = false;
  bool calm_ = false;
  bool ended_ = false;
};

}  // namespace

TEST_CASE(
    "random walks: one process a role, every reload answered, rest and exit in bounded time") {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    Walk(seed).run(300);
  }
}
