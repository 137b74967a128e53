// The kernel's IPVS table from the command line, without any process of ours.
#pragma once

#include "ctl/commands.hpp"

namespace holdfast::ctl {

/// Prints the table as `ipvsadm -S -n` does, or as JSON.
[[nodiscard]] int save_table(Format format);
/// Reads a table from standard input, in either of the two forms, and sees to it that the kernel
/// has what it says. Entries that are there and not mentioned stay.
[[nodiscard]] int restore_table(Format format);

/// What the kernel's table has otherwise than a file of rules: a sentence each. kChanges:
/// something.
[[nodiscard]] int diff_table(const std::string& file, Format format);

}  // namespace holdfast::ctl
