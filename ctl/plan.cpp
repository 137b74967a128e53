#include "ctl/plan.hpp"

#include "config/default_file.hpp"
#include "config/load.hpp"
#include "ctl/client.hpp"
#include "ctl/json_view.hpp"
#include "runtime/base64.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <optional>

namespace holdfast::ctl {
namespace {

/// One side of the comparison.
struct Side {
  std::string name;  ///< for the heading
  config::Model model;
};

/// A file as a start would read it; its errors are printed.
std::optional<Side> read_side(const std::string& file, const std::string& config_id) {
  config::Loaded loaded = config::load_files(file, {config_id});
  if (loaded.diagnostics.has_errors()) {
    remark(config::render_text(loaded.diagnostics));
    complain(fmt::format("{} cannot be taken into use: {}", file, loaded.diagnostics.summary()));
    return std::nullopt;
  }
  if (loaded.diagnostics.warnings() != 0)
    complain(
        fmt::format("{}: {}; `holdfastctl check` shows them", file, loaded.diagnostics.summary()));
  return Side{file, std::move(loaded.model)};
}

/// What runs, as the watchdog has it, and how it was told to read files.
struct Running {
  Side side;
  std::string config_file;
  std::string config_id;
};

int ask_running(const Target& target, Running& running) {
  object answer;
  if (const int code = request(target, "watchdog", {{"command", "configuration"}},
                               target.reload_timeout, answer);
      code != kDone)
    return code;
  const auto bytes = runtime::from_base64(text(answer, "snapshot"));
  auto parsed = bytes ? config::parse_snapshot_bytes(*bytes)
                      : core::Result<config::Parsed>(core::Error{"it is no snapshot", 0});
  if (!parsed) {
    complain(
        fmt::format("the running configuration cannot be read: {}; is this holdfastctl of the "
                    "same version as holdfast?",
                    parsed.error().message));
    return kFailed;
  }
  running.side = {"generation " + text(answer, "generation"), std::move(parsed->model)};
  running.config_file = text(answer, "config_file");
  running.config_id = text(answer, "config_id");
  return kDone;
}

config::RunningView ask_view(const Target& target, const config::Model& model) {
  const Reply vrrp = ask(target, "vrrp");
  const Reply checkers = ask(target, "checkers");
  if (!model.instances.empty() && !vrrp.status)
    complain("without the state of the instances: vrrp is " + vrrp.problem);
  if (!model.services.empty() && !checkers.status)
    complain("without the connections of the servers: checkers is " + checkers.problem);
  return running_view(vrrp, checkers);
}

int show(const Side& before, const Side& after, const config::Plan& plan,
         const PlanRequest& request) {
  if (request.format == Format::json) {
    object page{{"from", before.name}, {"to", after.name}};
    for (auto& member : plan_json(plan)) page.emplace(member.key(), std::move(member.value()));
    say(boost::json::serialize(page) + "\n");
  } else {
    say(painted(fmt::format("{} → {}", before.name, after.name), Paint::bold, request.colours) +
        "\n" + render_plan(plan, request.colours));
  }
  return plan.steps.empty() ? kDone : kChanges;
}

int compare_files(const PlanRequest& request) {
  const std::optional<std::string> file =
      request.file.empty() ? config::default_file() : request.file;
  if (!file) {
    complain(config::no_default_file());
    return kFailed;
  }
  const auto before = read_side(request.from, request.config_id);
  const auto after = read_side(*file, request.config_id);
  if (!before || !after) return kFailed;
  return show(*before, *after, config::plan_reload(before->model, after->model), request);
}

}  // namespace

int plan(const Target& target, const PlanRequest& request) {
  if (!request.from.empty()) return compare_files(request);
  Running running;
  if (const int code = ask_running(target, running); code != kDone) return code;
  const auto after = read_side(request.file.empty() ? running.config_file : request.file,
                               request.config_id.empty() ? running.config_id : request.config_id);
  if (!after) return kFailed;
  const config::RunningView view = ask_view(target, running.side.model);
  return show(running.side, *after, config::plan_reload(running.side.model, after->model, view),
              request);
}

}  // namespace holdfast::ctl
