// What happened lately, always: the tape that the recorder attaches when the process begins. Keeps
// everything while the instances are few enough for a life to fit, else what changed.
#pragma once

#include "vrrp/io/record_ring.hpp"
#include "vrrp/scenario/recording.hpp"

#include <deque>
#include <functional>
#include <string>

namespace holdfast::vrrp {

/// One change of state, for `explain`.
struct PastState {
  RouterKey router;
  core::Instant at;
  StateName from{};
  StateName to{};
  std::string why;
};

/// What `explain` wants to know of the past, oldest first. Of all instances together.
struct Past {
  /// Older ones go.
  static constexpr std::size_t kMost = 256;
  std::deque<PastState> states;
};

class RingTape : public scenario::Tape {
 public:
  /// Beyond these only changes are kept.
  static constexpr std::size_t kMostInstances = 100;
  static constexpr std::size_t kMostLifeText = RecordRing::kSegmentBytes / 2;
  /// A turn begins in a new part when less is left in this one.
  static constexpr std::size_t kTurnRoom = 8 * 1024;

  /// `memory` as for RecordRing. `on_mastership`: an instance became master or ceased to be.
  RingTape(std::span<std::uint8_t> memory, std::function<void()> on_mastership);

  [[nodiscard]] const Past& past() const { return past_; }

  Need before_turn(std::size_t instances) override;
  void before_reload(std::size_t instances) override;
  void begin_life(core::Instant at, RouterSituation situation) override;
  [[nodiscard]] bool wants_everything() const override;
  void write(std::optional<core::Instant> at, std::string_view line) override;
  void after_turn(core::Instant now, const Actions& actions) override;

 private:
  using Content = RecordRing::Content;
  void begin(Content content);
  void remember(const StateChanged& changed, core::Instant now);

  RecordRing ring_;
  std::function<void()> on_mastership_;
  std::optional<Content> content_;
  bool torn_ = false;  // this part has a gap at its end
  // A life of so many instances did not fit although they are few: when there are more or fewer, it
  // is tried again.
  std::optional<std::size_t> too_large_;
  std::size_t instances_ = 0;
  Past past_;
};

}  // namespace holdfast::vrrp
