#include "ctl/what_if.hpp"

#include "ctl/client.hpp"
#include "ctl/json_view.hpp"
#include "ctl/rehearsal_view.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <optional>

namespace holdfast::ctl {
namespace {

constexpr std::string_view kUsage =
    "what-if takes one of: INTERFACE up|down, server ADDRESS:PORT up|down, priority INSTANCE "
    "NUMBER, peer ADDRESS silent";

/// What is asked, and of whom.
struct Question {
  std::string process;
  object request;
};

std::optional<Question> question_of(const std::vector<std::string>& words) {
  const bool is_short = words[0] == "server" || words[0] == "priority" || words[0] == "peer";
  const bool is_interface =
      (words.size() == 2 && !is_short) || (words.size() == 3 && words[0] == "interface");
  if (!is_interface && words.size() != 3) return std::nullopt;
  if (!is_interface && !is_short) return std::nullopt;
  const std::string what = is_interface ? "interface" : words[0];
  return Question{what == "server" ? "checkers" : "vrrp",
                  {{"command", "what-if"},
                   {"what", what},
                   {"name", words[words.size() - 2]},
                   {"value", words.back()}}};
}

}  // namespace

int what_if(const Target& target, const WhatIfRequest& request) {
  const auto question = question_of(request.words);
  if (!question) {
    complain(kUsage);
    return kFailed;
  }
  object answer;
  if (const int code =
          ctl::request(target, question->process, question->request, target.reload_timeout, answer);
      code != kDone)
    return code;
  if (request.format == Format::json) {
    say(boost::json::serialize(answer) + "\n");
    return kDone;
  }
  const std::string lines = render_actions(answer, Span::everything, request.colours);
  const auto looked_ahead = number(answer, "looked_ahead_ms").value_or(0);
  say(lines.empty() ? fmt::format("nothing happens within {}\n", duration_text(looked_ahead))
                    : lines);
  return kDone;
}

}  // namespace holdfast::ctl
