#include "vrrp/explain.hpp"

#include "runtime/clock.hpp"
#include "runtime/milliseconds.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/core/timing.hpp"
#include "vrrp/status.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace holdfast::vrrp {
namespace {

namespace json = boost::json;
using runtime::milliseconds;

/// So many changes of state are told.
constexpr std::size_t kMostPast = 10;

struct Timer {
  Instant at;
  std::string what;
};

class Explanation {
 public:
  Explanation(const Instance& instance, Instant now, const GroupView* group)
      : instance_(instance),
        settings_(instance.settings()),
        priority_(instance.effective_priority()),
        now_(now),
        group_(group) {
    std::visit(Match{[this](const Init& init) { explain_init(init); },
                     [this](const Backup& backup) { explain_backup(backup); },
                     [this](const Master& master) { explain_master(master); },
                     [this](const Fault& fault) { explain_fault(fault); }},
               instance.state());
    std::stable_sort(timers_.begin(), timers_.end(),
                     [](const Timer& one, const Timer& other) { return one.at < other.at; });
  }

  [[nodiscard]] json::array timers() const {
    json::array list;
    for (const Timer& each : timers_) {
      list.push_back(json::object{{"in_ms", milliseconds(each.at - now_)}, {"what", each.what}});
    }
    return list;
  }
  [[nodiscard]] json::array changes() const {
    json::array list;
    for (const std::string& each : changes_) list.emplace_back(each);
    return list;
  }
  [[nodiscard]] json::value heard() const {
    const auto& heard = instance_.heard_master();
    if (!heard) return nullptr;
    return json::object{{"address", heard->address.to_string()},
                        {"priority", heard->priority},
                        {"at", runtime::iso8601_utc(heard->heard_at)},
                        {"heard_ms", milliseconds(now_ - heard->heard_at)}};
  }

