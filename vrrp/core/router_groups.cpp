// Router: sync groups. After each event those groups whose members look different are brought
// together again, so that nobody ever sees one half.
#include "core/assertion.hpp"
#include "vrrp/core/router.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::vrrp {
namespace {

bool contains(const std::vector<std::size_t>& slots, std::size_t slot) {
  return std::find(slots.begin(), slots.end(), slot) != slots.end();
}

NotifyState word_of(StateName state) {
  switch (state) {
    case StateName::master:
      return NotifyState::master;
    case StateName::fault:
      return NotifyState::fault;
    case StateName::init:
    case StateName::backup:
      break;
  }
  return NotifyState::backup;
}

/// Where the first action about one of these stands.
Actions::iterator first_about(Actions& actions, const std::vector<RouterKey>& keys) {
  return std::find_if(actions.begin(), actions.end(), [&](const Action& action) {
    return std::visit(
        [&](const auto& each) {
          if constexpr (requires { each.router; }) {
            return std::find(keys.begin(), keys.end(), each.router->key) != keys.end();
          } else {
            return false;
          }
        },
        action);
  });
}

}  // namespace

// ---- who belongs together ----

void Router::find_groups() {
  for (auto& [name, group] : groups_) group.members.clear();
  for (const std::size_t slot : order_) {
    const std::string& name = slots_[slot]->settings().sync_group;
    if (!name.empty()) groups_[name].members.push_back(slot);
  }
  std::erase_if(groups_, [](const auto& each) { return each.second.members.empty(); });
  for (auto& [name, group] : groups_) {
    std::erase_if(group.in_step, [&members = group.members](std::size_t slot) {
      return !contains(members, slot);
    });
    unsettled_.insert(name);
  }
}

// As one that has settled before.
void Router::recall_groups() {
  find_groups();
  unsettled_.clear();
  if (!running_) return;
  for (auto& [name, group] : groups_) {
    group.told = group_state(members_of(group, Instant{}));
    for (const std::size_t slot : group.members) {
      group.since = std::max(group.since, slots_[slot]->since());
      if (slots_[slot]->state_name() != StateName::init) group.in_step.push_back(slot);
    }
  }
}

std::vector<GroupMember> Router::members_of(const SyncGroup& group, Instant now) const {
  std::vector<GroupMember> members;
  members.reserve(group.members.size());
  for (const std::size_t slot : group.members) {
    GroupMember& member = members.emplace_back(slots_[slot]->as_member(now));
    member.is_new = !contains(group.in_step, slot);
  }
  return members;
}

// What a killed predecessor was all together its successor is all together, or none of it.
void Router::judge_pages(Instant now, Actions& out) {
  for (auto& [name, group] : groups_) {
    const auto resumes = [&](std::size_t slot) { return slots_[slot]->may_resume(now); };
    if (std::all_of(group.members.begin(), group.members.end(), resumes)) {
      group.told = StateName::master;  // nothing has changed for anybody
      group.since = now;
      group.why = "resumed after a restart of this process";
      continue;
    }
    for (const std::size_t slot : group.members) step_slot(slot, GroupForgetsPage{}, now, out);
  }
}

// The successor becomes master when its slowest member may: until then clients need all addresses.
// Of a group that a reload removes some have left at once, and their slots are empty.
void Router::hand_over_together(Instant now, Actions& out) {
  for (const auto& [name, group] : groups_) {
    std::optional<Instant> latest;
    for (const std::size_t slot : group.members) {
      const auto* init = slots_[slot] ? std::get_if<Init>(&slots_[slot]->state()) : nullptr;
      if (init != nullptr && init->handover_until)
        latest = std::max(latest.value_or(*init->handover_until), *init->handover_until);
    }
    if (!latest) continue;
    for (const std::size_t slot : group.members)
      if (slots_[slot]) step_slot(slot, GroupHandsOver{*latest}, now, out);
  }
}

// All say that they go before any of them is brought together with the others.
void Router::on(const Steered& event, Instant now, Actions& out) {
  const std::size_t slot = slot_of(event.router);
  if (slot == kNoSlot) return;
  step_slot(slot, event, now, out);
  const auto group = groups_.find(slots_[slot]->settings().sync_group.str());
  if (group == groups_.end()) return;
  for (const std::size_t other : group->second.members) {
    Steering steering = slots_[other]->steering();
    if (std::exchange(steering.resigns, event.steering.resigns) == event.steering.resigns) continue;
    step_slot(other, Steered{slots_[other]->key(), steering, event.is_recalled}, now, out);
  }
}

// ---- after each event ----

void Router::settle_groups(Instant now, Actions& out) {
  if (!running_) return unsettled_.clear();
  for (int round = 0; !unsettled_.empty(); ++round) {
    HOLDFAST_ASSERT(round < kMaxRounds, "what a group wishes for brings it together");
    for (const std::string& name : std::exchange(unsettled_, {})) {
      const auto found = groups_.find(name);
      if (found == groups_.end()) continue;
      if (stopping_) {
        tell_stopped(name, found->second, out);
      } else {
        settle(name, found->second, now, out);
      }
    }
  }
}

