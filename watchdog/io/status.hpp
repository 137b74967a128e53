// The watchdog's page of the status, as JSON.
#pragma once

#include "core/time.hpp"
#include "watchdog/core/supervisor.hpp"
#include "watchdog/io/children.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace holdfast::watchdog {

struct LastReload {
  core::Instant at{};
  bool ok = false;
  std::string message;
};

struct StatusFacts {
  std::string config_file;
  core::Instant started_at{};
  core::Instant now{};
  std::optional<LastReload> last_reload;
};

[[nodiscard]] boost::json::object status_json(const StatusFacts& facts,
                                              const Supervisor& supervisor,
                                              const Children& children);

}  // namespace holdfast::watchdog
