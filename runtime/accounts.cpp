#include "runtime/accounts.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <grp.h>
#include <memory>
#include <mutex>
#include <pwd.h>
#include <system_error>
#include <thread>
#include <utility>

namespace holdfast::runtime {
namespace {

/// setgroups(2): NGROUPS_MAX. The kernel takes no more.
constexpr int kMaxGroups = 65536;
/// For the texts of one entry. A group may have thousands of members.
constexpr std::size_t kMostRoom = std::size_t{4} << 20;

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

/// getpwnam_r(3) and getgrnam_r(3) want room for all texts of an entry, and say when it was not
/// enough.
template <class Entry, class Function>
std::pair<Entry*, int> entry_of(const std::string& name, Entry& entry, std::vector<char>& room,
                                Function function) {
  Entry* found = nullptr;
  int error = ERANGE;
  for (room.resize(4096); error == ERANGE && room.size() <= kMostRoom; room.resize(4 * room.size()))
    error = function(name.c_str(), &entry, room.data(), room.size(), &found);
  return {found, error};
}

/// Shared by the threads that ask and the one that waits.
struct Inquiry {
  std::mutex mutex;
  std::condition_variable news;
  std::vector<core::AccountName> questions;
  std::vector<std::optional<core::Result<core::ScriptUser>>> answers;
  std::size_t begun = 0;
  std::size_t answered = 0;
};

void ask(const std::shared_ptr<Inquiry>& inquiry, const LookUp& look_up) {
  std::unique_lock lock(inquiry->mutex);
  while (inquiry->begun < inquiry->questions.size()) {
    const std::size_t index = inquiry->begun++;
    const core::AccountName question = inquiry->questions[index];
    lock.unlock();
    auto answer = look_up(question.user, question.group);
    lock.lock();
    inquiry->answers[index] = std::move(answer);
    ++inquiry->answered;
    inquiry->news.notify_one();
  }
}

/// False: this user has too many processes.
bool ask_in_a_thread(const std::shared_ptr<Inquiry>& inquiry, const LookUp& look_up) {
  try {
    std::thread([inquiry, look_up] { ask(inquiry, look_up); }).detach();
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace

core::Result<core::ScriptUser> look_up_account(std::string_view user, std::string_view group) {
  const std::string user_name(user);
  std::vector<char> room;
  passwd entry{};
  const auto [account, error] = entry_of(user_name, entry, room, ::getpwnam_r);
  if (account == nullptr) return unknown("user", user_name, error);
  core::ScriptUser found{account->pw_uid, account->pw_gid, {}};
  if (!group.empty()) {
    const std::string group_name(group);
    struct group group_entry {};
    const auto [known, trouble] = entry_of(group_name, group_entry, room, ::getgrnam_r);
    if (known == nullptr) return unknown("group", group_name, trouble);
    found.gid = known->gr_gid;
  }
  found.groups = groups_of(user_name, found.gid);
  return found;
}

std::vector<core::Result<core::ScriptUser>> look_up_accounts(
    std::vector<core::AccountName> questions, core::Duration patience, const LookUp& look_up) {
  const std::size_t count = questions.size();
  const auto inquiry = std::make_shared<Inquiry>();
  inquiry->answers.resize(count);
  inquiry->questions = std::move(questions);
  std::size_t threads = 0;
  while (threads < std::min(count, kAccountThreads) && ask_in_a_thread(inquiry, look_up)) ++threads;
  if (threads == 0) ask(inquiry, look_up);  // late is better than never

  std::unique_lock lock(inquiry->mutex);
  inquiry->news.wait_for(lock, patience, [&] { return inquiry->answered == count; });
  inquiry->begun = count;  // nobody begins with another one
  std::vector<core::Result<core::ScriptUser>> answers;
  for (std::size_t i = 0; i < count; ++i) {
    if (inquiry->answers[i])
      answers.push_back(std::move(*inquiry->answers[i]));
    else
      answers.push_back(core::fail_errno(
          ETIMEDOUT,
          "the user '{}' cannot be looked up: this host's directory of accounts does "
          "not answer",
          inquiry->questions[i].user));
  }
  return answers;
}

std::optional<core::ScriptUser> local_account(const std::string& user) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/etc/passwd", "re"), std::fclose);
  if (!file) return std::nullopt;
  while (const passwd* entry = ::fgetpwent(file.get()))
    if (user == entry->pw_name) return core::ScriptUser{entry->pw_uid, entry->pw_gid, {}};
  return std::nullopt;
}

}  // namespace holdfast::runtime