void Router::settle(const std::string& name, SyncGroup& group, Instant now, Actions& out) {
  spread_faults(name, group, now, out);
  const std::vector<GroupMember> members = members_of(group, now);
  const std::vector<GroupWish> wishes = wishes_of(members);
  const std::string because = why_of(group, members);
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    if (wishes[i] == GroupWish::nothing) continue;
    const std::size_t slot = group.members[i];
    const bool joins = wishes[i] == GroupWish::take_over && !members[i].is_ready;
    std::string why;
    if (joins) why = fmt::format("the sync group {} is master", name);
    if (wishes[i] == GroupWish::yield || wishes[i] == GroupWish::resign)
      why = fmt::format("sync group {}: {}", name, because);
    if (wishes[i] == GroupWish::listen)
      why = fmt::format("started, waits for the others of the sync group {}", name);
    step_slot(slot, GroupSays{wishes[i], std::move(why)}, now, out);
  }
  group.in_step.clear();
  for (const std::size_t slot : group.members)
    if (slots_[slot]->state_name() != StateName::init) group.in_step.push_back(slot);
  tell_group(name, group, because, now, out);
}

// One with a fault takes the others along, each with that one's reason.
void Router::spread_faults(const std::string& name, SyncGroup& group, Instant now, Actions& out) {
  const auto faulty = [&](std::size_t slot) { return slots_[slot]->own_fault() != nullptr; };
  const auto first = std::find_if(group.members.begin(), group.members.end(), faulty);
  const auto end = group.members.end();
  const auto second = first == end ? end : std::find_if(first + 1, end, faulty);
  for (const std::size_t slot : std::vector(group.members)) {
    const auto cause = first != end && *first == slot ? second : first;
    std::string sentence;
    if (cause != end)
      sentence = fmt::format("{} of the sync group {} is in FAULT: {}",
                             slots_[*cause]->settings().name, name, *slots_[*cause]->own_fault());
    step_slot(slot, GroupFault{std::move(sentence)}, now, out);
  }
}

/// What the first member that is in the way of the others has to say.
std::string Router::why_of(const SyncGroup& group, const std::vector<GroupMember>& members) const {
  const auto first = [&](const auto& is) -> const Instance* {
    const auto found = std::find_if(members.begin(), members.end(), is);
    if (found == members.end()) return nullptr;
    return &*slots_[group.members[static_cast<std::size_t>(found - members.begin())]];
  };
  if (const auto* faulty = first([](const GroupMember& each) { return each.has_fault; }))
    return fmt::format("{}: {}", faulty->settings().name, *faulty->own_fault());
  const auto is_in_the_way = [](const GroupMember& each) {
    return each.state != StateName::master && !each.is_ready;
  };
  if (const auto* other = first(is_in_the_way))
    return fmt::format("{}: {}", other->settings().name, other->why());
  return "all members may be master";
}

// keepalived: the group is told before its members at the start, and after them later on.
void Router::tell_group(const std::string& name, SyncGroup& group, const std::string& why,
                        Instant now, Actions& out) {
  const StateName state = group_state(members_of(group, now));
  if (state == group.told || state == StateName::init) return;
  const bool is_first = group.told == StateName::init;
  const StateName from = std::exchange(group.told, state);
  group.since = now;
  group.why = why;
  std::vector<RouterKey> keys;
  for (const std::size_t slot : group.members) keys.push_back(slots_[slot]->key());
  const auto first = is_first ? first_about(out, keys) : out.end();
  const Instance& beside = *slots_[is_first ? group.members.front() : group.members.back()];
  out.insert(first, GroupChanged{Subject{beside.key(), beside.settings().name}, name, from,
                                 word_of(state), why});
}

void Router::tell_stopped(const std::string& name, SyncGroup& group, Actions& out) {
  const auto stopped = [&](std::size_t slot) { return slots_[slot]->has_stopped(); };
  if (group.has_stopped || group.told == StateName::init ||
      !std::all_of(group.members.begin(), group.members.end(), stopped))
    return;
  group.has_stopped = true;
  const Instance& last = *slots_[group.members.back()];
  out.emplace_back(GroupChanged{Subject{last.key(), last.settings().name}, name, group.told,
                                NotifyState::stop, "stopping"});
}

// ---- for people ----

std::vector<GroupView> Router::groups(Instant now) const {
  std::vector<GroupView> views;
  for (const auto& [name, group] : groups_) {
    const std::vector<GroupMember> members = members_of(group, now);
    GroupView& view =
        views.emplace_back(GroupView{name, group.told, group.since, group.why, {}, {}});
    const bool somebody_waits =
        group.told == StateName::backup &&
        std::any_of(members.begin(), members.end(), [](const auto& each) { return each.is_ready; });
    for (std::size_t i = 0; i < members.size(); ++i) {
      view.members.push_back(slots_[group.members[i]]->settings().name);
      if (somebody_waits && !members[i].is_ready) view.waits_for.push_back(view.members.back());
    }
  }
  return views;
}

}  // namespace holdfast::vrrp
