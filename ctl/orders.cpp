#include "ctl/orders.hpp"

#include "core/result.hpp"
#include "ctl/client.hpp"
#include "ctl/json_view.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <pwd.h>
#include <unistd.h>

namespace holdfast::ctl {
namespace {

/// Who sits at the terminal. The process adds the user that the kernel names.
std::string author() {
  if (const char* sudo = std::getenv("SUDO_USER"); sudo != nullptr && ::geteuid() == 0) return sudo;
  const passwd* user = ::getpwuid(::geteuid());
  return user == nullptr ? fmt::format("user {}", ::geteuid()) : user->pw_name;
}

std::optional<std::int64_t> integer(std::string_view words) {
  if (words.starts_with('+')) words.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), number);
  if (error != std::errc{} || end != words.data() + words.size()) return std::nullopt;
  return number;
}

}  // namespace

core::Result<OrderQuestion> order_question(const std::string& verb, const OrderRequest& request,
                                           const std::string& author) {
  const bool is_server = verb == "drain" || verb == "undrain" || verb == "weight";
  OrderQuestion made{is_server ? "checkers" : "vrrp",
                     {{"command", "order"},
                      {"kind", is_server ? "weight" : verb},
                      {"subject", request.subject},
                      {"author", author}}};
  bool take_back = request.take_back || verb == "undrain";
  std::int64_t value = 0;
  if (verb == "weight" || verb == "priority") {
    const auto typed = integer(request.value);
    const bool is_back = verb == "weight" ? request.value == "configured" : typed == 0;
    if (!typed && !is_back)
      return core::fail("{} takes {}, not '{}'", verb,
                        verb == "weight" ? "a number, or the word configured"
                                         : "a number such as +20 or -50, or 0",
                        request.value);
    take_back = take_back || is_back;
    value = typed.value_or(0);
  }
  if (take_back) {
    if (!request.within.empty()) return core::fail("--for makes no sense here");
    made.question["take_back"] = true;
    return made;
  }
  made.question["value"] = value;
  if (request.within.empty()) return made;
  const auto within = parse_duration(request.within);
  if (!within)
    return core::fail("--for takes a time such as 90s, 10m or 2h, not '{}'", request.within);
  made.question["for_ms"] = *within / std::chrono::milliseconds(1);
  return made;
}

std::string order_text(const object& order) {
  const std::string kind = text(order, "kind");
  const std::string subject = text(order, "subject");
  const std::int64_t value = number(order, "value").value_or(0);
  std::string words = fmt::format("order {}: {} ", text(order, "id"), subject);
  if (kind == "weight")
    words += value == 0 ? "is drained" : fmt::format("has weight {}", value);
  else if (kind == "priority")
    words += fmt::format("has {:+} to its priority", value);
  else if (kind == "resign")
    words += "leaves its mastership to others";
  else
    words += kind;
  if (const auto left = number(order, "left_ms"))
    words += fmt::format(", for {}", duration_text(*left));
  else
    words += ", until it is taken back";
  return words;
}

int order(const Target& target, const std::string& verb, const OrderRequest& request) {
  const auto made = order_question(verb, request, author());
  if (!made) {
    complain(made.error().message);
    return kFailed;
  }
  object answer;
  const int code = ctl::request(target, made->process, made->question, target.timeout, answer);
  if (code != kDone) return code;
  if (request.format == Format::json) {
    say(boost::json::serialize(answer) + "\n");
  } else if (made->question.contains("take_back")) {
    say(fmt::format("order {} is over: for {} the configuration counts again\n", text(answer, "id"),
                    text(answer, "subject")));
  } else {
    say(order_text(answer) + "\n");
  }
  return kDone;
}

int check_now(const Target& target, const std::string& server) {
  object question{{"command", "check-now"}};
  if (!server.empty()) question["server"] = server;
  object answer;
  const int code = request(target, "checkers", question, target.timeout, answer);
  if (code == kDone) say("checks are on their way; holdfastctl status has their results\n");
  return code;
}

}  // namespace holdfast::ctl
