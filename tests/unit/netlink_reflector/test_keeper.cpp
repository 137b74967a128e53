#include "core/rng.hpp"

#include <doctest/doctest.h>

#include "keeper_world.hpp"
#include <array>
#include <cerrno>

using namespace holdfast;
using namespace holdfast::core;
using namespace holdfast::netlink;

TEST_CASE("keeper: what an owner holds is added, read back and reported once") {
  World world;

  world.keeper.hold(kFirst, {vip("10.0.0.9"), vip("10.0.0.10/24")});
  CHECK(world.settle() == 2);

  CHECK(world.has("10.0.0.9"));
  CHECK(world.has("10.0.0.10/24"));
  const auto published = world.take<Published>();
  REQUIRE(published.size() == 1);
  CHECK(published[0].owner == kFirst);
  CHECK(published[0].publication.wanted);
  CHECK(published[0].publication.complete);
  CHECK(world.settle() == 0);
  CHECK(world.take<Published>().empty());
}

TEST_CASE("keeper: release takes off what was held and leaves what others configured") {
  World world;
  world.foreign(StepKind::add, "10.0.0.1/24");
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  world.settle();
  world.notices.clear();

  world.keeper.release(kFirst);
  world.settle();

  CHECK_FALSE(world.has("10.0.0.9"));
  CHECK(world.has("10.0.0.1/24"));
  const auto published = world.take<Published>();
  REQUIRE(published.size() == 1);
  CHECK_FALSE(published[0].publication.wanted);
  CHECK(published[0].publication.complete);
}

TEST_CASE("keeper: an address that somebody removes comes back and is counted") {
  World world;
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  world.settle();
  world.notices.clear();

  world.foreign(StepKind::remove, "10.0.0.9");
  world.settle();

  CHECK(world.has("10.0.0.9"));
  CHECK(world.keeper.counters().repairs == 1);
  CHECK(world.notices ==
        std::vector<Notice>{Repaired{"eth0", *IpPrefix::parse("10.0.0.9"), {kFirst}}});
}

TEST_CASE(
    "keeper: with no_track an address that somebody takes away stays away until the next wish") {
  World world;
  DesiredAddress untracked = vip("10.0.0.9");
  untracked.when_taken = WhenTaken::stay_away;
  world.keeper.hold(kFirst, {untracked, vip("10.0.0.8")});
  world.settle();

  world.foreign(StepKind::remove, "10.0.0.9");
  world.foreign(StepKind::remove, "10.0.0.8");
  world.settle();

  CHECK_FALSE(world.has("10.0.0.9"));
  CHECK(world.has("10.0.0.8"));
  const Publication publication = world.keeper.publication(kFirst, world.mirror);
  CHECK(publication.complete);
  CHECK(publication.wished() == 1);
  CHECK(publication.addresses[0].let_go);

  world.keeper.hold(kFirst, {untracked, vip("10.0.0.8")});
  world.settle();
  CHECK(world.has("10.0.0.9"));
}

TEST_CASE("keeper: what is let go after a refusal is not tried again, nor waited for") {
  World world;
  DesiredAddress untracked = vip("10.0.0.9");
  untracked.when_taken = WhenTaken::stay_away;
  world.keeper.hold(kFirst, {untracked});
  world.settle();
  world.refuse_with = EPERM;
  // Between two looks: another label, which cannot be mended, and then it is taken away.
  for (Address& address : world.kernel) address.label = "eth0:other";
  world.events_arrive();
  std::vector<Batch> batches;
  world.keeper.work(world.mirror, world.now, batches, world.notices);
  REQUIRE(batches.size() == 1);
  world.kernel.clear();
  world.carry_out(batches.front());
  world.settle();

  world.now += 10s;
  world.settle();

  CHECK(world.keeper.publication(kFirst, world.mirror).addresses[0].let_go);
  CHECK(world.keeper.deadline() == std::nullopt);
}

