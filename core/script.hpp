// An operator's script, how it ended, and what is remembered about those of one subject: an
// instance, a server, a service. Values that cores, the script process and status pages share.
#pragma once

#include "core/time.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::core {

/// An account as numbers; root by default.
struct ScriptUser {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups{};  ///< further groups; `gid` may be among them
  bool operator==(const ScriptUser&) const = default;
};

/// An account as a configuration names it.
struct AccountName {
  std::string user;
  std::string group;  ///< empty: the primary group of `user`
  auto operator<=>(const AccountName&) const = default;
};

struct Command {
  /// Run without a shell. argv[0] is an absolute path or found in PATH.
  std::vector<std::string> argv{};
  ScriptUser user{};
  /// What the configuration calls it: "notify_master".
  std::string what{};
  /// Not empty: why it must not run, a sentence.
  std::string problem{};
  /// After this it is ended. Zero: no limit but its state.
  Duration limit{};
  /// keepalived: enable_script_security.
  bool security = false;
  /// What it is told beside its arguments: "HOLDFAST_STATE=MASTER". No other names are passed on.
  std::vector<std::string> environment{};

  bool operator==(const Command&) const = default;
};

/// How the names of what scripts are told begin.
inline constexpr std::string_view kScriptVariables = "HOLDFAST_";

enum class ScriptEnd : std::uint8_t {
  exited,       ///< `code`: its exit code
  signalled,    ///< `code`: the signal
  not_started,  ///< `code`: errno of the start
  refused,      ///< `why`: a sentence; it must not run
  skipped,      ///< a newer state came before its turn
  lost,         ///< the script process died; how the script ended is not known
};

/// Who asked a running script to end.
enum class EndedBy : std::uint8_t { itself, newer_state, time_limit, farewell };

/// "a newer state came".
[[nodiscard]] std::string_view reason_sentence(EndedBy by);

struct ScriptOutcome {
  ScriptEnd end = ScriptEnd::exited;
  EndedBy by = EndedBy::itself;
  std::int32_t code = 0;
  std::string why{};
  Duration took{};  ///< from its start; 0 when it never ran

  [[nodiscard]] bool succeeded() const {
    return end == ScriptEnd::exited && code == 0 && by == EndedBy::itself;
  }
  /// Ran and did not end well by itself, or could not run although it should.
  [[nodiscard]] bool failed() const {
    return end != ScriptEnd::skipped && by == EndedBy::itself && !succeeded();
  }
  /// "exited with code 3", "was ended by signal 15, because a newer state came", "could not be
  /// started: No such file …".
  [[nodiscard]] std::string to_string() const;
  bool operator==(const ScriptOutcome&) const = default;
};

/// What became of a subject's scripts, for its status.
struct ScriptRecord {
  struct Last {
    std::string what;   ///< "notify_master"
    std::string state;  ///< "MASTER"
    ScriptOutcome outcome;
    Instant at{};
    bool operator==(const Last&) const = default;
  };

  std::uint64_t ran = 0;      ///< have been started
  std::uint64_t failed = 0;   ///< ScriptOutcome::failed()
  std::uint64_t ended = 0;    ///< by us: a newer state, a limit, a stop
  std::uint64_t skipped = 0;  ///< never started: a newer state was there before
  std::uint64_t running = 0;
  std::optional<Last> last;

  void on_started();
  void on_ended(Last last);
  bool operator==(const ScriptRecord&) const = default;
};

}  // namespace holdfast::core
