#include "vrrp/scenario/recording.hpp"

#include "vrrp/scenario/lines.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::vrrp::scenario {
namespace {

/// Events that belong into a story which leaves out what every second brings.
bool changes_something(const Event& event) {
  if (const auto* placed = std::get_if<AddressesPlaced>(&event)) return !placed->problem.empty();
  if (const auto* script = std::get_if<ScriptEnded>(&event)) return !script->outcome.succeeded();
  return !std::holds_alternative<AdvertSent>(event) && !std::holds_alternative<Tick>(event) &&
         !std::holds_alternative<ScriptStarted>(event) && !std::holds_alternative<ClockTold>(event);
}

bool changes_something(const Action& action) {
  return std::holds_alternative<StateChanged>(action) ||
         std::holds_alternative<PeerProblem>(action) || std::holds_alternative<Removed>(action) ||
         std::holds_alternative<Stopped>(action);
}

}  // namespace

void RecordedDriver::begin(Instant now, Duration uncounted, Actions& out) {
  if (!tapes_.empty()) {
    open_turn(now);
    for (const Attached& each : tapes_) {
      if (each.tape->wants_everything()) each.tape->write(now, wake_text(uncounted));
    }
  }
  driver_.begin(now, uncounted, out);
}

const InstanceSettings* RecordedDriver::receiver_of(const Received& packet) const {
  const auto advert = advert_in(packet);
  const auto vrid = advert.has_error() ? std::nullopt : peek_vrid(*advert);
  const Instance* instance = vrid ? router().receiver(packet, *vrid) : nullptr;
  return instance == nullptr ? nullptr : &instance->settings();
}

void RecordedDriver::receive(const Received& packet, Actions& out) {
  for (const Attached& each : tapes_) {
    if (each.tape->wants_everything())
      each.tape->write(now_,
                       packet_text(packet, each.pseudonyms.hide(packet, receiver_of(packet))));
  }
  driver_.receive(packet, out);
}

void RecordedDriver::finish(Instant heard_at, Actions& out) {
  for (const Attached& each : tapes_) {
    if (each.tape->wants_everything()) each.tape->write(heard_at, "finish");
  }
  driver_.finish(heard_at, out);
}

void RecordedDriver::handle(const Event& event, Instant now, Actions& out) {
  if (!tapes_.empty()) {
    open_turn(now);
    write_event("do", event, now);
  }
  driver_.handle(event, now, out);
}

void RecordedDriver::answer(const Event& event, Actions& out) {
  if (!tapes_.empty()) write_event("answer", event, now_);
  driver_.answer(event, out);
}

void RecordedDriver::write_event(std::string_view how, const Event& event, Instant now) {
  const auto* reload = std::get_if<Reload>(&event);
  for (const Attached& each : tapes_) {
    if (reload != nullptr) each.tape->before_reload(reload->instances.size());
    if (!each.tape->wants_everything() && !changes_something(event)) continue;
    // The line of a reload only counts its settings: there is nothing to hide in it.
    const std::string text = event_text(reload != nullptr ? event : each.pseudonyms.hide(event));
    each.tape->write(now, fmt::format("{} {}", how, text));
    if (reload == nullptr) continue;
    for (const InstanceSettings& settings : reload->instances) {
      if (!each.tape->wants_everything()) break;  // or not any more: it is full
      each.tape->write(std::nullopt, instance_line(each.pseudonyms.hide(settings)));
    }
  }
}

void RecordedDriver::settle(const Actions& actions) {
  if (!in_turn_) return;
  in_turn_ = false;
  for (const Attached& each : tapes_) {
    const bool everything = each.tape->wants_everything();
    for (const Action& action : actions) {
      if (everything) {
        each.tape->write(std::nullopt, decision_line(action));
      } else if (changes_something(action)) {
        each.tape->write(now_, decision_line(action));
      }
    }
    if (everything && actions.empty()) each.tape->write(std::nullopt, kNothing);
    each.tape->after_turn(now_, actions);
  }
}

void RecordedDriver::open_turn(Instant now) {
  now_ = now;
  if (in_turn_) return;
  in_turn_ = true;
  const std::size_t instances = router().size();
  for (const Attached& each : tapes_) {
    if (each.tape->before_turn(instances) == Tape::Need::life) begin_life(each, now);
  }
}

void RecordedDriver::begin_life(const Attached& attached, Instant now) const {
  RouterSituation situation = router().situation();
  for (InstanceSituation& each : situation.instances)
    each.settings = attached.pseudonyms.hide(std::move(each.settings));
  attached.tape->begin_life(now, std::move(situation));
}

void RecordedDriver::attach(Tape& tape, Pseudonyms::Key key, Instant now) {
  tapes_.push_back({&tape, Pseudonyms(key)});
  if (tape.before_turn(router().size()) == Tape::Need::life) begin_life(tapes_.back(), now);
}

void RecordedDriver::detach(const Tape& tape) {
  std::erase_if(tapes_, [&tape](const Attached& each) { return each.tape == &tape; });
}

}  // namespace holdfast::vrrp::scenario
