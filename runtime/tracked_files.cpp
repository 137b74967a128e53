#include "runtime/tracked_files.hpp"

#include "runtime/messages.hpp"
#include "runtime/small_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

constexpr mode_t kMode = 0644;

/// statfs(2): what other machines, or the kernel, change without a word, and whose reading can take
/// for ever. keepalived refuses them, too.
constexpr std::array<std::uint32_t, 11> kSilentFileSystems{
    0x6969,      // NFS
    0xff534d42,  // CIFS
    0xfe534d42,  // SMB2
    0x517b,      // SMB
    0x00c36400,  // Ceph
    0x01021997,  // 9P
    0x5346414f,  // AFS
    0x73757245,  // Coda
    0x65735546,  // FUSE
    0x9fa0,      // proc
    0x62656572,  // sysfs
};

bool is_silent(int fd) {
  struct statfs found {};
  if (::fstatfs(fd, &found) != 0) return false;
  const auto type = static_cast<std::uint32_t>(found.f_type);
  return std::find(kSilentFileSystems.begin(), kSilentFileSystems.end(), type) !=
         kSilentFileSystems.end();
}

/// Follows links: an operator may point the name at whatever number he likes.
core::Result<std::string> read_beginning(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!fd) return core::fail_errno(errno, "cannot be read");
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0) return core::fail_errno(errno, "cannot be read");
  if (!S_ISREG(found.st_mode)) return core::fail("is no regular file");
  if (is_silent(fd.get()))
    return core::fail("is on a file system that does not tell of changes (NFS, /proc, FUSE)");
  std::array<char, core::kMostOfTrackedFile> text{};
  const ssize_t count = ::read(fd.get(), text.data(), text.size());
  if (count < 0) return core::fail_errno(errno, "cannot be read");
  return std::string(text.data(), static_cast<std::size_t>(count));
}

// proc(5): the 22nd word is when a process began, in ticks since the boot. The parent is the
// watchdog: a child that is started again finds numbers that are younger than it.
std::optional<timespec> director_began() {
  const auto text = read_small_file(fmt::format("/proc/{}/stat", ::getppid()), 4096);
  if (!text) return std::nullopt;
  std::string_view rest(*text);
  rest.remove_prefix(std::min(rest.rfind(')') + 1, rest.size()));
  for (int word = 2; word < 22 && !rest.empty(); ++word)
    rest.remove_prefix(std::min(rest.find(' ', 1), rest.size()));
  const double began =
      std::atof(std::string(rest).c_str()) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  timespec boot{};
  timespec utc{};
  ::clock_gettime(CLOCK_BOOTTIME, &boot);
  ::clock_gettime(CLOCK_REALTIME, &utc);
  const double ago = static_cast<double>(boot.tv_sec) - began;
  return timespec{utc.tv_sec - static_cast<time_t>(ago), 0};
}

bool is_older_than_director(const std::string& path) {
  struct stat found {};
  const auto began = director_began();
  return began && ::stat(path.c_str(), &found) == 0 && found.st_mtim.tv_sec < began->tv_sec;
}

core::Result<void> write_beginning(const TrackedFile& file) {
  const FileBeginning& beginning = *file.beginning;
  const int how = beginning.overwrites && is_older_than_director(file.path) ? O_TRUNC : O_EXCL;
  const UniqueFd fd(
      ::open(file.path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | how, kMode));
  if (!fd && errno == EEXIST) return {};
  if (!fd) return core::fail_errno(errno, "cannot be made");
  return write_all(fd.get(), fmt::format("{}\n", beginning.number), file.path);
}

}  // namespace

TrackedFiles::TrackedFiles(boost::asio::io_context& io, Logger& logger, OnNumber on_number)
    : logger_(logger),
      on_number_(std::move(on_number)),
      watch_(io, [this](const std::set<std::string>& paths) {
        for (auto& [name, followed] : files_)
          if (paths.contains(followed.file.path)) look(followed);
      }) {}

void TrackedFiles::follow(const std::vector<TrackedFile>& files) {
  std::map<std::string, Followed> before = std::exchange(files_, {});
  std::set<std::string> paths;
  for (const TrackedFile& file : files) {
    Followed& followed = files_[file.name];
    const auto known = before.find(file.name);
    if (known != before.end() && known->second.file.path == file.path)
      followed = std::move(known->second);
    else if (file.beginning)
      begin(file);
    followed.file = file;
    paths.insert(file.path);
  }
  // First the watch: what happens between it and the look is told.
  if (auto watched = watch_.follow(paths); !watched)
    logger_.log(kNoFileWatch, "{}", watched.error().message);
  for (auto& [name, followed] : files_)
    if (!followed.told) look(followed);
}

void TrackedFiles::begin(const TrackedFile& file) {
  if (auto written = write_beginning(file); !written)
    logger_.log(kTrackedFileOdd, "track_file {}: init_file: {} {}", file.name, file.path,
                written.error().message);
}

void TrackedFiles::look(Followed& followed) {
  const auto text = read_beginning(followed.file.path);
  core::TrackedNumber read;
  if (text) read = core::read_tracked_number(*text);
  if (!text && text.error().system_errno != ENOENT && text.error().system_errno != ENOTDIR)
    read.remark = text.error().message + ": it counts as 0";
  say(followed, std::move(read.remark));
  const std::int32_t number = read.number.value_or(followed.told.value_or(0));
  if (std::exchange(followed.told, number) != number) on_number_(followed.file.name, number);
}

void TrackedFiles::say(Followed& followed, std::string remark) {
  if (!remark.empty() && remark != followed.said)
    logger_.log(kTrackedFileOdd, "track_file {}: {} {}", followed.file.name, followed.file.path,
                remark);
  followed.said = std::move(remark);
}

}  // namespace holdfast::runtime
