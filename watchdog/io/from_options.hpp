// What the command line means for the supervisor and for the processes that are started; and under
// which message the supervisor's reports are logged.
#pragma once

#include "runtime/child.hpp"
#include "runtime/log.hpp"
#include "watchdog/core/action.hpp"
#include "watchdog/core/role.hpp"
#include "watchdog/core/supervisor.hpp"
#include "watchdog/options.hpp"

#include <array>

namespace holdfast::watchdog {

[[nodiscard]] SupervisorSettings settings_from(const Options& options);
/// By role.
[[nodiscard]] std::array<runtime::ChildOptions, kRoles.size()> child_options(
    const Options& options);
/// Of a process that is no role of the director.
[[nodiscard]] runtime::ChildOptions helper_options(const Options& options, const char* role);
[[nodiscard]] const runtime::Message& message_of(ReportId id);

}  // namespace holdfast::watchdog
