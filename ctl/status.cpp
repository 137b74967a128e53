#include "ctl/status.hpp"

#include "ctl/json_view.hpp"
#include "ctl/orders.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::ctl {
namespace {

std::string age_text(const std::string& moment, const TextOptions& options) {
  const auto age = age_ms(moment, options.now);
  return age ? duration_text(*age) : moment;
}

std::string heading(const object& watchdog, const TextOptions& options) {
  std::string line = painted("holdfast " + text(watchdog, "version"), Paint::bold, options.colours);
  if (find(watchdog, "config_file") != nullptr) line += ", " + text(watchdog, "config_file");
  if (const std::string name = text(watchdog, "router_id"); !name.empty()) line += ", " + name;
  if (find(watchdog, "generation") != nullptr) {
    line += ", generation " + text(watchdog, "generation");
  }
  line += '\n';
  if (const object* reload = find_object(watchdog, "last_reload")) {
    const bool ok = flag(*reload, "ok");
    line += fmt::format("last reload {}: {}{}\n", text(*reload, "at"),
                        painted(ok ? "taken into use" : "refused, the former configuration runs",
                                ok ? Paint::good : Paint::bad, options.colours),
                        text(*reload, "message").empty() ? "" : " – " + text(*reload, "message"));
  }
  if (const object* trial = find_object(watchdog, "confirmation")) {
    line += painted(
        fmt::format("generation {} is on trial: generation {} returns in {} unless `holdfastctl "
                    "confirm` comes\n",
                    text(*trial, "generation"), text(*trial, "former_generation"),
                    duration_text(number(*trial, "left_ms").value_or(0))),
        Paint::warn, options.colours);
  }
  if (find(watchdog, "planned_reload_at") != nullptr)
    line += fmt::format("the next reload is planned at {}\n", text(watchdog, "planned_reload_at"));
  return line;
}

const object* child_of(const object* watchdog, std::string_view role) {
  if (watchdog == nullptr) return nullptr;
  for (const value& child : find_list(*watchdog, "children")) {
    const object* entry = child.if_object();
    if (entry != nullptr && text(*entry, "role") == role) return entry;
  }
  return nullptr;
}

}  // namespace

bool anybody_answered(const Replies& replies) {
  return std::any_of(replies.begin(), replies.end(),
                     [](const Reply& reply) { return reply.status.has_value(); });
}

object merge(const Replies& replies) {
  object merged;
  object problems;
  for (const Reply& reply : replies) {
    merged[reply.process] = reply.status ? value(*reply.status) : value(nullptr);
    if (!reply.status) problems[reply.process] = reply.problem;
  }
  merged["problems"] = std::move(problems);
  return merged;
}

std::string render_processes(const Replies& replies, const TextOptions& options) {
  const object* watchdog = replies[0].status ? &*replies[0].status : nullptr;
  TextTable table({{"process"},
                   {"pid", Align::right},
                   {"state"},
                   {"for"},
                   {"restarts", Align::right},
                   {"generation", Align::right},
                   {"remark"}});
  for (const Reply& reply : replies) {
    const object* child = child_of(watchdog, reply.process);
    const object none;
    const object& own = reply.status ? *reply.status : none;
    const object& seen = child != nullptr ? *child : none;

    std::string state = child != nullptr ? text(seen, "state") : reply.status ? "running" : "";
    if (state.empty()) state = "no answer";
    const Paint paint = state == "running" && reply.status ? Paint::good : Paint::bad;
    std::string since =
        text(child != nullptr ? seen : own, child != nullptr ? "since_at" : "started_at");
    std::string remark;
    if (!reply.status) remark = reply.problem;
    if (const auto* late = seen.if_contains("late");
        late != nullptr && late->is_bool() && late->as_bool())
      remark += std::string(remark.empty() ? "" : "; ") +
                "late: it works, but gave no sign of life for some seconds";
    if (find(seen, "last_exit") != nullptr) {
      remark += (remark.empty() ? "" : "; ") + ("last exit: " + text(seen, "last_exit"));
    }
    table.add({{reply.process},
               {text(reply.status ? own : seen, "pid")},
               {state, paint},
               {since.empty() ? "" : age_text(since, options)},
               {text(seen, "restarts")},
               {text(own, "generation")},
               {remark, reply.status ? Paint::plain : Paint::bad}});
  }
  return painted("Processes", Paint::bold, options.colours) + "\n" +
         table.render(2, options.colours);
}

std::string render_orders(const Replies& replies, const TextOptions& options) {
  std::string lines;
  for (const Reply& reply : replies) {
    if (!reply.status) continue;
    for (const value& each : find_list(*reply.status, "orders"))
      if (const object* order = each.if_object())
        lines += fmt::format("  {}; asked for by {} at {}\n",
                             painted(order_text(*order), Paint::warn, options.colours),
                             text(*order, "author"), text(*order, "given_at"));
  }
  return lines.empty() ? lines
                       : painted("Orders", Paint::bold, options.colours) + "\n" + lines + "\n";
}

std::string render_status(const Replies& replies, const TextOptions& options) {
  std::string text;
  if (replies[0].status) text += heading(*replies[0].status, options) + "\n";
  text += render_orders(replies, options);
  text += render_processes(replies, options);
  if (replies[1].status) text += "\n" + render_instances(*replies[1].status, options);
  if (replies[2].status) text += "\n" + render_services(*replies[2].status, options);
  return text;
}

}  // namespace holdfast::ctl
