// A pid file with a lock on it: how a second copy is noticed, also after a crash left the file
// behind.
#pragma once

#include "core/result.hpp"
#include "runtime/unique_fd.hpp"

#include <string>

namespace holdfast::runtime {

/// Holds the lock as long as it lives (open file description lock: survives fork, ends with the
/// last holder); removes the file at the end. Move only.
class PidFile {
 public:
  /// Fails with "… is already running as process 4711 …" when somebody else holds the lock
  /// (system_errno EAGAIN). Missing directories above the file are made (0755).
  [[nodiscard]] static core::Result<PidFile> acquire(const std::string& path);
  PidFile(PidFile&& other) noexcept = default;
  PidFile& operator=(PidFile&& other) noexcept;
  ~PidFile();

  /// After a fork the new process writes its own pid.
  [[nodiscard]] core::Result<void> write_own_pid();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  PidFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  void remove();

  std::string path_;
  UniqueFd fd_;
};

}  // namespace holdfast::runtime
