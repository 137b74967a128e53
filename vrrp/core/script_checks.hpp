// The scripts that instances track: when each runs, and what its results mean. A core: stepped by
// script_tracker.cpp, which has them run elsewhere.
//
// One run of a script at a time: what is due while it lasts is left out (keepalived). The first
// result decides alone, later ones when there are enough in a row. A reload keeps what is known of
// a script, and also of one whose command it changes, until that has said something itself.
#pragma once

#include "core/script.hpp"
#include "vrrp/core/settings.hpp"
#include "vrrp/core/tracking.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::vrrp {

/// keepalived: vrrp_script NAME.
struct ScriptCheck {
  std::string name;
  Duration interval = std::chrono::seconds(1);  ///< From start to start.
  std::uint32_t rise = 1;                       ///< Successes in a row until it counts as good.
  std::uint32_t fall = 1;                       ///< Failures in a row until it counts as bad.
  /// Bad until its first result, but for an instance that takes part already.
  bool init_fail = false;
  core::Command command;  ///< Its limit is keepalived's `timeout`.
  bool operator==(const ScriptCheck&) const = default;
};

class ScriptChecks {
 public:
  /// A run that is over its limit by this has failed, whether or not it can be ended.
  /// (That a run has begun may be told 50 ms late.)
  static constexpr Duration kPatience = std::chrono::milliseconds(250);

  // ---- actions ----

  /// Run its command; what becomes of it comes back as started() and ended().
  struct Run {
    std::string name;
    core::Command command;
    bool operator==(const Run&) const = default;
  };
  /// Whatever still runs for it is to end: nobody tracks it any more.
  struct Drop {
    std::string name;
    bool operator==(const Drop&) const = default;
  };
  /// What it says now.
  struct Said {
    std::string name;
    Verdict verdict{};
    std::string why;  ///< "/bin/check exited with code 1".
    bool operator==(const Said&) const = default;
  };
  using Action = std::variant<Run, Drop, Said>;
  using Actions = std::vector<Action>;

  /// These and no others from now on. `at_work`: those that are tracked by an instance which takes
  /// part, so that only their results may change something.
  void follow(const std::vector<ScriptCheck>& checks, const std::set<std::string>& at_work,
              Instant now, Actions& out);
  /// Time has passed.
  void tick(Instant now, Actions& out);
  /// The command of a Run has begun.
  void started(const std::string& name, const core::Command& command, Instant now);
  /// Its last word.
  void ended(const std::string& name, const core::Command& command,
             const core::ScriptOutcome& outcome, Instant now, Actions& out);
  [[nodiscard]] std::optional<Instant> deadline() const;

 private:
  struct Entry {
    ScriptCheck check;
    std::optional<Verdict> verdict;
    bool has_result = false;    // of its own
    std::uint32_t against = 0;  // results in a row that contradict the verdict
    bool runs = false;
    bool is_overdue = false;         // it has failed, whatever becomes of it
    std::optional<Instant> over_at;  // while it runs: when it has failed at the latest
    Instant next_at{};
    std::optional<Instant> armed;  // its place in due_
  };

  [[nodiscard]] static std::optional<Instant> due(const Entry& entry);
  void arm(Entry& entry);
  void go(Entry& entry, Instant now, Actions& out);
  static void judge(Entry& entry, Verdict result, std::string why, Actions& out);
  Entry* find(const std::string& name, const core::Command& command);

  std::map<std::string, Entry> entries_;
  /// Hundreds run each second: what is due is found without asking all.
  std::set<std::pair<Instant, std::string>> due_;
};

}  // namespace holdfast::vrrp
