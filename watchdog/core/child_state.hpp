// What the supervisor knows about one child. Values only; the status page reads them.
#pragma once

#include "core/time.hpp"
#include "watchdog/core/restart_policy.hpp"
#include "watchdog/core/role.hpp"

#include <optional>
#include <string>
#include <variant>

namespace holdfast::watchdog {

/// No process, and none is wanted.
struct Idle {
  bool operator==(const Idle&) const = default;
};

/// A process that we believe in.
struct Live {
  /// How far it is with the generation `asked`.
  enum class Stage : std::uint8_t { preparing, prepared, committing, settled };
  Stage stage = Stage::preparing;
  Generation asked = 0;
  Generation applied = 0;  ///< 0: runs nothing yet
  core::Instant spawned_at{};
  core::Instant heard_at{};                ///< last frame of any kind; its start before the first
  bool has_spoken = false;                 ///< its loop turns: from now on silence is judged
  std::optional<core::Instant> answer_by;  ///< for the stages preparing and committing
  /// It was looked at while it was silent, and had worked for so long by then.
  struct Look {
    core::Instant at{};
    core::Duration worked{};
    bool operator==(const Look&) const = default;
  };
  std::optional<Look> look = {};
  bool is_late = false;  ///< silent for too long, but it works: busy, not hung
  bool operator==(const Live&) const = default;
};

/// A process that we want to end; `strike_at` is when we stop being patient.
struct Dying {
  enum class Why : std::uint8_t { stop, misbehaved };
  Why why = Why::stop;
  Generation applied = 0;  ///< as in Live: 0 means that it never ran anything
  core::Instant spawned_at{};
  core::Instant strike_at{};
  bool killed = false;    ///< SIGKILL is out: nothing left to try, only to wait for
  bool was_busy = false;  ///< what it was doing is too much: not to be begun again at once
  bool operator==(const Dying&) const = default;
};

/// No process for the moment: the next one starts at `until`.
struct Backoff {
  core::Instant until{};
  bool operator==(const Backoff&) const = default;
};

/// Given up: starting again cannot help. A reload tries once more.
struct Failed {
  bool operator==(const Failed&) const = default;
};

using ChildState = std::variant<Idle, Live, Dying, Backoff, Failed>;

/// What follows when a process has ended that was started only to hand over.
struct Parting {
  core::Duration pause{};  ///< before the next process
  bool give_up = false;    ///< none: the director stands down
  bool operator==(const Parting&) const = default;
};

struct ChildRecord {
  explicit ChildRecord(const RestartSettings& restart) : policy(restart) {}

  ChildState state;
  core::Instant since{};  ///< of the kind of state
  RestartPolicy policy;
  unsigned restarts = 0;  ///< processes after the first one, since the watchdog started
  bool was_started = false;
  /// The process of the moment takes the addresses over only to hand them to a peer.
  std::optional<Parting> parting;
  bool stopped = false;     ///< the process does not run (SIGSTOP), when it was last looked at
  core::Duration worked{};  ///< and how long its loop had worked until then
  bool is_working = false;  ///< and whether it was about to go on
  std::string last_exit;    ///< empty: none so far
};

}  // namespace holdfast::watchdog
