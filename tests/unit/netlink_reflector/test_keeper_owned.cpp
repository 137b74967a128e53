// What is ours and what is not: strangers' addresses, crashes, other names, refusals.
#include "core/rng.hpp"

#include <doctest/doctest.h>

#include "keeper_world.hpp"
#include <array>
#include <cerrno>
#include <concepts>

using namespace holdfast;
using namespace holdfast::core;
using namespace holdfast::netlink;

static_assert(std::copyable<Keeper>, "a simulator copies the case");

TEST_CASE("keeper: what we add carries our mark and is on record before it is added") {
  World world;
  world.keeper.hold(kFirst, {vip("10.0.0.9"), vip("2001:db8::9/64")});
  std::vector<Batch> batches;
  world.keeper.work(world.mirror, world.now, batches, world.notices);

  CHECK(world.keeper.take_owned_changes() ==
        std::vector<OwnedChange>{
            {Ownership::began, {2, *IpAddress::parse("10.0.0.9"), 32, "eth0"}},
            {Ownership::began, {2, *IpAddress::parse("2001:db8::9"), 0, "eth0"}}});
  REQUIRE(batches.size() == 1);
  world.carry_out(batches[0]);
  CHECK(world.settle() == 0);
  CHECK(world.kernel.at(0).protocol == kProtocolHoldfast);
  CHECK(world.kernel.at(1).protocol == kProtocolHoldfast);
  CHECK(world.keeper.is_ours(*IpAddress::parse("10.0.0.9")));
  CHECK(world.keeper.is_ours(*IpAddress::parse("2001:db8::9")));

  world.keeper.release(kFirst);
  batches.clear();
  world.keeper.work(world.mirror, world.now, batches, world.notices);
  CHECK(world.keeper.take_owned_changes().empty());  // it stays on record until it is seen gone
  world.carry_out(batches.at(0));
  world.keeper.work(world.mirror, world.now, batches, world.notices);
  CHECK(world.keeper.take_owned_changes().size() == 2);
  CHECK_FALSE(world.keeper.is_ours(*IpAddress::parse("10.0.0.9")));
}

TEST_CASE("keeper: a host's own address is used while it is wanted, and never taken off") {
  World world;
  world.foreign(StepKind::add, "10.0.0.1/24");
  world.inherit();

  world.keeper.claim(kFirst, {vip("10.0.0.1/24", "eth0", "eth0:vip")});
  world.keeper.release(kFirst);
  world.keeper.sweep_leftovers();
  CHECK(world.settle() == 0);
  CHECK(world.take<Foreign>() == std::vector<Foreign>{{"eth0", *IpPrefix::parse("10.0.0.1/24")}});
  CHECK(world.keeper.source(world.mirror, 2, Family::v4) == IpAddress::parse("10.0.0.1"));

  world.keeper.hold(kFirst, {vip("10.0.0.1/24", "eth0", "eth0:vip")});
  CHECK(world.settle() == 0);
  const auto published = world.take<Published>();
  REQUIRE(published.size() == 1);
  CHECK(published[0].publication.complete);
  CHECK(published[0].publication.addresses.at(0).foreign);
  CHECK_FALSE(world.keeper.is_ours(*IpAddress::parse("10.0.0.1")));
  CHECK(world.keeper.source(world.mirror, 2, Family::v4) == IpAddress::parse("10.0.0.1"));

  world.keeper.release(kFirst);
  CHECK(world.settle() == 0);
  CHECK(world.has("10.0.0.1/24"));
  CHECK(world.take<Published>().at(0).publication.complete);
  CHECK(world.record.all().empty());
}

TEST_CASE("keeper: the same address with a length of ours stands beside the host's own") {
  World world;
  world.foreign(StepKind::add, "10.0.0.1/24");

  world.keeper.hold(kFirst, {vip("10.0.0.1")});
  CHECK(world.settle() == 1);
  CHECK(world.has("10.0.0.1/24"));
  CHECK(world.has("10.0.0.1/32"));
  CHECK(world.keeper.source(world.mirror, 2, Family::v4) == IpAddress::parse("10.0.0.1"));

  world.keeper.release(kFirst);
  CHECK(world.settle() == 1);
  CHECK(world.has("10.0.0.1/24"));
  CHECK_FALSE(world.has("10.0.0.1/32"));
}

