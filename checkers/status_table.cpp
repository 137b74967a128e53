#include "checkers/status_table.hpp"

#include "runtime/clock.hpp"
#include "runtime/milliseconds.hpp"

#include <boost/json/array.hpp>

namespace holdfast::checkers {
namespace {

namespace json = boost::json;
using runtime::milliseconds;

json::value text(const std::string& from) {
  return json::string(from);
}

}  // namespace

json::object ipvs_json(const Reconciler& table, const ipvs::Table& desired) {
  json::object to{{"available", table.is_available()},
                  {"error", table.error() ? text(*table.error()) : json::value()},
                  {"differs", nullptr},
                  {"drift", table.drift()},
                  {"last_drift_at", nullptr},
                  {"last_drift_ms", nullptr}};
  if (const auto last = table.last_drift()) {
    to["last_drift_at"] = runtime::iso8601_utc(*last);
    to["last_drift_ms"] = milliseconds(runtime::now() - *last);
  }
  if (const auto differing = table.differing(desired)) {
    json::array entries;
    for (const std::string& sentence : differing->sentences)
      if (entries.size() < kMaxDifferencesTold) entries.push_back(text(sentence));
    to["differs"] = {{"places", differing->sentences.size()},
                     {"since_at", runtime::iso8601_utc(differing->since)},
                     {"since_ms", milliseconds(runtime::now() - differing->since)},
                     {"entries", std::move(entries)}};
  }
  return to;
}

namespace {

json::object daemon_json(ipvs::SyncRole role, const ipvs::SyncDaemon& daemon) {
  return {{"role", ipvs::to_string(role)},
          {"interface", text(daemon.interface)},
          {"id", daemon.id},
          {"max_length", daemon.max_length},
          {"port", daemon.port},
          {"ttl", daemon.ttl},
          {"group", daemon.group.to_string()}};
}

}  // namespace

json::value sync_json(const Synchroniser& sync) {
  const auto& settings = sync.settings();
  if (!settings && sync.timeouts().is_empty()) return nullptr;
  json::array wanted;
  for (const auto& [role, daemon] : sync.wanted(runtime::now()))
    wanted.emplace_back(ipvs::to_string(role));
  json::array daemons;
  for (const auto& [role, daemon] : sync.daemons()) daemons.push_back(daemon_json(role, daemon));
  const bool follows = settings && !settings->instance.empty();
  return json::object{{"instance", follows ? text(settings->instance) : json::value()},
                      {"wanted", std::move(wanted)},
                      {"daemons", std::move(daemons)},
                      {"error", sync.trouble() ? text(*sync.trouble()) : json::value()},
                      {"drift", sync.drift()}};
}

json::value switches_json(const SwitchState& state) {
  const Switches& wanted = state.settings.wanted;
  if (wanted.empty()) return nullptr;
  json::array values;
  for (const auto& [name, value] : wanted) {
    const auto now = state.actual.find(name);
    const auto before = state.found.find(name);
    values.push_back(
        {{"name", text(name)},
         {"wanted", text(value)},
         {"value", now == state.actual.end() ? json::value() : text(now->second)},
         {"found", before == state.found.end() ? json::value() : text(before->second)}});
  }
  return json::object{{"values", std::move(values)},
                      {"error", state.trouble.empty() ? json::value() : text(state.trouble)},
                      {"drift", state.drift}};
}

}  // namespace holdfast::checkers
