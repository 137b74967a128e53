// Settings below /proc/sys/net that belong to others' interfaces: changed while we need them, and
// put back as they were. What they were before is on record in the run directory, for a successor
// after a crash, and for other directors with devices above the same interfaces: each of them knows
// the former value, and the last one that goes puts it back. Used by Devices only.
#pragma once

#include "core/result.hpp"
#include "netlink_reflector/core/devices.hpp"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace holdfast::netlink {

/// What the kernel says of it, without the line's end. ENOENT: the interface is gone, or the kernel
/// has no such setting.
[[nodiscard]] core::Result<std::string> read_setting(const std::string& path);
/// Writes only what is different, and reads back. A setting that is not there is no error.
[[nodiscard]] core::Result<void> write_setting(const std::string& path, const std::string& value);

/// What others above the same interfaces need.
struct OtherBorrowers {
  KernelSettings former;         ///< On record with other directors that live: they put it back.
  std::set<std::string> needed;  ///< By devices of strangers: paths that stay as they are.
};

/// The record of a director, by its run directory; empty: it has none, or of another network.
[[nodiscard]] KernelSettings settings_on_record(const std::string& path);

class BorrowedSettings {
 public:
  /// Asked only where it matters.
  using AskOthers = std::function<OtherBorrowers()>;

  /// `record_path` empty: nothing is put on record, for tests.
  explicit BorrowedSettings(std::string record_path) : record_path_(std::move(record_path)) {}

  /// What a predecessor had changed.
  [[nodiscard]] core::Result<void> load();
  /// These, and no others, are as we want them; a setting that is no longer wanted goes back to
  /// what it was, unless somebody else has changed it meanwhile. Cheap when all is so already.
  /// What others need stays, until they have gone. Returns what could not be done.
  [[nodiscard]] std::vector<core::Error> want(const KernelSettings& wanted,
                                              const AskOthers& ask_others);
  /// The director ends: what others need is theirs now.
  void leave_rest();

 private:
  void give_back(const KernelSettings& wanted, const AskOthers& ask_others,
                 std::vector<core::Error>& failed);
  void take(const std::string& path, const std::string& value, std::vector<core::Error>& failed);
  [[nodiscard]] core::Result<void> record() const;

  std::string record_path_;
  KernelSettings before_;  // of those that we changed
  KernelSettings ours_;    // what we made of them, since this process began
};

}  // namespace holdfast::netlink
