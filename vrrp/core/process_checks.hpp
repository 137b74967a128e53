// The processes that instances track: which count, and when there are enough. keepalived:
// vrrp_track_process. A core: stepped by process_tracker.cpp, which hears of processes. It knows
// nobody by more than his number, name and command line.
//
// What it says is known from the end of the first look at all processes on. Later a change counts
// at once, but for the delays: one by a fork may end with the exec that follows it, one by an end
// with the successor of whoever ended.
#pragma once

#include "vrrp/core/settings.hpp"
#include "vrrp/core/tracking.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::vrrp {

/// keepalived: param_match, and what it is without that word.
enum class ParameterMatch : std::uint8_t {
  any,                 ///< parameters say nothing
  equal,               ///< these, and no more
  first_ones,          ///< keepalived: partial
  last_may_be_longer,  ///< keepalived: initial; and more may follow
};

/// keepalived: vrrp_track_process NAME.
struct ProcessCheck {
  std::string name;
  std::string program;  ///< /proc/PID/comm, or the first word of the command line.
  std::vector<std::string> parameters;
  ParameterMatch match = ParameterMatch::equal;
  bool by_command_line = false;
  std::uint32_t quorum = 1;
  std::optional<std::uint32_t> quorum_max;
  Duration fork_delay{};
  Duration terminate_delay{};
  bool operator==(const ProcessCheck&) const = default;
};

/// What the kernel says of a process.
struct ProcessFacts {
  std::string name;                       ///< At most 15 characters: /proc/PID/comm.
  std::vector<std::string> command_line;  ///< Empty: of a thread of the kernel.
};

using ProcessNumber = std::int32_t;

[[nodiscard]] bool is_meant(const ProcessCheck& check, const ProcessFacts& facts);

class ProcessChecks {
 public:
  /// What it says now.
  struct Said {
    std::string name;
    Verdict verdict{};
    std::string why;  ///< "2 processes, at least 3 are wanted".
    bool operator==(const Said&) const = default;
  };
  using Actions = std::vector<Said>;

  /// These and no others from now on. True: somebody is new, so a look at all processes is needed.
  [[nodiscard]] bool follow(const std::vector<ProcessCheck>& checks);

  /// A process is there, or is another program now.
  void found(ProcessNumber process, const ProcessFacts& facts, Instant now, Actions& out);
  /// It is what its parent was, until it says otherwise.
  void forked(ProcessNumber parent, ProcessNumber child, Instant now, Actions& out);
  void ended(ProcessNumber process, Instant now, Actions& out);
  /// A look at all processes is over: those that it has not found are gone.
  void looked(const std::set<ProcessNumber>& seen, Instant now, Actions& out);
  /// Time has passed.
  void tick(Instant now, Actions& out);
  [[nodiscard]] std::optional<Instant> deadline() const;

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] bool needs_command_lines() const;
  /// Those that count for somebody.
  [[nodiscard]] std::set<ProcessNumber> counted() const;

 private:
  struct Entry {
    ProcessCheck check;
    std::set<ProcessNumber> members;
    std::optional<bool> is_good;       // as told; nullopt: not looked yet
    std::optional<Instant> counts_at;  // the other verdict, unless it changes back
  };

  static void reckon(Entry& entry, Duration delay, Instant now, Actions& out);
  static void turn(Entry& entry, Actions& out);
  static void say(const Entry& entry, Actions& out);

  std::map<std::string, Entry> entries_;
};

}  // namespace holdfast::vrrp
