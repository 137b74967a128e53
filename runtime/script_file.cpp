#include "runtime/script_file.hpp"

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <string_view>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace holdfast::runtime {
namespace {

constexpr std::array kSearchPath = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                    "/usr/bin",        "/sbin",          "/bin"};
/// The kernel follows no more. linux/namei.h: MAXSYMLINKS.
constexpr int kMaxLinks = 40;

std::string system_text(int error) {
  return std::generic_category().message(error);
}

/// Why others than root may change this one entry; empty: they may not.
std::string why_open(const std::string& path, const struct stat& status) {
  if (status.st_uid != 0) return fmt::format("{} belongs to user {}", path, status.st_uid);
  if (S_ISLNK(status.st_mode)) return {};  // its mode means nothing
  // Whoever may write to a sticky directory cannot replace what others have in it.
  if (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0) return {};
  if ((status.st_mode & S_IWOTH) != 0) return fmt::format("everybody may write to {}", path);
  if ((status.st_mode & S_IWGRP) == 0) return {};
  if (status.st_gid != 0) return fmt::format("group {} may write to {}", status.st_gid, path);
  // acl(5): the bits of the group are then the most that anybody named in the list may do.
  if (::lgetxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0)
    return fmt::format("an access control list may let others write to {}", path);
  return {};
}

/// Puts the parts of a path in front of those that are still to come.
void put_in_front(std::string_view path, std::deque<std::string>& parts) {
  std::vector<std::string> fresh;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end != 0) fresh.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  parts.insert(parts.begin(), fresh.begin(), fresh.end());
}

std::string target_of(const std::string& link) {
  std::array<char, PATH_MAX> text{};
  const ssize_t length = ::readlink(link.c_str(), text.data(), text.size());
  return length <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(length));
}

bool is_in(gid_t group, const core::ScriptUser& user) {
  return group == user.gid || std::ranges::find(user.groups, group) != user.groups.end();
}

bool may_execute(const struct stat& status, const core::ScriptUser& user) {
  if (user.uid == 0) return (status.st_mode & 0111) != 0;
  if (status.st_uid == user.uid) return (status.st_mode & 0100) != 0;
  if (is_in(status.st_gid, user)) return (status.st_mode & 0010) != 0;
  return (status.st_mode & 0001) != 0;
}

}  // namespace

std::string find_program(const std::string& word) {
  if (word.find('/') != std::string::npos) return word;
  for (const char* directory : kSearchPath) {
    std::string path = fmt::format("{}/{}", directory, word);
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) return path;
  }
  return {};
}

ScriptFile look_at_script(const std::string& path, const core::ScriptUser& user) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return errno == EACCES ? ScriptFile::hidden : ScriptFile::unusable;
  if (!S_ISREG(status.st_mode)) return ScriptFile::unusable;
  return may_execute(status, user) ? ScriptFile::usable : ScriptFile::not_for_user;
}

std::string why_not_executable(const std::string& path, const core::ScriptUser& user) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return system_text(errno);
  if (!S_ISREG(status.st_mode)) return "it is not a file";
  if (!may_execute(status, user)) return "it is not executable for its user";
  return {};
}

bool needs_safe_path(const std::string& path, const core::ScriptUser& user) {
  struct stat status {};
  if (user.uid == 0) return true;
  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_ISUID | S_ISGID)) != 0;
}

std::string why_unsafe(const std::string& path) {
  if (!path.starts_with('/')) return fmt::format("{} is no absolute path", path);
  std::deque<std::string> parts;
  put_in_front(path, parts);
  std::string walked;  // without links, except for the part that is looked at
  for (int links = 0; links <= kMaxLinks;) {
    const std::string here = walked.empty() ? "/" : walked;
    struct stat status {};
    if (::lstat(here.c_str(), &status) != 0)
      return fmt::format("{} cannot be looked at: {}", here, system_text(errno));
    if (std::string why = why_open(here, status); !why.empty()) return why;
    if (S_ISLNK(status.st_mode)) {
      ++links;
      const std::string target = target_of(here);
      put_in_front(target, parts);
      walked = target.starts_with('/') ? std::string() : walked.substr(0, walked.rfind('/'));
      continue;
    }
    while (!parts.empty() && (parts.front() == "." || parts.front() == "..")) {
      if (parts.front() == ".." && !walked.empty()) walked.erase(walked.rfind('/'));
      parts.pop_front();
    }
    if (parts.empty()) return {};
    walked += '/' + parts.front();
    parts.pop_front();
  }
  return fmt::format("{} is a circle of links", path);
}

std::string why_not_run(const core::Command& command, std::string& program) {
  if (!command.problem.empty()) return command.problem;
  if (command.argv.empty()) return "the command is empty";
  program = find_program(command.argv.front());
  if (program.empty()) return "no program of that name is found";
  if (std::string why = why_not_executable(program, command.user); !why.empty()) return why;
  if (!command.security || !needs_safe_path(program, command.user)) return {};
  const std::string why = why_unsafe(program);
  return why.empty() ? why : "root would run what others can change: " + why;
}

}  // namespace holdfast::runtime
