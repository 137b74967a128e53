#include "ctl/plan.hpp"

#include "config/accounts.hpp"
#include "config/compare/partner.hpp"
#include "config/load.hpp"
#include "core/base64.hpp"
#include "ctl/client.hpp"
#include "ctl/json_view.hpp"
#include "runtime/accounts.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <optional>
#include <set>

namespace holdfast::ctl {
namespace {

/// One side of the comparison.
struct Side {
  std::string name;  ///< for the heading
  config::Model model;
  std::string snapshot = {};  ///< of a file that was read: what a reload would give the processes
};

/// A file as a start would read it; its errors are printed.
std::optional<Side> read_side(const std::string& file, const std::string& config_id) {
  config::Loaded loaded = config::load_files(file, {config_id});
  if (loaded.diagnostics.has_errors()) {
    remark(config::render_text(loaded.diagnostics));
    complain(fmt::format("{} cannot be taken into use: {}", file, loaded.diagnostics.summary()));
    return std::nullopt;
  }
  config::look_up_accounts(loaded, [](auto names) {
    return runtime::look_up_accounts(std::move(names), runtime::kAccountPatience);
  });
  if (loaded.diagnostics.warnings() != 0)
    complain(
        fmt::format("{}: {}; `holdfastctl check` shows them", file, loaded.diagnostics.summary()));
  const auto bytes = config::to_bytes(loaded.snapshot);
  return Side{file, std::move(loaded.model), std::string(bytes.begin(), bytes.end())};
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
  const auto bytes = core::from_base64(text(answer, "snapshot"));
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

/// A process that cannot rehearse costs its part of the page only: false then.
bool rehearse(const Target& target, const std::string& process, const std::string& snapshot,
              PlanPage& page) {
  Target patient = target;
  patient.timeout = target.reload_timeout;
  auto answer = request_of(patient, process,
                           {{"command", "rehearse"}, {"snapshot", core::to_base64(snapshot)}});
  if (answer && find(*answer, "error") == nullptr) {
    page.rehearsed.emplace(process, std::move(*answer));
    return true;
  }
  complain(fmt::format("without a rehearsal of {}: {}", process,
                       answer ? text(*answer, "error") : answer.error().message));
  return false;
}

PlanPage compare(const Side& before, const Side& after) {
  return {.from = before.name,
          .to = after.name,
          .changes = config::diff(before.model, after.model),
          .rehearsed = {},
          .warnings = {},
          .removal = config::removal(before.model, after.model),
          .beyond_limit = config::beyond_limit(before.model, after.model)};
}

int show(const PlanPage& page, const PlanRequest& request) {
  say(request.format == Format::json ? boost::json::serialize(plan_json(page)) + "\n"
                                     : render_plan(page, request.colours));
  return page.does_something() ? kChanges : kDone;
}

int compare_files(const PlanRequest& request) {
  if (request.files.size() != 2) {
    complain("plan --offline takes two files: the former one and the new one");
    return kFailed;
  }
  const auto before = read_side(request.files[0], request.config_id);
  const auto after = read_side(request.files[1], request.config_id);
  if (!before || !after) return kFailed;
  PlanPage page = compare(*before, *after);
  page.warnings =
      config::partner_warnings(before->model, after->model, {}, config::StateIs::unknown);
  return show(page, request);
}

}  // namespace

int plan(const Target& target, const PlanRequest& request) {
  if (request.is_offline) return compare_files(request);
  if (request.files.size() > 1) {
    complain("plan compares one file with what runs; two files are for plan --offline");
    return kFailed;
  }
  Running running;
  if (const int code = ask_running(target, running); code != kDone) return code;
  const auto after = read_side(request.files.empty() ? running.config_file : request.files[0],
                               request.config_id.empty() ? running.config_id : request.config_id);
  if (!after) return kFailed;
  const config::Model& before = running.side.model;
  PlanPage page = compare(running.side, *after);
  // A process that has nothing to do before and after does not run.
  bool is_whole = before.instances.empty() || rehearse(target, "vrrp", after->snapshot, page);
  is_whole =
      (before.services.empty() || rehearse(target, "checkers", after->snapshot, page)) && is_whole;
  std::set<std::string> backups;
  const auto vrrp = page.rehearsed.find("vrrp");
  const bool is_known = vrrp != page.rehearsed.end();
  if (is_known)
    for (const value& name : find_list(vrrp->second, "backups"))
      if (name.is_string()) backups.emplace(name.as_string());
  page.warnings = config::partner_warnings(
      before, after->model, backups, is_known ? config::StateIs::known : config::StateIs::unknown);
  const int shown = show(page, request);
  return shown == kDone && !is_whole ? kFailed : shown;
}

}  // namespace holdfast::ctl
