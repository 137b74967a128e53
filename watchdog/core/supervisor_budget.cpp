// Who holds the virtual addresses, and until when: a master has a budget, its last advert plus the
// silence that peers allow. While a vrrp child takes part the budget is its own affair; while none
// does, whatever the successor is doing, it is ours.
#include "watchdog/core/seconds.hpp"
#include "watchdog/core/supervisor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::watchdog {

void Supervisor::on(const Observed& event) {
  ChildRecord& child = record(event.role);
  child.stopped = event.stopped;
  child.worked = event.worked;
  child.is_working = event.is_working;
  if (event.role == Role::vrrp) holds_until_ = event.holds_until;
}

// One that runs nothing yet, that was struck or does not run at all will neither send an advert nor
// take an address off. One that is told to stop says on its page until when it hands over at the
// latest; one that does not even come to that hangs.
bool Supervisor::addresses_are_served() const {
  const ChildRecord& child = children_[static_cast<std::size_t>(Role::vrrp)];
  if (child.stopped) return false;
  const auto* live = std::get_if<Live>(&child.state);
  return live != nullptr && live->applied != 0;
}

std::optional<core::Instant> Supervisor::release_deadline() const {
  if (settings_.keep_addresses == KeepAddresses::yes || releasing_ || current_ == 0 ||
      addresses_are_served())
    return std::nullopt;
  const ChildRecord& child = children_[static_cast<std::size_t>(Role::vrrp)];
  const auto* dying = std::get_if<Dying>(&child.state);
  if (!holds_until_ || dying == nullptr || dying->why != Dying::Why::stop || child.stopped)
    return holds_until_;
  return std::max(*holds_until_, child.since + settings_.word_time);
}

// A master that does not run, or that is silent and does not work, is replaced while its successor
// can still resume: then nobody notices. One that works may be back any moment, and is waited for
// to the end. What had passed already when it was last heard is its own affair: an instance whose
// adverts do not leave.
std::optional<core::Instant> Supervisor::replacement_deadline() const {
  const ChildRecord& child = children_[static_cast<std::size_t>(Role::vrrp)];
  const auto* live = std::get_if<Live>(&child.state);
  if (live == nullptr || live->applied == 0 || !holds_until_) return std::nullopt;
  if (child.stopped) return *holds_until_ - settings_.successor_time;
  if (!live->look || *holds_until_ < live->heard_at) return std::nullopt;
  if (has_worked(child, *live)) {
    if (settings_.keep_addresses == KeepAddresses::yes) return std::nullopt;  // nothing to be won
    return *holds_until_;
  }
  return std::max(*holds_until_ - settings_.successor_time,
                  live->look->at + settings_.successor_time);
}

std::string Supervisor::why_replaced() const {
  const ChildRecord& child = children_[static_cast<std::size_t>(Role::vrrp)];
  if (child.stopped) return "is stopped, and a peer takes over unless a successor is back in time";
  const auto& live = std::get<Live>(child.state);
  const double silent = seconds(now_ - live.heard_at);
  return has_worked(child, live)
             ? fmt::format(
                   "works, but has not come to its adverts for {:.1f} s, and a peer takes "
                   "over now",
                   silent)
             : fmt::format(
                   "gave no sign of life for {:.1f} s, and a peer takes over unless a "
                   "successor is back in time",
                   silent);
}

// The page is the truth: a successor that has just resumed has moved the moment on by its adverts.
// One that was told to commit and has not done so until now must not begin any more.
void Supervisor::keep_the_clock() {
  if (const auto due = replacement_deadline(); due && now_ >= *due)
    end_hung(Role::vrrp, why_replaced());
  const auto due = release_deadline();
  if (!due || now_ < *due) return;
  const ChildState& state = record(Role::vrrp).state;
  if (const auto* live = std::get_if<Live>(&state);
      live != nullptr && live->stage == Live::Stage::committing) {
    end_hung(Role::vrrp, "did not take over its predecessor's addresses in time");
  } else if (const auto* dying = std::get_if<Dying>(&state);
             dying != nullptr && !dying->killed &&
             (dying->why == Dying::Why::stop || record(Role::vrrp).stopped)) {
    kill(Role::vrrp);
  }
  release_addresses();
}

