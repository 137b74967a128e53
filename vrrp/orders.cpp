#include "vrrp/orders.hpp"

#include "vrrp/explain.hpp"

#include <set>
#include <string_view>

namespace holdfast::vrrp {
namespace {

constexpr std::string_view kResign = "resign";
constexpr std::string_view kPriority = "priority";

/// Groups whose members all resign, because one of them was asked to.
std::set<std::string> groups_that_resign(const core::Orders& orders, const Router& router) {
  std::set<std::string> groups;
  if (orders.all().empty()) return groups;
  for (const Instance* each : router.instances())
    if (orders.find(kResign, each->settings().name) != nullptr)
      groups.insert(each->settings().sync_group.str());
  groups.erase(std::string{});
  return groups;
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
  const std::set<std::string> groups = groups_that_resign(orders, router);
  for (const Instance* each : router.instances()) {
    const std::string& name = each->settings().name;
    const core::Order* priority = orders.find(kPriority, name);
    const Steering wanted{.adds = priority == nullptr ? 0 : static_cast<int>(priority->value),
                          .resigns = orders.find(kResign, name) != nullptr ||
                                     groups.contains(each->settings().sync_group.str())};
    if (each->steering() != wanted) news.push_back({each->key(), wanted});
  }
  return news;
}

}  // namespace holdfast::vrrp
