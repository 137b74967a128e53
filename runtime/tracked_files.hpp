// The numbers in tracked files, told at once and whenever they change. keepalived: track_file,
// vrrp_track_file; for instances and for FILE_CHECK. A shell that only reports values.
#pragma once

#include "core/tracked_number.hpp"
#include "runtime/file_watch.hpp"
#include "runtime/log.hpp"

#include <map>
#include <vector>

namespace holdfast::runtime {

using core::FileBeginning;
using core::TrackedFile;

class TrackedFiles {
 public:
  /// A missing file holds 0, and so does one that cannot be read (said once while that lasts).
  using OnNumber = std::function<void(const std::string& name, std::int32_t number)>;

  TrackedFiles(boost::asio::io_context& io, Logger& logger, OnNumber on_number,
               MountText mount_text = read_mount_text);

  /// These and no others from now on. The numbers of those that were not followed before are told
  /// before this returns.
  void follow(const std::vector<TrackedFile>& files);

 private:
  struct Followed {
    TrackedFile file;
    std::optional<std::int32_t> told;
    std::string said;  // what was odd about it at last
  };

  void begin(const TrackedFile& file, const Mounts& mounts);
  void look(Followed& followed, const Mounts& mounts);
  void say(Followed& followed, std::string remark);

  Logger& logger_;
  OnNumber on_number_;
  MountText mount_text_;
  std::map<std::string, Followed> files_;  // by name
  FileWatch watch_;
};

}  // namespace holdfast::runtime
