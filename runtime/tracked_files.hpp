// The numbers in tracked files, told at once and whenever they change. keepalived: track_file,
// vrrp_track_file; for instances and for FILE_CHECK. A shell that only reports values.
#pragma once

#include "core/tracked_number.hpp"
#include "runtime/file_watch.hpp"
#include "runtime/log.hpp"

#include <map>
#include <vector>

namespace holdfast::runtime {

/// keepalived: init_file [NUMBER] [overwrite].
struct FileBeginning {
  std::int32_t number = 0;
  bool overwrites = false;  ///< Not only when it is missing: when it is older than this director.
  bool operator==(const FileBeginning&) const = default;
};
/// keepalived: track_file NAME.
struct TrackedFile {
  std::string name;
  std::string path;  ///< Absolute.
  std::optional<FileBeginning> beginning = {};
  bool operator==(const TrackedFile&) const = default;
};

class TrackedFiles {
 public:
  /// A missing file holds 0, and so does one that cannot be read (said once while that lasts).
  using OnNumber = std::function<void(const std::string& name, std::int32_t number)>;

  TrackedFiles(boost::asio::io_context& io, Logger& logger, OnNumber on_number);

  /// These and no others from now on. The numbers of those that were not followed before are told
  /// before this returns.
  void follow(const std::vector<TrackedFile>& files);

 private:
  struct Followed {
    TrackedFile file;
    std::optional<std::int32_t> told;
    std::string said;  // what was odd about it at last
  };

  void begin(const TrackedFile& file);
  void look(Followed& followed);
  void say(Followed& followed, std::string remark);

  Logger& logger_;
  OnNumber on_number_;
  std::map<std::string, Followed> files_;  // by name
  FileWatch watch_;
};

}  // namespace holdfast::runtime
