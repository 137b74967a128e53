#include "vrrp/scenario/player.hpp"

#include "vrrp/core/match.hpp"
#include "vrrp/scenario/lines.hpp"
#include "vrrp/scenario/values.hpp"

#include <algorithm>

namespace holdfast::vrrp::scenario {
namespace {

/// Instances decide for themselves: only the order within one is the core's word. The order of two
/// that are due at one moment depends on which began first, which a life does not tell.
std::string_view name_in(std::string_view decision) {
  decision.remove_prefix(std::min(kDecision.size() + 1, decision.size()));
  const bool quoted = decision.starts_with('"');
  const std::size_t end = quoted ? decision.find('"', 1) : decision.find(' ');
  return decision.substr(0, end);
}

template <class Range, class Text>
void sort_by_name(Range& range, Text text) {
  std::stable_sort(range.begin(), range.end(), [&](const auto& one, const auto& other) {
    return name_in(text(one)) < name_in(text(other));
  });
}

void check(bool holds, std::string_view sentence) {
  if (!holds) throw FormatError(std::string(sentence));
}

}  // namespace

void Player::feed(std::string_view line, std::size_t number) {
  if (difference_) return;
  number_ = number;
  if (line == kGap) {
    end_turn(true);
    driver_.reset();
    in_gap_ = true;
    return;
  }
  if (line.starts_with(kDecision)) {
    if (in_gap_) return;
    start_life();
    expected_.push_back({number, std::string(line)});
    return;
  }
  const std::vector<std::string> words = split_words(line);
  if (words.empty()) return;
  const char first = words.front().front();
  if (first >= '0' && first <= '9') {
    check(words.size() > 1, "nothing stands behind the time");
    feed_timed(words);
  } else if (!in_gap_) {
    feed_detail(words);
  }
}

void Player::feed_timed(std::span<const std::string> words) {
  Instant now;
  from_text(words[0], now);
  const std::string& verb = words[1];
  const auto rest = words.subspan(2);
  check(!reload_ || verb == "life", "the settings of a reload are not complete");
  if (in_gap_ && verb != "life") return;
  if (!begin_) begin_ = now;
  if (verb == "life") {
    end_turn(true);
    in_gap_ = false;
    life_ = read_life(rest);
    driver_.reset();
    now_ = now;
    trace_(fmt::format("{:.6f} a process begins or is joined", seconds(now - *begin_)));
    return;
  }
  start_life();
  check(driver_.has_value(), "no life has begun");
  if (!expected_.empty()) end_turn(false);
  if (difference_) return;
  now_ = now;
  told_something_ = true;
  if (verb == "wake") {
    driver_->begin(now, read_wake(rest), actions_);
  } else if (verb == "packet") {
    driver_->receive(read_packet(rest).received(), actions_);
  } else if (verb == "finish") {
    check(rest.empty(), "finish stands alone");
    driver_->finish(now, actions_);
  } else if (verb == "do" || verb == "answer") {
    Event event = read_event(rest);
    if (auto* reload = std::get_if<Reload>(&event); reload != nullptr) {
      check(verb == "do", "a reload is no answer");
      reload_ = std::move(*reload);
      reload_read_ = 0;
      if (reload_->instances.empty()) feed_detail({});
    } else if (verb == "do") {
      driver_->handle(event, now, actions_);
    } else {
      driver_->answer(event, actions_);
    }
  } else {
    throw FormatError(fmt::format("there is no '{}'", one_line(verb)));
  }
}

void Player::feed_detail(std::span<const std::string> words) {
  if (reload_) {
    if (!words.empty()) {
      check(words.front() == "instance", "the settings of a reload are not complete");
      reload_->instances.at(reload_read_++) = read_instance(words.subspan(1));
    }
    if (reload_read_ < reload_->instances.size()) return;
    check_unique(reload_->instances);
    driver_->handle(*std::exchange(reload_, std::nullopt), now_, actions_);
    return;
  }
  check(life_.has_value() && read_life_detail(words, *life_),
        fmt::format("'{}' stands here without its time", one_line(words.front())));
}

// The life's lines end where something happens.
void Player::start_life() {
  if (!life_) return;
  std::vector<InstanceSettings> settings;
  for (const InstanceSituation& each : life_->instances) settings.push_back(each.settings);
  check_unique(settings);
  driver_.emplace(Router(*std::exchange(life_, std::nullopt)));
}

void Player::finish() {
  if (!difference_) end_turn(true);
}

/// `is_cut`: the process or the recording may have ended before all decisions were written.
void Player::end_turn(bool is_cut) {
  if (reload_) trace_("the recording ends within the settings of a reload");
  reload_.reset();
  const bool incomplete = is_cut && told_something_ && expected_.size() < actions_.size();
  if (!expected_.empty() && !incomplete) {
    compare();
  } else if (incomplete) {
    trace_("the recording ends within a wake-up; what the core decides there:");
  }
  for (const Action& action : actions_) {
    if (!difference_) tell(action);
  }
  actions_.clear();
  expected_.clear();
  told_something_ = false;
}

void Player::compare() {
  if (expected_.size() == 1 && expected_.front().text == kNothing) expected_.clear();
  std::vector<std::string> got;
  for (const Action& action : actions_) got.push_back(decision_line(action));
  sort_by_name(got, [](const std::string& text) -> std::string_view { return text; });
  sort_by_name(expected_, [](const Expected& each) -> std::string_view { return each.text; });
  for (std::size_t i = 0; i < std::max(got.size(), expected_.size()); ++i) {
    const bool same = i < got.size() && i < expected_.size() && got[i] == expected_[i].text;
    if (same) continue;
    difference_ = Difference{i < expected_.size() ? expected_[i].line : number_,
                             i < expected_.size() ? expected_[i].text : std::string(kNothing),
                             i < got.size() ? got[i] : std::string(kNothing)};
    return;
  }
  compared_ += got.size();
}

void Player::tell(const Action& action) {
  if (std::holds_alternative<Remember>(action)) return;
  const std::string_view name = name_of(action);
  trace_(fmt::format("{:.6f} {}{}{}", seconds(now_ - *begin_), one_line(name),
                     name.empty() ? "" : ": ", one_line(to_string(action))));
}

}  // namespace holdfast::vrrp::scenario
