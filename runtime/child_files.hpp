// A child's pid file and lock. The parent knows its children, so neither can keep one from working:
// what is wrong is said. The lock only lets a child wait for one of an earlier life that is still
// leaving, after the parent was killed and started again.
#pragma once

#include "runtime/child.hpp"
#include "runtime/lock_file.hpp"
#include "runtime/pid_file.hpp"

#include <optional>

namespace holdfast::runtime {

/// A master that leaves serves this long until its successor is heard, and somewhat more; below the
/// time that the parent allows for a start.
inline constexpr core::Duration kPredecessorPatience = std::chrono::seconds(5);

class ChildFiles {
 public:
  /// Waits for a predecessor, at most kPredecessorPatience.
  ChildFiles(Logger& logger, const ChildOptions& options);
  /// No other process of this role and run directory lives.
  [[nodiscard]] bool is_alone() const { return lock_.has_value(); }

 private:
  std::optional<LockFile> lock_;
  std::optional<PidFile> pid_file_;
};

}  // namespace holdfast::runtime
