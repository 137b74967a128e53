#include "tests/sim/machine.hpp"

#include <csignal>

namespace holdfast::sim {

using namespace std::chrono_literals;

namespace {
constexpr Duration kRestartPause = 2s;      // etc/holdfast.service: RestartSec
constexpr Duration kServicePatience = 30s;  // TimeoutStopSec
}  // namespace

std::string interface_name(std::size_t wire) {
  return fmt::format("eth{}", wire);
}

core::IpAddress ipv6(std::uint16_t first, std::size_t wire, std::uint16_t last) {
  std::array<std::uint8_t, 16> bytes{};
  bytes[0] = static_cast<std::uint8_t>(first >> 8);
  bytes[1] = static_cast<std::uint8_t>(first);
  bytes[7] = static_cast<std::uint8_t>(wire);
  bytes[14] = static_cast<std::uint8_t>(last >> 8);
  bytes[15] = static_cast<std::uint8_t>(last);
  return core::IpAddress::v6(bytes);
}

core::IpAddress own_address(std::size_t machine, std::size_t wire, core::Family family,
                            Which which) {
  const bool is_second = which == Which::second;
  const auto last = static_cast<std::uint8_t>(machine + (is_second ? 11 : 1));
  if (family == core::Family::v6) return ipv6(0xfe80, wire, last);
  return core::IpAddress::v4(
      {10, static_cast<std::uint8_t>(is_second ? 1 : 0), static_cast<std::uint8_t>(wire), last});
}

std::vector<netlink::DesiredAddress> desired_addresses(const std::string& interface,
                                                       const vrrp::AddressList& addresses) {
  std::vector<netlink::DesiredAddress> desired;
  for (const vrrp::VirtualAddress& address : addresses) {
    desired.push_back({.interface = address.interface.empty() ? interface : address.interface.str(),
                       .prefix = address.prefix,
                       .label = address.label,
                       .broadcast = address.broadcast,
                       .scope = address.scope.value_or(core::kScopeGlobal)});
  }
  return desired;
}

Machine::Machine(World& world, core::Rng& rng, std::array<Lan, kWires>& wires, Watcher& watcher,
                 std::size_t number, const Host& host)
    : world_(world),
      rng_(rng),
      wires_(wires),
      watcher_(watcher),
      number_(number),
      name_(fmt::format("h{}", number + 1)),
      host_(host),
      kernel_(world, name_, host.habits) {
  for (std::size_t wire = 0; wire < kWires; ++wire) {
    ports_.at(wire) =
        wires_.at(wire).plug_in([this, wire](const Bytes& packet) { hears(wire, packet); });
    kernel_.plug_in(wire, interface_name(wire), own_addresses(wire));
  }
}

std::vector<netlink::Address> Machine::own_addresses(std::size_t wire) const {
  std::vector<netlink::Address> all;
  for (const Which which : {Which::first, Which::second}) {
    if (which == Which::second && !host_.has_second_addresses) continue;
    netlink::Address& v4 = all.emplace_back();
    v4.prefix = {own_address(number_, wire, core::Family::v4, which), 24};
    netlink::Address& v6 = all.emplace_back();
    v6.prefix = {own_address(number_, wire, core::Family::v6, which), 64};
    v6.scope = core::kScopeLink;
  }
  return all;
}

// ---- the service manager ----

void Machine::start() {
  wanted_ = true;
  is_off_ = false;
  boot();
  if (!watchdog_ && !child_) run_service();
}

// The first start, and that after it was switched off.
void Machine::boot() {
  if (std::exchange(booted_at_, booted_at_.value_or(world_.now())) || host_.listens_for == 0us)
    return;
  has_received_ = {};
  world_.at(*booted_at_ + host_.listens_for, [this] {
    for (std::size_t wire = 0; child_ && wire < kWires; ++wire)
      child_->look_at(interface_name(wire));
  });
}

bool Machine::has_open_ports() const {
  return booted_at_ && world_.now() >= *booted_at_ + host_.ports_open_after;
}

bool Machine::is_silent(std::size_t wire) const {
  return booted_at_ && world_.now() < *booted_at_ + host_.listens_for && !has_received_.at(wire);
}

void Machine::run_service() {
  ++run_;
  started_at_ = world_.now();
  has_begun_ = false;
  watchdog_ = std::make_unique<Watchdog>(*this, name_ + " watchdog");
  watchdog_->on_exit([this](const ExitStatus& status) { watchdog_ended(status); });
}

void Machine::stop() {
  wanted_ = false;
  if (watchdog_) watchdog_->stop();
}

void Machine::reload() {
  if (watchdog_) watchdog_->reload();
}

void Machine::watchdog_ended(const ExitStatus& status) {
  // A start that fails has run nothing: what an earlier life has left, it does not know of.
  if (status.kind == ExitStatus::Kind::exited && has_begun_ && !kernel_.ours().empty())
    has_littered_ = true;
  bury(std::move(watchdog_));
  if (release_) bury(std::move(release_));
  if (child_) {
    child_->watchdog_is_gone();
    child_->later(kServicePatience, [child = child_.get()] { child->kill(SIGKILL); });
  }
  restart_when_gone();
}

void Machine::child_ended(const ExitStatus& status) {
  bury(std::move(child_));
  if (watchdog_) watchdog_->child_ended(status);
  restart_when_gone();
}

// It may be on the stack: it is destroyed when the world has moved on.
void Machine::bury(std::unique_ptr<Process> process) {
  graves_.push_back(std::move(process));
  if (graves_.size() == 1) world_.after(1us, [this] { graves_.clear(); });
}

void Machine::restart_when_gone() {
  if (watchdog_ || child_ || !wanted_ || is_off_) return;
  world_.after(kRestartPause, [this, run = run_] {
    if (run == run_ && wanted_ && !is_off_ && !watchdog_ && !child_) run_service();
  });
}

// ---- its processes ----

void Machine::spawn_child() {
  const Duration usual = 5ms + rng_.below(Duration(75ms));
  const Duration birth = std::exchange(next_birth_, std::nullopt).value_or(usual);
  child_ = std::make_unique<Child>(*this, watcher_, name_ + " vrrp", birth);
  child_->on_exit([this](const ExitStatus& status) { child_ended(status); });
  world_.note("{} vrrp is started, its loop turns after {} us", name_, birth.count());
}

ReleaseProcess& Machine::spawn_release() {
  world_.note("{} release is started", name_);
  release_ =
      std::make_unique<ReleaseProcess>(*this, name_ + " release", 5ms + rng_.below(Duration(45ms)));
  release_->on_exit([this](const ExitStatus&) {
    bury(std::move(release_));
    if (watchdog_) watchdog_->release_ended();
  });
  return *release_;
}

void Machine::strike_child(int signal) {
  if (!child_) return;
  watcher_.struck(*child_);
  if (signal == SIGKILL) {
    child_->kill(SIGKILL);
  } else {
    child_->abort(rng_.below(Duration(100ms)));
  }
}

void Machine::to_child(Frame frame) {
  if (child_) child_->hear(std::move(frame));
}
void Machine::to_watchdog(const Frame& frame) {
  has_begun_ |= has_committed_child() && !child_->reflector().is_behind();
  if (watchdog_) watchdog_->hear(frame);
}

void Machine::note_advert(const core::RouterKey& key) {
  last_packet_[key] = last_of_all_ = world_.now();
}

void Machine::sends(netlink::InterfaceIndex index, const Bytes& bytes) {
  if (!has_open_ports()) return;
  const std::size_t wire = kernel_.wire_of(index);
  const auto form = host_.only_form ? form_of(bytes) : std::nullopt;
  if (!form) return wires_.at(wire).send(ports_.at(wire), bytes);
  const auto packet = decode_packet(bytes);
  wires_.at(wire).send(ports_.at(wire), rewritten(bytes, form_for(packet->destination)));
}

void Machine::hears(std::size_t wire, const Bytes& bytes) {
  if (!has_open_ports()) return;
  if (!std::exchange(has_received_.at(wire), true) && child_ && host_.listens_for != 0us)
    child_->look_at(interface_name(wire));
  const Kernel::Card* card = kernel_.card_on(wire);
  const auto packet = decode_packet(bytes);
  if (!child_ || card == nullptr || !card->link.is_usable() || packet.has_error()) return;
  if (!packet->destination.is_multicast() && !kernel_.has_on(wire, packet->destination)) return;
  const auto form = host_.only_form ? form_of(bytes) : std::nullopt;
  if (form && *form != form_for(packet->destination)) return;  // for it: a wrong checksum
  child_->packet(card->link.index, bytes);
}

/// To a group the two forms with a pseudo header are one.
vrrp::ChecksumForm Machine::form_for(const core::IpAddress& destination) const {
  using vrrp::ChecksumForm;
  const bool is_one = destination.is_multicast() && *host_.only_form == ChecksumForm::with_group;
  return is_one ? ChecksumForm::with_pseudo_header : *host_.only_form;
}

// ---- what breaks ----

void Machine::pause_child(Process::Run how) {
  if (!child_) return;
  child_->pause(how);
  if (watchdog_ && how == Process::Run::stopped) watchdog_->child_stopped_or_continued();
}
void Machine::pause_watchdog() {
  if (watchdog_) watchdog_->pause(Process::Run::stopped);
}
void Machine::pause_everything() {
  if (child_) child_->pause(Process::Run::stopped);
  if (watchdog_) watchdog_->pause(Process::Run::stopped);
  if (release_) release_->pause(Process::Run::stopped);
}

void Machine::go_on() {
  if (child_) {
    child_->go_on();
    if (watchdog_) watchdog_->child_stopped_or_continued();
  }
  if (watchdog_) watchdog_->go_on();
  if (release_) release_->go_on();
}

void Machine::kill_child(unsigned steps) {
  if (!child_) return;
  if (steps == 0) return child_->kill(SIGKILL);
  child_->doom(steps);
}
void Machine::kill_child_at_move() {
  if (child_) child_->doom_at_move();
}
void Machine::kill_watchdog(unsigned steps) {
  if (!watchdog_) return;
  if (steps == 0) return watchdog_->kill(SIGKILL);
  watchdog_->doom(steps);
}
void Machine::kill_everything() {
  if (release_) release_->kill(SIGKILL);
  if (watchdog_) watchdog_->kill(SIGKILL);
  if (child_) child_->kill(SIGKILL);
}

void Machine::power_off() {
  is_off_ = true;
  booted_at_.reset();
  kill_everything();
  kernel_.boot();
  record_ = {};
  page_ = {};
}

void Machine::set_truth(const vrrp::TrackerId& tracker, vrrp::Verdict verdict) {
  truth_[tracker] = verdict;
  if (child_) child_->tracked_changed(tracker);
}

vrrp::Verdict Machine::truth_of(const vrrp::TrackerId& tracker) const {
  if (tracker.kind == vrrp::TrackerKind::interface) {
    for (std::size_t wire = 0; wire < kWires; ++wire) {
      const Kernel::Card* card = kernel_.card_on(wire);
      if (card != nullptr && card->link.name == tracker.name)
        return card->link.is_usable() ? vrrp::Verdict::good : vrrp::Verdict::bad;
    }
    return vrrp::Verdict::bad;
  }
  const auto said = truth_.find(tracker);
  if (said != truth_.end()) return said->second;
  return tracker.kind == vrrp::TrackerKind::file ? vrrp::Verdict{0} : vrrp::Verdict::good;
}

void Machine::lose_address(std::size_t wire, const core::IpAddress& address) {
  kernel_.somebody_removes_on(wire, address);
}

void Machine::restore_addresses(std::size_t wire) {
  for (netlink::Address own : own_addresses(wire)) {
    if (kernel_.has_on(wire, own.prefix.address)) continue;
    kernel_.somebody_adds(wire, own);
  }
}

Instant Machine::last_packet(const core::RouterKey& key) const {
  const auto found = last_packet_.find(key);
  return found == last_packet_.end() ? Instant{} : found->second;
}

bool Machine::is_settled() const {
  if (release_) return false;
  if (!wanted_ || is_off_) return !watchdog_ && !child_;
  if (!watchdog_ || !watchdog_->runs() || !watchdog_->supervisor().is_steady()) return false;
  const Snapshot running = watchdog_->running();
  if (!running) return false;
  if (running->empty()) return !child_;
  return has_committed_child() && !child_->is_stopping();
}

}  // namespace holdfast::sim
