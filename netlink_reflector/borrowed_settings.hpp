// Settings below /proc/sys/net that belong to others' interfaces: changed while we need them, and
// put back as they were. What they were before is on record in the run directory, for a successor
// after a crash. Used by Devices only.
#pragma once

#include "core/result.hpp"
#include "netlink_reflector/core/devices.hpp"

#include <string>
#include <vector>

namespace holdfast::netlink {

/// What the kernel says of it, without the line's end. ENOENT: the interface is gone, or the kernel
/// has no such setting.
[[nodiscard]] core::Result<std::string> read_setting(const std::string& path);
/// Writes only what is different, and reads back. A setting that is not there is no error.
[[nodiscard]] core::Result<void> write_setting(const std::string& path, const std::string& value);

class BorrowedSettings {
 public:
  /// `record_path` empty: nothing is put on record, for tests.
  explicit BorrowedSettings(std::string record_path) : record_path_(std::move(record_path)) {}

  /// What a predecessor had changed.
  [[nodiscard]] core::Result<void> load();
  /// These, and no others, are as we want them; a setting that is no longer wanted goes back to
  /// what it was, unless somebody else has changed it meanwhile. Cheap when all is so already.
  /// Returns what could not be done.
  [[nodiscard]] std::vector<core::Error> want(const KernelSettings& wanted);

 private:
  void give_back(const KernelSettings& wanted, std::vector<core::Error>& failed);
  void take(const std::string& path, const std::string& value, std::vector<core::Error>& failed);
  [[nodiscard]] core::Result<void> record() const;

  std::string record_path_;
  KernelSettings before_;  // of those that we changed
  KernelSettings ours_;    // what we made of them, since this process began
};

}  // namespace holdfast::netlink