TEST_CASE("keeper: what a stranger adds a moment before us is his") {
  World world;
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  std::vector<Batch> batches;
  world.keeper.work(world.mirror, world.now, batches, world.notices);
  world.foreign(StepKind::add, "10.0.0.9");
  world.carry_out(batches.at(0));
  world.settle();

  CHECK(world.keeper.publication(kFirst, world.mirror).complete);
  world.keeper.release(kFirst);
  world.settle();
  CHECK(world.has("10.0.0.9"));
}

TEST_CASE("keeper: an own address is the source before one that moves, ours never is") {
  World world;
  world.keeper.claim(kFirst, {vip("10.0.0.9")});
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  world.settle();
  CHECK(world.keeper.source(world.mirror, 2, Family::v4) == std::nullopt);

  world.foreign(StepKind::add, "10.0.0.1/24");
  CHECK(world.keeper.source(world.mirror, 2, Family::v4) == IpAddress::parse("10.0.0.1"));
}

TEST_CASE("keeper: a static address is a source, unless an instance moves it, too") {
  World world;
  world.keeper.claim(kDirector, {vip("10.0.0.1/24")});
  world.keeper.hold(kDirector, {vip("10.0.0.1/24")});
  world.keeper.claim(kFirst, {vip("10.0.0.9/24")});
  world.keeper.hold(kFirst, {vip("10.0.0.9/24")});
  world.settle();
  CHECK(world.keeper.source(world.mirror, 2, Family::v4) == IpAddress::parse("10.0.0.1"));

  world.keeper.claim(kSecond, {vip("10.0.0.1/24")});
  CHECK(world.keeper.source(world.mirror, 2, Family::v4) == std::nullopt);
}

TEST_CASE("keeper: leftovers go when all owners have spoken, unless one of them resumes") {
  World world;
  world.foreign(StepKind::add, "10.0.0.1/24");
  world.keeper.hold(kFirst, {vip("10.0.0.9"), vip("10.0.0.10/24")});
  world.keeper.hold(kSecond, {vip("10.1.0.9")});
  world.settle();

  world.crash();
  world.inherit();
  CHECK(world.settle() == 0);  // nothing is judged before the configuration is known
  CHECK(world.keeper.source(world.mirror, 2, Family::v4) == IpAddress::parse("10.0.0.1"));
  CHECK(world.keeper.owned_count() == 3);
  world.keeper.claim(kFirst, {vip("10.0.0.9"), vip("10.0.0.10/32")});
  world.keeper.hold(kFirst, {vip("10.0.0.9"), vip("10.0.0.10/32")});
  CHECK(world.settle() == 1);  // a resumed owner need not wait for the others
  CHECK(world.take<Foreign>().empty());
  CHECK(world.has("10.1.0.9"));
  world.keeper.sweep_leftovers();
  world.settle();

  CHECK(world.has("10.0.0.9"));
  CHECK(world.has("10.0.0.10/32"));
  CHECK_FALSE(world.has("10.0.0.10/24"));  // the former one had another prefix length
  CHECK_FALSE(world.has("10.1.0.9"));      // nobody knows its owner any more
  CHECK(world.has("10.0.0.1/24"));
  CHECK(world.keeper.counters().repairs == 0);
  CHECK(world.record_is_complete());
}

TEST_CASE("keeper: a release leaves what is static, on record, and a successor knows it") {
  World world;
  world.keeper.claim(kDirector, {vip("10.0.0.1/24")});
  world.keeper.hold(kDirector, {vip("10.0.0.1/24")});
  world.keeper.hold(kFirst, {vip("10.0.0.9/24")});
  world.settle();

  world.crash();  // now the process that takes addresses off
  world.inherit();
  world.keeper.sweep_leftovers(Statics::stay);
  world.settle();
  CHECK(world.has("10.0.0.1/24"));
  CHECK_FALSE(world.has("10.0.0.9/24"));
  CHECK(world.keeper.owned_count() == 1);
  CHECK(world.keeper.staying_count() == 1);
  CHECK(world.record_is_complete());

  world.crash();  // a successor whose file has it no more
  world.inherit();
  world.keeper.sweep_leftovers();
  world.settle();
  CHECK_FALSE(world.has("10.0.0.1/24"));
  CHECK(world.record.all().empty());
}

