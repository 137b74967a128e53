// keepalived: vrrp_sync_group. Virtual routers that are master together or not at all. Pure: the
// router shows it what its members look like and does what it wishes. No member becomes master by
// itself: one whose own election would make it master is ready, and waits for the others.
#pragma once

#include "vrrp/core/state.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::vrrp {

/// What a group has to know of one member.
struct GroupMember {
  StateName state{};
  /// Would be master now, were it alone: its timer has run out, or it owns the addresses.
  bool is_ready = false;
  /// Has a reason of its own for FAULT; the others follow it.
  bool has_fault = false;
  /// Waits, with its start, for what the group says.
  bool waits_at_start = false;
  /// Hears a master that it may not take over from.
  bool hears_better = false;
  /// A reload has brought it here; the others are a group already.
  bool is_new = false;
  bool operator==(const GroupMember&) const = default;
};

/// What one member shall do.
enum class GroupWish : std::uint8_t {
  nothing,
  take_over,  ///< All may be master, or are: it becomes master now.
  yield,      ///< Another one of the group has yielded to a better master.
  resign,     ///< A reload has put it together with one that is not master: it says that it goes.
  listen,     ///< It may not begin as master: it begins as backup.
};

/// One wish for each member, in their order. Faults are spread before: a group with one wishes
/// nothing.
[[nodiscard]] std::vector<GroupWish> wishes_of(std::span<const GroupMember> members);

/// FAULT when one has a fault, MASTER when all are, INIT while one has not begun.
[[nodiscard]] StateName group_state(std::span<const GroupMember> members);

/// What the router knows of one group between two events.
struct SyncGroup {
  std::vector<std::size_t> members;  ///< Slots, in the order of the configuration.
  std::vector<std::size_t> in_step;  ///< Those that the group has brought together before.
  StateName told = StateName::init;  ///< The state that was told last.
  core::Instant since{};
  std::string why;  ///< A sentence without subject, as StateChanged has it.
  bool has_stopped = false;
};

/// One group for people.
struct GroupView {
  std::string name;
  StateName state{};
  core::Instant since{};
  std::string why;
  std::vector<std::string> members;    ///< Names.
  std::vector<std::string> waits_for;  ///< Of a backup with ready members: those that are not.
};

}  // namespace holdfast::vrrp
