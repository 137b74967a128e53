// Links that settle before they count.
#include "vrrp/core/link_delays.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace std::chrono_literals;

namespace {

const core::Instant t0{1h};

LinkDelays slow_eth0() {
  LinkDelays delays;
  delays.follow({{"eth0", {.down = 2s, .up = 3s}}});
  return delays;
}

}  // namespace

TEST_CASE("link delays: down counts after its delay, and not when it ends before") {
  LinkDelays delays = slow_eth0();
  CHECK(delays.settle("eth0", true, t0));
  CHECK(delays.settle("eth0", false, t0 + 1s));
  CHECK(delays.deadline() == t0 + 3s);
  CHECK(delays.settle("eth0", true, t0 + 2s));
  CHECK_FALSE(delays.deadline());

  CHECK(delays.settle("eth0", false, t0 + 4s));
  CHECK(delays.settle("eth0", false, t0 + 5s));  // told again: the time goes on
  CHECK(delays.due(t0 + 5s).empty());
  CHECK(delays.due(t0 + 6s) == std::vector<std::string>{"eth0"});
  CHECK_FALSE(delays.settle("eth0", false, t0 + 6s));
  CHECK(delays.settle("eth0", true, t0 + 7s) == false);
  CHECK(delays.settle("eth0", true, t0 + 10s));
}

TEST_CASE("link delays: what is seen for the first time, or has none, counts at once") {
  LinkDelays delays = slow_eth0();
  CHECK_FALSE(delays.settle("eth0", false, t0));
  CHECK(delays.settle("eth1", true, t0));
  CHECK_FALSE(delays.settle("eth1", false, t0));
  delays.forget("eth0");
  CHECK(delays.settle("eth0", true, t0));
}

TEST_CASE("link delays: a reload without the delay lets the link count as it is") {
  LinkDelays delays = slow_eth0();
  CHECK(delays.settle("eth0", true, t0));
  CHECK(delays.settle("eth0", false, t0));
  delays.follow({{"eth0", {.down = 9s, .up = 9s}}});
  CHECK(delays.settle("eth0", false, t0 + 1s));  // what was asked for goes on
  delays.follow({});
  CHECK_FALSE(delays.deadline());
  CHECK_FALSE(delays.settle("eth0", false, t0 + 1s));
}
