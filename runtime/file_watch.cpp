#include "runtime/file_watch.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/inotify.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

constexpr std::uint32_t kNames = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD;
/// Where the file itself is. Not IN_MODIFY: who truncates a file and then writes it is half done in
/// between.
constexpr std::uint32_t kContents = IN_CLOSE_WRITE;
/// Names that keep changing while they are looked at are looked at again with the next event.
constexpr int kMostLooks = 8;

/// The entries of one directory that decide what paths name.
struct Directory {
  std::map<std::string, std::set<std::string>> entries;  ///< entry → paths
  bool has_files = false;                                ///< not only steps on the way
  bool operator==(const Directory&) const = default;
};
using Directories = std::map<std::string, Directory>;

// Every directory on the way: any of them can be renamed, and any step can be a link. Where the way
// ends, the last directory that exists tells when it goes on.
Directories ways_of(const std::set<std::string>& paths, const Mounts& mounts) {
  Directories all;
  for (const std::string& path : paths) {
    static_cast<void>(way_of(
        path, mounts, [&](const std::string& directory, const std::string& entry, bool is_last) {
          Directory& watched = all[directory];
          watched.entries[entry].insert(path);
          if (is_last) watched.has_files = true;
        }));
  }
  return all;
}

}  // namespace

struct FileWatch::State : std::enable_shared_from_this<FileWatch::State> {
  State(boost::asio::io_context& io, OnChanged callback, MountText text)
      : descriptor(io), on_changed(std::move(callback)), mount_text(std::move(text)) {}

  core::Result<void> open() {
    if (descriptor.is_open()) return {};
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) return core::fail_errno(errno, "cannot watch files");
    boost::system::error_code error;
    descriptor.assign(fd, error);
    if (error) {  // the host has no watches of epoll left
      ::close(fd);
      return core::fail_errno(error.value(), "cannot watch files");
    }
    wait();
    return {};
  }

  core::Result<void> follow(const std::set<std::string>& wanted) {
    paths = wanted;
    if (paths.empty()) {
      close();
      return {};
    }
    if (auto opened = open(); !opened) return opened;
    return look_where();
  }

  // What came into being between a look and its watch would be missed: until two looks agree.
  core::Result<void> look_where() {
    core::Result<void> result;
    Directories ways = ways_of(paths, Mounts(mount_text()));
    for (int looks = 0; looks < kMostLooks; ++looks) {
      result = watch(ways);
      Directories now = ways_of(paths, Mounts(mount_text()));
      if (now == ways) break;
      ways = std::move(now);
    }
    return result;
  }

  // A second watch of a directory, under another name, is the same one for the kernel.
  core::Result<void> watch(const Directories& wanted) {
    core::Result<void> result;
    std::map<int, Directory> next;
    for (const auto& [name, directory] : wanted) {
      const std::uint32_t mask = kNames | (directory.has_files ? kContents : 0);
      const int number = ::inotify_add_watch(descriptor.native_handle(), name.c_str(), mask);
      if (number >= 0) {
        for (const auto& [entry, of] : directory.entries)
          next[number].entries[entry].insert(of.begin(), of.end());
      } else if (errno != ENOENT && errno != ENOTDIR) {
        result = core::fail_errno(errno, "cannot watch the directory {}", name);
      }
    }
    for (const auto& [number, directory] : watched)
      if (!next.contains(number)) ::inotify_rm_watch(descriptor.native_handle(), number);
    watched = std::move(next);
    return result;
  }

  void wait() {
    descriptor.async_wait(descriptor.wait_read,
                          [self = shared_from_this()](boost::system::error_code error) {
                            if (!error && self->descriptor.is_open()) self->read();
                          });
  }

  void read() {
    alignas(inotify_event) std::array<char, 16384> buffer;
    const ssize_t count = ::read(descriptor.native_handle(), buffer.data(), buffer.size());
    std::set<std::string> changed;
    bool ways_changed = false;
    for (ssize_t at = 0; at < count;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      if (event.mask != IN_CLOSE_WRITE) ways_changed = true;
      note(event, buffer.data() + at + sizeof event, changed);
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
    wait();
    if (changed.empty()) return;
    // Before the callback reads: what happens after that is told again.
    if (ways_changed) static_cast<void>(look_where());
    const auto callback = on_changed;
    if (callback) callback(changed);
  }

  void note(const inotify_event& event, const char* name, std::set<std::string>& changed) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) return changed.insert(paths.begin(), paths.end());
    const auto directory = watched.find(event.wd);
    if (directory == watched.end()) return;
    const auto& entries = directory->second.entries;
    if (event.len == 0) {  // of the directory itself
      for (const auto& [entry, of] : entries) changed.insert(of.begin(), of.end());
      if ((event.mask & IN_IGNORED) != 0) watched.erase(directory);
      return;
    }
    const auto entry = entries.find(name);
    if (entry != entries.end()) changed.insert(entry->second.begin(), entry->second.end());
  }

  void close() {
    boost::system::error_code ignored;
    descriptor.close(ignored);
    watched.clear();
  }

  boost::asio::posix::stream_descriptor descriptor;
  OnChanged on_changed;
  MountText mount_text;
  std::set<std::string> paths;
  std::map<int, Directory> watched;
};

FileWatch::FileWatch(boost::asio::io_context& io, OnChanged on_changed, MountText mount_text)
    : state_(std::make_shared<State>(io, std::move(on_changed), std::move(mount_text))) {}

FileWatch::~FileWatch() {
  state_->on_changed = {};
  state_->close();
}

core::Result<void> FileWatch::follow(const std::set<std::string>& paths) {
  return state_->follow(paths);
}

}  // namespace holdfast::runtime
