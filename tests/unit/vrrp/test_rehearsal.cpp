// What a copy of a director would do, with its peers as they were heard.
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/rehearsal.hpp"
#include "vrrp/core/situation.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
using Lines = std::vector<std::string>;

namespace {

const Instant t0{1h};
const IpAddress kPeer = ip("192.0.2.2");

InstanceSettings with_priority(int priority) {
  InstanceSettings settings = everyday();
  settings.priority = static_cast<std::uint8_t>(priority);
  return settings;
}

/// One that has run for a while beside a peer of this priority; 0: there is none.
DirectorCopy beside_peer(int ours, int theirs, Preempt preempt = Preempt::yes) {
  InstanceSettings settings = with_priority(ours);
  settings.preempt = preempt;
  Driver driver{Router({settings})};
  Actions actions;
  driver.handle(
      InterfaceChanged{
          "eth0", {.exists = true, .up = true, .primary_address = ip("192.0.2.1"), .trouble = {}}},
      t0, actions);
  driver.handle(Startup{}, t0, actions);
  Instant now = t0;
  std::size_t answered = 0;
  const auto settle = [&] {
    for (; answered < actions.size(); ++answered)
      if (const auto* sent = std::get_if<SendAdvert>(&actions[answered])) {
        const AdvertSent answer{sent->router->key, sent->priority};
        driver.answer(answer, actions);
      }
  };
  for (int second = 0; second < 8; ++second) {
    now += 1s;
    if (theirs > ours || (second < 2 && theirs != 0)) {
      std::vector<std::uint8_t> payload;
      encode_advert(make_advert(with_priority(theirs), static_cast<std::uint8_t>(theirs)), payload);
      driver.begin(now, 0s, actions);
      driver.receive({"eth0", core::Family::v4, kPeer, vrrp_group(), 255, payload}, actions);
    }
    while (driver.deadline() && *driver.deadline() <= now) {
      driver.begin(*driver.deadline(), 0s, actions);
      driver.finish(actions);
      settle();
    }
  }
  return {driver.router(), Turn(), now};
}

StateName state_of(const DirectorCopy& director) {
  return director.router.instances()[0]->state_name();
}

/// "3.609 VI_1 BACKUP -> MASTER", "3.6 192.0.2.2 INIT -> …"; adverts, addresses and scripts alike.
Lines told(const Rehearsal& rehearsal) {
  Lines lines;
  for (const Deed& deed : rehearsal.deeds()) {
    std::string what = to_string(deed.action);
    if (std::holds_alternative<StateChanged>(deed.action)) what = what.substr(0, what.find(':'));
    lines.push_back(fmt::format(
        "{:.3f} {} {}", std::chrono::duration<double>(deed.at - rehearsal.began_at()).count(),
        deed.peer ? deed.peer->to_string() : "we", what));
  }
  return lines;
}

}  // namespace

TEST_CASE("rehearsal: an unchanged configuration does nothing, now or later") {
  for (const int theirs : {150, 50, 0}) {
    const DirectorCopy director = beside_peer(100, theirs);
    REQUIRE(state_of(director) == (theirs > 100 ? StateName::backup : StateName::master));
    Rehearsal rehearsal(director);

    rehearsal.reload({with_priority(100)}, {});
    rehearsal.run(30s);

    CHECK(told(rehearsal) == Lines{});
  }
}

TEST_CASE("rehearsal: a silent master is succeeded when its down timer has run out") {
  Rehearsal rehearsal(beside_peer(100, 150));

  REQUIRE(rehearsal.silence(kPeer));
  rehearsal.run(10s);

  CHECK(told(rehearsal) == Lines{"3.609 we send advert priority 100",
                                 "3.609 we publish 192.0.2.100/32", "3.609 we announce x5",
                                 "3.609 we BACKUP -> MASTER", "3.609 we notify MASTER 100",
                                 "8.609 we announce x5"});
  CHECK_FALSE(rehearsal.silence(ip("192.0.2.77")));
}

TEST_CASE("rehearsal: ends early when nobody waits for it any more") {
  DirectorCopy director = beside_peer(100, 150);
  int asked = 0;
  director.is_wanted = [&asked] { return ++asked < 50; };
  Rehearsal rehearsal(director);

  rehearsal.run(24h);

  CHECK(rehearsal.ended_early());
  CHECK(asked >= 50);
  CHECK(asked < 100);
}

