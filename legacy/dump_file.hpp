// Puts a dump where others may write, too: nothing of theirs is followed, opened or waited for, and
// a reader finds the old text or the new one, never a part.
#pragma once

#include "core/result.hpp"

#include <string>
#include <string_view>
#include <sys/types.h>

namespace holdfast::legacy {

/// Replaces whatever has that name: a file of another user, a link, a pipe. The text is written
/// to a new file of a name that nobody can know and then renamed; that file is closed last, so that
/// who waits for the close of a file that was written (inotify, IN_CLOSE_WRITE) hears the name of
/// the dump. When it fails, what was there stays.
[[nodiscard]] core::Result<void> write_dump(const std::string& path, std::string_view text,
                                            mode_t mode);

}  // namespace holdfast::legacy
