// What happened to links and addresses, on its way to those who asked to be told. Kept until
// deliver(), so that no callback runs in the middle of the work that it is about.
#pragma once

#include "core/ip_address.hpp"
#include "core/router_key.hpp"
#include "netlink_reflector/core/keeper.hpp"
#include "netlink_reflector/core/publication.hpp"
#include "netlink_reflector/core/table.hpp"

#include <deque>
#include <functional>
#include <map>
#include <variant>
#include <vector>

namespace holdfast::runtime {
class Logger;
}

namespace holdfast::netlink {

class News {
 public:
  using Item = std::variant<LinkEvent, AddressEvent, Notice>;

  explicit News(runtime::Logger& logger) : logger_(logger) {}

  void add(Item item) { items_.push_back(std::move(item)); }
  /// In the order in which it happened; repairs last, once an owner.
  void deliver();
  [[nodiscard]] bool is_empty() const { return items_.empty(); }
  void clear() { items_.clear(); }

  std::vector<std::function<void(const LinkEvent&)>> on_link;
  std::vector<std::function<void(const AddressEvent&)>> on_address;
  std::vector<std::function<void(const core::RouterKey&, const Publication&)>> on_published;
  std::vector<std::function<void(const core::RouterKey&, const Publication&)>> on_lost;
  std::vector<std::function<void(const core::RouterKey&, const std::vector<core::IpPrefix>&)>>
      on_repaired;

 private:
  void tell(const Item& item);
  void tell(const Notice& notice);

  runtime::Logger& logger_;
  std::deque<Item> items_;
  std::map<core::RouterKey, std::vector<core::IpPrefix>> repaired_;
};

}  // namespace holdfast::netlink