TEST_CASE("rehearsal: a priority above the master's takes over, and the peer yields") {
  Rehearsal rehearsal(beside_peer(100, 150));

  rehearsal.reload({with_priority(160)}, {});
  rehearsal.run(10s);

  const Lines lines = told(rehearsal);
  REQUIRE(lines.size() >= 6);
  CHECK(lines[0].ends_with("we send advert priority 160"));
  CHECK(lines[3].ends_with("we BACKUP -> MASTER"));
  CHECK(lines[5].ends_with("192.0.2.2 MASTER -> BACKUP"));
}

TEST_CASE("rehearsal: a master that becomes weaker than its peer loses to it") {
  Rehearsal rehearsal(beside_peer(200, 150));

  rehearsal.reload({with_priority(90)}, {});
  rehearsal.run(10s);

  Lines states;
  for (const std::string& line : told(rehearsal))
    if (line.find("->") != std::string::npos) states.push_back(line.substr(line.find(' ') + 1));
  CHECK(states == Lines{"192.0.2.2 BACKUP -> MASTER", "we MASTER -> BACKUP"});
}

TEST_CASE("rehearsal: a removed master resigns and withdraws when its successor is heard") {
  Rehearsal rehearsal(beside_peer(200, 150));

  rehearsal.reload({}, {});
  rehearsal.run(10s);

  CHECK(told(rehearsal) == Lines{"0.000 we send advert priority 0", "0.000 we MASTER -> INIT",
                                 "0.414 192.0.2.2 BACKUP -> MASTER", "0.514 we withdraw",
                                 "0.514 we notify DELETED 200", "0.514 we removed"});
  CHECK(rehearsal.deeds().back().taken_off.empty());
  CHECK(rehearsal.deeds()[3].taken_off.size() == 1);
}

TEST_CASE("rehearsal: an interface that fails takes its master down, and the peer succeeds") {
  Rehearsal rehearsal(beside_peer(200, 150));

  rehearsal.change_interface(
      "eth0", {.exists = true, .up = false, .primary_address = ip("192.0.2.1"), .trouble = {}});
  rehearsal.run(5s);

  const Lines lines = told(rehearsal);
  CHECK(std::find(lines.begin(), lines.end(), "0.000 we MASTER -> FAULT") != lines.end());
  CHECK(std::find(lines.begin(), lines.end(), "0.000 we withdraw") != lines.end());
  REQUIRE(!lines.empty());
  CHECK(lines.back().ends_with("192.0.2.2 BACKUP -> MASTER"));
}

TEST_CASE("rehearsal: only addresses that change are placed or taken off") {
  Rehearsal rehearsal(beside_peer(200, 150));
  InstanceSettings next = with_priority(200);
  VirtualAddress other = next.addresses[0];
  other.prefix.address = ip("192.0.2.101");
  next.addresses.push_back(other);

  rehearsal.reload({next}, {});

  REQUIRE(told(rehearsal) ==
          Lines{"0.000 we publish 192.0.2.100/32 192.0.2.101/32", "0.000 we announce x5"});
  CHECK(rehearsal.deeds()[0].placed == std::vector{other});
  CHECK(rehearsal.deeds()[0].taken_off.empty());

  rehearsal.run(3s);
  const Lines lines = told(rehearsal);
  CHECK(std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
          return line.ends_with("we send advert priority 200");
        }) == 1);  // the first one with the new list; those after it are nothing new
}

TEST_CASE("rehearsal: of whom nobody was heard is named, when it is concerned") {
  Rehearsal alone(beside_peer(200, 0));
  CHECK(alone.without_peers().empty());
  alone.reload({with_priority(90)}, {});
  alone.run(5s);
  CHECK(alone.without_peers() == std::vector<std::string>{"VI_1"});

  Rehearsal beside(beside_peer(200, 150));
  beside.reload({with_priority(90)}, {});
  beside.run(5s);
  CHECK(beside.without_peers().empty());
}

TEST_CASE("rehearsal: what is due in this moment is no consequence of the reload") {
  DirectorCopy director = beside_peer(200, 150);
  InstanceSettings next = with_priority(200);
  VirtualAddress other = next.addresses[0];
  other.prefix.address = ip("192.0.2.101");
  next.addresses.push_back(other);
  director.now += 600ms;  // the second announcements since the takeover are due, and an advert
  REQUIRE(*director.router.deadline() < director.now);

  Rehearsal rehearsal(director);
  rehearsal.reload({next}, {});
  rehearsal.run(0s);

  CHECK(told(rehearsal) ==
        Lines{"0.000 we publish 192.0.2.100/32 192.0.2.101/32", "0.000 we announce x5"});
}

