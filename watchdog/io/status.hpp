// The watchdog's page of the status, as JSON.
#pragma once

#include "core/time.hpp"
#include "watchdog/core/supervisor.hpp"
#include "watchdog/io/children.hpp"

#include <boost/json/object.hpp>

#include <ctime>
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
  std::string config_id;
  core::Instant started_at{};
  core::Instant now{};
  std::optional<LastReload> last_reload;
  std::optional<pid_t> scripts;               ///< the process that runs scripts
  std::optional<std::time_t> planned_reload;  ///< by reload_time_file; seconds since 1970
};

/// {"generation","former_generation","left_ms"}; nullopt: nothing awaits confirmation.
[[nodiscard]] std::optional<boost::json::object> trial_json(const Confirmation& trial,
                                                            core::Instant now);

[[nodiscard]] boost::json::object status_json(const StatusFacts& facts,
                                              const Supervisor& supervisor,
                                              const Children& children);

}  // namespace holdfast::watchdog
