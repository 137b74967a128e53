// The pure parts of plan: status JSON → what the rules ask for, plan → text and JSON.
#include "ctl/json_view.hpp"
#include "ctl/plan.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace holdfast::ctl {
namespace {

config::RunningInstance instance_of(const object& entry) {
  config::RunningInstance instance;
  instance.interface = text(entry, "interface");
  instance.family = text(entry, "family") == "ipv6" ? core::Family::v6 : core::Family::v4;
  instance.virtual_router_id = static_cast<std::uint8_t>(number(entry, "vrid").value_or(0));
  const std::string state = text(entry, "state");
  instance.is_master = state == "MASTER";
  instance.is_in_fault = state == "FAULT";
  instance.priority = static_cast<int>(number(entry, "priority").value_or(0));
  instance.effective_priority =
      static_cast<int>(number(entry, "effective_priority").value_or(instance.priority));
  const object* master = find_object(entry, "master");
  if (master != nullptr && !instance.is_master) {
    instance.master = text(*master, "address");
    instance.master_priority = static_cast<int>(number(*master, "priority").value_or(0));
  }
  return instance;
}

std::string endpoint_of(const object& entry) {
  const auto address = core::IpAddress::parse(text(entry, "address"));
  const auto port = static_cast<std::uint16_t>(number(entry, "port").value_or(0));
  return address ? core::Endpoint{*address, port}.to_string() : text(entry, "address");
}

// As config::name_of calls it: that is how a plan finds it.
std::string service_name(const object& entry) {
  if (find(entry, "mark") == nullptr)
    return fmt::format("{} {}", text(entry, "protocol"), endpoint_of(entry));
  return fmt::format("fwmark {}{}", text(entry, "mark"),
                     text(entry, "family") == "ipv6" ? " IPv6" : "");
}

Paint paint_of(config::Impact impact) {
  switch (impact) {
    case config::Impact::harmless:
      return Paint::plain;
    case config::Impact::disturbs:
      return Paint::warn;
    case config::Impact::drops:
      return Paint::bad;
  }
  return Paint::plain;
}

// Told apart without colours too.
std::string_view mark_of(config::Impact impact) {
  switch (impact) {
    case config::Impact::harmless:
      return " ";
    case config::Impact::disturbs:
      return "~";
    case config::Impact::drops:
      return "!";
  }
  return " ";
}

std::string counts_text(const config::Plan& plan) {
  const std::vector<config::PlanStep>& steps = plan.steps;
  std::size_t disturbs = 0;
  std::size_t drops = 0;
  for (const config::PlanStep& step : steps) {
    if (step.impact == config::Impact::disturbs) ++disturbs;
    if (step.impact == config::Impact::drops) ++drops;
  }
  std::string line = fmt::format("{} change{}", steps.size(), steps.size() == 1 ? "" : "s");
  if (disturbs != 0)
    line += fmt::format(", {} (~) move{} traffic", disturbs, disturbs == 1 ? "s" : "");
  if (drops != 0)
    line += fmt::format(", {} (!) drop{} addresses or connections", drops, drops == 1 ? "s" : "");
  if (const std::size_t warnings = plan.warnings.size(); warnings != 0)
    line += fmt::format(", {} warning{}", warnings, warnings == 1 ? "" : "s");
  else if (disturbs + drops == 0)
    line += ", none of them disturbs anybody";
  return line + "\n";
}

}  // namespace

config::RunningView running_view(const Reply& vrrp, const Reply& checkers) {
  config::RunningView view;
  if (vrrp.status) {
    for (const value& entry : find_list(*vrrp.status, "instances"))
      if (const object* one = entry.if_object()) view.instances.push_back(instance_of(*one));
  }
  if (!checkers.status) return view;
  for (const value& entry : find_list(*checkers.status, "services")) {
    const object* service = entry.if_object();
    if (service == nullptr) continue;
    const std::string name = service_name(*service);
    view.services.push_back(
        {name, static_cast<std::uint64_t>(number(*service, "up_weight").value_or(0))});
    for (const value& item : find_list(*service, "servers")) {
      const object* server = item.if_object();
      if (server == nullptr) continue;
      view.servers.push_back(
          {name, endpoint_of(*server),
           static_cast<std::uint64_t>(number(*server, "active_connections").value_or(0))});
    }
  }
  return view;
}

std::string render_plan(const config::Plan& plan, Colours colours) {
  if (plan.steps.empty()) return "nothing changes\n";
  std::string result;
  for (const config::PlanStep& step : plan.steps) {
    const std::string line =
        fmt::format("{} {}: {}{}{}", mark_of(step.impact), step.object, step.change,
                    step.consequence.empty() ? "" : ": ", step.consequence);
    result += painted(line, paint_of(step.impact), colours) + "\n";
  }
  if (const std::string removed = config::removed_text(plan.removal); !removed.empty())
    result += removed + "\n";
  for (const std::string& warning : plan.warnings)
    result += painted("warning: " + warning, Paint::warn, colours) + "\n";
  result += counts_text(plan);
  if (!plan.beyond_limit.empty())
    result += painted("will be refused: " + plan.beyond_limit, Paint::bad, colours) + "\n";
  return result;
}

object plan_json(const config::Plan& plan) {
  array steps;
  for (const config::PlanStep& step : plan.steps) {
    steps.push_back(object{{"object", step.object},
                           {"change", step.change},
                           {"consequence", step.consequence},
                           {"impact", config::to_string(step.impact)}});
  }
  return {{"changes", !plan.steps.empty()},
          {"steps", std::move(steps)},
          {"warnings", array(plan.warnings.begin(), plan.warnings.end())},
          {"removal", object{{"addresses", plan.removal.addresses},
                             {"of_addresses", plan.removal.of_addresses},
                             {"servers", plan.removal.servers},
                             {"of_servers", plan.removal.of_servers}}},
          {"beyond_limit", plan.beyond_limit.empty() ? value(nullptr) : value(plan.beyond_limit)}};
}

}  // namespace holdfast::ctl
