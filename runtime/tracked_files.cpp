#include "runtime/tracked_files.hpp"

#include "runtime/director_age.hpp"
#include "runtime/messages.hpp"
#include "runtime/small_file.hpp"

#include <array>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

constexpr mode_t kMode = 0644;

constexpr std::string_view kSilent =
    "is on a file system that does not tell of changes (NFS, /proc, FUSE)";

core::Result<std::string> judged(const std::string& path, const Mounts& mounts) {
  Way way = way_of(path, mounts);
  if (way.end == Way::End::silent) return core::fail("{}", kSilent);
  if (way.end == Way::End::trap)
    return core::fail("leads through {}, a link of another account in a shared directory",
                      way.path);
  return std::move(way.path);
}

/// Follows links: an operator may point the name at whatever number he likes.
core::Result<std::string> read_beginning(const std::string& path, const Mounts& mounts) {
  const auto place = judged(path, mounts);
  if (!place) return place.error();
  const UniqueFd fd(
      ::open(place->c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW));
  if (!fd) return core::fail_errno(errno, "cannot be read");
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0) return core::fail_errno(errno, "cannot be read");
  if (!S_ISREG(found.st_mode)) return core::fail("is no regular file");
  std::array<char, core::kMostOfTrackedFile> text{};
  const ssize_t count = ::read(fd.get(), text.data(), text.size());
  if (count < 0) return core::fail_errno(errno, "cannot be read");
  return std::string(text.data(), static_cast<std::size_t>(count));
}

/// A child that is started again finds numbers that are younger than the director.
bool is_older_than_director(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return false;
  timespec utc{};
  ::clock_gettime(CLOCK_REALTIME, &utc);
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(director_age());
  return found.st_mtim.tv_sec < utc.tv_sec - age.count() - 1;
}

// A new file is made under the name itself, never where a link points.
core::Result<void> write_beginning(const TrackedFile& file, const Mounts& mounts) {
  const FileBeginning& beginning = *file.beginning;
  const std::filesystem::path name(file.path);
  const auto place = judged(file.path, mounts);
  if (!place) return place.error();
  const auto directory = judged(name.parent_path().string(), mounts);
  if (!directory) return directory.error();
  const bool anew = beginning.overwrites && is_older_than_director(*place);
  const std::string path =
      anew ? *place : (std::filesystem::path(*directory) / name.filename()).string();
  const int how = O_NOFOLLOW | (anew ? O_TRUNC : O_EXCL);
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | how, kMode));
  if (!fd && errno == EEXIST) return {};
  if (!fd) return core::fail_errno(errno, "cannot be made");
  return write_all(fd.get(), fmt::format("{}\n", beginning.number), file.path);
}

}  // namespace

TrackedFiles::TrackedFiles(boost::asio::io_context& io, Logger& logger, OnNumber on_number,
                           MountText mount_text)
    : logger_(logger),
      on_number_(std::move(on_number)),
      mount_text_(std::move(mount_text)),
      watch_(
          io,
          [this](const std::set<std::string>& paths) {
            const Mounts mounts(mount_text_());
            for (auto& [name, followed] : files_)
              if (paths.contains(followed.file.path)) look(followed, mounts);
          },
          mount_text_) {}

void TrackedFiles::follow(const std::vector<TrackedFile>& files) {
  std::map<std::string, Followed> before = std::exchange(files_, {});
  std::set<std::string> paths;
  const Mounts mounts(files.empty() ? std::string() : mount_text_());
  for (const TrackedFile& file : files) {
    Followed& followed = files_[file.name];
    const auto known = before.find(file.name);
    if (known != before.end() && known->second.file.path == file.path)
      followed = std::move(known->second);
    else if (file.beginning)
      begin(file, mounts);
    followed.file = file;
    paths.insert(file.path);
  }
  // First the watch: what happens between it and the look is told.
  if (auto watched = watch_.follow(paths); !watched)
    logger_.log(kNoFileWatch, "{}", watched.error().message);
  for (auto& [name, followed] : files_)
    if (!followed.told) look(followed, mounts);
}

void TrackedFiles::begin(const TrackedFile& file, const Mounts& mounts) {
  if (auto written = write_beginning(file, mounts); !written)
    logger_.log(kTrackedFileOdd, "track_file {}: init_file: {} {}", file.name, file.path,
                written.error().message);
}

void TrackedFiles::look(Followed& followed, const Mounts& mounts) {
  const auto text = read_beginning(followed.file.path, mounts);
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
