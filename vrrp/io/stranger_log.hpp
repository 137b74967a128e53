// Tells of adverts of virtual routers that are not configured where they are heard. Called by the
// runner for each packet when log_unknown_vrids is written; decides nothing.
#pragma once

#include "runtime/line_budget.hpp"
#include "runtime/log.hpp"
#include "vrrp/core/router.hpp"

namespace holdfast::vrrp {

class StrangerLog {
 public:
  explicit StrangerLog(runtime::Logger& logger);
  /// One line a minute for each number of an interface, 60 in all: senders can be forged.
  void hear(const Received& packet, const Router& router);

 private:
  runtime::Logger& logger_;
  runtime::RateLimiter lines_;
  runtime::LineBudget all_{60, std::chrono::minutes(1)};
};

}  // namespace holdfast::vrrp
