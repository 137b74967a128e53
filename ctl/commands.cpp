#include "ctl/commands.hpp"

#include "ctl/catalogue.hpp"
#include "ctl/client.hpp"
#include "ctl/json_view.hpp"
#include "runtime/clock.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <charconv>

namespace holdfast::ctl {
namespace {

std::string indented(std::string_view lines) {
  std::string result;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    result += fmt::format("  {}\n", lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return result;
}

std::string ended(std::string lines) {
  if (!lines.empty() && !lines.ends_with('\n')) lines += '\n';
  return lines;
}

std::string trial_text(const object& trial) {
  return fmt::format(
      "the former configuration returns in {}; keep this one with: holdfastctl confirm\n",
      duration_text(number(trial, "left_ms").value_or(0)));
}

}  // namespace

int show_status(const Target& target, Format format, Colours colours) {
  Replies replies;
  for (std::size_t at = 0; at < kProcesses.size(); ++at) {
    replies.at(at) = ask(target, kProcesses.at(at));
  }
  if (format == Format::json) {
    say(boost::json::serialize(merge(replies)) + "\n");
    return anybody_answered(replies) ? kDone : kNobodyAnswered;
  }
  if (!anybody_answered(replies)) {
    bool all_absent = true;
    for (const Reply& reply : replies) {
      all_absent = all_absent && reply.problem.starts_with("not running");
    }
    complain(all_absent ? nobody(target) : replies[0].problem);
    return kNobodyAnswered;
  }
  say(render_status(replies, {colours, runtime::iso8601_utc(runtime::now())}));
  return kDone;
}

int reload(const Target& target, const ReloadRequest& wanted) {
  object question{{"command", "reload"}};
  if (wanted.force) question["force"] = true;
  if (wanted.confirm_within)
    question["confirm_within_ms"] =
        std::chrono::duration_cast<std::chrono::milliseconds>(*wanted.confirm_within).count();
  object answer;
  if (const int code = request(target, "watchdog", question, target.reload_timeout, answer);
      code != kDone) {
    return code;
  }
  const std::string diagnostics = ended(text(answer, "diagnostics"));
  if (!flag(answer, "ok")) {
    complain("the new configuration was refused, the former one keeps running");
    remark(diagnostics);
    return kFailed;
  }
  remark(diagnostics);
  const std::string changes = text(answer, "changes");
  say(fmt::format("generation {} is in use{}\n", text(answer, "generation"),
                  changes.empty() ? "; nothing is different" : ":"));
  say(indented(changes));
  if (const object* trial = find_object(answer, "confirmation")) say(trial_text(*trial));
  return kDone;
}

int confirm(const Target& target) {
  object answer;
  const int code = request(target, "watchdog", {{"command", "confirm"}}, target.timeout, answer);
  if (code == kDone) say(fmt::format("generation {} stays\n", text(answer, "generation")));
  return code;
}

int revert(const Target& target) {
  object answer;
  const int code =
      request(target, "watchdog", {{"command", "revert"}}, target.reload_timeout, answer);
  if (code != kDone) return code;
  if (!flag(answer, "ok")) {
    complain("the former configuration could not return yet; it is tried again");
    remark(ended(text(answer, "diagnostics")));
    return kFailed;
  }
  say(
      fmt::format("the former configuration is in use again, as generation {}; the file on disk is "
                  "still the new one\n",
                  text(answer, "generation")));
  return kDone;
}

int stop(const Target& target) {
  object answer;
  const int code = request(target, "watchdog", {{"command", "stop"}}, target.timeout, answer);
  if (code == kDone) say("stopping: masters hand over, then every process ends\n");
  return code;
}

int explain_message(const std::string& id) {
  if (id.empty()) {
    say(list_messages());
    return kDone;
  }
  if (const runtime::Message* message = find_message(id)) {
    say(explain(*message));
    return kDone;
  }
  const std::string_view near = nearest_id(id);
  complain(fmt::format("there is no message \"{}\"{}", id,
                       near.empty() ? "; `holdfastctl explain` lists them all"
                                    : fmt::format("; did you mean {}?", near)));
  return kFailed;
}

std::optional<core::Duration> parse_duration(std::string_view words) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), count);
  constexpr std::int64_t kMostHours = 24 * 365;
  if (error != std::errc{} || count <= 0 || count > kMostHours * 3600) return std::nullopt;
  words.remove_prefix(static_cast<std::size_t>(end - words.data()));
  if (words.empty() || words == "s") return std::chrono::seconds(count);
  if (words == "m" || words == "min") return std::chrono::minutes(count);
  if (words == "h") return std::chrono::hours(count);
  if (words == "ms") return std::chrono::milliseconds(count);
  return std::nullopt;
}

}  // namespace holdfast::ctl