TEST_CASE("keeper: an address that is static no more is swept like any other") {
  World world;
  world.keeper.hold(kDirector, {vip("10.0.0.1/24")});
  world.keeper.hold(kFirst, {vip("10.0.0.1/24")});
  world.settle();
  world.keeper.hold(kDirector, {});
  world.settle();
  CHECK(world.has("10.0.0.1/24"));

  world.crash();
  world.inherit();
  world.keeper.sweep_leftovers(Statics::stay);
  world.settle();
  CHECK_FALSE(world.has("10.0.0.1/24"));
  CHECK(world.keeper.staying_count() == 0);
}

TEST_CASE("keeper: without marks (an old kernel) the record alone tells what is ours") {
  World world;
  world.keeper.hold(kFirst, {vip("10.0.0.9"), vip("10.0.0.10")});
  world.settle();
  for (Address& address : world.kernel) address.protocol = 0;
  world.events_arrive();
  world.foreign(StepKind::add, "10.0.0.77");

  world.crash();
  world.inherit();
  world.keeper.sweep_leftovers();
  world.settle();

  REQUIRE(world.kernel.size() == 1);
  CHECK(world.has("10.0.0.77"));
  CHECK(world.record.all().empty());
}

TEST_CASE("keeper: where the kernel keeps marks, what has none is somebody else's by now") {
  World world;
  world.keeper.hold(kFirst, {vip("10.0.0.9"), vip("10.0.0.10")});
  world.settle();
  world.kernel.at(0).protocol = 0;  // taken away and put there by hand
  world.events_arrive();

  world.crash();
  world.inherit();
  world.keeper.sweep_leftovers();
  world.settle();

  CHECK(world.has("10.0.0.9"));
  CHECK_FALSE(world.has("10.0.0.10"));
  CHECK(world.record.all().empty());
}

TEST_CASE("keeper: what carries our mark is ours again after it was believed gone") {
  World world;
  world.keeper.claim(kFirst, {vip("10.0.0.9")});
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  world.inherit();
  world.settle();
  const AddressKey key = world.kernel.at(0).key();

  // Its removal and its return fall into a gap of the events, and reading it all again fails.
  world.keeper.on_address(*world.mirror.addresses.remove(key), world.mirror, world.now);
  for (int round = 0; round <= Keeper::kMaxRounds; ++round) {
    std::vector<Batch> batches;
    world.keeper.work(world.mirror, world.now, batches, world.notices);
    for (const Batch& batch : batches)
      world.keeper.on_results(batch, {{EEXIST, ""}}, world.mirror, world.now);
  }
  REQUIRE(world.keeper.owned_count() == 0);
  world.events_arrive();
  world.settle();

  CHECK(world.keeper.owned_count() == 1);
  CHECK_FALSE(world.keeper.publication(kFirst, world.mirror).addresses.at(0).foreign);
  CHECK(world.record_is_complete());
  world.keeper.release(kFirst);
  world.settle();
  CHECK_FALSE(world.has("10.0.0.9"));
}

TEST_CASE("keeper: a mark that came later is not ours where nobody wants the address") {
  World world;
  world.keeper.claim(kFirst, {vip("10.0.0.9")});
  world.inherit();
  world.keeper.sweep_leftovers();
  world.settle();

  world.foreign(StepKind::add, "10.0.0.9", "eth0", kProtocolHoldfast);

  CHECK(world.settle() == 0);
  CHECK(world.has("10.0.0.9"));
}

TEST_CASE("keeper: a record of an interface that was made again names nothing") {
  World world;
  world.foreign(StepKind::add, "10.0.0.9");
  world.record.apply({Ownership::began, {7, *IpAddress::parse("10.0.0.9"), 32, "eth0"}});
  world.record.apply({Ownership::began, {2, *IpAddress::parse("10.0.0.9"), 32, "eth7"}});

  world.inherit();
  world.keeper.sweep_leftovers();

  CHECK(world.settle() == 0);
  CHECK(world.has("10.0.0.9"));
}

