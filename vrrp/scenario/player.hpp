// Plays a recording: steps a Driver through it and compares what is decided with what was. Fed line
// by line; reads no file and no clock.
#pragma once

#include "vrrp/core/driver.hpp"
#include "vrrp/core/situation.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::vrrp::scenario {

/// The first place where the core decides otherwise than it did.
struct Difference {
  std::size_t line = 0;  ///< Of the recording.
  std::string expected;  ///< What it says there.
  std::string got;
  bool operator==(const Difference&) const = default;
};

class Player {
 public:
  /// `trace` gets a line for everything that is decided, with seconds since the recording began.
  explicit Player(std::function<void(std::string_view)> trace) : trace_(std::move(trace)) {}

  /// The lines behind the first one, numbered. Throws FormatError. After a difference nothing more
  /// happens.
  void feed(std::string_view line, std::size_t number);
  void finish();

  [[nodiscard]] const std::optional<Difference>& difference() const { return difference_; }
  [[nodiscard]] std::size_t decisions() const { return compared_; }

 private:
  struct Expected {
    std::size_t line = 0;
    std::string text;
  };

  void feed_timed(std::span<const std::string> words);
  void feed_detail(std::span<const std::string> words);
  void start_life();
  void end_turn(bool is_cut);
  void compare();
  void tell(const Action& action);

  std::function<void(std::string_view)> trace_;
  std::optional<Driver> driver_;
  std::optional<RouterSituation> life_;  // is being read
  std::optional<Reload> reload_;         // is being read
  std::size_t reload_read_ = 0;
  bool in_gap_ = false;
  bool told_something_ = false;
  std::optional<Instant> begin_;
  Instant now_{};
  std::size_t number_ = 0;
  Actions actions_;
  std::vector<Expected> expected_;
  std::size_t compared_ = 0;
  std::optional<Difference> difference_;
};

}  // namespace holdfast::vrrp::scenario
