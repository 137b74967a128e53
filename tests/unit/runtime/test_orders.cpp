#include "runtime/order_desk.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::runtime;
using namespace std::chrono_literals;

namespace {

const core::Instant t0{1h};

core::Orders some() {
  core::Orders orders;
  orders.give({.id = 0,
               .kind = "weight",
               .subject = "[2001:db8::1]:80",
               .value = 7,
               .author = "al\"ice",
               .uid = 1000,
               .given_at = t0,
               .until = t0 + 90s});
  orders.give({.id = 0,
               .kind = "resign",
               .subject = "VI_1",
               .value = 0,
               .author = "root",
               .uid = 0,
               .given_at = t0 + 1us,
               .until = std::nullopt});
  return orders;
}

}  // namespace

TEST_CASE("orders: the file gives back what was written on this boot, and nothing of another") {
  const core::Orders orders = some();
  const std::string text = write_orders(orders, "this-boot");

  CHECK(read_orders(text, "this-boot").value() == orders.all());
  CHECK(read_orders(text, "another").value().empty());
  for (const char* damaged : {"", "{", "[]", "{\"orders\":3}", "null"})
    CHECK_FALSE(read_orders(damaged, "this-boot").has_value());
}

TEST_CASE("orders: whatever stands in a damaged file is read in some way") {
  const auto read = read_orders(
      R"({"boot":"b","orders":[3,{"id":"x","kind":5,"value":1e300,"until_us":null}]})", "b");
  REQUIRE(read.has_value());
  CHECK(read.value().size() == 1);
}

TEST_CASE("orders: the status says who, what and how long still") {
  const auto page = status_json(some(), t0 + 30s);

  REQUIRE(page.size() == 2);
  CHECK(page[0].at("id") == 1);
  CHECK(page[0].at("author") == "al\"ice");
  CHECK(page[0].at("uid") == 1000);
  CHECK(page[0].at("left_ms") == 60000);
  CHECK(page[1].at("until_at").is_null());
}
