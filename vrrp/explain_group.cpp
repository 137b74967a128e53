// `holdfastctl explain GROUP`, see explain.hpp.
#include "runtime/clock.hpp"
#include "vrrp/explain.hpp"
#include "vrrp/status.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <vector>

namespace holdfast::vrrp {
namespace {

namespace json = boost::json;
using Members = std::vector<const Instance*>;

/// So many changes of its members are told.
constexpr std::size_t kMostPast = 10;

Members members_of(const Router& router, const GroupView& group) {
  Members members;
  for (const Instance* each : router.instances())
    if (each->settings().sync_group.str() == group.name) members.push_back(each);
  return members;
}

json::object member_json(const Instance& member, const GroupView& group, Instant now) {
  const std::string* fault = member.own_fault();
  const bool is_waited_for =
      std::ranges::find(group.waits_for, member.settings().name) != group.waits_for.end();
  return {{"name", member.settings().name},
          {"state", to_string(member.state_name())},
          {"since_at", runtime::iso8601_utc(member.since())},
          {"since_ms", static_cast<double>((now - member.since()).count()) / 1000},
          {"why", member.why()},
          {"priority", member.effective_priority()},
          {"fault", fault == nullptr ? json::value() : json::value(*fault)},
          {"is_waited_for", is_waited_for}};
}

json::array changes_of(const GroupView& group, const Members& members) {
  json::array changes;
  for (const Instance* each : members)
    if (const std::string* fault = each->own_fault())
      changes.emplace_back(
          fmt::format("takes part again when this is over: {}: {}", each->settings().name, *fault));
  if (!changes.empty()) return changes;
  switch (group.state) {
    case StateName::master:
      changes.emplace_back("all members yield when one of them hears a better master");
      changes.emplace_back("all members resign and go to FAULT when one of them has a fault");
      break;
    case StateName::backup:
      if (group.waits_for.empty())
        changes.emplace_back("all members become master when each of them may");
      else
        changes.emplace_back(
            fmt::format("all members become master when {} may, too: the others are ready",
                        fmt::join(group.waits_for, ", ")));
      changes.emplace_back("all members go to FAULT when one of them has a fault");
      break;
    case StateName::init:
    case StateName::fault:
      changes.emplace_back("begins when all its members have begun");
      break;
  }
  return changes;
}

json::array history_of(const Members& members, const Past& past) {
  std::map<RouterKey, std::string> names;
  for (const Instance* each : members) names.emplace(each->key(), each->settings().name);
  json::array list;
  const auto& states = past.states;
  for (auto each = states.rbegin(); each != states.rend() && list.size() < kMostPast; ++each) {
    const auto name = names.find(each->router);
    if (name == names.end()) continue;
    list.push_back(json::object{{"at", runtime::iso8601_utc(each->at)},
                                {"member", name->second},
                                {"from", to_string(each->from)},
                                {"to", to_string(each->to)},
                                {"why", each->why}});
  }
  return list;
}

}  // namespace

json::object explain_group(const Router& router, const GroupView& group, const Past& past,
                           Instant now) {
  const Members members = members_of(router, group);
  json::array told;
  json::array faults;
  for (const Instance* each : members) {
    told.push_back(member_json(*each, group, now));
    if (const std::string* fault = each->own_fault())
      faults.emplace_back(fmt::format("{}: {}", each->settings().name, *fault));
  }
  json::object explanation = group_json(group, now);
  explanation.erase("name");
  explanation.insert_or_assign("group", group.name);
  explanation.insert_or_assign("members", std::move(told));
  explanation.insert_or_assign("faults", std::move(faults));
  explanation.insert_or_assign("changes", changes_of(group, members));
  explanation.insert_or_assign("history", history_of(members, past));
  return explanation;
}

}  // namespace holdfast::vrrp
