#include "tests/sim/group_oracle.hpp"

namespace holdfast::sim {

using namespace vrrp;

// Stricter than one advert interval: what one wake-up decides it decides for all. Those that have
// not begun, or are on their way out, are no members.
void GroupOracle::woke(const Child& child) const {
  if (!child.is_committed() || child.is_stopping()) return;
  const Instance* master = nullptr;
  const Instance* other = nullptr;
  for (const Instance* each : child.router().instances()) {
    if (each->settings().sync_group.empty() || each->is_being_removed()) continue;
    if (each->state_name() == StateName::master) master = each;
    if (each->state_name() == StateName::backup || each->state_name() == StateName::fault)
      other = each;
  }
  if (master == nullptr || other == nullptr) return;
  situation_.violated("no member is master alone", child.machine().name(),
                      fmt::format("has {} as master while {} is {}", master->settings().name,
                                  other->settings().name, to_string(other->state_name())));
}

}  // namespace holdfast::sim