TEST_CASE("keeper: a mark that another director may have left is no proof, the record is") {
  World world;
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  world.settle();
  world.foreign(StepKind::add, "10.0.0.10", "eth0", kProtocolHoldfast);

  world.crash();
  world.inherit(OtherKeepers::some);
  world.keeper.sweep_leftovers();
  world.settle();

  CHECK_FALSE(world.has("10.0.0.9"));
  CHECK(world.has("10.0.0.10"));
}

TEST_CASE("keeper: of keepalived's leftovers those go that are claimed") {
  World world;
  world.foreign(StepKind::add, "10.0.0.9", "eth0", kProtocolKeepalived);
  world.foreign(StepKind::add, "10.0.0.10", "eth0", kProtocolKeepalived);
  world.foreign(StepKind::add, "10.0.0.11", "eth0", kProtocolKeepalived);
  world.inherit();

  world.keeper.claim(kFirst, {vip("10.0.0.9/24")});
  world.keeper.claim(kSecond, {vip("10.0.0.11")});
  world.keeper.hold(kSecond, {vip("10.0.0.11")});
  world.keeper.sweep_leftovers();
  CHECK(world.settle() == 1);

  CHECK_FALSE(world.has("10.0.0.9"));
  CHECK(world.has("10.0.0.10"));
  CHECK(world.has("10.0.0.11"));
  world.keeper.release(kSecond);
  world.settle();
  CHECK_FALSE(world.has("10.0.0.11"));

  // At a reload it is no leftover any more: somebody runs keepalived beside us.
  world.keeper.claim(kFirst, {vip("10.0.0.10")});
  world.keeper.sweep_leftovers();
  CHECK(world.settle() == 0);
  CHECK(world.has("10.0.0.10"));
}

TEST_CASE("keeper: on an interface that is renamed nothing of ours stays, and back it is again") {
  World world;
  world.keeper.claim(kFirst, {vip("10.0.0.9")});
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  world.settle();
  world.notices.clear();

  world.rename(2, "eth7");
  CHECK(world.settle() == 1);
  CHECK(world.kernel.empty());
  CHECK(world.take<Lost>() == std::vector{lost(kFirst, "10.0.0.9", "there is no interface eth0")});
  CHECK(world.record.all().empty());

  world.rename(2, "eth0");
  CHECK(world.settle() == 1);
  CHECK(world.has("10.0.0.9"));
  CHECK(world.take<Published>().at(0).publication.complete);
  CHECK(world.keeper.counters().repairs == 0);
}

TEST_CASE("keeper: a name that passes to another interface takes its addresses along") {
  World world;
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  world.settle();

  world.rename(2, "old");
  world.link_appears(3, "eth0");
  world.settle();

  REQUIRE(world.kernel.size() == 1);
  CHECK(world.kernel[0].interface == 3);
  CHECK(world.record_is_complete());
}

TEST_CASE("keeper: a release under another name is complete when it is off there") {
  World world;
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  world.settle();
  world.refuse_with = EPERM;
  world.rename(2, "eth7");
  world.settle();
  world.keeper.release(kFirst);
  world.settle();
  CHECK_FALSE(world.keeper.publication(kFirst, world.mirror).complete);

  world.refuse_with = 0;
  world.now += 1s;
  world.settle();
  CHECK(world.keeper.publication(kFirst, world.mirror).complete);
  CHECK(world.kernel.empty());
}

TEST_CASE("keeper: one refused address does not hold back the others, and is told once") {
  World world;
  world.refuse_with = EACCES;
  world.refuse_only = {*IpAddress::parse("2001:db8::9")};

  world.keeper.hold(kFirst, {vip("10.0.0.9"), vip("2001:db8::9/64"), vip("10.0.0.10")});
  world.settle();

  const auto published = world.take<Published>();
  REQUIRE(published.size() == 1);
  const Publication& outcome = published[0].publication;
  CHECK_FALSE(outcome.complete);
  CHECK(outcome.addresses.size() == 3);
  CHECK(outcome.placed() == 2);
  CHECK(outcome.first_problem() == outcome.addresses.at(1).problem);
  CHECK(outcome.addresses.at(1).problem.starts_with("cannot add 2001:db8::9/64 on eth0"));

  // Somebody's interference with a neighbour is mended at once, whatever waits for its retry.
  world.foreign(StepKind::remove, "10.0.0.10");
  world.settle();
  CHECK(world.has("10.0.0.10"));
  CHECK(world.take<Published>().empty());

  world.refuse_with = 0;
  world.now += 1s;
  world.settle();
  const auto cured = world.take<Published>();
  REQUIRE(cured.size() == 1);
  CHECK(cured[0].publication.complete);
}

