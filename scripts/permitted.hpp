// Which commands a configuration holds. Whoever asks for scripts names their commands; only those
// are believed that stand in a configuration which the process that runs them has read itself. So
// who has taken over a process that asks can have the operator's scripts run, and no others.
#pragma once

#include "config/model.hpp"
#include "core/script.hpp"

#include <deque>
#include <string>
#include <unordered_set>

namespace holdfast::scripts {

class Permitted {
 public:
  Permitted() = default;
  explicit Permitted(const config::Model& model);

  /// As written, for the same account and with the same security; behind a `notify` script the four
  /// words that say whose state it is. Of variables only those that cannot steer a program.
  [[nodiscard]] bool allows(const core::Command& command) const;

 private:
  std::unordered_set<std::string> exact_;
  std::unordered_set<std::string> told_state_;  // of `notify`
};

/// Of the last runtime::kScriptGenerations configurations that the director was given.
class PermittedLately {
 public:
  void add(Permitted permitted);
  [[nodiscard]] bool allows(const core::Command& command) const;

 private:
  std::deque<Permitted> generations_;  // the newest first
};

}  // namespace holdfast::scripts
