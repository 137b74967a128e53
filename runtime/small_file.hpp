// Files of ours under names that others may have used for something else: nothing here follows a
// link (but read_named_file), waits for the other end of a pipe, reads a device or leaves half a
// file behind.
#pragma once

#include "core/result.hpp"
#include "runtime/unique_fd.hpp"

#include <string>
#include <string_view>
#include <sys/types.h>

namespace holdfast::runtime {

/// `ours`: written by this account, and nobody else may read or write it. For what decides
/// anything.
enum class Owner : unsigned char { anybody, ours };

/// The whole of a regular file. system_errno ENOENT: there is none. Longer than `longest` is an
/// error.
[[nodiscard]] core::Result<std::string> read_small_file(const std::string& path,
                                                        std::size_t longest,
                                                        Owner owner = Owner::anybody);
/// The same of a file that the operator names: links lead to it, as certbot's and Kubernetes' do.
[[nodiscard]] core::Result<std::string> read_named_file(const std::string& path,
                                                        std::size_t longest);
/// What every boot has another of (random(4)), for records that mean nothing after one; empty: it
/// cannot be read.
[[nodiscard]] std::string boot_id();
/// A new empty file of our own at `path`, open for writing (`flags`: O_APPEND or 0), in the place
/// of whatever is there but a directory.
[[nodiscard]] core::Result<UniqueFd> create_file(const std::string& path, mode_t mode, int flags);
[[nodiscard]] core::Result<void> write_all(int fd, std::string_view text, const std::string& path);
/// A reader sees the former file or the new one, whatever happens meanwhile.
[[nodiscard]] core::Result<void> replace_file(const std::string& path, std::string_view text,
                                              mode_t mode);

}  // namespace holdfast::runtime
