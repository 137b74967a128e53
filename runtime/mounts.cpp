#include "runtime/mounts.hpp"

#include "runtime/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace holdfast::runtime {
namespace {

namespace fs = std::filesystem;

/// Some twenty thousand mounts. What lies on later ones counts as what is below them.
constexpr std::size_t kMostMountText = std::size_t{4} << 20;
constexpr std::size_t kReadAtOnce = std::size_t{64} << 10;
/// A path may lead through so many links, as in the kernel.
constexpr int kMostLinks = 40;

constexpr std::array<std::string_view, 23> kSilentTypes{
    "nfs",  "nfs4",  "cifs", "smb3",      "smbfs",    "ceph",   "9p",       "afs",
    "coda", "fuse",  "proc", "fuseblk",   "virtiofs", "sysfs",  "autofs",   "lustre",
    "gfs2", "ocfs2", "gpfs", "glusterfs", "beegfs",   "vboxsf", "orangefs",
};

bool is_silent_type(std::string_view type) {
  return type.starts_with("fuse.") || std::ranges::find(kSilentTypes, type) != kSilentTypes.end();
}

std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

int number_of(std::string_view word) {
  int number = -1;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

// Blanks and the like are written as a backslash and three octal digits.
std::string plain(std::string_view word) {
  std::string text;
  while (!word.empty()) {
    int byte = word.front();
    std::size_t used = 1;
    if (byte == '\\' && word.size() >= 4) {
      std::from_chars(word.data() + 1, word.data() + 4, byte, 8);
      used = 4;
    }
    text += static_cast<char>(byte);
    word.remove_prefix(used);
  }
  return text;
}

// fs.protected_symlinks, which the kernel cannot apply when links are followed here.
bool is_trap(const std::string& directory, const struct stat& link) {
  struct stat of {};
  constexpr mode_t kShared = S_ISVTX | S_IWOTH;
  return ::lstat(directory.c_str(), &of) == 0 && (of.st_mode & kShared) == kShared &&
         link.st_uid != ::geteuid() && link.st_uid != of.st_uid;
}

void push_steps(const fs::path& path, std::vector<std::string>& steps) {
  std::vector<std::string> found;
  for (const fs::path& step : path.relative_path()) found.push_back(step.string());
  steps.insert(steps.end(), found.rbegin(), found.rend());
}

}  // namespace

std::string read_mount_text() {
  const UniqueFd fd(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  std::string text;
  while (fd && text.size() < kMostMountText) {
    const std::size_t had = text.size();
    text.resize(had + kReadAtOnce);
    const ssize_t count = ::read(fd.get(), text.data() + had, kReadAtOnce);
    text.resize(had + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count <= 0) break;
  }
  return text;
}

Mounts::Mounts(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    add(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  root_ = topmost(root_, "/");
}

// NUMBER BELOW DEVICE ROOT POINT OPTIONS [FIELD…] - TYPE SOURCE OPTIONS
void Mounts::add(std::string_view line) {
  const std::size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return;
  std::string_view rest = line.substr(dash + 3);
  const std::string_view type = take_word(rest);
  const int number = number_of(take_word(line));
  const int below = number_of(take_word(line));
  take_word(line);
  take_word(line);
  const std::string point = plain(take_word(line));
  const Mount mount{number, is_silent_type(type)};
  over_.insert_or_assign({below, point}, mount);
  if (point == "/") root_ = mount;  // any of those on one another: the topmost one is looked for
}

Mounts::Mount Mounts::topmost(Mount mount, const std::string& point) const {
  for (std::size_t count = 0; count <= over_.size(); ++count) {
    const auto found = over_.find({mount.number, point});
    if (found == over_.end() || found->second.number == mount.number) break;
    mount = found->second;
  }
  return mount;
}

bool Mounts::is_silent(std::string_view path) const {
  Mount at = root_;
  for (std::size_t end = path.find('/', 1); !at.silent; end = path.find('/', end + 1)) {
    const std::string point(path.substr(0, end));
    if (point.size() > 1) at = topmost(at, point);
    if (end == std::string_view::npos) break;
  }
  return at.silent;
}

Way way_of(const std::string& path, const Mounts& mounts, const OnStep& on_step) {
  fs::path at = "/";
  if (mounts.is_silent("/")) return {Way::End::silent, "/"};
  std::vector<std::string> rest;  // the next one last
  push_steps(path, rest);
  for (int links_left = kMostLinks; !rest.empty();) {
    const std::string step = std::move(rest.back());
    rest.pop_back();
    if (step.empty() || step == ".") continue;
    if (step == "..") {
      at = at.parent_path();
      continue;
    }
    if (on_step) on_step(at.string(), step, rest.empty());
    const fs::path next = at / step;
    if (mounts.is_silent(next.string())) return {Way::End::silent, next.string()};
    struct stat found {};
    const bool exists = ::lstat(next.c_str(), &found) == 0;
    const bool is_link = exists && S_ISLNK(found.st_mode);
    if (is_link && is_trap(at.string(), found)) return {Way::End::trap, next.string()};
    std::error_code error;
    const fs::path target = is_link ? fs::read_symlink(next, error) : fs::path();
    if (error || !exists || (is_link && links_left-- == 0)) {
      at = next;  // whoever opens it hears what is the matter
      for (; !rest.empty(); rest.pop_back()) at /= rest.back();
      break;
    }
    if (!is_link) {
      at = next;
      continue;
    }
    if (target.is_absolute()) at = "/";
    push_steps(target, rest);
  }
  return {Way::End::open, at.string()};
}

}  // namespace holdfast::runtime
