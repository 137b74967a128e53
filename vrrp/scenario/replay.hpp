// Any scenario, fed line by line: a recording, or the short form for people with its expected
// decisions. Called by `holdfast --replay` and tests/scenario; reads no file itself.
#pragma once

#include "vrrp/scenario/player.hpp"
#include "vrrp/scenario/script.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::vrrp::scenario {

class Replay {
 public:
  enum class Verdict : std::uint8_t { same, differs, unreadable };
  struct Trouble {
    std::size_t line = 0;
    std::string sentence;
  };

  /// `trace` gets what is decided, one line at a time, without line ends.
  explicit Replay(std::function<void(std::string_view)> trace) : trace_(std::move(trace)) {}

  void feed(std::string_view line);
  /// False: a short form, or nothing yet.
  [[nodiscard]] bool is_recording() const { return player_.has_value(); }
  /// After the last line.
  void finish();

  [[nodiscard]] Verdict verdict() const;
  /// With Verdict::differs.
  [[nodiscard]] const std::optional<Difference>& difference() const { return difference_; }
  /// With Verdict::unreadable.
  [[nodiscard]] const std::optional<Trouble>& trouble() const { return trouble_; }
  /// How many were compared.
  [[nodiscard]] std::size_t decisions() const { return decisions_; }
  /// The decisions of a short form, to be written below its "---"; empty for a recording.
  [[nodiscard]] std::string script_trace() const { return script_ ? script_->trace() : ""; }

 private:
  void take(std::string_view line);
  void choose(std::string_view first_line);
  void compare_script();
  template <class Work>
  void guarded(const Work& work);

  std::function<void(std::string_view)> trace_;
  std::optional<Player> player_;
  std::optional<Script> script_;
  bool below_ = false;  // the "---" of a short form
  struct Expected {
    std::size_t line = 0;
    std::string text;
  };
  std::vector<Expected> expected_;
  std::size_t line_ = 0;
  std::size_t decisions_ = 0;
  std::optional<Difference> difference_;
  std::optional<Trouble> trouble_;
};

}  // namespace holdfast::vrrp::scenario
