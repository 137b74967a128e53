// What operators have asked of a running process beside its configuration: until when, and by whom.
// Pure; kept by runtime/order_desk, carried out by the process that was asked.
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::core {

struct Order {
  std::uint64_t id = 0;    ///< Rises with each order of the process and its predecessors.
  std::string kind;        ///< "resign", "priority", "weight"
  std::string subject;     ///< The instance or server.
  std::int64_t value = 0;  ///< Points or weight; 0 where the kind says it all.
  std::string author;      ///< As the asking side called him; `uid` is the kernel's word.
  std::uint32_t uid = 0;
  Instant given_at{};
  std::optional<Instant> until;  ///< nullopt: until it is taken back.
  bool operator==(const Order&) const = default;
};

class Orders {
 public:
  /// More at one time are refused.
  static constexpr std::size_t kMost = 4096;

  /// Takes the place of one of the same kind and subject, and gets a new id. nullptr: there are too
  /// many.
  const Order* give(Order order);
  [[nodiscard]] std::optional<Order> take_back(std::string_view kind, std::string_view subject);
  /// Those whose time is over, which are orders no more.
  [[nodiscard]] std::vector<Order> expire(Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;

  /// The oldest first.
  [[nodiscard]] const std::vector<Order>& all() const { return orders_; }
  [[nodiscard]] const Order* find(std::string_view kind, std::string_view subject) const;
  /// From a predecessor. What is beyond kMost is left out.
  void recall(std::vector<Order> orders);

 private:
  std::vector<Order> orders_;
  std::uint64_t last_id_ = 0;
};

}  // namespace holdfast::core