// They are there as long as the director runs a vrrp configuration.
Statics Supervisor::fate_of_statics() const {
  const bool goes_on = !is_stopping() && current_ != 0 && wanted_.contains(Role::vrrp);
  return goes_on ? Statics::stay : Statics::go;
}

void Supervisor::release_addresses() {
  release_addresses(fate_of_statics());
}

void Supervisor::release_addresses(Statics statics) {
  holds_until_.reset();
  if (settings_.keep_addresses == KeepAddresses::yes || releasing_) return;
  releasing_ = true;
  statics_stay_ = statics == Statics::stay;
  out_->push_back(ReleaseAddresses{.statics = statics});
}

void Supervisor::on(const AddressesReleased&) {
  releasing_ = false;
  if (const auto* live = std::get_if<Live>(&record(Role::vrrp).state);
      live != nullptr && live->stage == Live::Stage::prepared && !is_in_barrier(*live) &&
      !is_stopping())
    commit_alone(Role::vrrp);
  for (const Role role : kRoles) tick_child(role);
  advance_stop();
  begin_barrier_when_settled();
}

// A restarted child, outside of the barrier. While addresses are being taken off a vrrp child
// waits: it would put its own back in between.
void Supervisor::commit_alone(Role role) {
  auto& live = std::get<Live>(record(role).state);
  if (role == Role::vrrp && releasing_) return;
  live.stage = Live::Stage::committing;
  live.answer_by = now_ + settings_.answer_limit;
  out_->push_back(SendCommit{.role = role, .generation = live.asked});
}

// ---- a child that dies again and again hands over
// --------------------------------------------------

// Taking addresses off says nothing to the peers: they would wait for the rest of the budget, and
// nobody would serve meanwhile. While there is some left, one more child resumes and leaves in
// order.
bool Supervisor::can_part() const {
  const ChildRecord& child = children_[static_cast<std::size_t>(Role::vrrp)];
  return settings_.keep_addresses == KeepAddresses::no && !releasing_ && current_ != 0 &&
         !child.parting && holds_until_ && now_ + settings_.parting_time < *holds_until_;
}

// The second death in a row costs nobody anything while its successor can still resume; with the
// third there is something wrong that a pause may cure, and peers can do better meanwhile.
bool Supervisor::resumes_at_once(Role role, bool was_busy) const {
  return role == Role::vrrp && !was_busy && can_part() &&
         children_[static_cast<std::size_t>(role)].policy.deaths_in_row() <= 2 &&
         now_ + settings_.successor_time < *holds_until_;
}

void Supervisor::begin_parting(const Parting& parting) {
  spawn(Role::vrrp, current_);
  record(Role::vrrp).parting = parting;
}

void Supervisor::finish_parting(const ExitStatus& status) {
  ChildRecord& child = record(Role::vrrp);
  const Parting parting = *std::exchange(child.parting, std::nullopt);
  const auto* dying = std::get_if<Dying>(&child.state);
  const bool handed_over = dying != nullptr && dying->why == Dying::Why::stop &&
                           dying->applied != 0 && status.is_clean();
  const Statics statics = parting.give_up ? Statics::go : fate_of_statics();
  statics_stay_ = handed_over && statics == Statics::stay;
  if (!handed_over) release_addresses(statics);
  if (parting.give_up) {
    stand_down();
  } else {
    set_state(Role::vrrp, Backoff{.until = now_ + parting.pause});
  }
}

void Supervisor::stand_down() {
  set_state(Role::vrrp, Failed{});
  stop_everything(ExitCode::fatal);
}

}  // namespace holdfast::watchdog
