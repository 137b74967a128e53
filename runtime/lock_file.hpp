// One process at a time: how a second copy is noticed, also after a crash left the file behind. The
// file is for the lock alone and of mode 0600. Whoever could open it could lock it, and a start
// that finds the lock taken would take a stranger for a director. Used by mains at start.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "runtime/unique_fd.hpp"

#include <string>

namespace holdfast::runtime {

/// An exclusive flock on this descriptor; tried for so long while somebody else has it. False with
/// errno set. Blocks: for starts, not from a loop.
[[nodiscard]] bool lock_within(int fd, core::Duration patience);

/// Holds the lock as long as it lives (flock: survives fork, ends with the last holder); removes
/// the file at the end. Move only.
class LockFile {
 public:
  /// Fails with "it is already running as process 4711 …" when somebody holds the lock for longer
  /// than `patience` (system_errno EAGAIN). Missing directories above the file are made (0755).
  /// What is at the name and cannot be a lock of ours – a link, a pipe, another owner's file, one
  /// that others may open – is replaced; a directory is named.
  [[nodiscard]] static core::Result<LockFile> acquire(const std::string& path,
                                                      core::Duration patience = {});
  LockFile(LockFile&& other) noexcept = default;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

  /// After a fork the new process writes its own pid, for the error text of others.
  void write_own_pid();

 private:
  LockFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  void remove();

  std::string path_;
  UniqueFd fd_;
};

}  // namespace holdfast::runtime
