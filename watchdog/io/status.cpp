#include "watchdog/io/status.hpp"

#include "core/utf8.hpp"
#include "runtime/clock.hpp"
#include "runtime/turn_meter.hpp"
#include "watchdog/version.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <unistd.h>

namespace holdfast::watchdog {

namespace {

namespace json = boost::json;

const char* name_of(const ChildState& state) {
  if (std::holds_alternative<Live>(state) || std::holds_alternative<Dying>(state)) return "running";
  if (std::holds_alternative<Backoff>(state)) return "backoff";
  if (std::holds_alternative<Failed>(state)) return "failed";
  return "stopped";
}

std::int64_t milliseconds(core::Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

json::object child_json(Role role, const ChildRecord& child, const Children& children,
                        core::Instant now) {
  json::object page;
  page["role"] = to_string(role);
  const auto pid = children.pid(role);
  page["pid"] = pid ? json::value(*pid) : json::value(nullptr);
  page["state"] = name_of(child.state);
  page["since_at"] = runtime::iso8601_utc(child.since);
  page["restarts"] = child.restarts;
  page["last_exit"] = child.last_exit.empty() ? json::value(nullptr) : json::value(child.last_exit);
  const auto* live = std::get_if<Live>(&child.state);
  page["heartbeat_ms"] =
      live == nullptr ? json::value(nullptr) : json::value(milliseconds(now - live->heard_at));
  page["late"] = live != nullptr && live->is_late;
  page["generation"] = live == nullptr ? 0 : live->applied;
  return page;
}

std::string iso8601_utc(std::time_t moment) {
  std::tm parts{};
  ::gmtime_r(&moment, &parts);
  std::array<char, 32> text{};
  const std::size_t length =
      std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.000Z", &parts);
  return {text.data(), length};
}

/// Where letters go and where pipes lie is for those who may read the configuration.
void hide_names(json::object& page) {
  if (auto* mail = page.if_contains("mail"); mail != nullptr && mail->is_object())
    mail->as_object()["last_error"] = nullptr;
  if (auto* pipes = page.if_contains("pipes"); pipes != nullptr && pipes->is_array())
    for (json::value& pipe : pipes->as_array())
      if (pipe.is_object()) pipe.as_object()["path"] = pipe.as_object()["error"] = nullptr;
}

json::value notifications_json(const StatusFacts& facts) {
  boost::system::error_code error;
  json::value page = json::parse(core::as_utf8(facts.notifications), error);
  if (error || !page.is_object()) return nullptr;
  if (facts.readers != Readers::owners) hide_names(page.as_object());
  return page;
}

}  // namespace

std::optional<json::object> trial_json(const Confirmation& trial, core::Instant now) {
  if (!trial.is_waiting()) return std::nullopt;
  const core::Duration left = std::max(*trial.deadline() - now, core::Duration::zero());
  return json::object{{"generation", trial.generation()},
                      {"former_generation", trial.former().generation},
                      {"left_ms", milliseconds(left)}};
}

json::object status_json(const StatusFacts& facts, const Supervisor& supervisor,
                         const Children& children) {
  json::object page;
  page["process"] = "watchdog";
  page["pid"] = ::getpid();
  page["version"] = kVersion;
  page["loop"] = runtime::turns_json();
  page["generation"] = supervisor.generation();
  page["config_file"] = facts.config_file;
  page["config_id"] = facts.config_id;
  page["router_id"] = facts.router_id;
  page["started_at"] = runtime::iso8601_utc(facts.started_at);
  if (facts.last_reload) {
    page["last_reload"] = json::object{
        {"at", runtime::iso8601_utc(facts.last_reload->at)},
        {"ok", facts.last_reload->ok},
        {"message", facts.readers == Readers::owners ? json::value(facts.last_reload->message)
                                                     : json::value(nullptr)}};
  } else {
    page["last_reload"] = nullptr;
  }
  const auto trial = trial_json(supervisor.confirmation(), facts.now);
  page["confirmation"] = trial ? json::value(*trial) : json::value(nullptr);
  page["planned_reload_at"] =
      facts.planned_reload ? json::value(iso8601_utc(*facts.planned_reload)) : json::value(nullptr);
  page["scripts_pid"] = facts.scripts ? json::value(*facts.scripts) : json::value(nullptr);
  page["notifications"] = notifications_json(facts);
  json::array list;
  for (const Role role : kRoles) {
    const ChildRecord& child = supervisor.child(role);
    if (!child.was_started) continue;  // the configuration never had anything for it
    list.push_back(child_json(role, child, children, facts.now));
  }
  page["children"] = std::move(list);
  return page;
}

}  // namespace holdfast::watchdog
