// Our own names for what the VRRP process tells.
#include "ctl/json_view.hpp"
#include "ctl/metric_rows.hpp"
#include "ctl/metrics.hpp"

#include <array>
#include <vector>

namespace holdfast::ctl {
namespace {

using Type = Exposition::Type;

std::vector<Known> instances_of(const object& vrrp) {
  std::vector<Known> known;
  for (const value& entry : find_list(vrrp, "instances")) {
    const object* instance = entry.if_object();
    if (instance == nullptr) continue;
    known.push_back({instance, labels({{"iname", text(*instance, "name")},
                                       {"interface", text(*instance, "interface")},
                                       {"vrid", text(*instance, "vrid")},
                                       {"family", text(*instance, "family")}})});
  }
  return known;
}

constexpr std::array kNumbers{
    Row{"holdfast_vrrp_priority", Type::gauge, "priority", 1, "Configured priority."},
    Row{"holdfast_vrrp_effective_priority", Type::gauge, "effective_priority", 1,
        "Priority with all that it tracks: the one in adverts and elections."},
    Row{"holdfast_vrrp_state_age_seconds", Type::gauge, "since_ms", 0.001,
        "Time in the present state."},
    Row{"holdfast_vrrp_advert_interval_seconds", Type::gauge, "advert_interval_ms", 0.001,
        "Time between two adverts of this director."},
};
constexpr std::array kCounters{
    Row{"holdfast_vrrp_adverts_sent", Type::counter, "adverts_sent", 1,
        "Adverts that the kernel took."},
    Row{"holdfast_vrrp_adverts_refused", Type::counter, "adverts_refused", 1,
        "Adverts that the kernel did not take."},
    Row{"holdfast_vrrp_adverts_received", Type::counter, "adverts_received", 1,
        "Adverts of peers that passed every check."},
    Row{"holdfast_vrrp_became_master", Type::counter, "became_master", 1,
        "Times that it became master."},
    Row{"holdfast_vrrp_released_master", Type::counter, "released_master", 1,
        "Times that it ceased to be master."},
    Row{"holdfast_vrrp_announcements_refused", Type::counter, "announcements_refused", 1,
        "Gratuitous ARP and ND packets that the kernel did not take."},
    Row{"holdfast_vrrp_addresses_repaired", Type::counter, "addresses_repaired", 1,
        "Times that addresses which somebody removed were put back."},
    Row{"holdfast_vrrp_pauses", Type::counter, "pauses", 1,
        "Times that it changed its mind because the process had been paused."},
};

void add_states(Exposition& to, const std::vector<Known>& known) {
  to.family("holdfast_vrrp_state", Type::gauge,
            "1 for the state that the instance is in, 0 for the others.");
  for (const Known& each : known) {
    const std::string now = text(*each.from, "state");
    for (const std::string_view state : {"INIT", "BACKUP", "MASTER", "FAULT"})
      to.sample(each.labels + ',' + labels({{"state", std::string(state)}}), now == state ? 1 : 0);
  }
}

void add_master(Exposition& to, const std::vector<Known>& known) {
  to.family("holdfast_vrrp_master_heard_age_seconds", Type::gauge,
            "Time since a backup has heard its master.");
  for (const Known& each : known) {
    const object* master = find_object(*each.from, "master");
    const auto age = master == nullptr ? std::nullopt : number(*master, "heard_ms");
    if (age && text(*each.from, "state") != "MASTER")
      to.sample(each.labels, static_cast<double>(*age) / 1000);
  }
}

void add_addresses(Exposition& to, const std::vector<Known>& known) {
  const auto count = [&](std::string_view name, std::string_view help, bool all) {
    to.family(name, Type::gauge, help);
    for (const Known& each : known) {
      std::size_t found = 0;
      for (const value& entry : find_list(*each.from, "addresses"))
        if (const object* address = entry.if_object())
          found += all || flag(*address, "held") ? 1 : 0;
      to.sample(each.labels, static_cast<double>(found));
    }
  };
  count("holdfast_vrrp_addresses_held", "Virtual addresses that the kernel has now.", false);
  count("holdfast_vrrp_addresses_wanted", "Virtual addresses that it is to hold now.", true);
}

void add_troubles(Exposition& to, const std::vector<Known>& known) {
  to.family("holdfast_vrrp_faults", Type::gauge, "Reasons for FAULT.");
  for (const Known& each : known)
    to.sample(each.labels, static_cast<double>(find_list(*each.from, "faults").size()));
  to.family("holdfast_vrrp_troubles", Type::gauge,
            "What is wrong although the service goes on: holdfastctl status says it in words.");
  for (const Known& each : known)
    to.sample(each.labels, static_cast<double>(find_list(*each.from, "troubles").size()));
  to.family("holdfast_vrrp_rival", Type::gauge, "1 while another director is master, too.");
  for (const Known& each : known)
    to.sample(each.labels, find_object(*each.from, "rival") != nullptr ? 1 : 0);
}

// Reasons that never occurred are left out: two dozen for each of thousands of instances.
void add_errors(Exposition& to, const std::vector<Known>& known) {
  to.family("holdfast_vrrp_errors", Type::counter,
            "Adverts that were not accepted, by reason (those that occurred).");
  for (const Known& each : known) {
    const object* counters = find_object(*each.from, "counters");
    const object* errors = counters == nullptr ? nullptr : find_object(*counters, "errors");
    if (errors == nullptr) continue;
    for (const auto& [reason, entry] : *errors) {
      const auto count = number(*errors, reason);
      if (count.value_or(0) != 0)
        to.sample(each.labels + ',' + labels({{"reason", std::string(reason)}}),
                  static_cast<double>(*count));
    }
  }
}

void add_trackers(Exposition& to, const std::vector<Known>& known) {
  const auto each_tracker = [&](const auto& tell) {
    for (const Known& each : known)
      for (const value& entry : find_list(*each.from, "trackers"))
        if (const object* tracker = entry.if_object())
          tell(each.labels + ',' +
                   labels({{"kind", text(*tracker, "kind")}, {"name", text(*tracker, "name")}}),
               *tracker);
  };
  to.family("holdfast_vrrp_tracker_good", Type::gauge,
            "1 when what is tracked is well, 0 when it is not; absent until it is known.");
  each_tracker([&](const std::string& who, const object& tracker) {
    if (find(tracker, "good") != nullptr) to.sample(who, flag(tracker, "good") ? 1 : 0);
  });
  to.family("holdfast_vrrp_tracker_number", Type::gauge, "The number in a tracked file.");
  each_tracker([&](const std::string& who, const object& tracker) {
    if (const auto found = number(tracker, "number")) to.sample(who, static_cast<double>(*found));
  });
  to.family("holdfast_vrrp_tracker_adds", Type::gauge, "What it adds to the priority now.");
  each_tracker([&](const std::string& who, const object& tracker) {
    if (const auto adds = number(tracker, "adds")) to.sample(who, static_cast<double>(*adds));
  });
}

void add_strays(Exposition& to, const object& vrrp) {
  const object* strays = find_object(vrrp, "strays");
  if (strays == nullptr) return;
  to.family("holdfast_vrrp_strays", Type::counter,
            "Packets that belong to no instance, by interface and reason.");
  for (const auto& [interface, entry] : *strays) {
    const object* reasons = entry.if_object();
    if (reasons == nullptr) continue;
    for (const auto& [reason, ignored] : *reasons)
      if (const auto count = number(*reasons, reason))
        to.sample(labels({{"interface", std::string(interface)}, {"reason", std::string(reason)}}),
                  static_cast<double>(*count));
  }
}

void add_groups(Exposition& to, const object& vrrp) {
  to.family("holdfast_vrrp_group_state", Type::gauge,
            "State of a sync group: 0 init, 1 backup, 2 master, 3 fault.");
  for (const value& entry : find_list(vrrp, "sync_groups"))
    if (const object* group = entry.if_object())
      to.sample(labels({{"group", text(*group, "name")}}), state_number(text(*group, "state")));
}

}  // namespace

void add_vrrp_metrics(Exposition& to, const object& vrrp) {
  const std::vector<Known> known = instances_of(vrrp);
  add_states(to, known);
  add_rows(to, known, kNumbers);
  add_rows(to, known, kCounters, "counters");
  add_master(to, known);
  add_addresses(to, known);
  add_troubles(to, known);
  add_errors(to, known);
  add_trackers(to, known);
  add_groups(to, vrrp);
  add_strays(to, vrrp);
}

}  // namespace holdfast::ctl
