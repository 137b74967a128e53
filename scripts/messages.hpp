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
inline constexpr Message kNonsense{
    "scripts-nonsense", Level::error,
    "Another process of the suite asked for something that is no request. Both must be the same "
    "version of the program."};

}  // namespace holdfast::scripts
