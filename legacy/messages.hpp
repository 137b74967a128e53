// What the process that writes dumps says to the operator.
#pragma once

#include "runtime/log.hpp"

namespace holdfast::legacy {

using runtime::Level;
using runtime::Message;

inline constexpr Message kDumpFailed{
    "legacy-dump-failed", Level::warning,
    "A program has asked by a signal for one of keepalived's dumps, and the file could not be "
    "written or a process did not tell its state. The line says which and why; the old file, if "
    "there was one, is as it was. `holdfastctl status` needs no file."};
inline constexpr Message kDumped{
    "legacy-dumped", Level::detail,
    "Dumps in the form of keepalived were written, as a signal asked."};

inline constexpr Message kBusServed{
    "dbus-served", Level::info,
    "The instances are served by D-Bus, because the configuration says enable_dbus."};
inline constexpr Message kBusAway{
    "dbus-away", Level::warning,
    "The configuration says enable_dbus, and D-Bus is not served; the line says why: there is no "
    "system bus, it has gone, another program has the name, or the bus's policy does not allow it. "
    "It is tried again every few seconds; nothing else waits for it."};

}  // namespace holdfast::legacy