 private:
  static std::string_view open_question(TrackerKind kind) {
    if (kind == TrackerKind::process) return "whether it runs";
    if (kind == TrackerKind::static_item) return "whether it is there";
    return kind == TrackerKind::file ? "what it holds" : "whether it succeeds";
  }
  static std::string_view what_is_bad(const Tracker& tracker) {
    const bool on_good = tracker.reverse == Reverse::yes;
    switch (tracker.id.kind) {
      case TrackerKind::interface:
        return on_good ? "is up" : "goes down";
      case TrackerKind::script:
        return on_good ? "succeeds" : "fails";
      case TrackerKind::file:
        return on_good ? "holds 0" : "holds anything but 0";
      case TrackerKind::static_item:
        return "is missing";
      case TrackerKind::process:
        break;
    }
    return on_good ? "runs" : "does not run as it should";
  }
  void timer(std::optional<Instant> at, std::string what) {
    if (at) timers_.push_back({*at, std::move(what)});
  }
  template <class... Args>
  void change(fmt::format_string<Args...> text, Args&&... args) {
    changes_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  void explain_init(const Init& init) {
    timer(init.handover_until, "takes its addresses off, if no successor was heard before");
    if (init.handover_until) {
      change("its addresses go {:.1f} s after a successor is heard", seconds(kHandoverGrace));
    } else if (instance_.is_being_removed() || instance_.has_stopped()) {
      change("nothing: it has left, until holdfast starts again or a reload brings it back");
    } else if (init.waits_for_trackers) {
      for (const Tracker& each : settings_.trackers)
        if (is_awaited(each, instance_.verdicts()))
          change("begins when it is known of {} {}", each.id.name, open_question(each.id.kind));
    } else {
      change("begins with the first configuration");
    }
  }

  void explain_trackers(std::string_view then) {
    for (const Tracker& each : settings_.trackers)
      if (each.weight == 0) change("{} when {} {}", then, each.id.name, what_is_bad(each));
  }

  void explain_backup(const Backup& backup) {
    if (backup.is_ready && group_ != nullptr) return explain_waiting();
    timer(backup.master_down_at, "becomes master, unless an advert that counts comes before");
    const auto& heard = instance_.heard_master();
    const bool alive =
        heard && now_ - heard->heard_at <= silence_allowed(settings_, heard->interval);
    if (!alive) {
      change("becomes master in {:.1f} s: no master is heard",
             seconds(backup.master_down_at - now_));
    } else {
      const std::string who = heard->address.to_string();
      change("becomes master when {} is silent for {:.1f} s more", who,
             seconds(backup.master_down_at - now_));
      change("becomes master {:.1f} s after {} resigns (priority 0)",
             seconds(skew_time(priority_, backup.master_adver_interval, settings_.version)), who);
      explain_preemption(backup, *heard);
    }
    explain_interface("goes to FAULT");
    explain_trackers("goes to FAULT");
  }

  void explain_waiting() {
    change("becomes master as soon as these of its sync group {} may be master, too: {}",
           group_->name, fmt::join(group_->waits_for, ", "));
    change("waits anew when a master is heard that it does not outrank");
    explain_interface("goes to FAULT");
    explain_trackers("goes to FAULT");
  }

  void explain_preemption(const Backup& backup, const HeardMaster& master) {
    const std::string who = master.address.to_string();
    const auto& setback = instance_.setback();
    if (instance_.steering().resigns) {
      change(
          "leaves {} alone while that one advertises: an operator asked it to resign, `holdfastctl "
          "resign {} --end` takes that back",
          who, settings_.name);
    } else if (!settings_.may_preempt()) {
      change("never takes over from {} while that one advertises: nopreempt is set", who);
    } else if (priority_ <= master.priority) {
      if (master.priority < kOwnerPriority)
        change("takes over within {:.1f} s when a reload raises its priority above {}",
               seconds(settings_.preempt_delay +
                       master_down_interval(settings_, backup.master_adver_interval, priority_)),
               master.priority);
      if (priority_ < master.priority)
        change("takes over when {} falls below its priority {}", who, priority_);
    } else if (setback && now_ < setback->until) {
      timer(setback->until, "may take over from a weaker master again");
      change(
          "leaves {} alone for another {:.0f} s although that one has only priority {}: it could "
          "not serve itself",
          who, seconds(setback->until - now_), master.priority);
    } else if (backup.preempt_allowed_at && now_ < *backup.preempt_allowed_at) {
      timer(backup.preempt_allowed_at, "may take over from a weaker master (preempt_delay)");
      change(
          "leaves {} alone for another {:.1f} s although that one has only priority {}: "
          "preempt_delay",
          who, seconds(*backup.preempt_allowed_at - now_), master.priority);
    } else {
      change("takes over from {} when its timer ends: {} is less than its own priority {}", who,
             master.priority, priority_);
    }
  }

  void explain_master(const Master& master) {
    timer(master.next_advert_at, "sends its next advert");
    timer(master.announce_again_at, "announces its addresses once more");
    timer(master.refresh_at, "announces its addresses (garp_master_refresh)");
    timer(master.extra_at, "announces addresses whose MAC no advert shows (garp_extra_if)");
    if (priority_ < kOwnerPriority)
      change("becomes backup when another router advertises a priority above {}", priority_);
    if (const auto own = instance_.source_address())
      change("becomes backup when another router advertises {} from an address above {}", priority_,
             own->to_string());
    explain_interface("resigns and goes to FAULT");
    explain_trackers("resigns and goes to FAULT");
    change("resigns and goes to FAULT when none of its addresses can be held");
  }

  void explain_fault(const Fault& fault) {
    timer(fault.retry_at, "tries again");
    for (const auto& [source, sentence] : instance_.faults().all())
      change("takes part again when this is over: {}", sentence);
  }

  void explain_interface(std::string_view then) {
    if (settings_.is_routed()) {
      change("no interface: the kernel's routes decide which way adverts go; {} when {}", then,
             settings_.source_address
                 ? settings_.source_address->to_string() + " is no address of this host any more"
                 : "no route leads to a peer any more");
    } else if (settings_.source_address) {
      change("{} when {} goes down", then, settings_.interface);
    } else {
      change("{} when {} goes down or has no address to send from", then, settings_.interface);
    }
  }

  const Instance& instance_;
  const InstanceSettings& settings_;
  std::uint8_t priority_;
  Instant now_;
  const GroupView* group_;
  std::vector<Timer> timers_;
  std::vector<std::string> changes_;
};

json::array history_of(const RouterKey& key, const Past& past) {
  json::array list;
  const auto& states = past.states;
  for (auto each = states.rbegin(); each != states.rend() && list.size() < kMostPast; ++each) {
    if (each->router != key) continue;
    list.push_back(json::object{{"at", runtime::iso8601_utc(each->at)},
                                {"from", to_string(each->from)},
                                {"to", to_string(each->to)},
                                {"why", each->why}});
  }
  return list;
}

/// What lasts, in the form of "source what".
json::array rejected_of(const Instance& instance, Instant now) {
  json::array list;
  if (!instance.remarks()) return list;
  for (const PeerRemark& each : *instance.remarks()) {
    if (!lasts(each, now)) continue;
    list.push_back(json::object{{"at", runtime::iso8601_utc(each.heard_at)},
                                {"reason", to_string(each.reason)},
                                {"source", name_of_peer(each)},
                                {"adverts", each.count},
                                {"what", each.sentence}});
  }
  return list;
}

}  // namespace

const Instance* find_instance(const Router& router, std::string_view word) {
  const std::vector<const Instance*> all = router.instances();
  const auto first = [&](const auto& fits) {
    const auto found = std::find_if(all.begin(), all.end(), fits);
    return found == all.end() ? nullptr : *found;
  };
  if (const auto* named = first([&](const Instance* one) { return one->settings().name == word; }))
    return named;
  return first([&](const Instance* one) {
    return word == to_string(one->key()) ||
           (!one->settings().is_routed() &&
            word == fmt::format("{}/{}", one->key().interface, one->key().vrid));
  });
}

json::object explain(const Instance& instance, const Past& past, Instant now,
                     const GroupView* group) {
  const InstanceSettings& settings = instance.settings();
  const Explanation explanation(instance, now, group);
  json::array faults;
  for (const auto& [source, sentence] : instance.faults().all()) faults.emplace_back(sentence);
  return {{"instance", settings.name},
          {"interface", settings.interface},
          {"vrid", settings.vrid},
          {"state", to_string(instance.state_name())},
          {"since_at", runtime::iso8601_utc(instance.since())},
          {"since_ms", static_cast<double>((now - instance.since()).count()) / 1000},
          {"why", instance.why()},
          {"sync_group", group == nullptr ? json::value() : json::value(group_json(*group, now))},
          {"priority", instance.effective_priority()},
          {"priority_sum", sum_of(instance)},
          {"trackers", trackers_of(instance)},
          {"heard", explanation.heard()},
          {"timers", explanation.timers()},
          {"changes", explanation.changes()},
          {"faults", std::move(faults)},
          {"troubles", troubles_of(instance, now)},
          {"rejected", rejected_of(instance, now)},
          {"history", history_of(instance.key(), past)}};
}

}  // namespace holdfast::vrrp
