#include "ctl/online_scripts.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <grp.h>
#include <memory>
#include <optional>
#include <pwd.h>
#include <sys/stat.h>
#include <unordered_set>

namespace holdfast::ctl {
namespace {

using config::Severity;

// Where a command without a slash is looked for: the daemon's path.
constexpr std::array kSearchPath = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                    "/usr/bin",        "/sbin",          "/bin"};

struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

std::optional<User> find_user(const std::string& name) {
  const passwd* entry = getpwnam(name.c_str());  // one thread: no race
  if (entry == nullptr) return std::nullopt;
  return User{name, entry->pw_uid, entry->pw_gid};
}

// keepalived: the script's user, script_user, keepalived_script if there is one, root.
std::optional<User> user_of(const config::Script& script, const config::Globals& globals) {
  if (!script.user.empty()) return find_user(script.user);
  if (!globals.script_user.empty()) return find_user(globals.script_user);
  if (auto found = find_user("keepalived_script")) return found;
  return User{"root", 0, 0};
}

// Parts of one path, "/" first. Says why the first unsafe one is.
std::string why_part_unsafe(const std::string& path) {
  std::size_t end = 0;
  while (end != std::string::npos) {
    end = path.find('/', end + 1);
    const std::string part = end == std::string::npos ? path : path.substr(0, end);
    struct stat status {};
    if (lstat(part.c_str(), &status) != 0) return {};
    if (S_ISLNK(status.st_mode)) continue;  // its target is looked at on the resolved path
    const bool sticky_directory = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
    if (status.st_uid != 0) return fmt::format("{} belongs to user {}", part, status.st_uid);
    if (sticky_directory) continue;
    if ((status.st_mode & S_IWOTH) != 0) return fmt::format("everybody may write to {}", part);
    if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0)
      return fmt::format("group {} may write to {}", status.st_gid, part);
  }
  return {};
}

bool may_execute(const struct stat& status, const User& user) {
  if (user.uid == 0) return (status.st_mode & 0111) != 0;
  if (status.st_uid == user.uid) return (status.st_mode & 0100) != 0;
  if (status.st_gid == user.gid && (status.st_mode & 0010) != 0) return true;
  return (status.st_mode & 0001) != 0;
}

std::string find_program(const std::string& word) {
  if (word.find('/') != std::string::npos) return word;
  for (const char* directory : kSearchPath) {
    const std::string path = fmt::format("{}/{}", directory, word);
    struct stat status {};
    if (stat(path.c_str(), &status) == 0) return path;
  }
  return {};
}

struct Scripts {
  const config::Globals& globals;
  config::Reporter& reporter;
  std::unordered_set<std::string> said{};

  void warn(const config::Script& script, std::string message, std::string help = {}) {
    // One script used in many places is one mistake.
    if (said.insert(message).second)
      reporter.at(Severity::warning, script.location, std::move(message), std::move(help));
  }

  void check(const config::Script& script) {
    if (script.argv.empty() || script.argv[0].starts_with('<')) return;
    const std::optional<User> user = user_of(script, globals);
    if (!user) {
      const std::string& name = script.user.empty() ? globals.script_user : script.user;
      warn(script,
           fmt::format("there is no user '{}' on this host: its scripts are not run", name));
      return;
    }
    const std::string path = find_program(script.argv[0]);
    if (path.empty()) {
      warn(script, fmt::format("no program '{}' is found: it cannot be run", script.argv[0]),
           "write its whole path");
      return;
    }
    check_path(script, path, *user);
  }

  void check_path(const config::Script& script, const std::string& path, const User& user) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) {
      const bool hidden = errno == EACCES;
      if (hidden) {
        reporter.at(Severity::note, script.location,
                    fmt::format("{} cannot be looked at: no permission", path), "run this as root");
      } else {
        warn(script, fmt::format("the script {} cannot be run: {}", path, std::strerror(errno)));
      }
      return;
    }
    if (!S_ISREG(status.st_mode)) {
      warn(script, fmt::format("the script {} cannot be run: it is not a file", path));
    } else if (!may_execute(status, user)) {
      warn(script, fmt::format("user {} may not execute {}", user.name, path),
           fmt::format("chmod +x {}", path));
    } else if (user.uid == 0 || (status.st_mode & (S_ISUID | S_ISGID)) != 0) {
      check_safety(script, path);
    }
  }

  void check_safety(const config::Script& script, const std::string& path) {
    const std::string why = why_unsafe(path);
    if (why.empty()) return;
    warn(script,
         globals.enable_script_security
             ? fmt::format("{} is not run, because root would run what others can change: {}", path,
                           why)
             : fmt::format("root runs {}, which others can change: {}", path, why),
         globals.enable_script_security
             ? "let it and the way to it belong to root, or name another 'script_user'"
             : "name a 'script_user', or let it and the way to it belong to root and write "
               "'enable_script_security'");
  }
};

template <class T>
void check_notifications(Scripts& scripts, const T& owner) {
  for (const auto* one : {&owner.notify_master, &owner.notify_backup, &owner.notify_fault,
                          &owner.notify_stop, &owner.notify}) {
    if (*one) scripts.check(**one);
  }
}

}  // namespace

std::string why_unsafe(const std::string& path) {
  if (std::string why = why_part_unsafe(path); !why.empty()) return why;
  const std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path.c_str(), nullptr),
                                                             &std::free);
  return resolved == nullptr ? std::string() : why_part_unsafe(resolved.get());
}

void check_scripts(const config::Model& model, config::Reporter& reporter) {
  Scripts scripts{model.globals, reporter};
  for (const config::VrrpScript& one : model.scripts) scripts.check(one.script);
  for (const config::VrrpInstance& one : model.instances) check_notifications(scripts, one);
  for (const config::SyncGroup& one : model.sync_groups) check_notifications(scripts, one);
  for (const config::VirtualServer& service : model.services) {
    for (const auto* one : {&service.quorum_up, &service.quorum_down}) {
      if (*one) scripts.check(**one);
    }
    for (const config::RealServer& server : service.real_servers) {
      for (const auto* one : {&server.notify_up, &server.notify_down}) {
        if (*one) scripts.check(**one);
      }
      for (const config::Check& check : server.checks) {
        if (const auto* misc = std::get_if<config::MiscCheck>(&check)) scripts.check(*misc->script);
      }
    }
  }
}

}  // namespace holdfast::ctl
