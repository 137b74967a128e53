// A generation on trial: unless somebody confirms it in time, the one before it returns. Used by
// the supervisor. It knows what to return to and when; it starts nothing.
#pragma once

#include "core/time.hpp"
#include "watchdog/core/role.hpp"

#include <optional>

namespace holdfast::watchdog {

struct ConfirmationSettings {
  /// A return that failed (a child died in it) is tried again after this long: whoever asked for a
  /// trial may not be able to reach the host any more.
  core::Duration retry_after = std::chrono::seconds(5);
};

class Confirmation {
 public:
  /// What ran before, and who ran it.
  struct Former {
    Generation generation = 0;
    RoleSet roles;

    bool operator==(const Former&) const = default;
  };

  explicit Confirmation(const ConfirmationSettings& settings) : settings_(settings) {}

  /// `generation` runs now, `former` ran before; it returns at `until`.
  void begin(Generation generation, Former former, core::Instant until);
  /// Confirmed, gone back, or stopping: nothing is on trial any more.
  void end() { trial_.reset(); }
  /// The return is due at once: asked for, or the generation on trial does not run.
  void expire(core::Instant now);
  /// The return did not succeed; the generation on trial stays for the moment.
  void on_return_failed(core::Instant now);

  [[nodiscard]] bool is_waiting() const { return trial_.has_value(); }
  [[nodiscard]] bool is_due(core::Instant now) const { return trial_ && now >= trial_->until; }
  /// When the former generation returns; nullopt: nothing is on trial.
  [[nodiscard]] std::optional<core::Instant> deadline() const;
  /// Only while waiting.
  [[nodiscard]] Generation generation() const { return trial_ ? trial_->generation : 0; }
  [[nodiscard]] Former former() const { return trial_ ? trial_->former : Former{}; }

 private:
  struct Trial {
    Generation generation = 0;
    Former former;
    core::Instant until{};
  };
  ConfirmationSettings settings_;
  std::optional<Trial> trial_;
};

}  // namespace holdfast::watchdog
