// Tells when files of certain names may hold something else: written, replaced, renamed, removed,
// made again, also through symbolic links and with a directory that goes and comes back. inotify on
// directories, never on the files nor in mounts that could make it wait. Reads nothing.
#pragma once

#include "core/result.hpp"
#include "runtime/mounts.hpp"
#include "runtime/unique_fd.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace holdfast::runtime {

class FileWatch {
 public:
  using OnChanged = std::function<void(const std::set<std::string>& paths)>;

  /// `on_changed` comes from the loop, with those that changed since the last time.
  FileWatch(boost::asio::io_context& io, OnChanged on_changed,
            MountText mount_text = read_mount_text);
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  /// Files with these absolute names and no others from now on; they need not exist. Fails when the
  /// kernel has no room for a watch (fs.inotify.max_user_watches): the others are watched.
  [[nodiscard]] core::Result<void> follow(const std::set<std::string>& paths);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace holdfast::runtime
