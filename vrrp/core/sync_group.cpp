#include "vrrp/core/sync_group.hpp"

#include <algorithm>

namespace holdfast::vrrp {
namespace {

bool is_master(const GroupMember& member) {
  return member.state == StateName::master;
}

/// Whether it may follow the group, or has to begin first.
bool has_begun(const GroupMember& member) {
  return member.state != StateName::init || member.waits_at_start;
}

/// Has been master until a moment ago, or has been in the group and was not.
bool has_yielded(const GroupMember& member) {
  return has_begun(member) && !is_master(member) && !member.is_new;
}

/// A reload has brought it, and it cannot become master now.
bool comes_as_backup(const GroupMember& member) {
  return has_begun(member) && !is_master(member) && member.is_new && member.hears_better;
}

}  // namespace

std::vector<GroupWish> wishes_of(std::span<const GroupMember> members) {
  std::vector<GroupWish> wishes(members.size(), GroupWish::nothing);
  const auto any = [&](const auto& is) { return std::any_of(members.begin(), members.end(), is); };
  if (any([](const GroupMember& each) { return each.has_fault; })) return wishes;
  const bool reigns = any(is_master);
  const bool has_lost = reigns && any(has_yielded);
  const bool yields = has_lost || (reigns && any(comes_as_backup));
  const bool takes_over =
      reigns ? !yields : !any([](const GroupMember& each) { return !each.is_ready; });
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (is_master(members[i])) {
      const bool is_heard = has_lost && !members[i].is_new;
      if (yields) wishes[i] = is_heard ? GroupWish::yield : GroupWish::resign;
    } else if (takes_over && has_begun(members[i])) {
      wishes[i] = GroupWish::take_over;
    } else if (members[i].waits_at_start) {
      wishes[i] = GroupWish::listen;
    }
  }
  return wishes;
}

StateName group_state(std::span<const GroupMember> members) {
  const auto any = [&](const auto& is) { return std::any_of(members.begin(), members.end(), is); };
  if (any([](const GroupMember& each) { return each.has_fault; })) return StateName::fault;
  if (any(is_master)) return StateName::master;
  if (any([](const GroupMember& each) { return each.state == StateName::init; }))
    return StateName::init;
  return StateName::backup;
}

}  // namespace holdfast::vrrp
