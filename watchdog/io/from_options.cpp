#include "watchdog/io/from_options.hpp"

#include "watchdog/messages.hpp"

namespace holdfast::watchdog {

SupervisorSettings settings_from(const Options& options) {
  SupervisorSettings settings;
  settings.respawn = options.respawn ? Respawn::yes : Respawn::no;
  settings.keep_addresses = options.keep_addresses ? KeepAddresses::yes : KeepAddresses::no;
  return settings;
}

std::array<runtime::ChildOptions, kRoles.size()> child_options(const Options& options) {
  std::array<runtime::ChildOptions, kRoles.size()> all;
  for (const Role role : kRoles) {
    runtime::ChildOptions& child = all[static_cast<std::size_t>(role)];
    child.role = to_string(role);
    child.run_dir = options.run_dir;
    child.pid_file = role == Role::vrrp ? options.vrrp_pid_file : options.checkers_pid_file;
    child.log = options.log;
    child.keep_addresses = options.keep_addresses;
    child.keep_ipvs = options.keep_ipvs;
  }
  return all;
}

runtime::ChildOptions helper_options(const Options& options, const char* role) {
  runtime::ChildOptions child;
  child.role = role;
  child.run_dir = options.run_dir;
  child.log = options.log;
  return child;
}

const runtime::Message& message_of(ReportId id) {
  switch (id) {
    case ReportId::child_died:
      return kChildDied;
    case ReportId::child_late:
      return kChildLate;
    case ReportId::child_hung:
      return kChildHung;
    case ReportId::child_given_up:
      return kChildGivenUp;
    case ReportId::child_refused:
      return kChildRefused;
    case ReportId::crash_loop:
      return kCrashLoop;
    case ReportId::start_failed:
      return kStartFailed;
    case ReportId::paused:
      return kPaused;
    case ReportId::on_trial:
      return kOnTrial;
    case ReportId::confirmed:
      return kConfirmed;
    case ReportId::going_back:
      return kGoingBack;
    case ReportId::return_failed:
      return kReturnFailed;
    case ReportId::reload_not_taken:
      return kReloadNotTaken;
    case ReportId::hurried:
      return kHurried;
  }
  return kStartFailed;
}

}  // namespace holdfast::watchdog
