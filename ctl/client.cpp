#include "ctl/client.hpp"

#include "ctl/json_view.hpp"
#include "runtime/control_client.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <unistd.h>

namespace holdfast::ctl {
namespace {

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

}  // namespace

void say(std::string_view words) {
  (void)std::fwrite(words.data(), 1, words.size(), stdout);
}

void remark(std::string_view words) {
  (void)std::fwrite(words.data(), 1, words.size(), stderr);
}

void complain(std::string_view sentence) {
  fmt::print(stderr, "holdfastctl: {}\n", sentence);
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

int request(const Target& target, std::string_view process, const boost::json::object& question,
            core::Duration timeout, boost::json::object& answer) {
  auto reply = runtime::control_request(socket_of(target, process), question, timeout);
  if (!reply) {
    const bool absent =
        reply.error().system_errno == ENOENT || reply.error().system_errno == ECONNREFUSED;
    complain(absent ? nobody(target) : reply.error().message);
    return absent ? kNobodyAnswered : kFailed;
  }
  answer = std::move(*reply);
  if (find(answer, "error") == nullptr) return kDone;
  complain(text(answer, "error"));
  return kFailed;
}

core::Result<boost::json::object> request_of(const Target& target, std::string_view process,
                                             const boost::json::object& question) {
  return runtime::control_request(socket_of(target, process), question, target.timeout);
}

}  // namespace holdfast::ctl
