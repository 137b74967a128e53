// The file that tells tools which process to signal. It is readable by all and decides nothing: who
// runs is settled by a LockFile.
#pragma once

#include "core/result.hpp"

#include <string>
#include <sys/types.h>

namespace holdfast::runtime {

/// Removes the file at the end, when it still names this process. Move only.
class PidFile {
 public:
  /// Puts a new file (0644) with our pid in the place of whatever has the name: an old one, a link,
  /// a pipe. Missing directories above it are made (0755). After an error no file there names a
  /// process that has gone.
  [[nodiscard]] static core::Result<PidFile> write(const std::string& path);
  PidFile(PidFile&& other) noexcept;
  PidFile& operator=(PidFile&& other) noexcept;
  ~PidFile();

 private:
  PidFile(std::string path, pid_t pid) : path_(std::move(path)), pid_(pid) {}
  void remove();

  std::string path_;  // empty: nothing to remove
  pid_t pid_ = 0;
};

}  // namespace holdfast::runtime
