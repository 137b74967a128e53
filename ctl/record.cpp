// record start, record stop.
#include "ctl/client.hpp"
#include "ctl/json_view.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>

namespace holdfast::ctl {
namespace {

/// Complains when there is none; the exit code says why.
int ask_vrrp(const Target& target, const object& question, object& answer) {
  auto reply = request_of(target, "vrrp", question);
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

}  // namespace

int record_start(const Target& target, const std::string& file, std::uint64_t mebibytes) {
  const std::string path = std::filesystem::absolute(file).lexically_normal().string();
  object answer;
  const int code = ask_vrrp(target,
                            {{"command", "record"},
                             {"action", "start"},
                             {"file", path},
                             {"limit", static_cast<std::int64_t>(mebibytes << 20)}},
                            answer);
  if (code == kDone)
    say(fmt::format("records into {}, up to {} MiB, until holdfastctl record stop\n",
                    text(answer, "file"), mebibytes));
  return code;
}

int record_stop(const Target& target) {
  object answer;
  const int code = ask_vrrp(target, {{"command", "record"}, {"action", "stop"}}, answer);
  if (code == kDone)
    say(fmt::format("{} is complete, {} bytes; holdfast --replay shows it\n", text(answer, "file"),
                    text(answer, "bytes")));
  return code;
}

}  // namespace holdfast::ctl
