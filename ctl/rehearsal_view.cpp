#include "ctl/rehearsal_view.hpp"

#include "ctl/json_view.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace holdfast::ctl {
namespace {

double after_ms(const object& action) {
  const value* after = find(action, "after_ms");
  return after != nullptr && after->is_number() ? after->to_number<double>() : 0;
}

std::string moment_text(double milliseconds) {
  if (milliseconds <= 0) return "at once";
  return fmt::format("after {:.1f} s", milliseconds / 1000);
}

// Who stops serving, or is about to, is what one looks for.
Paint paint_of(const object& action) {
  const std::string kind = text(action, "kind");
  if (kind == "resignation" || kind == "removed") return Paint::bad;
  if (kind == "state" || kind == "group")
    return text(action, "to") == "FAULT" ? Paint::bad : Paint::warn;
  if (kind == "server" || kind == "quorum") return flag(action, "up") ? Paint::good : Paint::bad;
  return Paint::plain;
}

std::string line_of(const object& action) {
  const std::string peer = text(action, "peer");
  return fmt::format("{:<13} {}: {}{}{}", moment_text(after_ms(action)), text(action, "subject"),
                     peer, peer.empty() ? "" : " ", text(action, "text"));
}

}  // namespace

std::string render_actions(const object& answer, Span span, Colours colours) {
  std::string lines;
  for (const value& each : find_list(answer, "actions")) {
    const object* action = each.if_object();
    if (action == nullptr || text(*action, "text").empty()) continue;
    if (span == Span::at_once && after_ms(*action) > 0) continue;
    lines += painted(line_of(*action), paint_of(*action), colours) + "\n";
  }
  if (const auto left_off = number(answer, "left_off").value_or(0); left_off != 0)
    lines += fmt::format("and {} more\n", left_off);
  if (flag(answer, "ended_early"))
    lines += "what comes later was not rehearsed: too much happens\n";
  for (const value& note : find_list(answer, "notes"))
    if (note.is_string()) lines += fmt::format("note: {}\n", std::string_view(note.as_string()));
  return lines;
}

bool acts_at_once(const object& answer) {
  for (const value& each : find_list(answer, "actions")) {
    const object* action = each.if_object();
    if (action != nullptr && after_ms(*action) <= 0 && !text(*action, "text").empty()) return true;
  }
  return false;
}

}  // namespace holdfast::ctl