TEST_CASE("keeper: a refused address is tried again with a growing pause") {
  World world;
  world.refuse_with = EINVAL;
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  world.settle();

  std::vector<Duration> pauses;
  for (int attempt = 0; attempt < 8; ++attempt) {
    REQUIRE(world.keeper.deadline().has_value());
    pauses.push_back(*world.keeper.deadline() - world.now);
    world.now = *world.keeper.deadline();
    CHECK(world.settle() == 1);
  }
  CHECK(pauses == std::vector<Duration>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s});
  CHECK(world.take<Refused>().size() == 1);

  // The carrier came back, or whatever else happened to the interface: at once, then as before.
  Link link = *world.mirror.links.find(InterfaceIndex{2});
  link.running = true;
  world.keeper.on_link(*world.mirror.links.upsert(link), world.now);
  CHECK(world.settle() == 1);
  CHECK(world.keeper.deadline() == world.now + 60s);
  // Somebody else's address goes, which may have been in the way.
  world.foreign(StepKind::add, "10.0.0.1/24");
  CHECK(world.settle() == 1);
  // A new wish begins anew.
  world.keeper.hold(kFirst, {vip("10.0.0.9")});
  CHECK(world.settle() == 1);
  CHECK(world.keeper.deadline() == world.now + 1s);
}

TEST_CASE("keeper: whatever happens, when it is quiet the kernel has what the owners hold") {
  static constexpr std::array<std::string_view, 5> kPrefixes{
      "10.0.0.9/32", "10.0.0.9/24", "10.0.0.10/24", "10.0.0.11/24", "10.1.0.9/32"};
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    World world;
    world.promote = rng.chance(50) ? PromoteSecondaries::yes : PromoteSecondaries::no;
    world.foreign(StepKind::add, "10.0.0.1/24");
    world.inherit();
    world.keeper.sweep_leftovers();
    InterfaceIndex index = 2;
    bool renamed = false;
    std::map<RouterKey, std::vector<DesiredAddress>> holds;
    for (int round = 0; round < 30; ++round) {
      const RouterKey owner = rng.chance(50) ? kFirst : kSecond;
      const std::string_view prefix = kPrefixes.at(rng.below(kPrefixes.size()));
      switch (rng.below(9u)) {
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
          renamed = false;
          break;
        case 6:
          renamed = !renamed;
          world.rename(index, renamed ? "eth7" : "eth0");
          break;
        case 7:
          world.crash();
          world.inherit();
          for (const auto& [key, addresses] : holds) world.keeper.hold(key, addresses);
          world.keeper.sweep_leftovers();
          break;
        default:
          world.now += 300ms;
      }
      if (rng.chance(60)) world.settle();
      REQUIRE(world.record_is_complete());
    }

    if (renamed) world.rename(index, "eth0");
    world.refuse_with = 0;
    for (int times = 0; times < 3; ++times) {
      world.settle();
      world.now += 60s;
    }

    std::set<IpPrefix> wanted;
    for (const auto& [owner, addresses] : holds) {
      for (const DesiredAddress& address : addresses) wanted.insert(address.prefix);
      REQUIRE(world.keeper.publication(owner, world.mirror).complete);
    }
    std::set<IpPrefix> there;
    for (const Address& address : world.kernel) there.insert(address.prefix);
    REQUIRE(there.erase(*IpPrefix::parse("10.0.0.1/24")) == (index == 2 ? 1 : 0));
    REQUIRE(there == wanted);
    REQUIRE(world.record.all().size() == wanted.size());
    REQUIRE_FALSE(world.keeper.has_work());
    REQUIRE(world.keeper.deadline() == std::nullopt);
  }
}
