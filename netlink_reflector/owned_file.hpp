// Keeps the list of our addresses in the run directory, for a successor after a crash. Used by the
// reflector only. Never waits for a disk: the run directory is on tmpfs and nothing is synced; what
// matters is the death of a process, not of the machine.
#pragma once

#include "core/result.hpp"
#include "netlink_reflector/core/keeper.hpp"
#include "runtime/unique_fd.hpp"

#include <span>
#include <string>

namespace holdfast::netlink {

/// Interface numbers mean something in one network namespace of one boot: both, as one line.
[[nodiscard]] std::string scope_of_record();

class OwnedFile {
 public:
  /// Lines beyond twice the list, before the file is written anew.
  static constexpr std::size_t kMaxSpareLines = 256;

  /// `run_dir` empty: nothing is read or written.
  explicit OwnedFile(const std::string& run_dir);

  /// What the predecessor had; a missing file is an empty list.
  [[nodiscard]] core::Result<OwnedList> load();
  /// Puts the changes on record: one write for all of them, or a new file in place of the old one
  /// with all that the keeper, who made them, owns. After a failure, and when somebody else (the
  /// release beside a living process) has replaced the file, the next call writes a new one.
  [[nodiscard]] core::Result<void> note(std::span<const OwnedChange> changes, const Keeper& keeper);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  [[nodiscard]] core::Result<void> append(const std::string& lines);
  [[nodiscard]] core::Result<void> replace(const OwnedList& list);
  [[nodiscard]] bool is_in_place() const;

  std::string path_;
  std::string scope_;
  runtime::UniqueFd journal_;
  std::size_t lines_ = 0;
};

}  // namespace holdfast::netlink
