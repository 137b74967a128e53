// Lets the keepers of addresses in one network namespace know of each other: whether a mark of ours
// on an address can be the work of another one that lives. Made by the reflector. Abstract socket
// names are the one register that belongs to a network namespace whatever file systems the
// processes see, and that the kernel cleans up itself.
#pragma once

#include "core/result.hpp"
#include "netlink_reflector/core/keeper.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/unique_fd.hpp"

#include <string>

namespace holdfast::netlink {

class Presence {
 public:
  /// Shows us to the others until the end of this object; makes the run directory where it is
  /// missing. Fails when a process that lives keeps its addresses by the same directory, unless
  /// company is accepted: two would overwrite each other's record. `run_dir` empty: shows nothing.
  [[nodiscard]] static core::Result<Presence> announce(const std::string& run_dir,
                                                       Company company = Company::refused);

  /// Looked up now, in /proc/net/unix. One that cannot be read counts as others: better to leave an
  /// address than to take somebody's.
  [[nodiscard]] OtherKeepers others() const;

 private:
  std::string stem_;  // of the names of all processes of our run directory
  runtime::UniqueFd socket_;
};

/// "DEVICE.INODE": which directory this is, whatever it is called in a container.
[[nodiscard]] std::string identity_of(const std::string& run_dir);
/// Whether there are keepers of other directories than this one, as Presence::others().
[[nodiscard]] OtherKeepers keepers_beside(const std::string& run_dir);
/// A process of that directory keeps addresses in this network namespace now.
[[nodiscard]] bool keeper_lives(const std::string& identity);

}  // namespace holdfast::netlink
