// Everything that the watchdog says to the operator.
#pragma once

#include "runtime/log.hpp"

namespace holdfast::watchdog {

using runtime::Level;
using runtime::Message;

inline constexpr Message kNamespaceStays{
    "watchdog-namespace-stays", Level::warning,
    "A reload names another net_namespace than the director was started with. Everything else of "
    "the new configuration is in use; the namespace changes with a restart."};
inline constexpr Message kHostScript{
    "watchdog-host-script", Level::warning,
    "The startup_script or shutdown_script of the configuration could not be run, failed, or was "
    "ended because its time was over. The start or the stop goes on nevertheless."};
inline constexpr Message kHostScriptDone{
    "watchdog-host-script-done", Level::info,
    "The startup_script or shutdown_script of the configuration has ended with exit code 0."};
inline constexpr Message kStarted{"watchdog-started", Level::info,
                                  "Every process that the configuration needs runs the "
                                  "configuration. From here on the director takes part."};
inline constexpr Message kStopping{"watchdog-stopping", Level::info,
                                   "An orderly stop has begun: the VRRP process hands over first, "
                                   "then the checkers process ends."};
inline constexpr Message kHurried{
    "watchdog-hurried", Level::warning,
    "A second request to stop came during an orderly stop. Addresses leave at once instead of "
    "when the successor is heard."};
inline constexpr Message kEnded{"watchdog-ended", Level::info, "The last line of an orderly stop."};
inline constexpr Message kStartFailed{"watchdog-start-failed", Level::error,
                                      "The start has failed and nothing is left running. The text "
                                      "says why; docs/exit-codes.md lists the exit codes."};
inline constexpr Message kReloaded{"watchdog-reloaded", Level::info,
                                   "A new configuration is in use in every process. Warnings of "
                                   "the reader follow the line, if any."};
inline constexpr Message kReloadRefused{"watchdog-reload-refused", Level::error,
                                        "The new configuration is not used; the former one keeps "
                                        "running untouched. Mend the file and reload again."};
inline constexpr Message kReading{"watchdog-reading", Level::info,
                                  "The configuration is being read."};
inline constexpr Message kStarterDeaf{
    "watchdog-starter-deaf", Level::warning,
    "The start wanted to write remarks to its standard error, which is a pipe that nobody empties. "
    "The rest of them is in the log only, if at all; nothing else is missing."};
inline constexpr Message kScriptsDied{
    "watchdog-scripts-died", Level::error,
    "The process that runs the operator's scripts has ended or could not be reached. It is started "
    "again; scripts that had not begun are run then."};
inline constexpr Message kScriptsHang{
    "watchdog-scripts-hang", Level::error,
    "The process that runs the operator's scripts is stopped or hangs. It is ended and started "
    "again; scripts that run are left alone, those that had not begun are run then."};
inline constexpr Message kScriptsLeft{
    "watchdog-scripts-left", Level::warning,
    "An orderly stop is over although scripts still run. What is left of them ends with their own "
    "process, a service manager may end them sooner."};
inline constexpr Message kConfigRemark{
    "watchdog-config-remark", Level::warning,
    "The reader's warnings: the configuration is used, but perhaps not as its author believes."};
inline constexpr Message kOnTrial{
    "watchdog-on-trial", Level::warning,
    "A reload with --confirm-within is in use. Without `holdfastctl confirm` in time the "
    "configuration before it returns by itself."};
inline constexpr Message kConfirmed{"watchdog-confirmed", Level::info,
                                    "The configuration on trial was confirmed and stays."};
inline constexpr Message kGoingBack{
    "watchdog-going-back", Level::warning,
    "Nobody confirmed the configuration on trial, or it was given up with `holdfastctl revert`, or "
    "a process cannot run it: the one before returns in every process. The file on disk is still "
    "the new one; mend it before the next reload or restart."};
inline constexpr Message kReturnFailed{
    "watchdog-return-failed", Level::error,
    "The configuration before the one on trial could not be taken into use. It is tried again "
    "every few seconds."};
inline constexpr Message kReloadNotTaken{
    "watchdog-reload-not-taken", Level::warning,
    "A reload was asked for while the configuration of the last one awaits its confirmation. "
    "Confirm it or give it up, then reload."};
inline constexpr Message kChanges{
    "watchdog-changes", Level::info,
    "What is different between the configuration before and the one in use, one object a line."};
inline constexpr Message kReloadPlanned{
    "watchdog-reload-planned", Level::info,
    "The file of reload_time_file names the moment of a reload, or no longer does."};
inline constexpr Message kReloadTimeFile{
    "watchdog-reload-time-file", Level::warning,
    "The file of reload_time_file cannot be followed or does not hold a time. No reload is planned "
    "until it is written again (a directory that is missing is looked for at the next reload)."};
inline constexpr Message kReloadFile{
    "watchdog-reload-file", Level::warning,
    "A file that a reload writes for others (reload_file, reload_check_config) could not be "
    "written. The reload itself goes on."};
inline constexpr Message kOptionIgnored{
    "watchdog-option-ignored", Level::warning,
    "A keepalived option that has no meaning here was on the command line. It can be removed."};
inline constexpr Message kTrialFile{
    "watchdog-trial-file", Level::error,
    "What a configuration on trial would return to could not be kept in the run directory, or "
    "could "
    "not be read back. The trial goes on, but does not survive the death of this process."};
inline constexpr Message kHost{
    "watchdog-host", Level::error,
    "Something on this host is not as it should be, and the director runs all the same: a limit of "
    "whoever started it, a pid file that cannot be written, a lock that cannot be had. The text "
    "says what is missing."};
inline constexpr Message kChildStarted{"watchdog-child-started", Level::info,
                                       "A child process was started."};
inline constexpr Message kChildDied{"watchdog-child-died", Level::error,
                                    "A child ended without having been asked to. It is started "
                                    "again, at once the first time, later when it dies "
                                    "repeatedly; addresses are released before a pause. Look for a "
                                    "core file (coredumpctl) and report it."};
inline constexpr Message kChildLate{
    "watchdog-child-late", Level::warning,
    "A child gave no sign of life from inside its loop for some seconds, but uses the processor or "
    "waits for it: a busy host, or a great deal of work at once. It is not replaced unless peers "
    "take its addresses over, or it does not come back for a minute."};
inline constexpr Message kChildHung{"watchdog-child-hung", Level::error,
                                    "A child gave no sign of life from inside its loop. It is "
                                    "aborted so that a core file shows where it hung, then "
                                    "killed, then replaced."};
inline constexpr Message kChildGivenUp{"watchdog-child-given-up", Level::critical,
                                       "A child ended for a reason that starting it again cannot "
                                       "mend: exit code 4 means that a permission is missing "
                                       "(CAP_NET_ADMIN, CAP_NET_RAW), 2 that the configuration "
                                       "cannot be used. A reload tries once more."};
inline constexpr Message kChildRefused{"watchdog-child-refused", Level::error,
                                       "A restarted child refuses the configuration that its "
                                       "predecessor ran: something on this host has changed."};
inline constexpr Message kCrashLoop{"watchdog-crash-loop", Level::critical,
                                    "The VRRP process keeps dying. The addresses are released and "
                                    "the director ends, so that a healthy peer serves."};
inline constexpr Message kPaused{"watchdog-paused", Level::warning,
                                 "This process itself did not run for a while (paused machine, "
                                 "SIGSTOP, overload). Nobody is blamed for silence."};
inline constexpr Message kAddressesReleased{
    "watchdog-addresses-released", Level::info,
    "No VRRP process runs that could take virtual addresses off, so it was looked whether one of "
    "ours is on an interface. The lines before this one name those that were taken off."};
inline constexpr Message kReleaseFailed{
    "watchdog-release-failed", Level::critical,
    "Virtual addresses could not be taken off this host although no VRRP process serves them. A "
    "peer may hold them "
    "too: remove them by hand (ip address del)."};
inline constexpr Message kSendFailed{"watchdog-send-failed", Level::warning,
                                     "A child does not take messages. If it is dead or hangs, that "
                                     "is noticed separately and it is replaced."};
inline constexpr Message kNoControl{
    "watchdog-no-control", Level::error,
    "The control socket could not be opened: holdfastctl does not work with this director."};
inline constexpr Message kPrivileges{"watchdog-privileges", Level::warning,
                                     "Capabilities that are not needed could not be given up."};
inline constexpr Message kNothingToDo{
    "watchdog-nothing-to-do", Level::warning,
    "The configuration has neither a vrrp_instance nor a virtual_server for the processes asked "
    "for: nothing was started."};

}  // namespace holdfast::watchdog
