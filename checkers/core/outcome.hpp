// What became of one run of a probe.
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace holdfast::checkers {

/// `not_tried`: the director itself had a problem (no free port, no memory, source address not
/// here, it was paused). Says nothing about the server, so it only reschedules.
enum class Result : std::uint8_t { passed, failed, not_tried };

/// Why a run failed or was not tried.
enum class Cause : std::uint8_t {
  none,
  refused,
  reset,
  host_unreachable,
  network_unreachable,
  timeout,
  closed_early,
  malformed_reply,
  wrong_status,
  wrong_digest,
  wrong_content,
  body_too_long,
  tls,
  local_problem,
};

/// What a check that passes says about its server's weight.
struct WeightClaim {
  /// `is`: this instead of the configured weight. `adds`: so much more, or less.
  enum class Kind : std::uint8_t { is, adds };
  Kind kind = Kind::is;
  std::int64_t value = 0;
  bool operator==(const WeightClaim&) const = default;
};

struct Outcome {
  Result result = Result::passed;
  Cause cause = Cause::none;
  /// For the operator: "connection refused", "status 503 instead of 200-299".
  std::string reason{};
  /// From connect() to the verdict, all urls together.
  core::Duration took{};
  /// Of a run that passed. nullopt: nothing about it, whatever an earlier run has said.
  std::optional<WeightClaim> weight{};

  bool operator==(const Outcome&) const = default;
};

[[nodiscard]] inline Outcome passed(std::string reason) {
  return {Result::passed, Cause::none, std::move(reason)};
}
[[nodiscard]] inline Outcome failed(Cause cause, std::string reason) {
  return {Result::failed, cause, std::move(reason)};
}
[[nodiscard]] inline Outcome not_tried(std::string reason) {
  return {Result::not_tried, Cause::local_problem, std::move(reason)};
}

}  // namespace holdfast::checkers
