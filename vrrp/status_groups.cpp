// The status of sync groups.
#include "runtime/clock.hpp"
#include "vrrp/status.hpp"

namespace holdfast::vrrp {

namespace json = boost::json;

json::object group_json(const GroupView& group, core::Instant now) {
  json::array members;
  for (const std::string& name : group.members) members.emplace_back(name);
  json::array waits_for;
  for (const std::string& name : group.waits_for) waits_for.emplace_back(name);
  const bool has_begun = group.state != StateName::init;
  return {
      {"name", group.name},
      {"state", to_string(group.state)},
      {"since_at", has_begun ? json::value(runtime::iso8601_utc(group.since)) : json::value()},
      {"since_ms", has_begun ? json::value(static_cast<double>((now - group.since).count()) / 1000)
                             : json::value()},
      {"why", group.why},
      {"members", std::move(members)},
      {"waits_for", std::move(waits_for)}};
}

json::array groups_of(const Router& router) {
  const core::Instant now = runtime::now();
  json::array list;
  for (const GroupView& each : router.groups(now)) list.push_back(group_json(each, now));
  return list;
}

}  // namespace holdfast::vrrp
