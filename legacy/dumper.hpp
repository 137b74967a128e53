// The process that answers the signals of keepalived's consumers: it asks the other processes of
// this director on their control sockets, as holdfastctl does, writes the files and ends. Nothing
// of it runs in a process with deadlines.
#pragma once

#include "runtime/child.hpp"

#include "legacy/dump_request.hpp"
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

namespace holdfast::legacy {

/// keepalived: files of a process without `umask` are for root only.
inline constexpr mode_t kDumpMask = 0177;

/// Words behind argv[0]. Descriptor 3 of the process has to be the snapshot in use.
[[nodiscard]] std::vector<std::string> dump_arguments(const runtime::ChildOptions& options,
                                                      const DumpRequest& request, mode_t mask);
/// --role=dump. Returns the exit code.
[[nodiscard]] int run_dump(std::span<const char* const> words);

}  // namespace holdfast::legacy