TEST_CASE("keeper: a label that somebody changes is repaired, one that we change is not a repair") {
  World world;
  world.keeper.hold(kFirst, {vip("10.0.0.9", "eth0", "eth0:vip")});
  world.settle();
  world.foreign(StepKind::remove, "10.0.0.9");
  world.foreign(StepKind::add, "10.0.0.9", "eth0:other");
  world.settle();
  CHECK(world.kernel.at(0).label == "eth0:vip");
  CHECK(world.keeper.counters().repairs == 1);

  world.keeper.hold(kFirst, {vip("10.0.0.9", "eth0", "eth0:new")});
  world.settle();

  CHECK(world.kernel.at(0).label == "eth0:new");
  CHECK(world.keeper.counters().repairs == 1);
}

TEST_CASE(
    "keeper: when it cannot be put back the owner is told once, and told again when it is back") {
  World world;
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  world.settle();
  world.notices.clear();

  world.refuse_with = EPERM;
  world.foreign(StepKind::remove, "10.0.0.9");
  world.settle();

  const std::string sentence =
      "cannot add 10.0.0.9/32 on eth0: Operation not permitted; holdfast needs root or "
      "CAP_NET_ADMIN";
  CHECK(world.notices ==
        std::vector<Notice>{Refused{sentence}, lost(kFirst, "10.0.0.9", sentence)});
  world.notices.clear();
  CHECK(world.keeper.deadline() == world.now + 1s);
  world.now += 1s;
  world.settle();
  CHECK(world.notices.empty());  // the same reason is not repeated

  world.refuse_with = 0;
  world.now += 2s;
  world.settle();
  CHECK(world.has("10.0.0.9"));
  CHECK(world.keeper.counters().repairs == 1);
  const auto published = world.take<Published>();
  REQUIRE(published.size() == 1);
  CHECK(published[0].publication.complete);
}

TEST_CASE("keeper: a fight is given up for a second, so that two tools do not burn the machine") {
  World world;
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  world.settle();

  std::size_t rounds = 0;
  while (world.has("10.0.0.9") && rounds < 100) {
    world.foreign(StepKind::remove, "10.0.0.9");
    world.settle();
    ++rounds;
  }

  CHECK(rounds == Keeper::kMaxRepairs + 1);
  const auto lost = world.take<Lost>();
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].publication.first_problem() ==
        "10.0.0.9/32: somebody removes it as fast as it is put back");
  world.now += 1s;
  world.settle();
  CHECK(world.has("10.0.0.9"));
}

TEST_CASE(
    "keeper: an interface that vanishes and returns with another number gets its address back") {
  World world;
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  world.settle();
  world.notices.clear();

  world.link_vanishes(2);
  world.settle();
  CHECK(world.take<Lost>() == std::vector{lost(kFirst, "10.0.0.9", "there is no interface eth0")});
  world.link_appears(7, "eth0");
  world.settle();

  REQUIRE(world.kernel.size() == 1);
  CHECK(world.kernel[0].interface == 7);
  CHECK(world.take<Published>().size() == 1);
  CHECK(world.keeper.counters().repairs == 0);
}

TEST_CASE("keeper: an interface that does not exist yet is waited for") {
  World world;

  world.keeper.hold(kFirst, {vip("10.0.0.9", "bond0")});
  world.settle();
  const auto first = world.take<Published>();
  REQUIRE(first.size() == 1);
  CHECK_FALSE(first[0].publication.complete);
  CHECK(first[0].publication.addresses[0].problem == "there is no interface bond0");

  world.link_appears(9, "bond0");
  world.settle();
  const auto second = world.take<Published>();
  REQUIRE(second.size() == 1);
  CHECK(second[0].publication.complete);
}

TEST_CASE("keeper: an address that two owners want stays until both let go") {
  World world;
  world.keeper.hold(kFirst, {vip("10.0.0.9", "eth0", "eth0:a")});
  world.keeper.hold(kSecond, {vip("10.0.0.9", "eth0", "eth0:b")});
  CHECK(world.settle() == 1);

  world.keeper.release(kSecond);
  CHECK(world.settle() == 0);
  CHECK(world.has("10.0.0.9"));
  CHECK(world.keeper.publication(kSecond, world.mirror).complete);

  world.keeper.forget(kFirst);
  world.settle();
  CHECK_FALSE(world.has("10.0.0.9"));
}
