#include "mail/core/queue.hpp"

#include <algorithm>

namespace holdfast::mail {
namespace {

constexpr const char* kNobody = "the configuration names no relay or no receiver any more";

}  // namespace

void Queue::step(const Event& event, core::Instant now, Actions& out) {
  std::visit([&](const auto& one) { on(one, now, out); }, event);
  begin(now, out);
}

std::optional<core::Instant> Queue::deadline() const {
  if (has_session_ || letters_.empty()) return std::nullopt;
  return next_at_;
}

void Queue::on(const Posted& event, core::Instant now, Actions& out) {
  Waiting waiting{event.subject, event.letter, {}, now};
  const auto newest = newest_.find(event.subject);
  if (newest != newest_.end()) {
    const Place former = letters_.find(newest->second);
    if (!former->second.is_in_session) {
      waiting.letter.overtaken = former->second.letter.overtaken + 1;
      settle(former, Settled::How::overtaken, "a newer one came before it left", now, out);
    }
  }
  const Place place = letters_.emplace(event.id, std::move(waiting)).first;
  newest_[event.subject] = event.id;
  if (letters_.size() > kMostWaiting)
    settle(place, Settled::How::lost, "too many letters wait already", now, out);
}

void Queue::on(const Decided& event, core::Instant now, Actions& out) {
  const Place place = letters_.find(event.id);
  if (place == letters_.end() || !place->second.is_in_session) return;
  const Delivery& delivery = event.delivery;
  place->second.is_in_session = false;
  counts_.refused_receivers += delivery.refused;
  session_sent_ = session_sent_ || delivery.verdict == Delivery::Verdict::sent;
  if (!delivery.why.empty()) last_trouble_ = Trouble{delivery.why, now};
  if (delivery.verdict == Delivery::Verdict::refused)
    return settle(place, Settled::How::refused, delivery.why, now, out);
  if (delivery.verdict == Delivery::Verdict::sent && delivery.deferred.empty())
    return settle(place, Settled::How::sent, delivery.why, now, out);
  if (!delivery.deferred.empty()) place->second.only_for = delivery.deferred;
  put_off(place, delivery.why, now, out);
}

/// It stays for the next session, unless its time is over or a newer one says more.
void Queue::put_off(Place place, const std::string& why, core::Instant now, Actions& out) {
  session_trouble_ = why;
  Waiting& waiting = place->second;
  const auto newest = newest_.find(waiting.subject);
  if (newest != newest_.end() && newest->second != place->first) {
    letters_.at(newest->second).letter.overtaken += waiting.letter.overtaken + 1;
    return settle(place, Settled::How::overtaken, "a newer one came before it left", now, out);
  }
  if (!can_send_) return settle(place, Settled::How::given_up, kNobody, now, out);
  if (now - waiting.posted_at >= kGiveUpAfter) settle(place, Settled::How::given_up, why, now, out);
}

void Queue::on(const SessionOver& event, core::Instant now, Actions& out) {
  has_session_ = false;
  if (!event.why.empty()) {
    session_trouble_ = event.why;
    last_trouble_ = Trouble{event.why, now};
  }
  std::vector<LetterId> open;
  for (const auto& [id, waiting] : letters_)
    if (waiting.is_in_session) open.push_back(id);
  for (const LetterId id : open) {
    const Place place = letters_.find(id);
    place->second.is_in_session = false;
    put_off(place, event.why.empty() ? "the session ended early" : event.why, now, out);
  }
  pause(now, out);
}

// One letter that the relay cannot take now must not hold up the others' next session for long.
void Queue::pause(core::Instant now, Actions& out) {
  if (session_trouble_.empty()) {
    pause_ = {};
    next_at_ = now;
    return;
  }
  const bool is_new = pause_ == core::Duration{};
  pause_ = is_new || session_sent_ ? kFirstPause : std::min(2 * pause_, kLongestPause);
  next_at_ = now + pause_;
  if (is_new) out.push_back(Troubled{session_trouble_, pause_});
}

void Queue::on(const SettingsChanged& event, core::Instant now, Actions& out) {
  can_send_ = event.can_send;
  next_at_ = now;
  pause_ = {};  // what the new ones fail of is said, too
  for (auto next = letters_.begin(); next != letters_.end();) {
    const Place place = next++;
    place->second.only_for.clear();
    if (!can_send_ && !place->second.is_in_session)
      settle(place, Settled::How::given_up, kNobody, now, out);
  }
}

void Queue::on(const Tick&, core::Instant, Actions&) {}

void Queue::begin(core::Instant now, Actions& out) {
  if (has_session_ || letters_.empty() || now < next_at_) return;
  Begin session;
  // Those that the relay did not take before never keep a new one waiting.
  for (const bool was_tried : {false, true}) {
    for (auto& [id, waiting] : letters_) {
      if (session.letters.size() == kMostInSession) break;
      if (waiting.is_in_session || waiting.was_tried != was_tried) continue;
      waiting.is_in_session = true;
      session.letters.push_back(id);
    }
  }
  for (const LetterId id : session.letters) letters_.at(id).was_tried = true;
  has_session_ = true;
  session_sent_ = false;
  session_trouble_.clear();
  ++counts_.sessions;
  out.emplace_back(std::move(session));
}

void Queue::settle(Place place, Settled::How how, std::string why, core::Instant now,
                   Actions& out) {
  switch (how) {
    case Settled::How::sent:
      ++counts_.sent;
      break;
    case Settled::How::overtaken:
      ++counts_.overtaken;
      break;
    case Settled::How::refused:
    case Settled::How::given_up:
    case Settled::How::lost:
      ++counts_.failed;
      last_trouble_ = Trouble{why, now};
      break;
  }
  const auto newest = newest_.find(place->second.subject);
  if (newest != newest_.end() && newest->second == place->first) newest_.erase(newest);
  out.emplace_back(Settled{place->first, place->second.subject, how, std::move(why)});
  letters_.erase(place);
}

}  // namespace holdfast::mail
