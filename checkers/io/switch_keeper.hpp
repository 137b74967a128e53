// Sets the kernel's switches of IPVS, reads them again from time to time (nobody announces a
// change), and gives back what was there. What it was stands in the run directory before anything
// is written, for a successor of this process. Used by the runner.
#pragma once

#include "checkers/core/switches.hpp"
#include "core/time.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"

#include <cstdint>
#include <string>

namespace holdfast::checkers {

inline constexpr core::Duration kSwitchLookInterval = std::chrono::seconds(10);

class SwitchKeeper {
 public:
  /// `record`: the file that holds what was found.
  SwitchKeeper(runtime::Loop& loop, runtime::Logger& logger, std::string record);

  /// Loads the module when its switches are not there yet.
  void configure(const SwitchSettings& settings);
  /// Gives back what was there, if that was asked for.
  void stop(bool keep);

  [[nodiscard]] const SwitchState& state() const { return state_; }

 private:
  void load();
  void work();
  [[nodiscard]] Switches read() const;
  /// A sentence for what was refused; empty: nothing.
  [[nodiscard]] std::string write(const Switches& values);
  void remember(const Switches& found);
  void tell_absent(const std::vector<std::string>& absent);
  void tell_trouble(std::string sentence);

  runtime::Logger& logger_;
  std::string record_;
  std::string boot_id_;
  runtime::DeadlineTimer timer_;
  SwitchState state_;
  std::vector<std::string> told_absent_;
  bool loaded_ = false;
};

}  // namespace holdfast::checkers
