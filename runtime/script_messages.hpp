// What the processes that need scripts and the one that runs them tell each other. Both ends are
// the same binary; all of it is checked nevertheless.
#pragma once

#include "core/result.hpp"
#include "core/script.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::runtime {

/// Configurations whose commands are believed: the one in use, the one before it, whose instances
/// may still have a last word, and one that is about to come.
inline constexpr std::size_t kScriptGenerations = 3;

/// A subject has a new state: run these, and end what still runs for the former one.
struct ScriptJob {
  std::uint64_t id = 0;  ///< counts up within a connection
  std::string subject;   ///< "VI_1": scripts of one run one after the other
  std::string state;     ///< "MASTER"
  std::vector<core::Command> commands{};
  bool operator==(const ScriptJob&) const = default;
};
/// What became of one command of a job. `ended` is the last word about it.
struct ScriptReport {
  enum class What : std::uint8_t { started, still_runs, ended };
  std::uint64_t job = 0;
  std::uint32_t index = 0;
  What what = What::started;
  core::ScriptOutcome outcome{};
  bool operator==(const ScriptReport&) const = default;
};

[[nodiscard]] std::vector<std::uint8_t> encode(const ScriptJob& job);
[[nodiscard]] std::vector<std::uint8_t> encode(const ScriptReport& report);
/// nullopt: not exactly one well-formed message.
[[nodiscard]] std::optional<ScriptJob> decode_script_job(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::optional<ScriptReport> decode_script_report(std::span<const std::uint8_t> bytes);

}  // namespace holdfast::runtime
