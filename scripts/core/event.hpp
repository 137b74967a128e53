// What the queue of scripts is told, and what it wants done.
#pragma once

#include "core/script.hpp"
#include "core/time.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::scripts {

using core::Duration;
using core::EndedBy;
using core::Instant;

/// One state of one subject, with all that is to be run for it. Numbers are never used twice.
using JobId = std::uint64_t;

/// One command of a job.
struct RunId {
  JobId job = 0;
  std::uint32_t index = 0;
  auto operator<=>(const RunId&) const = default;
};

/// Whose scripts come one after the other: an instance of the vrrp process, a server of the
/// checkers.
struct SubjectId {
  std::string owner;  ///< the process that asks, by its role
  std::string name;
  auto operator<=>(const SubjectId&) const = default;
};

// ---- events ----

/// The subject has a new state. Without commands it only outlives the former one.
struct Submitted {
  JobId job = 0;
  SubjectId subject;
  std::vector<Duration> limits;  ///< of each command; zero: none
};
/// A script has ended, or could not be started.
struct Ended {
  RunId run;
};
/// This owner leaves: what it asked for gets Queue::kFarewell.
struct Farewell {
  std::string owner;
};
/// Time has passed.
struct Tick {};

using Event = std::variant<Submitted, Ended, Farewell, Tick>;

// ---- actions ----

/// Run it; the answer is Ended.
struct Start {
  RunId run;
  bool operator==(const Start&) const = default;
};
enum class Blow : std::uint8_t { ask, kill };  ///< SIGTERM, SIGKILL
/// To the script's whole process group.
struct Strike {
  RunId run;
  Blow blow = Blow::ask;
  EndedBy by = EndedBy::itself;
  bool operator==(const Strike&) const = default;
};
/// It will not be run: a newer state came before its turn.
struct Skip {
  RunId run;
  bool operator==(const Skip&) const = default;
};
/// It has been running for kSlowAfter. Said once.
struct StillRuns {
  RunId run;
  bool operator==(const StillRuns&) const = default;
};

using Action = std::variant<Start, Strike, Skip, StillRuns>;
using Actions = std::vector<Action>;

}  // namespace holdfast::scripts
