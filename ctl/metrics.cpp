#include "ctl/metrics.hpp"

#include "ctl/json_view.hpp"

#include <algorithm>

namespace holdfast::ctl {
namespace {

using Type = Exposition::Type;

void add_children(Exposition& to, const object& watchdog, std::string_view now) {
  const auto each_child = [&](const auto& tell) {
    for (const value& entry : find_list(watchdog, "children"))
      if (const object* child = entry.if_object())
        tell(labels({{"process", text(*child, "role")}}), *child);
  };
  to.family("holdfast_process_restarts", Type::counter,
            "Times that the watchdog has started this process again.");
  each_child([&](const std::string& who, const object& child) {
    if (const auto count = number(child, "restarts")) to.sample(who, static_cast<double>(*count));
  });
  to.family("holdfast_process_late", Type::gauge,
            "1 while the process works but gives no sign of life in time.");
  each_child([&](const std::string& who, const object& child) {
    to.sample(who, flag(child, "late") ? 1 : 0);
  });
  to.family("holdfast_process_heartbeat_age_seconds", Type::gauge,
            "Age of the last sign of life that the watchdog has had.");
  each_child([&](const std::string& who, const object& child) {
    if (const auto age = number(child, "heartbeat_ms"))
      to.sample(who, static_cast<double>(*age) / 1000);
  });
  to.family("holdfast_uptime_seconds", Type::gauge, "Time since the watchdog was started.");
  if (const auto age = age_ms(text(watchdog, "started_at"), now))
    to.sample("", static_cast<double>(*age) / 1000);
}

void add_reload(Exposition& to, const object& watchdog, std::string_view now) {
  to.family("holdfast_config_generation", Type::gauge,
            "Number of the configuration in use; rises with each reload.");
  if (const auto generation = number(watchdog, "generation"))
    to.sample("", static_cast<double>(*generation));
  to.family("holdfast_config_on_trial", Type::gauge,
            "1 while the configuration in use awaits holdfastctl confirm.");
  to.sample("", find_object(watchdog, "confirmation") != nullptr ? 1 : 0);
  const object* reload = find_object(watchdog, "last_reload");
  if (reload == nullptr) return;
  to.family("holdfast_config_last_reload_successful", Type::gauge,
            "1 when the last reload was taken into use, 0 when it was refused.");
  to.sample("", flag(*reload, "ok") ? 1 : 0);
  to.family("holdfast_config_last_reload_age_seconds", Type::gauge, "Time since the last reload.");
  if (const auto age = age_ms(text(*reload, "at"), now))
    to.sample("", static_cast<double>(*age) / 1000);
}

void add_loops(Exposition& to, const Replies& replies) {
  const auto each_loop = [&](std::string_view key, double unit) {
    for (const Reply& reply : replies) {
      const object* loop = reply.status ? find_object(*reply.status, "loop") : nullptr;
      const value* found = loop == nullptr ? nullptr : find(*loop, key);
      if (found == nullptr || !found->is_number()) continue;
      to.sample(labels({{"process", reply.process}}), found->to_number<double>() * unit);
    }
  };
  to.family("holdfast_loop_longest_turn_seconds", Type::gauge,
            "Longest time that all else had to wait in this process, by the clock.");
  each_loop("longest_turn_ms", 0.001);
  to.family("holdfast_loop_busiest_turn_seconds", Type::gauge,
            "The same without waiting for the processor or the kernel.");
  each_loop("busiest_turn_ms", 0.001);
  to.family("holdfast_loop_turns", Type::counter, "Turns of the loop of this process.");
  each_loop("turns", 1);
}

void add_orders(Exposition& to, const Replies& replies) {
  to.family("holdfast_orders", Type::gauge,
            "What operators have asked for beside the configuration and counts now.");
  for (const Reply& reply : replies)
    if (reply.status && find(*reply.status, "orders") != nullptr)
      to.sample(labels({{"process", reply.process}}),
                static_cast<double>(find_list(*reply.status, "orders").size()));
}

}  // namespace

int state_number(std::string_view state) {
  if (state == "BACKUP") return 1;
  if (state == "MASTER") return 2;
  return state == "FAULT" ? 3 : 0;
}

bool has_child(const object& watchdog, std::string_view role) {
  const array& children = find_list(watchdog, "children");
  return std::any_of(children.begin(), children.end(), [&](const value& entry) {
    const object* child = entry.if_object();
    return child != nullptr && text(*child, "role") == role;
  });
}

void add_process_metrics(Exposition& to, const Replies& replies, std::string_view now) {
  const object none;
  const object& watchdog = replies[0].status ? *replies[0].status : none;
  if (replies[0].status) {
    to.family("holdfast_build", Type::info, "The program that runs.");
    to.sample(labels({{"version", text(watchdog, "version")}}), 1);
  }
  to.family("keepalived_up", Type::gauge, "1 when the VRRP process answers.");
  to.sample("", replies[1].status ? 1 : 0);
  to.family("holdfast_up", Type::gauge, "1 when this process answers its control socket.");
  for (const Reply& reply : replies) {
    // Nor is a process down that this configuration does not need.
    if (reply.status || !replies[0].status || has_child(watchdog, reply.process))
      to.sample(labels({{"process", reply.process}}), reply.status ? 1 : 0);
  }
  if (replies[0].status) {
    add_children(to, watchdog, now);
    add_reload(to, watchdog, now);
  }
  add_loops(to, replies);
  add_orders(to, replies);
}

std::string render_metrics(const Replies& replies, Dialect dialect, std::string_view now) {
  Exposition to(dialect);
  add_process_metrics(to, replies, now);
  if (replies[1].status) {
    add_keepalived_metrics(to, *replies[1].status);
    add_vrrp_metrics(to, *replies[1].status);
  }
  if (replies[2].status) add_checkers_metrics(to, *replies[2].status);
  return std::move(to).finished();
}

}  // namespace holdfast::ctl
