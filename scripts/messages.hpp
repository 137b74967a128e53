// Everything that the process that runs scripts says to the operator. How a script ended is said by
// the process that asked for it.
#pragma once

#include "runtime/log.hpp"

namespace holdfast::scripts {

using runtime::Level;
using runtime::Message;

inline constexpr Message kStarted{"scripts-started", Level::detail,
                                  "The process that runs the operator's scripts is ready."};
inline constexpr Message kStopped{"scripts-stopped", Level::detail,
                                  "No script is left to run; the process ends."};
inline constexpr Message kOutlived{
    "scripts-outlived", Level::warning,
    "A script still ran when its state had passed, its time was over, or the director stopped: its "
    "process group is asked to end (SIGTERM), and ended (SIGKILL) a second later. Said once a "
    "minute "
    "of a script whose time is over again and again."};
inline constexpr Message kOrphan{
    "scripts-orphan", Level::info,
    "A script has ended after the process that asked for it: that one was restarted or stopped."};
inline constexpr Message kNotAlone{
    "scripts-not-alone", Level::warning,
    "Scripts of a director that was killed still run, or its lock cannot be had: those of this one "
    "run beside them."};
inline constexpr Message kNoConfiguration{
    "scripts-no-configuration", Level::error,
    "The process that runs scripts cannot read a configuration that comes into use, so it believes "
    "no command of it: its scripts are not run. The others use it; a reload tries again."};
inline constexpr Message kMailWaits{
    "scripts-mail-waits", Level::warning,
    "Mail cannot leave: the relay (smtp_server) cannot be found or reached, or does not take it. "
    "Letters wait and are tried again with a pause that grows to ten minutes; of each instance, "
    "group, service and server the newest one. Said when that begins; `holdfastctl status --json` "
    "has the last error."};
inline constexpr Message kMailWorks{"scripts-mail-works", Level::info,
                                    "The relay takes mail again."};
inline constexpr Message kMailLost{
    "scripts-mail-lost", Level::warning,
    "A letter was refused for good, at least for one of its receivers, or could not leave within a "
    "day. Look at notification_email, notification_email_from and the relay. Said once in ten "
    "minutes for each reason."};
inline constexpr Message kMailLeft{
    "scripts-mail-left", Level::warning,
    "The director stops while letters still wait for the relay: they are not sent any more."};
inline constexpr Message kPipe{
    "scripts-pipe", Level::error,
    "A notification pipe (notify_fifo and the like) cannot be made or opened, or the program that "
    "reads it cannot be run. Look at the path and at who may write there."};
inline constexpr Message kPipeLost{
    "scripts-pipe-lost", Level::warning,
    "A notification pipe is full, because nobody reads it or the reader is too slow: lines are "
    "lost. `holdfastctl status --json` counts them. Said once in ten minutes."};
inline constexpr Message kPipeReader{
    "scripts-pipe-reader", Level::warning,
    "The program that reads a notification pipe has ended. It is started again; lines wait in the "
    "pipe, 64 KiB of them."};
inline constexpr Message kNonsense{
    "scripts-nonsense", Level::error,
    "Another process of the suite asked for something that is no request. Both must be the same "
    "version of the program."};

}  // namespace holdfast::scripts
