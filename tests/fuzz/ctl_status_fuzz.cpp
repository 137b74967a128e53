// Any JSON as the answer of a process to `holdfastctl status`, `metrics` or `explain`: shown in
// some way, never a crash. A later version, or whoever has taken the socket's place, may say
// anything.
#include "ctl/explain_view.hpp"
#include "ctl/metrics.hpp"
#include "ctl/readiness.hpp"
#include "ctl/status.hpp"

#include <boost/json/parse.hpp>

#include <cstdint>
#include <string_view>

using namespace holdfast::ctl;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  boost::system::error_code error;
  const boost::json::value answer = boost::json::parse(text, error);
  if (error || !answer.is_object()) return 0;
  const std::size_t asked = data[0] % (kProcesses.size() + 1);
  if (asked == kProcesses.size()) {
    static_cast<void>(render_explanation(answer.get_object()));
    return 0;
  }
  Replies replies;
  for (std::size_t i = 0; i < kProcesses.size(); ++i) replies[i].process = kProcesses[i];
  replies[asked].status = answer.get_object();
  static_cast<void>(merge(replies));
  static_cast<void>(
      render_status(replies, {.colours = Colours::no, .now = "2026-11-21T00:42:03.123Z"}));
  static_cast<void>(render_metrics(replies, Dialect::openmetrics, "2026-11-21T00:42:03.123Z"));
  static_cast<void>(readiness(replies));
  return 0;
}
