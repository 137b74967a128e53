#include "ctl/commands.hpp"

#include "ctl/catalogue.hpp"
#include "ctl/json_view.hpp"
#include "runtime/clock.hpp"
#include "runtime/control_client.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <unistd.h>

namespace holdfast::ctl {
namespace {

void say(std::string_view words) {
  (void)std::fwrite(words.data(), 1, words.size(), stdout);
}

void complain(std::string_view sentence) {
  fmt::print(stderr, "holdfastctl: {}\n", sentence);
}

std::string socket_of(const Target& target, std::string_view process) {
  return fmt::format("{}/{}.sock", target.run_dir, process);
}

/// What a failed request means to the person at the terminal.
std::string explain_silence(const Target& target, std::string_view process,
                            const core::Error& error) {
  switch (error.system_errno) {
    case ENOENT:
      return fmt::format("not running (no socket {})", socket_of(target, process));
    case ECONNREFUSED:
      return fmt::format("not running (nobody listens on {})", socket_of(target, process));
    default:
      return error.message;
  }
}

Reply ask(const Target& target, std::string_view process) {
  Reply reply{std::string(process), std::nullopt, {}};
  auto answer =
      runtime::control_request(socket_of(target, process), {{"command", "status"}}, target.timeout);
  if (!answer) {
    reply.problem = explain_silence(target, process, answer.error());
  } else if (find(*answer, "error") != nullptr) {
    reply.problem = text(*answer, "error");
  } else {
    reply.status = std::move(*answer);
  }
  return reply;
}

std::string nobody(const Target& target) {
  if (access(target.run_dir.c_str(), R_OK | X_OK) != 0 && errno == EACCES) {
    return fmt::format("cannot look into {}: no permission; run this as root", target.run_dir);
  }
  return fmt::format(
      "holdfast is not running (no socket in {}); start it, or name its directory with --run-dir",
      target.run_dir);
}

/// One command to the watchdog; `answered` gets its reply.
int command(const Target& target, std::string_view name, core::Duration timeout,
            boost::json::object& answered) {
  auto answer =
      runtime::control_request(socket_of(target, "watchdog"), {{"command", name}}, timeout);
  if (!answer) {
    const bool absent =
        answer.error().system_errno == ENOENT || answer.error().system_errno == ECONNREFUSED;
    complain(absent ? nobody(target) : answer.error().message);
    return absent ? kNobodyAnswered : kFailed;
  }
  answered = std::move(*answer);
  if (find(answered, "error") == nullptr) return kDone;
  complain(text(answered, "error"));
  return kFailed;
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

int reload(const Target& target) {
  boost::json::object answer;
  if (const int code = command(target, "reload", target.reload_timeout, answer); code != kDone) {
    return code;
  }
  const std::string diagnostics = text(answer, "diagnostics");
  if (!flag(answer, "ok")) {
    complain("the new configuration was refused, the former one keeps running");
    fmt::print(stderr, "{}{}", diagnostics, diagnostics.ends_with('\n') ? "" : "\n");
    return kFailed;
  }
  if (!diagnostics.empty()) fmt::print(stderr, "{}", diagnostics);
  say(fmt::format("generation {} is in use\n", text(answer, "generation")));
  return kDone;
}

int stop(const Target& target) {
  boost::json::object answer;
  const int code = command(target, "stop", target.timeout, answer);
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

}  // namespace holdfast::ctl