TEST_CASE("rehearsal: what the kernel refuses today it refuses then") {
  DirectorCopy director = beside_peer(200, 150);
  Actions actions;
  director.router.step(AddressesPlaced{with_priority(200).key(), 1, 0, "Operation not permitted"},
                       director.now, actions);
  REQUIRE(state_of(director) == StateName::fault);
  Rehearsal rehearsal(director);

  rehearsal.reload({with_priority(200)}, {});
  rehearsal.run(5s);

  CHECK(std::any_of(rehearsal.deeds().begin(), rehearsal.deeds().end(), [](const Deed& deed) {
    return !deed.peer && to_string(deed.action).starts_with("FAULT -> BACKUP");
  }));
}

TEST_CASE("rehearsal: the director is as it was, whatever was rehearsed with its copy") {
  const DirectorCopy director = beside_peer(100, 150);
  const RouterSituation before = director.router.situation();

  Rehearsal rehearsal(director);
  rehearsal.reload({with_priority(254)}, {});
  rehearsal.run(30s);

  CHECK(director.router.situation() == before);
}

namespace {

InterfaceStatus seen(bool with_link_local = true) {
  return {.exists = true,
          .up = true,
          .primary_address = ip("192.0.2.1"),
          .link_local = with_link_local ? std::optional(ip("fe80::1")) : std::nullopt,
          .own_addresses = {ip("192.0.2.1")}};
}

InstanceSettings between_peers(int priority) {
  InstanceSettings settings = with_priority(priority);
  settings.source_address = ip("192.0.2.1");
  settings.unicast =
      Unicast{.peers = {{kPeer, 250, 255}}, .hop_limit = 64, .senders = Senders::anybody};
  return settings;
}

/// A backup, or one in FAULT, that heard this master 800 ms ago.
DirectorCopy below_master(const InstanceSettings& ours, const InterfaceStatus& status,
                          Duration their_interval) {
  Driver driver{Router({ours})};
  Actions actions;
  driver.handle(InterfaceChanged{"eth0", status}, t0, actions);
  driver.handle(Startup{}, t0, actions);
  InstanceSettings theirs = ours;
  theirs.advert_interval = their_interval;
  const IpAddress to = ours.unicast ? ip("192.0.2.1") : vrrp_group();
  std::vector<std::uint8_t> payload;
  encode_advert(make_advert(theirs, 200), payload, {theirs.version, kPeer, to});
  driver.begin(t0, 0s, actions);
  driver.receive({"eth0", core::Family::v4, kPeer, to, 255, payload}, actions);
  driver.finish(actions);
  return {driver.router(), Turn(), t0 + 800ms};
}

}  // namespace

TEST_CASE("rehearsal: a source that the next configuration names is one that the host has") {
  InterfaceStatus before = seen();
  before.own_addresses = {};
  Rehearsal rehearsal(below_master(with_priority(100), before, 1s));
  rehearsal.reload({between_peers(100)}, {{"eth0", seen()}});
  CHECK(rehearsal.router().instances().back()->state_name() == StateName::backup);
}

TEST_CASE("rehearsal: an interface that comes up has its link-local address and its troubles") {
  InstanceSettings six = with_priority(100);
  six.family = core::Family::v6;
  six.version = 3;
  six.addresses = {};
  InterfaceStatus deaf = seen();
  deaf.trouble = "no socket";
  Rehearsal rehearsal(below_master(with_priority(100), deaf, 1s));
  rehearsal.reload({with_priority(100), six}, {{"eth0", seen()}});
  rehearsal.change_interface("eth0", seen());
  CHECK(rehearsal.router().instances().front()->state_name() == StateName::fault);
  CHECK(rehearsal.router().instances().back()->state_name() == StateName::backup);
}

TEST_CASE("rehearsal: a master that was heard is imagined with the interval that it advertised") {
  InstanceSettings ours = with_priority(100);
  ours.version = 3;
  InterfaceStatus deaf = seen();
  deaf.trouble = "no socket";
  CHECK(Rehearsal(below_master(ours, deaf, 1s)).peers().size() == 1);
  CHECK(Rehearsal(below_master(ours, deaf, 100ms)).peers().empty());
}

TEST_CASE("rehearsal: a unicast peer is imagined within the window of hops that we accept") {
  Rehearsal rehearsal(below_master(between_peers(100), seen(), 1s));
  REQUIRE(rehearsal.peers().size() == 1);
  rehearsal.run(15s);
  CHECK(rehearsal.router().instances().front()->state_name() == StateName::backup);
}
