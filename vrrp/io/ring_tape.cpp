#include "vrrp/io/ring_tape.hpp"

#include "vrrp/scenario/lines.hpp"

namespace holdfast::vrrp {

RingTape::RingTape(std::span<std::uint8_t> memory, std::function<void()> on_mastership)
    : ring_(memory), on_mastership_(std::move(on_mastership)) {}

void RingTape::begin(Content content) {
  ring_.begin_segment(content);
  content_ = content;
  torn_ = false;
}

scenario::Tape::Need RingTape::before_turn(std::size_t instances) {
  instances_ = instances;
  const bool few = instances <= kMostInstances;
  const bool full = !content_ || torn_ || ring_.bytes_left() < kTurnRoom;
  if (few) {
    const bool try_again = content_ == Content::changes && too_large_ != instances;
    return full || try_again ? Need::life : Need::nothing;
  }
  too_large_.reset();
  if (full || content_ == Content::everything) begin(Content::changes);
  return Need::nothing;
}

// Thousands of settings would fill a part and be thrown away with the next turn.
void RingTape::before_reload(std::size_t instances) {
  if (instances > kMostInstances && content_ == Content::everything) begin(Content::changes);
}

void RingTape::begin_life(core::Instant at, RouterSituation situation) {
  const std::vector<std::string> lines = scenario::life_lines(situation);
  std::size_t size = 0;
  for (const std::string& line : lines) size += line.size();
  if (size > kMostLifeText) {
    too_large_ = instances_;
    begin(Content::changes);
    return;
  }
  too_large_.reset();
  begin(Content::everything);
  for (const std::string& line : lines)
    write(&line == &lines.front() ? std::optional(at) : std::nullopt, line);
}

bool RingTape::wants_everything() const {
  return content_ == Content::everything && !torn_;
}

void RingTape::write(std::optional<core::Instant> at, std::string_view line) {
  if (torn_ || ring_.write(at, line)) return;
  if (content_ == Content::everything) {  // a part begins with a turn, never within one
    ring_.write_last(scenario::kGap);
    torn_ = true;
    return;
  }
  begin(Content::changes);
  if (!ring_.write(at, line)) torn_ = true;  // longer than a whole part: the next turn begins anew
}

void RingTape::after_turn(core::Instant now, const Actions& actions) {
  bool mastership = false;
  for (const Action& action : actions) {
    if (const auto* changed = std::get_if<StateChanged>(&action)) {
      mastership =
          mastership || changed->from == StateName::master || changed->to == StateName::master;
      remember(*changed, now);
    }
  }
  if (mastership) on_mastership_();
}

void RingTape::remember(const StateChanged& changed, core::Instant now) {
  past_.states.push_back({changed.router->key, now, changed.from, changed.to, changed.why});
  if (past_.states.size() > Past::kMost) past_.states.pop_front();
}

}  // namespace holdfast::vrrp
