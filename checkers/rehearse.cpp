#include "checkers/rehearse.hpp"

#include "checkers/core/identity.hpp"
#include "config/diagnostic.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace holdfast::checkers {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

/// So far a rehearsal looks ahead at least, and at most.
constexpr core::Duration kShortest = 15s;
constexpr core::Duration kLongest = 5min;

/// Every check has been run until it is believed.
core::Duration time_to_settle(const Engine& engine) {
  core::Duration longest = kShortest;
  for (const ServiceSettings& service : engine.settings().services)
    for (const ServerSettings& server : service.servers)
      for (const CheckSettings& check : server.checks)
        longest = std::max(longest, check.pace.delay_loop +
                                        (check.pace.retry + 1) *
                                            (check.pace.delay_before_retry + check.probe.timeout));
  return std::min(longest, kLongest);
}

struct Telling {
  json::object& out;

  void say(std::string_view kind, const std::string& text) const {
    out["kind"] = kind;
    out["text"] = text;
  }
  void operator()(const ServerDeed& server) const {
    out["up"] = server.up;
    say("server", fmt::format("is {}: {}", server.up ? "up" : "down", server.why));
  }
  void operator()(const QuorumDeed& quorum) const {
    out["up"] = quorum.up;
    say("quorum",
        fmt::format("{} its quorum: weight {}", quorum.up ? "gains" : "loses", quorum.weight));
  }
  void operator()(const ScriptDeed& script) const {
    const std::string line = fmt::format("{}", fmt::join(script.script.argv, " "));
    out["commands"] = json::array{line};
    say("script",
        script.script.problem.empty()
            ? fmt::format("runs {}: {}", script.script.what, line)
            : fmt::format("does not run {}: {}", script.script.what, script.script.problem));
  }
  void operator()(const ipvs::Step& step) const {
    const std::string line = "ipvsadm " + ipvs::to_string(step);
    out["command"] = line;
    say("ipvs", line);
  }
};

json::object deed_json(const Deed& deed, const Rehearsal& rehearsal) {
  json::object out{
      {"after_ms", static_cast<double>((deed.at - rehearsal.began_at()).count()) / 1000}};
  // The command names its service and server itself; it is what the process says in its log.
  out["subject"] = deed.subject;
  std::visit(Telling{out}, deed.what);
  return out;
}

json::object answer_of(const Rehearsal& rehearsal, core::Duration time) {
  json::array actions;
  for (const Deed& deed : rehearsal.deeds()) actions.push_back(deed_json(deed, rehearsal));
  json::array notes;
  if (const auto& error = rehearsal.table_error())
    notes.emplace_back("no IPVS commands were rehearsed: " + *error);
  return {{"actions", std::move(actions)},
          {"left_off", rehearsal.left_off()},
          {"looked_ahead_ms", time / 1ms},
          {"ended_early", rehearsal.ended_early()},
          {"notes", std::move(notes)}};
}

core::Error unknown_server(const Engine& engine, const std::string& name) {
  std::vector<std::string> known;
  for (const ServiceSettings& service : engine.settings().services)
    for (const ServerSettings& server : service.servers)
      known.push_back(server.endpoint.to_string());
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  const std::string_view nearest =
      config::nearest_word(name, std::vector<std::string_view>(known.begin(), known.end()));
  std::string text = fmt::format("there is no real_server '{}'", name);
  if (!nearest.empty()) text += fmt::format("; did you mean '{}'?", nearest);
  return {text, 0};
}

/// "192.0.2.10:80" or "[2001:db8::1]:80".
std::optional<core::Endpoint> server_called(const Engine& engine, const std::string& name) {
  for (const ServiceSettings& service : engine.settings().services)
    for (const ServerSettings& server : service.servers)
      if (server.endpoint.to_string() == name) return server.endpoint;
  return std::nullopt;
}

}  // namespace

json::object rehearse_reload(CheckersCopy copy, Settings next) {
  Rehearsal rehearsal(std::move(copy));
  rehearsal.reload(std::move(next));
  const core::Duration time = time_to_settle(rehearsal.engine());
  rehearsal.run(time);
  return answer_of(rehearsal, time);
}

core::Result<json::object> rehearse_what_if(CheckersCopy copy, const std::string& server,
                                            const std::string& value) {
  if (value != "up" && value != "down")
    return core::fail("a server can be up or down, not '{}'", value);
  Rehearsal rehearsal(std::move(copy));
  const auto endpoint = server_called(rehearsal.engine(), server);
  if (!endpoint) return unknown_server(rehearsal.engine(), server);
  using Supposed = Rehearsal::Supposed;
  const Result result = value == "up" ? Result::passed : Result::failed;
  if (rehearsal.suppose(*endpoint, result) != Supposed::yes)
    return core::fail("real_server {} has no check: whether it is {} would not be noticed", server,
                      value);
  const core::Duration time = time_to_settle(rehearsal.engine());
  rehearsal.run(time);
  return answer_of(rehearsal, time);
}

}  // namespace holdfast::checkers
