#include "core/orders.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::core {
namespace {

auto place_of(auto& orders, std::string_view kind, std::string_view subject) {
  return std::find_if(orders.begin(), orders.end(), [&](const Order& each) {
    return each.kind == kind && each.subject == subject;
  });
}

}  // namespace

const Order* Orders::give(Order order) {
  static_cast<void>(take_back(order.kind, order.subject));
  if (orders_.size() >= kMost) return nullptr;
  order.id = ++last_id_;
  return &orders_.emplace_back(std::move(order));
}

std::optional<Order> Orders::take_back(std::string_view kind, std::string_view subject) {
  const auto found = place_of(orders_, kind, subject);
  if (found == orders_.end()) return std::nullopt;
  Order order = std::move(*found);
  orders_.erase(found);
  return order;
}

std::vector<Order> Orders::expire(Instant now) {
  const auto first =
      std::stable_partition(orders_.begin(), orders_.end(),
                            [now](const Order& each) { return !each.until || *each.until > now; });
  std::vector<Order> over(std::make_move_iterator(first), std::make_move_iterator(orders_.end()));
  orders_.erase(first, orders_.end());
  return over;
}

std::optional<Instant> Orders::deadline() const {
  std::optional<Instant> earliest;
  for (const Order& each : orders_)
    if (each.until) earliest = std::min(earliest.value_or(*each.until), *each.until);
  return earliest;
}

const Order* Orders::find(std::string_view kind, std::string_view subject) const {
  const auto found = place_of(orders_, kind, subject);
  return found == orders_.end() ? nullptr : &*found;
}

void Orders::recall(std::vector<Order> orders) {
  if (orders.size() > kMost) orders.resize(kMost);
  orders_ = std::move(orders);
  for (const Order& each : orders_) last_id_ = std::max(last_id_, each.id);
}

}  // namespace holdfast::core
