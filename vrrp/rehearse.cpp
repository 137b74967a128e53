#include "vrrp/rehearse.hpp"

#include "config/diagnostic.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/deed_text.hpp"
#include "vrrp/explain.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace holdfast::vrrp {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

/// So far a rehearsal looks ahead at least, and at most.
constexpr Duration kShortest = 15s;
constexpr Duration kLongest = 5min;

/// Time enough for an election of the slowest, its second announcements included.
Duration time_to_settle(const Router& router) {
  Duration longest = kShortest;
  for (const Instance* instance : router.instances()) {
    const InstanceSettings& settings = instance->settings();
    const Duration election = (settings.down_timer_adverts + 2) * settings.advert_interval +
                              settings.preempt_delay + settings.garp.delay;
    longest = std::max(longest, election + 2s);
  }
  return std::min(longest, kLongest);
}

/// What the reader must know to judge it.
json::array notes_of(const Rehearsal& rehearsal) {
  constexpr std::size_t kShown = 5;
  const std::vector<std::string> alone = rehearsal.without_peers();
  if (alone.empty()) return {};
  const auto shown = static_cast<std::ptrdiff_t>(std::min(kShown, alone.size()));
  return {
      fmt::format("nobody else was heard for {}{}: what another director would do is not known",
                  fmt::join(alone.begin(), alone.begin() + shown, ", "),
                  alone.size() > kShown ? fmt::format(" and {} more", alone.size() - kShown) : "")};
}

json::object answer_of(const Rehearsal& rehearsal, Duration time, const KnownScripts& scripts,
                       json::array backups) {
  json::array actions;
  for (const Deed& deed : rehearsal.deeds())
    actions.push_back(deed_json(deed, rehearsal.began_at(), scripts));
  json::array peers;
  for (const IpAddress& peer : rehearsal.peers()) peers.emplace_back(peer.to_string());
  return {{"actions", std::move(actions)}, {"left_off", rehearsal.left_off()},
          {"looked_ahead_ms", time / 1ms}, {"ended_early", rehearsal.ended_early()},
          {"notes", notes_of(rehearsal)},  {"peers", std::move(peers)},
          {"backups", std::move(backups)}};
}

json::array backups_of(const Router& router) {
  json::array names;
  for (const Instance* instance : router.instances())
    if (instance->state_name() != StateName::master) names.emplace_back(instance->settings().name);
  return names;
}

core::Error unknown(std::string_view kind, const std::string& name,
                    const std::vector<std::string>& known) {
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  const std::string_view nearest = config::nearest_word(name, candidates);
  std::string text = fmt::format("there is no {} '{}'", kind, name);
  if (!nearest.empty()) return {text + fmt::format("; did you mean '{}'?", nearest), 0};
  if (known.empty()) return {text, 0};
  constexpr std::size_t kShown = 5;
  const std::size_t shown = std::min(kShown, known.size());
  return {fmt::format(
              "{}; there {} {}{}", text, known.size() == 1 ? "is" : "are",
              fmt::join(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
              known.size() > shown ? fmt::format(" and {} more", known.size() - shown) : ""),
          0};
}

core::Result<void> suppose_interface(Rehearsal& rehearsal, const Supposition& that,
                                     const InterfacesByName& interfaces) {
  std::vector<std::string> used = rehearsal.router().interfaces_in_use();
  for (const Instance* each : rehearsal.router().instances())
    for (const Tracker& tracker : each->settings().trackers)
      if (tracker.id.kind == TrackerKind::interface) used.push_back(tracker.id.name);
  if (std::find(used.begin(), used.end(), that.name) == used.end())
    return unknown("interface that a vrrp_instance uses, called", that.name, used);
  if (that.value != "up" && that.value != "down")
    return core::fail("an interface can be up or down, not '{}'", that.value);
  const auto seen = interfaces.find(that.name);
  InterfaceStatus status = seen == interfaces.end() ? InterfaceStatus{} : seen->second;
  status.exists = true;
  status.up = that.value == "up";
  rehearsal.change_interface(that.name, status);
  return {};
}

core::Result<void> suppose_priority(Rehearsal& rehearsal, const Supposition& that) {
  const Instance* instance = find_instance(rehearsal.router(), that.name);
  std::vector<InstanceSettings> next;
  std::vector<std::string> names;
  for (const Instance* each : rehearsal.router().instances()) {
    if (each->is_being_removed()) continue;
    names.push_back(each->settings().name);
    next.push_back(each->settings());
  }
  if (instance == nullptr) return unknown("vrrp_instance", that.name, names);
  int priority = 0;
  const char* const end = that.value.data() + that.value.size();
  const auto read = std::from_chars(that.value.data(), end, priority);
  if (read.ec != std::errc() || read.ptr != end || priority < 1 || priority > kOwnerPriority)
    return core::fail("a priority is a number from 1 to 255, not '{}'", that.value);
  for (InstanceSettings& each : next)
    if (each.key() == instance->key()) each.priority = static_cast<std::uint8_t>(priority);
  rehearsal.reload(std::move(next), {});
  return {};
}

core::Result<void> suppose_peer(Rehearsal& rehearsal, const Supposition& that) {
  std::vector<std::string> known;
  for (const IpAddress& peer : rehearsal.peers()) known.push_back(peer.to_string());
  const auto address = IpAddress::parse(that.name);
  if (!address || !rehearsal.silence(*address)) {
    if (known.empty())
      return core::fail("no peer has been heard lately: whether '{}' is silent changes nothing",
                        that.name);
    return unknown("peer that was heard lately, called", that.name, known);
  }
  if (that.value != "silent") return core::fail("a peer can be silent, not '{}'", that.value);
  return {};
}

}  // namespace

json::object rehearse_reload(DirectorCopy copy, Wiring next, const InterfacesByName& interfaces,
                             const KnownScripts& running) {
  Rehearsal rehearsal(std::move(copy));
  json::array backups = backups_of(rehearsal.router());
  // Those that leave have their last words with the scripts that they had.
  KnownScripts scripts{std::move(next.scripts), std::move(next.group_scripts)};
  std::vector<RouterKey> stay;
  for (const InstanceSettings& each : next.instances) stay.push_back(each.key());
  std::sort(stay.begin(), stay.end());
  for (const auto& [key, own] : running.by_router)
    if (!std::binary_search(stay.begin(), stay.end(), key)) scripts.by_router.emplace(key, own);
  rehearsal.reload(std::move(next.instances), interfaces);
  const Duration time = time_to_settle(rehearsal.router());
  rehearsal.run(time);
  return answer_of(rehearsal, time, scripts, std::move(backups));
}

core::Result<json::object> rehearse_what_if(DirectorCopy copy, const Supposition& supposition,
                                            const InterfacesByName& interfaces,
                                            const KnownScripts& running) {
  Rehearsal rehearsal(std::move(copy));
  json::array backups = backups_of(rehearsal.router());
  core::Result<void> supposed =
      core::fail("'{}' is nothing that could be supposed here", supposition.what);
  if (supposition.what == "interface")
    supposed = suppose_interface(rehearsal, supposition, interfaces);
  if (supposition.what == "priority") supposed = suppose_priority(rehearsal, supposition);
  if (supposition.what == "peer") supposed = suppose_peer(rehearsal, supposition);
  if (!supposed) return supposed.error();
  const Duration time = time_to_settle(rehearsal.router());
  rehearsal.run(time);
  return answer_of(rehearsal, time, running, std::move(backups));
}

}  // namespace holdfast::vrrp
