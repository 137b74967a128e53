#include "ctl/readiness.hpp"

#include "ctl/json_view.hpp"

#include <fmt/format.h>

namespace holdfast::ctl {
namespace {

/// More are counted only: a probe shows the first line or two.
constexpr std::size_t kMostProblems = 20;

class Problems {
 public:
  void add(std::string sentence) {
    if (list_.size() < kMostProblems)
      list_.emplace_back(std::move(sentence));
    else
      ++left_off_;
  }
  [[nodiscard]] object page() && {
    const bool ok = list_.empty();
    object page{{"ok", ok}, {"problems", std::move(list_)}};
    if (left_off_ > 0) page.emplace("left_off", left_off_);
    return page;
  }

 private:
  array list_;
  std::size_t left_off_ = 0;
};

const Reply* reply_of(const Replies& replies, std::string_view process) {
  for (const Reply& reply : replies)
    if (reply.process == process) return &reply;
  return nullptr;
}

// A process that the configuration never had anything for is no child, and is not missed.
void judge_health(const Replies& replies, Problems& problems) {
  const Reply* watchdog = reply_of(replies, "watchdog");
  if (watchdog == nullptr || !watchdog->status)
    return problems.add(
        fmt::format("watchdog: {}", watchdog == nullptr ? "not asked" : watchdog->problem));
  for (const value& entry : find_list(*watchdog->status, "children")) {
    const object* child = entry.if_object();
    if (child == nullptr) continue;
    const std::string role = text(*child, "role");
    const Reply* reply = reply_of(replies, role);
    if (const std::string state = text(*child, "state"); state != "running")
      problems.add(fmt::format(
          "{}: {}{}{}", role, state,
          find(*child, "last_exit") == nullptr ? "" : ", last exit: ", text(*child, "last_exit")));
    else if (reply != nullptr && !reply->status)
      problems.add(fmt::format("{}: {}", role, reply->problem));
    else if (flag(*child, "late"))
      problems.add(fmt::format("{}: no sign of life for {}", role,
                               duration_text(number(*child, "heartbeat_ms").value_or(0))));
  }
}

void judge_generations(const Replies& replies, Problems& problems) {
  const Reply* watchdog = reply_of(replies, "watchdog");
  if (watchdog == nullptr || !watchdog->status) return;
  const auto wanted = number(*watchdog->status, "generation").value_or(0);
  if (wanted == 0) problems.add("no configuration is in use yet");
  for (const Reply& reply : replies) {
    if (!reply.status) continue;
    if (const auto has = number(*reply.status, "generation"); has && *has != wanted)
      problems.add(fmt::format("{}: runs configuration {}, not {}", reply.process, *has, wanted));
  }
}

void judge_instances(const Replies& replies, Problems& problems) {
  const Reply* vrrp = reply_of(replies, "vrrp");
  if (vrrp == nullptr || !vrrp->status) return;
  for (const value& entry : find_list(*vrrp->status, "instances")) {
    const object* instance = entry.if_object();
    if (instance == nullptr) continue;
    const std::string state = text(*instance, "state");
    if (state != "MASTER" && state != "BACKUP")
      problems.add(
          fmt::format("{} is {}: {}", text(*instance, "name"), state, text(*instance, "why")));
  }
}

void judge_table(const Replies& replies, Problems& problems) {
  const Reply* checkers = reply_of(replies, "checkers");
  if (checkers == nullptr || !checkers->status) return;
  const object* ipvs = find_object(*checkers->status, "ipvs");
  if (ipvs != nullptr && !flag(*ipvs, "available") &&
      !find_list(*checkers->status, "services").empty())
    problems.add(fmt::format("IPVS is not available: {}", text(*ipvs, "error")));
}

}  // namespace

object health(const Replies& replies) {
  Problems problems;
  judge_health(replies, problems);
  return std::move(problems).page();
}

object readiness(const Replies& replies) {
  Problems problems;
  judge_health(replies, problems);
  judge_generations(replies, problems);
  judge_instances(replies, problems);
  judge_table(replies, problems);
  return std::move(problems).page();
}

}  // namespace holdfast::ctl
