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

/// What the loader says of a reload quotes the configuration, which is not everybody's.
enum class Readers : std::uint8_t { owners, everybody };

struct StatusFacts {
  Readers readers = Readers::everybody;
  std::string config_file;
  std::string config_id;
  std::string router_id;  ///< of the configuration that runs; empty: none
  core::Instant started_at{};
  core::Instant now{};
  std::optional<LastReload> last_reload;
  std::optional<pid_t> scripts;               ///< the process that runs scripts
  std::string notifications;                  ///< its report on mail and pipes: JSON, or nothing
  std::optional<std::time_t> planned_reload;  ///< by reload_time_file; seconds since 1970
};

/// {"generation","former_generation","left_ms"}; nullopt: nothing awaits confirmation.
[[nodiscard]] std::optional<boost::json::object> trial_json(const Confirmation& trial,
                                                            core::Instant now);

[[nodiscard]] boost::json::object status_json(const StatusFacts& facts,
                                              const Supervisor& supervisor,
                                              const Children& children);

}  // namespace holdfast::watchdog
