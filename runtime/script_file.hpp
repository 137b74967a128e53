// The file of a script: where it is, whether it may be run, and whether only root can change it.
// One judgement for the process that runs scripts and for `holdfastctl check --online`.
#pragma once

#include "core/script.hpp"

#include <cstdint>
#include <string>

namespace holdfast::runtime {

/// The absolute path of a word without a slash, sought where the daemon seeks; any other word as it
/// is. Empty: not found.
[[nodiscard]] std::string find_program(const std::string& word);

enum class ScriptFile : std::uint8_t {
  usable,
  hidden,        ///< whoever asks may not look at it
  unusable,      ///< not there, or not a file
  not_for_user,  ///< its mode says no
};
/// Whether this user can run the file, as far as its mode says.
[[nodiscard]] ScriptFile look_at_script(const std::string& path, const core::ScriptUser& user);
/// Why not, a sentence about it: "it is not a file". Empty: it is usable.
[[nodiscard]] std::string why_not_executable(const std::string& path, const core::ScriptUser& user);

/// keepalived: enable_script_security is about what root runs, and about files that make whoever
/// runs them somebody else.
[[nodiscard]] bool needs_safe_path(const std::string& path, const core::ScriptUser& user);

/// The first part of the way to the file that somebody else than root may change, and why; empty
/// when there is none. Links are followed step by step, and the way to each target is looked at.
[[nodiscard]] std::string why_unsafe(const std::string& path);

/// All of the above, as a sentence about `argv[0]`; empty: run it. `program` becomes its path.
[[nodiscard]] std::string why_not_run(const core::Command& command, std::string& program);

}  // namespace holdfast::runtime
