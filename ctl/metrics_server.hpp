// holdfastctl metrics: prints the metrics once, or serves them by HTTP until it is told to end.
//
// A process of its own without privileges: whatever scrapers do, the director sees at most one
// question a second to each process. Connections, their bytes and their time are bounded.
#pragma once

#include "ctl/commands.hpp"

#include <string>

namespace holdfast::ctl {

struct MetricsRequest {
  /// "127.0.0.1:9650", "[::1]:9650" or a path "/run/…"; empty: print once.
  std::string listen;
  bool is_openmetrics = true;  ///< of what is printed; scrapers say themselves what they take
};

[[nodiscard]] int metrics(const Target& target, const MetricsRequest& request);

}  // namespace holdfast::ctl
