// Everything that the checkers process can say.
#pragma once

#include "runtime/log.hpp"

namespace holdfast::checkers::messages {

using runtime::Level;
using runtime::Message;

inline constexpr Message kStarted{
    "checkers-started", Level::info,
    "The first configuration is in use; probes begin and the IPVS table is being made."};
inline constexpr Message kReloaded{
    "checkers-reloaded", Level::info,
    "A new configuration is in use. What did not change kept its state."};
inline constexpr Message kResumed{
    "checkers-resumed", Level::info,
    "A former checkers process left its verdicts; servers keep the state they had."};
inline constexpr Message kNoPage{
    "checkers-no-handover-page", Level::warning,
    "The memory that outlives this process cannot be used: after a crash every server "
    "would be judged from nothing. Everything else works."};
inline constexpr Message kNoControl{
    "checkers-no-control-socket", Level::error,
    "The control socket could not be opened, so holdfastctl cannot reach this process. Checks and "
    "the IPVS table work. Remove what is in its place, then restart."};
inline constexpr Message kStopping{"checkers-stopping", Level::info,
                                   "The process leaves in order."};
inline constexpr Message kVrrpHangs{
    "checkers-vrrp-hangs", Level::warning,
    "This process has to leave, but not by order of the watchdog, which stops the VRRP process "
    "first; that one still runs. Clients that its addresses attract are refused from now on."};
inline constexpr Message kCannotStart{
    "checkers-cannot-start", Level::critical,
    "The process cannot do its work and ends; the text says what was missing."};

inline constexpr Message kCheckUp{"checkers-check-up", Level::detail,
                                  "A check of a server succeeds now."};
inline constexpr Message kCheckDown{
    "checkers-check-down", Level::info,
    "A check of a server counts as failed now: its retries are used up, or it was the "
    "very first probe. The reason is the last one seen."};
inline constexpr Message kCheckRetry{
    "checkers-check-retry", Level::detail,
    "A probe failed, but the server is granted further tries before it is called down."};
inline constexpr Message kCheckFailure{
    "checkers-check-failure", Level::info,
    "The same where log_all_failures wants each failure in the log. Of all checks together at most "
    "60 lines in a minute; the first one afterwards says how many were left out."};
inline constexpr Message kCheckNotTried{
    "checkers-check-not-tried", Level::warning,
    "The director itself could not run a probe. Nothing is concluded about the "
    "server; the probe is tried again soon."};
inline constexpr Message kServerUp{"checkers-server-up", Level::info,
                                   "All checks of a server succeed: it gets traffic."};
inline constexpr Message kServerDown{"checkers-server-down", Level::warning,
                                     "A check of a server failed: it gets no new connections."};
inline constexpr Message kServerWeight{
    "checkers-server-weight", Level::info,
    "What a check says about the weight of a server that is up has changed: a script of "
    "misc_dynamic, or a tracked file."};
inline constexpr Message kQuorumUp{
    "checkers-quorum-up", Level::info,
    "The weights of the servers that are up reach the quorum of the service."};
inline constexpr Message kQuorumDown{
    "checkers-quorum-down", Level::warning,
    "The weights of the servers that are up no longer reach the quorum; a sorry server "
    "takes over if there is one."};
inline constexpr Message kScriptsUnsent{
    "checkers-scripts-unsent", Level::warning,
    "An orderly stop is over, and the process that runs scripts has not taken these: they are not "
    "run. It is busy with others, or cannot be started."};
inline constexpr Message kScriptFailed{
    "checkers-script-failed", Level::warning,
    "A notification script did not end well, was not run, or was ended or skipped because a newer "
    "state came. It has no influence on the table."};
inline constexpr Message kScriptSlow{
    "checkers-script-slow", Level::warning,
    "A notification script runs for long. It may, for as long as its state lasts; a newer state's "
    "script does not wait for it, but ends it."};

inline constexpr Message kIpvsAvailable{"checkers-ipvs-available", Level::info,
                                        "The kernel's IPVS table can be reached."};
inline constexpr Message kIpvsUnavailable{
    "checkers-ipvs-unavailable", Level::error,
    "The kernel's IPVS table cannot be reached, so no traffic is balanced. Probes go "
    "on, and the table is made as soon as it can be reached: load the module ip_vs."};
inline constexpr Message kIpvsAdopted{
    "checkers-ipvs-adopted", Level::info,
    "The kernel had services of this configuration already; they were taken over "
    "and only differences are sent."};
inline constexpr Message kIpvsChange{"checkers-ipvs-change", Level::detail,
                                     "A change of the IPVS table, as ipvsadm would say it."};
inline constexpr Message kIpvsRefused{
    "checkers-ipvs-refused", Level::error,
    "The kernel refused a change of the IPVS table. It is tried again after three seconds, then "
    "less often, at last once a minute."};
inline constexpr Message kIpvsDrift{
    "checkers-ipvs-drift", Level::warning,
    "Somebody else changed an entry that belongs to this configuration. It is put back."};
inline constexpr Message kIpvsStubborn{
    "checkers-ipvs-stubborn", Level::warning,
    "Entries of this configuration were put right several times and were different again at once: "
    "another program sets them, or the kernel keeps another value than it is given. It is tried "
    "again, at last once a minute, and the status tells the difference."};
inline constexpr Message kIpvsUnsteady{
    "checkers-ipvs-unsteady", Level::warning,
    "Something changes the kernel's IPVS table without a pause, so that no reading of it is whole. "
    "It is read again at growing distances; changes of our own are still sent."};
inline constexpr Message kIpvsFlushed{
    "checkers-ipvs-flushed", Level::info,
    "Services that others made are removed, because the configuration says lvs_flush (at a start) "
    "or lvs_flush_on_stop."};
inline constexpr Message kIpvsForeign{
    "checkers-ipvs-foreign", Level::info,
    "The kernel's table has services that are not of this configuration. They are left "
    "alone."};
inline constexpr Message kSyncRoles{
    "checkers-sync-roles", Level::info,
    "The kernel's connection synchronisation runs as it should: a master tells its connections to "
    "the other directors, a backup hears theirs."};
inline constexpr Message kSyncTrouble{
    "checkers-sync-trouble", Level::error,
    "The connection synchronisation or the timeouts of IPVS cannot be made what they should be; "
    "the text says why. Elections, probes and the table go on; without synchronisation a failover "
    "loses established connections. It is tried again, at last once a minute."};
inline constexpr Message kSyncWell{"checkers-sync-well", Level::info,
                                   "What checkers-sync-trouble told is over."};
inline constexpr Message kSyncDrift{
    "checkers-sync-drift", Level::warning,
    "Somebody else stopped, started or changed a sync daemon of IPVS, or a timeout, that this "
    "configuration sets. It is put back."};
inline constexpr Message kSwitchSet{"checkers-switch-set", Level::info,
                                    "A switch of the kernel's IPVS was set as lvs_sysctl says, or "
                                    "got back what it had before."};
inline constexpr Message kSwitchDrift{
    "checkers-switch-drift", Level::warning,
    "Somebody else changed a switch of the kernel's IPVS that lvs_sysctl sets: a person, a file in "
    "sysctl.d that was loaded again, another program. It is put back."};
inline constexpr Message kSwitchAbsent{
    "checkers-switch-absent", Level::warning,
    "lvs_sysctl sets a switch that this kernel does not have. The others are set. Remove the word, "
    "or run a newer kernel."};
inline constexpr Message kSwitchTrouble{
    "checkers-switch-trouble", Level::error,
    "A switch of the kernel's IPVS cannot be made what lvs_sysctl says. It is tried again every 10 "
    "seconds; everything else works."};
inline constexpr Message kSwitchRecord{
    "checkers-switch-record", Level::warning,
    "What the kernel's switches were before (checkers.switches in the run directory) cannot be "
    "read or written: they are set, but may not be given back later. Mend the run directory."};
inline constexpr Message kNoAddresses{
    "checkers-no-addresses", Level::error,
    "The addresses of this host cannot be read. The sync daemon stays backup, and services with "
    "ha_suspend are not probed."};
inline constexpr Message kOwnedFile{
    "checkers-owned-file", Level::warning,
    "The list of services that are ours cannot be kept on disk: after a crash together "
    "with a changed configuration, services could stay behind."};

}  // namespace holdfast::checkers::messages
