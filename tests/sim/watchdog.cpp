#include "tests/sim/watchdog.hpp"

#include "tests/sim/machine.hpp"

#include <csignal>

namespace holdfast::sim {

using namespace watchdog;
using namespace std::chrono_literals;

namespace {
constexpr Duration kReleaseLimit = 10s;  // as watchdog/io/daemon.cpp has it
}

Watchdog::Watchdog(Machine& machine, std::string name)
    : Process(machine.world(), machine.rng(), std::move(name)),
      machine_(machine),
      supervisor_(SupervisorSettings{}) {
  machine_.page() = {};
  tell(StartRequested{});
}

Snapshot Watchdog::running() const {
  const auto found = snapshots_.find(supervisor_.generation());
  return found == snapshots_.end() ? nullptr : found->second;
}

// ---- what happens ----

void Watchdog::tell(Event event) {
  later(machine_.latency(), [this, event = std::move(event)] { feed(event); });
}

void Watchdog::hear(const Frame& frame) {
  switch (frame.type) {
    case Frame::Type::heartbeat:
      return tell(HeartbeatReceived{Role::vrrp});
    case Frame::Type::prepared:
      return tell(PreparedReceived{Role::vrrp, frame.generation});
    case Frame::Type::committed:
      return tell(CommittedReceived{Role::vrrp, frame.generation});
    case Frame::Type::prepare:
    case Frame::Type::commit:
    case Frame::Type::abort:
    case Frame::Type::stop:
      return;
  }
}

void Watchdog::child_ended(const ExitStatus& status) {
  later(machine_.latency(), [this, status] {
    feed(ChildExited{.role = Role::vrrp,
                     .status = status,
                     .sentence = "ended",
                     .holds_until = machine_.page().mastership_ends()});
  });
}

void Watchdog::child_stopped_or_continued() {
  later(machine_.latency(), [this] { look_at_children(); });
}

void Watchdog::release_ended() {
  tell(AddressesReleased{});
}

void Watchdog::feed(const Event& event) {
  Actions actions;
  supervisor_.step(event, world().now(), actions);
  for (const Action& action : actions) {
    step();
    std::visit([this](const auto& what) { perform(what); }, action);
    if (!is_alive()) return;
  }
  step();
  arm();
}

void Watchdog::look_at_children() {
  const Child* child = machine_.child();
  feed(Observed{.role = Role::vrrp,
                .stopped = child != nullptr && child->is_stopped(),
                .holds_until = machine_.page().mastership_ends(),
                .worked = {},
                .is_working = child != nullptr && child->is_busy()});
}

/// One timer; a deadline that has moved on since it was armed is armed for when it fires.
void Watchdog::arm() {
  const auto deadline = supervisor_.deadline();
  if (!deadline || (armed_for_ && *armed_for_ <= *deadline)) return;
  armed_for_ = deadline;
  later(std::max(*deadline - world().now(), Duration::zero()), [this, due = *deadline] {
    if (armed_for_ != due) return;
    armed_for_.reset();
    if (supervisor_.deadline() && *supervisor_.deadline() <= world().now()) {
      look_at_children();
      if (is_alive()) feed(Tick{});
    } else {
      arm();
    }
  });
}

// ---- what is to be done ----

void Watchdog::perform(const StartLoader& action) {
  later(5ms + rng().below(Duration(50ms)), [this, generation = action.generation] {
    const auto snapshot = std::make_shared<const File>(machine_.file());
    snapshots_[generation] = snapshot;
    RoleSet roles;
    if (!snapshot->empty()) roles.insert(Role::vrrp);
    feed(LoaderFinished{.usable = true, .roles = roles, .diagnostics = {}});
  });
}

void Watchdog::perform(const Spawn&) {
  machine_.spawn_child();
}
void Watchdog::perform(const SendPrepare& action) {
  machine_.to_child({.type = Frame::Type::prepare,
                     .generation = action.generation,
                     .snapshot = snapshots_.at(action.generation)});
}
void Watchdog::perform(const SendCommit& action) {
  machine_.to_child({.type = Frame::Type::commit, .generation = action.generation});
}
void Watchdog::perform(const SendAbort& action) {
  machine_.to_child({.type = Frame::Type::abort, .generation = action.generation});
}
void Watchdog::perform(const SendStop&) {
  machine_.to_child({.type = Frame::Type::stop});
}
void Watchdog::perform(const Strike& action) {
  machine_.strike_child(action.blow == Blow::abort ? SIGABRT : SIGKILL);
}

void Watchdog::perform(const ReleaseAddresses&) {
  machine_.page().void_until = world().now();
  ReleaseProcess& process = machine_.spawn_release();
  process.later(kReleaseLimit, [&process] { process.kill(SIGKILL); });
}

void Watchdog::perform(const AdoptGeneration& action) {
  std::erase_if(snapshots_, [&](const auto& each) {
    return each.first != action.generation && each.first != action.former;
  });
}
void Watchdog::perform(const ReuseSnapshot& action) {
  snapshots_[action.generation] = snapshots_.at(action.former);
}
void Watchdog::perform(const DropCandidate& action) {
  snapshots_.erase(action.generation);
}

void Watchdog::perform(const ReloadFinished& action) {
  world().note("{} generation {} is in use{}", name(), action.generation,
               action.ok ? "" : ", the reload was not taken: " + action.text);
}
void Watchdog::perform(const Report& action) {
  world().note("{} {}", name(), action.text);
}
void Watchdog::perform(const Exit& action) {
  exit({ExitStatus::Kind::exited, to_int(action.code)});
}

ReleaseProcess::ReleaseProcess(Machine& machine, std::string name, Duration birth)
    : Process(machine.world(), machine.rng(), std::move(name)),
      reflector_(machine.world(), *this, machine.kernel(), machine.record(), nullptr) {
  later(birth, [this] {
    reflector_.load();
    reflector_.sweep_leftovers();
    reflector_.flush();
    exit({ExitStatus::Kind::exited, reflector_.owned_count() == 0 ? 0 : 1});
  });
}

}  // namespace holdfast::sim
