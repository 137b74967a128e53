// record start, record stop.
#include "ctl/client.hpp"
#include "ctl/json_view.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace holdfast::ctl {

int record_start(const Target& target, const std::string& file, std::uint64_t mebibytes) {
  const std::string path = std::filesystem::absolute(file).lexically_normal().string();
  object answer;
  const int code = request(target, "vrrp",
                           {{"command", "record"},
                            {"action", "start"},
                            {"file", path},
                            {"limit", static_cast<std::int64_t>(mebibytes << 20)}},
                           target.timeout, answer);
  if (code == kDone)
    say(fmt::format("records into {}, up to {} MiB, until holdfastctl record stop\n",
                    text(answer, "file"), mebibytes));
  return code;
}

int record_stop(const Target& target) {
  object answer;
  const int code =
      request(target, "vrrp", {{"command", "record"}, {"action", "stop"}}, target.timeout, answer);
  if (code == kDone)
    say(fmt::format("{} is complete, {} bytes; holdfast --replay shows it\n", text(answer, "file"),
                    text(answer, "bytes")));
  return code;
}

}  // namespace holdfast::ctl
