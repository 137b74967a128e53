#include "ctl/explain_view.hpp"

#include "ctl/json_view.hpp"
#include "ctl/status.hpp"

#include <fmt/format.h>

namespace holdfast::ctl {
namespace {

std::string age(const object& from, std::string_view key) {
  return duration_text(number(from, key).value_or(0));
}

/// The label stands in the first line only.
class Block {
 public:
  explicit Block(std::string_view label) : label_(label) {}
  void add(std::string_view words) {
    text_ += fmt::format("  {:<9} {}\n", text_.empty() ? label_ : "", words);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string_view label_;
  std::string text_;
};

std::string sentences(std::string_view label, const object& from, std::string_view key) {
  Block block(label);
  for (const value& each : find_list(from, key)) {
    if (each.is_string()) block.add(std::string_view(each.as_string()));
  }
  return block.text();
}

std::string heard(const object& from) {
  Block block("heard");
  if (const object* master = find_object(from, "heard")) {
    block.add(fmt::format("{} with priority {}, {} ago", text(*master, "address"),
                          text(*master, "priority"), age(*master, "heard_ms")));
  } else {
    block.add("no other router yet");
  }
  return block.text();
}

std::string tracked(const object& from) {
  Block block("tracks");
  for (const value& each : find_list(from, "trackers"))
    if (each.is_object()) block.add(tracker_text(each.as_object()));
  return block.text();
}

std::string group(const object& from) {
  Block block("group");
  if (const object* own = find_object(from, "sync_group")) {
    block.add(fmt::format("{} ({}) is {}: {}", text(*own, "name"), names_in(*own, "members"),
                          text(*own, "state"), text(*own, "why")));
  }
  return block.text();
}

std::string timers(const object& from) {
  Block block("next");
  for (const value& each : find_list(from, "timers")) {
    if (!each.is_object()) continue;
    const object& timer = each.as_object();
    block.add(fmt::format("in {}: {}", age(timer, "in_ms"), text(timer, "what")));
  }
  return block.text();
}

std::string rejected(const object& from) {
  Block block("rejects");
  for (const value& each : find_list(from, "rejected")) {
    if (!each.is_object()) continue;
    const object& problem = each.as_object();
    const auto adverts = number(problem, "adverts");
    block.add(fmt::format("{} {}{}", text(problem, "source"), text(problem, "what"),
                          adverts ? fmt::format(" ({} adverts)", *adverts) : ""));
  }
  return block.text();
}

/// Of an instance, or of the members of a group.
std::string history(const object& from) {
  Block block("before");
  for (const value& each : find_list(from, "history")) {
    if (!each.is_object()) continue;
    const object& past = each.as_object();
    const std::string member = text(past, "member");
    block.add(fmt::format("{}  {}{}{} -> {}: {}", text(past, "at"), member,
                          member.empty() ? "" : ": ", text(past, "from"), text(past, "to"),
                          text(past, "why")));
  }
  return block.text();
}

/// "VI_1     FAULT for 12 s: eth0 is down": every member in a line.
std::string members(const object& from) {
  Block block("members");
  for (const value& each : find_list(from, "members")) {
    if (!each.is_object()) continue;
    const object& member = each.as_object();
    const value* waited_for = find(member, "is_waited_for");
    const bool is_in_the_way =
        waited_for != nullptr && waited_for->is_bool() && waited_for->as_bool();
    block.add(fmt::format("{} with priority {} is {} since {} ({}): {}{}", text(member, "name"),
                          text(member, "priority"), text(member, "state"), text(member, "since_at"),
                          age(member, "since_ms"), text(member, "why"),
                          is_in_the_way ? "; the others wait for it" : ""));
  }
  return block.text();
}

std::string render_group(const object& from) {
  const bool has_begun = number(from, "since_ms").has_value();
  std::string result = fmt::format(
      "sync group {} is {}{}\n", text(from, "group"), text(from, "state"),
      has_begun ? fmt::format(" since {} ({})", text(from, "since_at"), age(from, "since_ms"))
                : "");
  Block why("why");
  if (has_begun) why.add(text(from, "why"));
  return result + why.text() + members(from) + sentences("fault", from, "faults") +
         sentences("then", from, "changes") + history(from);
}

}  // namespace

std::string render_explanation(const object& from) {
  if (!text(from, "group").empty()) return render_group(from);
  const std::string interface = text(from, "interface");
  std::string result = fmt::format(
      "{} ({}, VRID {}) is {} since {} ({})\n", text(from, "instance"),
      interface.empty() ? "no interface: the kernel's routes decide" : interface,
      text(from, "vrid"), text(from, "state"), text(from, "since_at"), age(from, "since_ms"));
  Block why("why");
  why.add(text(from, "why"));
  Block priority("priority");
  const std::string sum = text(from, "priority_sum");
  priority.add(sum.empty() ? text(from, "priority")
                           : fmt::format("{}: {}", text(from, "priority"), sum));
  result += why.text() + group(from) + priority.text() + tracked(from) + heard(from) +
            sentences("packets", from, "closed") + rejected(from) + timers(from);
  result += sentences("then", from, "changes");
  result += sentences("fault", from, "faults");
  result += sentences("trouble", from, "troubles");
  return result + history(from);
}

}  // namespace holdfast::ctl
