// Where paths lie, by the text of /proc/self/mountinfo alone: a call into a mount whose server is
// gone (NFS, FUSE) can wait for ever. Called before anything touches a tracked file.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::runtime {

/// The text, or what its bound leaves of it. Empty: there is none here.
using MountText = std::function<std::string()>;
[[nodiscard]] std::string read_mount_text();

class Mounts {
 public:
  /// proc_pid_mountinfo(5). Without a text nothing is known, and nothing is silent.
  explicit Mounts(std::string_view text);

  /// On a file system whose content other machines, programs or the kernel change without a word.
  /// keepalived refuses these, too. `path`: absolute, without links, "." and "..".
  [[nodiscard]] bool is_silent(std::string_view path) const;

 private:
  struct Mount {
    int number = 0;
    bool silent = false;
  };
  void add(std::string_view line);
  [[nodiscard]] Mount topmost(Mount mount, const std::string& point) const;

  // By the mount below and the place on it: what lies under a later mount is not seen.
  std::map<std::pair<int, std::string>, Mount> over_;
  Mount root_;
};

/// Where a name leads. Every step is judged before the call into it.
struct Way {
  enum class End : unsigned char {
    open,    ///< `path` is the same file without links, there or not
    silent,  ///< it enters a mount that is not looked at; `path` is where
    trap,    ///< a link of another account where everybody may make one, as in /tmp
  };
  End end = End::open;
  std::string path;
};

/// Each directory on the way, in order, and its entry that decides where the way goes on.
using OnStep =
    std::function<void(const std::string& directory, const std::string& entry, bool is_last)>;

[[nodiscard]] Way way_of(const std::string& path, const Mounts& mounts, const OnStep& on_step = {});

}  // namespace holdfast::runtime
