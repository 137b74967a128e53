#include "netlink_reflector/owned_file.hpp"

#include "runtime/small_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::netlink {
namespace {

/// Hundreds of thousands of addresses. What is longer is not ours.
constexpr std::size_t kLongest = std::size_t{64} << 20;

}  // namespace

std::string scope_of_record() {
  std::array<char, 64> name{};
  const ssize_t length = ::readlink("/proc/self/ns/net", name.data(), name.size());
  return runtime::boot_id() + " " +
         std::string(name.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
}

OwnedFile::OwnedFile(const std::string& run_dir)
    : path_(run_dir.empty() ? std::string{} : run_dir + "/vrrp.owned"), scope_(scope_of_record()) {}

core::Result<OwnedList> OwnedFile::load() {
  if (path_.empty()) return OwnedList{};
  const auto text = runtime::read_small_file(path_, kLongest);
  if (!text && text.error().system_errno == ENOENT) return OwnedList{};
  if (!text) return text.error();
  auto list = parse_owned(*text, scope_);
  if (!list) return core::fail("cannot use {}: {}", path_, list.error().message);
  return list;
}

core::Result<void> OwnedFile::note(std::span<const OwnedChange> changes, const Keeper& keeper) {
  if (path_.empty() || changes.empty()) return {};
  lines_ += changes.size();
  const bool is_long = lines_ > 2 * keeper.owned_count() + kMaxSpareLines;
  core::Result<void> noted;
  if (journal_ && !is_long && is_in_place()) {
    std::string lines;
    for (const OwnedChange& change : changes) lines += line_of(change);
    noted = append(lines);
  } else {
    noted = replace(keeper.owned());
  }
  if (!noted) journal_ = {};  // it may end in half a line
  return noted;
}

/// What is written to a file that has lost its name is lost.
bool OwnedFile::is_in_place() const {
  struct stat status {};
  return ::fstat(journal_.get(), &status) == 0 && status.st_nlink != 0;
}

core::Result<void> OwnedFile::append(const std::string& lines) {
  return runtime::write_all(journal_.get(), lines, path_);
}

/// A reader sees the former list or the new one.
core::Result<void> OwnedFile::replace(const OwnedList& list) {
  std::error_code ignored;  // opening the file says what is wrong
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  const std::string fresh = path_ + ".new";
  auto fd = runtime::create_file(fresh, 0644, O_APPEND);
  if (!fd) return fd.error();
  if (auto written = runtime::write_all(fd->get(), write_owned(list, scope_), fresh); !written) {
    return written;
  }
  if (std::rename(fresh.c_str(), path_.c_str()) != 0) {
    return core::fail_errno(errno, "cannot replace {}", path_);
  }
  lines_ = list.all().size();
  journal_ = std::move(*fd);
  return {};
}

}  // namespace holdfast::netlink
