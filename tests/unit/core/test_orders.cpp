#include "core/orders.hpp"

#include <doctest/doctest.h>

using namespace holdfast::core;
using namespace std::chrono_literals;

namespace {

const Instant t0{1h};

Order order(std::string kind, std::string subject, std::int64_t value = 0,
            std::optional<Instant> until = std::nullopt) {
  return {.id = 0,
          .kind = std::move(kind),
          .subject = std::move(subject),
          .value = value,
          .author = "alice",
          .uid = 0,
          .given_at = t0,
          .until = until};
}

}  // namespace

TEST_CASE("orders: a new one takes the place of the same kind and subject, with an id of its own") {
  Orders orders;
  CHECK(orders.give(order("priority", "VI_1", -10))->id == 1);
  CHECK(orders.give(order("resign", "VI_1"))->id == 2);
  CHECK(orders.give(order("priority", "VI_1", -20))->id == 3);

  REQUIRE(orders.all().size() == 2);
  CHECK(orders.find("priority", "VI_1")->value == -20);
  CHECK(orders.find("priority", "VI_2") == nullptr);
  CHECK(orders.take_back("priority", "VI_1")->id == 3);
  CHECK_FALSE(orders.take_back("priority", "VI_1"));
}

TEST_CASE("orders: each ends at its own moment, and not before") {
  Orders orders;
  orders.give(order("weight", "a", 0, t0 + 2s));
  orders.give(order("weight", "b", 0));
  orders.give(order("weight", "c", 0, t0 + 1s));

  CHECK(orders.deadline() == t0 + 1s);
  CHECK(orders.expire(t0 + 999ms).empty());
  const auto over = orders.expire(t0 + 1s);
  REQUIRE(over.size() == 1);
  CHECK(over[0].subject == "c");
  CHECK(orders.deadline() == t0 + 2s);
  CHECK(orders.expire(t0 + 1h).size() == 1);
  CHECK_FALSE(orders.deadline());
  CHECK(orders.all().size() == 1);
}

TEST_CASE("orders: ids go on behind those of a predecessor, and there is a bound") {
  Orders orders;
  std::vector<Order> before;
  for (std::size_t i = 0; i < Orders::kMost + 5; ++i) {
    before.push_back(order("weight", std::to_string(i)));
    before.back().id = i + 1;
  }
  orders.recall(before);

  CHECK(orders.all().size() == Orders::kMost);
  CHECK(orders.give(order("weight", "one more")) == nullptr);
  CHECK(orders.give(order("weight", "0"))->id == Orders::kMost + 1);
}
