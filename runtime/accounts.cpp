#include "runtime/accounts.hpp"

#include <cerrno>
#include <grp.h>
#include <pwd.h>
#include <string>
#include <vector>

namespace holdfast::runtime {
namespace {

/// setgroups(2): NGROUPS_MAX. The kernel takes no more.
constexpr int kMaxGroups = 65536;

/// "there is no" for a name that nobody knows, and what the system said when it could not ask.
core::Error unknown(std::string_view what, const std::string& name, int error) {
  if (error == 0 || error == ENOENT || error == ESRCH)
    return core::fail("there is no {} '{}' on this host", what, name);
  return core::fail_errno(error, "the {} '{}' cannot be looked up", what, name);
}

/// getgrouplist(3), with the room that it asks for.
std::vector<gid_t> groups_of(const std::string& user, gid_t primary) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (::getgrouplist(user.c_str(), primary, groups.data(), &count) < 0 && count <= kMaxGroups) {
    groups.resize(static_cast<std::size_t>(count));
    if (::getgrouplist(user.c_str(), primary, groups.data(), &count) < 0) count = 0;
  }
  if (count <= 0 || count > kMaxGroups) return {primary};
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

}  // namespace

core::Result<core::ScriptUser> look_up_account(std::string_view user, std::string_view group) {
  const std::string user_name(user);
  errno = 0;
  const passwd* account = ::getpwnam(user_name.c_str());
  if (account == nullptr) return unknown("user", user_name, errno);
  core::ScriptUser found{account->pw_uid, account->pw_gid, {}};
  if (!group.empty()) {
    const std::string group_name(group);
    errno = 0;
    const struct group* entry = ::getgrnam(group_name.c_str());
    if (entry == nullptr) return unknown("group", group_name, errno);
    found.gid = entry->gr_gid;
  }
  found.groups = groups_of(user_name, found.gid);
  return found;
}

}  // namespace holdfast::runtime
