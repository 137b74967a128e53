// Tells of adverts of virtual routers that are not configured where they are heard. Called by the
// runner for each packet when log_unknown_vrids is written; decides nothing.
#pragma once

#include "runtime/log.hpp"
#include "vrrp/core/router.hpp"

namespace holdfast::vrrp {

class StrangerLog {
 public:
  explicit StrangerLog(runtime::Logger& logger);
  /// One line for each sender and number of an interface, and then one a minute.
  void hear(const Received& packet, const Router& router);

 private:
  runtime::Logger& logger_;
  runtime::RateLimiter lines_;
};

}  // namespace holdfast::vrrp
