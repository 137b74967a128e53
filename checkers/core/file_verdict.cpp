#include "checkers/core/file_verdict.hpp"

#include <fmt/format.h>

#include <limits>

namespace holdfast::checkers {
namespace {

constexpr std::int64_t kOut = std::numeric_limits<std::int32_t>::min();

}  // namespace

Outcome outcome_of_number(const FileProbe& probe, std::int32_t number) {
  if (probe.weight == 0) {
    const bool is_good = (number == 0) != probe.reverse;
    const std::string reason = fmt::format("holds {}", number);
    return is_good ? passed(reason) : failed(Cause::wrong_content, reason);
  }
  const std::int64_t product = std::int64_t{number} * probe.weight * (probe.reverse ? -1 : 1);
  if (product <= kOut)
    return failed(Cause::wrong_content,
                  fmt::format("holds {}: {} for the weight", number, product));
  Outcome outcome = passed(fmt::format("holds {}: {:+} for the weight", number, product));
  outcome.weight = WeightClaim{WeightClaim::Kind::adds, product};
  return outcome;
}

}  // namespace holdfast::checkers
