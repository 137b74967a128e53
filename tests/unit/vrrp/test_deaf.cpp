// A backup whose interface has received nothing at all: it does not believe that it is alone.
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/instance.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;

namespace {

const Instant t0{1h};
const InterfaceStatus kHears{.exists = true, .up = true, .primary_address = ip("192.0.2.1")};

InterfaceStatus silent() {
  InterfaceStatus status = kHears;
  status.silent = true;
  return status;
}

/// Of priority 100 and one second: without a master it takes over after 3.609375 s.
Instance started(const InterfaceStatus& status, std::uint8_t priority = 100) {
  InstanceSettings settings = everyday();
  settings.priority = priority;
  if (priority == kOwnerPriority) settings.initial_state = InitialState::master;
  Instance instance(settings);
  Actions out;
  instance.step(InterfaceReport{status}, t0, out);
  instance.step(Startup{}, t0, out);
  return instance;
}

void tell(Instance& instance, const InterfaceStatus& status, Instant now) {
  Actions out;
  instance.step(InterfaceReport{status}, now, out);
}

StateName after_tick(Instance& instance, Instant now) {
  Actions out;
  instance.step(Tick{}, now, out);
  return instance.state_name();
}

}  // namespace

TEST_CASE("backup: while nothing at all is received its time does not come") {
  Instance instance = started(silent());

  CHECK(instance.is_deaf());
  CHECK_FALSE(instance.deadline());
  CHECK(after_tick(instance, t0 + 8s) == StateName::backup);

  tell(instance, kHears, t0 + 9s);
  CHECK_FALSE(instance.is_deaf());
  CHECK(instance.deadline() == t0 + 11s);  // two intervals: one advert may be lost
  CHECK(after_tick(instance, t0 + 10'999ms) == StateName::backup);
  CHECK(after_tick(instance, t0 + 11s) == StateName::master);
}

TEST_CASE("backup: a first frame soon after the start delays nothing") {
  Instance instance = started(silent());

  tell(instance, kHears, t0 + 200ms);

  CHECK(instance.deadline() == started(kHears).deadline());
}

TEST_CASE("backup: who has heard a master is not deaf, and takes over when that one goes") {
  Instance instance = started(silent());
  Actions out;
  instance.step(AdvertReceived{.router = instance.key(),
                               .advert = {.vrid = instance.settings().vrid,
                                          .priority = 150,
                                          .interval = 1s,
                                          .addresses = {}},
                               .source = ip("192.0.2.2")},
                t0 + 1s, out);

  CHECK_FALSE(instance.is_deaf());
  CHECK(after_tick(instance, t0 + 1s + 3'609'375us) == StateName::master);
}

TEST_CASE("backup: a silent interface is no concern of an owner or a master") {
  CHECK(started(silent(), kOwnerPriority).state_name() == StateName::master);
  Instance instance = started(kHears);
  CHECK(after_tick(instance, t0 + 4s) == StateName::master);

  tell(instance, silent(), t0 + 5s);

  CHECK(instance.state_name() == StateName::master);
  CHECK_FALSE(instance.is_deaf());
}
