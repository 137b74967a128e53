#include "vrrp/orders.hpp"

#include "vrrp/explain.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace holdfast::vrrp {
namespace {

constexpr std::string_view kResign = "resign";
constexpr std::string_view kPriority = "priority";

/// The members of its group resign with it.
bool resigns(const core::Orders& orders, const Instance& instance,
             const std::vector<const Instance*>& all) {
  if (orders.find(kResign, instance.settings().name) != nullptr) return true;
  const std::string& group = instance.settings().sync_group;
  return !group.empty() && std::ranges::any_of(all, [&](const Instance* each) {
    return each->settings().sync_group.str() == group &&
           orders.find(kResign, each->settings().name) != nullptr;
  });
}

}  // namespace

core::Result<std::string> judge_order(const Router& router, const std::string& kind,
                                      const std::string& subject, std::int64_t value) {
  if (kind != kResign && kind != kPriority)
    return core::fail("the VRRP process knows no order '{}'", kind);
  const Instance* instance = find_instance(router, subject);
  if (instance == nullptr) return core::fail("there is no vrrp_instance '{}'", subject);
  const std::string name = instance->settings().name;
  if (kind == kResign) return name;
  if (value == 0 || value < -kMostTracked || value > kMostTracked)
    return core::fail("a priority can be raised or lowered by 1 to {}, not by {}", kMostTracked,
                      value);
  if (instance->settings().priority == kOwnerPriority)
    return core::fail("{} owns its addresses with priority {}: no other one counts", name,
                      kOwnerPriority);
  return name;
}

std::vector<Steered> steered_by(const core::Orders& orders, const Router& router) {
  std::vector<Steered> news;
  const std::vector<const Instance*> all = router.instances();
  for (const Instance* each : all) {
    const core::Order* priority = orders.find(kPriority, each->settings().name);
    const Steering wanted{.adds = priority == nullptr ? 0 : static_cast<int>(priority->value),
                          .resigns = !orders.all().empty() && resigns(orders, *each, all)};
    if (each->steering() != wanted) news.push_back({each->key(), wanted});
  }
  return news;
}

}  // namespace holdfast::vrrp
