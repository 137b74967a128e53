// The verbs of holdfastctl. Each prints and returns the exit code; main only reads the command
// line.
#pragma once

#include "core/time.hpp"
#include "ctl/status.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::ctl {

/// Exit codes, documented in holdfastctl(1) and docs/exit-codes.md.
inline constexpr int kDone = 0;
/// The command was refused or found errors.
inline constexpr int kFailed = 1;
/// No process answered: holdfast is not running here.
inline constexpr int kNobodyAnswered = 2;
/// plan: the reload would change something.
inline constexpr int kChanges = 3;

enum class Format : unsigned char { text, json };

struct Target {
  std::string run_dir = "/run/holdfast";
  /// How long one process may take to answer a question.
  core::Duration timeout = std::chrono::seconds(5);
  /// A reload is answered when every process has taken or refused it.
  core::Duration reload_timeout = std::chrono::seconds(90);
};

struct ReloadRequest {
  bool force = false;  ///< also beyond reload_limit
  /// Set: the former configuration returns after this time unless somebody confirms.
  std::optional<core::Duration> confirm_within;
};

[[nodiscard]] int show_status(const Target& target, Format format, Colours colours);
[[nodiscard]] int reload(const Target& target, const ReloadRequest& request);
/// Keeps the configuration that is on trial.
[[nodiscard]] int confirm(const Target& target);
/// Gives it up at once.
[[nodiscard]] int revert(const Target& target);
[[nodiscard]] int stop(const Target& target);
/// Empty `id`: lists all.
[[nodiscard]] int explain_message(const std::string& id);
/// An instance of the running director, or else a message; "message:ID" is always the message.
[[nodiscard]] int explain(const Target& target, const std::string& word, Format format);
/// Everything that the VRRP process is told and decides goes to a new file from now on.
[[nodiscard]] int record_start(const Target& target, const std::string& file,
                               std::uint64_t mebibytes);
[[nodiscard]] int record_stop(const Target& target);

/// "60s", "90", "5m", "1h"; nullopt: no duration, or zero.
[[nodiscard]] std::optional<core::Duration> parse_duration(std::string_view words);

}  // namespace holdfast::ctl
