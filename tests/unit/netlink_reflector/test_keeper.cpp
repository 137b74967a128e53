#include "core/rng.hpp"
#include "netlink_reflector/core/keeper.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace holdfast;
using namespace holdfast::core;
using namespace holdfast::netlink;

namespace {

const RouterKey kFirst{"eth0", Family::v4, 51, *IpAddress::parse("224.0.0.18")};
const RouterKey kSecond{"eth0", Family::v4, 52, *IpAddress::parse("224.0.0.18")};

DesiredAddress vip(std::string_view prefix, std::string_view interface = "eth0",
                   std::string_view label = "") {
  return {std::string(interface), *IpPrefix::parse(prefix), std::string(label), {}, 0};
}

/// A kernel with one or two interfaces beneath a keeper: the model of the rules, a mirror fed with
/// the differences, and a switch that makes it refuse.
struct World {
  Keeper keeper{1s};
  Mirror mirror;
  Instant now{1h};
  std::vector<Address> kernel;
  std::vector<Notice> notices;
  PromoteSecondaries promote = PromoteSecondaries::no;
  int refuse_with = 0;

  World() { link_appears(2, "eth0"); }

  void link_appears(InterfaceIndex index, std::string name) {
    keeper.on_link(*mirror.links.upsert({.index = index, .name = std::move(name), .up = true}),
                   now);
  }
  void link_vanishes(InterfaceIndex index) {
    std::erase_if(kernel, [&](const Address& one) { return one.interface == index; });
    for (const AddressEvent& event : mirror.addresses.remove_interface(index)) {
      keeper.on_address(event, mirror);
    }
    keeper.on_link(*mirror.links.remove(index), now);
  }
  void events_arrive() {
    std::vector<AddressEvent> events;
    mirror.addresses.begin_resync();
    for (const Address& address : kernel) {
      if (auto event = mirror.addresses.upsert(address)) events.push_back(*event);
    }
    for (AddressEvent& event : mirror.addresses.sweep()) events.push_back(event);
    for (const AddressEvent& event : events) keeper.on_address(event, mirror);
  }
  void foreign(StepKind kind, std::string_view prefix, std::string_view label = "eth0") {
    Address address = resolve(vip(prefix), *mirror.links.find(InterfaceIndex{2}));
    address.label = label;
    kernel = apply(std::vector<Step>{{kind, address}}, kernel, promote).addresses;
    events_arrive();
  }
  /// Works until nothing is left to do now; returns the number of steps sent.
  std::size_t settle() {
    std::size_t sent = 0;
    while (true) {
      std::vector<Batch> batches;
      keeper.work(mirror, now, batches, notices);
      if (batches.empty()) return sent;
      for (const Batch& batch : batches) {
        sent += batch.steps.size();
        std::vector<StepResult> results(batch.steps.size(), StepResult{refuse_with, ""});
        if (refuse_with == 0) {
          Applied applied = apply(batch.steps, kernel, promote);
          kernel = applied.addresses;
          for (std::size_t at = 0; at < results.size(); ++at) {
            results[at].system_errno = applied.results[at];
          }
        }
        events_arrive();
        keeper.on_results(batch, results);
      }
    }
  }
  [[nodiscard]] bool has(std::string_view prefix) const {
    return std::any_of(kernel.begin(), kernel.end(),
                       [&](const Address& one) { return one.prefix == *IpPrefix::parse(prefix); });
  }
  template <class T>
  [[nodiscard]] std::vector<T> take() {
    std::vector<T> found;
    for (const Notice& notice : notices) {
      if (const auto* one = std::get_if<T>(&notice)) found.push_back(*one);
    }
    notices.clear();
    return found;
  }
};

}  // namespace

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
  CHECK(world.notices == std::vector<Notice>{Repaired{"eth0", *IpPrefix::parse("10.0.0.9")}});
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
  CHECK(world.notices == std::vector<Notice>{Refused{sentence}, Lost{kFirst, sentence}});
  world.notices.clear();
  CHECK(world.keeper.deadline() == world.now + 1s);
  world.now += 1s;
  world.settle();
  CHECK(world.notices.empty());  // the same reason is not repeated

  world.refuse_with = 0;
  world.now += 1s;
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
  CHECK(lost[0].reason == "10.0.0.9/32: somebody removes it as fast as it is put back");
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
  CHECK(world.take<Lost>() == std::vector<Lost>{{kFirst, "there is no interface eth0"}});
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

TEST_CASE(
    "keeper: leftovers of a crash are taken off, unless their owner resumes in the same turn") {
  World world;
  world.foreign(StepKind::add, "10.0.0.9/32");
  world.foreign(StepKind::add, "10.0.0.10/24");  // the crashed one had another prefix length
  world.foreign(StepKind::add, "10.0.0.1/24");

  world.keeper.claim(kFirst, {vip("10.0.0.9"), vip("10.0.0.10/32")});
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  CHECK(world.settle() == 2);  // 10.0.0.10/24 off, and 10.0.0.1/24 back, whose primary it was

  CHECK(world.has("10.0.0.9"));
  CHECK_FALSE(world.has("10.0.0.10/24"));
  CHECK(world.has("10.0.0.1/24"));
  CHECK(world.keeper.movable_addresses("eth0").size() == 3);
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

TEST_CASE("keeper: whatever happens, when it is quiet the kernel has what the owners hold") {
  static constexpr std::array<std::string_view, 5> kPrefixes{
      "10.0.0.9/32", "10.0.0.9/24", "10.0.0.10/24", "10.0.0.11/24", "10.1.0.9/32"};
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    World world;
    world.promote = rng.chance(50) ? PromoteSecondaries::yes : PromoteSecondaries::no;
    world.foreign(StepKind::add, "10.0.0.1/24");
    InterfaceIndex index = 2;
    std::map<RouterKey, std::vector<DesiredAddress>> holds;
    for (int round = 0; round < 30; ++round) {
      const RouterKey owner = rng.chance(50) ? kFirst : kSecond;
      const std::string_view prefix = kPrefixes.at(rng.below(kPrefixes.size()));
      switch (rng.below(7u)) {
        case 0:
        case 1:
          holds[owner] = {vip(prefix), vip(kPrefixes.at(rng.below(kPrefixes.size())))};
          world.keeper.hold(owner, holds[owner]);
          break;
        case 2:
          holds.erase(owner);
          world.keeper.release(owner);
          break;
        case 3:
          if (index == 2) world.foreign(StepKind::remove, prefix);
          break;
        case 4:
          world.refuse_with = rng.chance(50) ? ENOMEM : 0;
          break;
        case 5:
          world.link_vanishes(index);
          if (rng.chance(50)) world.settle();
          world.link_appears(++index, "eth0");
          break;
        default:
          world.now += 300ms;
      }
      if (rng.chance(60)) world.settle();
    }

    world.refuse_with = 0;
    world.settle();
    world.now += 2s;
    world.settle();

    std::set<IpPrefix> wanted;
    for (const auto& [owner, addresses] : holds) {
      for (const DesiredAddress& address : addresses) wanted.insert(address.prefix);
      REQUIRE(world.keeper.publication(owner, world.mirror).complete);
    }
    std::set<IpPrefix> there;
    for (const Address& address : world.kernel) there.insert(address.prefix);
    there.erase(*IpPrefix::parse("10.0.0.1/24"));
    REQUIRE(there == wanted);
    REQUIRE_FALSE(world.keeper.has_work());
    REQUIRE(world.keeper.deadline() == std::nullopt);
  }
}
