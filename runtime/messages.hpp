// Every message of what the processes share. `holdfastctl explain` lists them.
#pragma once

#include "runtime/log.hpp"

namespace holdfast::runtime {

inline constexpr Message kChildReply{
    "runtime-channel-send", Level::error,
    "An answer to the watchdog could not be sent. The watchdog does not read its channel; it will "
    "end this process when it misses the heartbeats."};

inline constexpr Message kChildFrame{"runtime-channel-frame", Level::error,
                                     "The watchdog sent something a child never gets. Both must be "
                                     "the same version of the program."};

inline constexpr Message kLogLinesLost{
    "runtime-log-lines-lost", Level::warning,
    "More was to be said than the terminal or syslog took in time, and the oldest lines that "
    "waited were dropped. Find out what slows the log down, or what floods it."};

inline constexpr Message kLogPrivileges{"runtime-log-privileges", Level::warning,
                                        "The thread that writes the log could not give up its "
                                        "capabilities. It works, with more power than it needs."};

inline constexpr Message kSignalIgnored{"runtime-signal-ignored", Level::info,
                                        "Somebody sent a signal that does nothing here. Said once "
                                        "an hour a signal. `holdfast --signum` "
                                        "has the numbers of those that do something."};

inline constexpr Message kNotLocked{"runtime-not-locked", Level::warning,
                                    "A child of an earlier life, whose parent was killed, has not "
                                    "left within 5 s, or the lock file "
                                    "that shows it cannot be used. This child works all the same."};

inline constexpr Message kRunDirectory{
    "runtime-run-directory", Level::warning,
    "The run directory is another account's. It works, and that account can take the sockets and "
    "records away. Make it root's (chown root), or use another with --run-dir."};

inline constexpr Message kScheduled{
    "runtime-scheduled", Level::info,
    "The process runs as words such as vrrp_rt_priority and checker_cpu_affinity ask."};

inline constexpr Message kScheduling{
    "runtime-scheduling", Level::warning,
    "A wish about priority, memory or processors could not be had; everything else works. Often a "
    "capability is missing (CAP_SYS_NICE, CAP_IPC_LOCK), or the processor is not there."};

inline constexpr Message kRaised{
    "runtime-priority-raised", Level::warning,
    "The process did not get a processor in time and now runs at a higher real-time priority "
    "(max_auto_priority). Something on this host keeps its processors busy: find it, or give "
    "vrrp_rt_priority."};

inline constexpr Message kRealtimeLimit{
    "runtime-realtime-limit", Level::warning,
    "The process used its processor time at real-time priority (vrrp_rlimit_rttime) without a "
    "pause. So that it cannot stop the host it goes on at normal priority for a second. Raise the "
    "limit if that comes again and again."};

inline constexpr Message kNoLogFile{
    "log-file", Level::error,
    "The file of option -g cannot be opened. At the start: this process logs to the other places "
    "only; its directory must exist, and the name must be a file or free; then restart. After the "
    "file was moved away: lines go into the former file until the new one can be had, which is "
    "tried again once a second. The thread that writes has no capabilities: file and directory "
    "must be root's (logrotate: `create 0640 root adm`, or no create)."};

inline constexpr Message kLogFileBack{
    "log-file-back", Level::info,
    "The file of option -g, which could not be opened after it was moved away, takes lines again."};

inline constexpr Message kNoPidFile{
    "runtime-no-pid-file", Level::error,
    "The pid file could not be written; everything else works. Tools that look for the process "
    "there will not find it. Make room, or remove what is in its place, and restart."};

inline constexpr Message kTrackedFileOdd{
    "runtime-tracked-file", Level::warning,
    "A tracked file cannot be read or made, or holds something else than one number; the line says "
    "what it counts as. Said when it begins, and not again while it lasts."};

inline constexpr Message kNoFileWatch{
    "runtime-no-file-watch", Level::error,
    "The kernel does not tell of changes to tracked files, so that their last numbers go on to "
    "count. Most often fs.inotify.max_user_watches or max_user_instances is too small; reload when "
    "it is raised."};

inline constexpr Message kOrderGiven{
    "order-given", Level::warning,
    "An operator has asked for something beside the configuration (holdfastctl drain, weight, "
    "resign, priority). The line says what, who and until when; `holdfastctl status` lists what "
    "counts now."};

inline constexpr Message kOrderEnded{
    "order-ended", Level::warning,
    "What an operator had asked for counts no more: it was taken back, or its time has ended. The "
    "configuration counts again."};

inline constexpr Message kOrdersLost{
    "order-file", Level::warning,
    "Orders of operators could not be written to the run directory, or read from there: they do "
    "not outlive the process. Look at `holdfastctl status` after its next start."};

/// A scrape every few seconds must not fill the log.
inline constexpr core::Duration kSignalReportInterval = std::chrono::hours(1);

}  // namespace holdfast::runtime
