#include "legacy/status_view.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iomanip>
#include <map>
#include <sstream>

namespace holdfast::legacy {
namespace {

namespace json = boost::json;

const json::object* object_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

/// The objects of a list; nothing where there is none.
std::vector<const json::object*> list_in(const json::object& object, std::string_view name) {
  std::vector<const json::object*> list;
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return list;
  for (const json::value& each : value->get_array())
    if (each.is_object()) list.push_back(&each.get_object());
  return list;
}

/// µs since 1970 of "2026-11-21T00:42:03.123Z"; 0: it is none.
std::int64_t moment_of(std::string_view text) {
  std::tm fields{};
  std::istringstream words{std::string(text)};
  words >> std::get_time(&fields, "%Y-%m-%dT%H:%M:%S");
  if (!words || words.get() != '.') return 0;
  std::int64_t millis = 0;
  words >> millis;
  if (!words || millis < 0 || millis > 999) return 0;
  return (static_cast<std::int64_t>(::timegm(&fields)) * 1000 + millis) * 1000;
}

std::int64_t microseconds_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return 0;
  return static_cast<std::int64_t>(value->to_number<double>() * 1000 + 0.5);
}

std::uint64_t count_in(const json::object& counters, std::string_view name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, number_in(counters, name)));
}

Statistics statistics_of(const json::object& counters) {
  const json::object* reasons = object_in(counters, "errors");
  const json::object none;
  const json::object& errors = reasons == nullptr ? none : *reasons;
  const auto sum = [&errors](std::initializer_list<std::string_view> names) {
    std::uint64_t all = 0;
    for (const std::string_view name : names) all += count_in(errors, name);
    return all;
  };
  return {.received = count_in(counters, "adverts_received"),
          .sent = count_in(counters, "adverts_sent"),
          .became_master = count_in(counters, "became_master"),
          .released_master = count_in(counters, "released_master"),
          .packet_length = sum({"truncated", "bad_length"}),
          .ttl = sum({"bad_ttl"}),
          .invalid_type = sum({"bad_type"}),
          .interval = sum({"interval_mismatch", "no_interval"}),
          .address_list = sum({"address_list", "no_addresses"}),
          .invalid_authentication_type = 0,
          .authentication_type_mismatch = sum({"authentication_type"}),
          .authentication_failure = sum({"authentication_data", "ah_invalid", "ah_replay"}),
          .extension_missing = sum({"auth_ext_missing"}),
          .extension_malformed = sum({"auth_ext_malformed"}),
          .extension_unknown_key = sum({"auth_ext_unknown_key"}),
          .extension_invalid = sum({"auth_ext_invalid_hmac"}),
          .extension_stale = sum({"auth_ext_stale"}),
          .extension_replay = sum({"auth_ext_replay"}),
          .priority_zero_received = count_in(counters, "priority_zero_received"),
          .priority_zero_sent = count_in(counters, "priority_zero_sent")};
}

void add_master(InstanceFacts& facts, const json::object& status) {
  facts.master_interval = facts.settings->advert_int.count();
  const json::object* master = object_in(status, "master");
  if (master == nullptr || facts.state == State::master) return;
  facts.master_address = text_in(*master, "address");
  facts.master_priority = static_cast<std::uint32_t>(number_in(*master, "priority"));
  if (facts.settings->version == 3) {
    const std::int64_t heard = microseconds_of(*master, "interval_ms");
    if (heard > 0) facts.master_interval = heard;
  }
}

void add_trackers(InstanceFacts& facts, const json::object& status) {
  for (const json::object* each : list_in(status, "trackers")) {
    const json::value* good = each->if_contains("good");
    if (good == nullptr || !good->is_bool()) continue;
    const std::string name =
        std::string(text_in(*each, "kind")) + " " + std::string(text_in(*each, "name"));
    (good->get_bool() ? facts.good : facts.bad).push_back(name);
  }
}

InstanceFacts facts_about(const config::VrrpInstance& settings, const json::object& status) {
  InstanceFacts facts;
  facts.settings = &settings;
  facts.state = state_named(text_in(status, "state"));
  if (facts.state != State::init) facts.since = moment_of(text_in(status, "since_at"));
  facts.effective_priority = static_cast<std::uint32_t>(number_in(status, "effective_priority"));
  facts.sync_group = text_in(status, "sync_group");
  if (const json::object* device = object_in(status, "device"))
    facts.device = text_in(*device, "name");
  add_master(facts, status);
  for (const json::object* each : list_in(status, "addresses")) {
    if (flag_in(*each, "held"))
      facts.held.push_back(std::string(text_in(*each, "address")) + " " +
                           std::string(text_in(*each, "interface")));
  }
  add_trackers(facts, status);
  if (const json::object* counters = object_in(status, "counters"))
    facts.statistics = statistics_of(*counters);
  return facts;
}

}  // namespace

const char* to_string(State state) {
  switch (state) {
    case State::init:
      return "INIT";
    case State::backup:
      return "BACKUP";
    case State::master:
      return "MASTER";
    case State::fault:
      return "FAULT";
    case State::deleted:
      return "DELETED";
    case State::stop:
      return "STOP";
  }
  return "INIT";
}

State state_named(std::string_view word) {
  for (const State state : {State::backup, State::master, State::fault})
    if (word == to_string(state)) return state;
  return State::init;
}

bool InstanceFacts::holds(const config::VirtualAddress& address) const {
  const std::string place = address.prefix.address.to_string() + "/" +
                            std::to_string(address.prefix.length) + " " + address.interface;
  return std::ranges::find(held, place) != held.end();
}

std::vector<InstanceFacts> facts_of(const config::Model& model, const json::object& status) {
  std::map<std::string_view, const json::object*> by_name;
  for (const json::object* each : list_in(status, "instances"))
    by_name.emplace(text_in(*each, "name"), each);
  const json::object unknown;
  std::vector<InstanceFacts> all;
  for (const config::VrrpInstance& settings : model.instances) {
    const auto found = by_name.find(settings.name);
    all.push_back(facts_about(settings, found == by_name.end() ? unknown : *found->second));
  }
  for (InstanceFacts& facts : all)
    if (facts.effective_priority == 0) facts.effective_priority = facts.settings->priority;
  return all;
}

std::int64_t number_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return 0;
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  return error ? 0 : number;
}

std::string_view text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr || !value->is_string() ? std::string_view()
                                                 : std::string_view(value->get_string());
}

bool flag_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace holdfast::legacy
