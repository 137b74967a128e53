// Routes and rules: who wants what, what is ours, what is done about it, and the record of it.
#include "netlink_reflector/core/codec.hpp"
#include "netlink_reflector/core/routing_keeper.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <linux/rtnetlink.h>

using namespace holdfast;
using namespace holdfast::netlink;
using namespace std::chrono_literals;

namespace {

using Part = RoutingKeeper::Part;
using Kind = RoutingStep::Kind;

core::RouterKey owner(std::uint8_t vrid) {
  return {"eth0", core::Family::v4, vrid, core::IpAddress::v4({224, 0, 0, 18})};
}

core::IpAddress ip(std::string_view text) {
  return *core::IpAddress::parse(text);
}

DesiredRouting route(std::string_view destination, std::string_view via,
                     std::string interface = {}) {
  const auto prefix = *core::IpPrefix::parse(destination);
  DesiredRouting made;
  made.entry.family = prefix.address.family();
  made.entry.destination_length = prefix.length;
  made.entry.protocol = kProtocolKeepalived;
  made.entry.type = RTN_UNICAST;
  made.entry.table = kMainTable;
  made.entry.attributes[RTA_DST] = bytes_of(prefix.address);
  if (!via.empty()) made.entry.attributes[RTA_GATEWAY] = bytes_of(ip(via));
  made.interface = std::move(interface);
  made.text = "route " + std::string(destination) + " via " + std::string(via);
  return made;
}

/// A kernel that does what it is told, and what strangers do.
struct Bench {
  RoutingKeeper keeper;
  std::vector<RoutingEntry> kernel{};
  std::map<std::string, InterfaceIndex> links{{"eth0", 2}, {"eth1", 3}};
  std::set<InterfaceIndex> down{};
  std::vector<core::IpAddress> addresses{};
  core::Instant now{1h};
  int refusal = 0;  // errno of additions
  int removal_refusal = 0;
  std::vector<std::string> done{};

  Surroundings surroundings() {
    return {.find = [this](const std::string& name) -> std::optional<InterfaceIndex> {
              const auto found = links.find(name);
              return found == links.end() ? std::nullopt : std::optional(found->second);
            },
            .is_up = [this](InterfaceIndex index) { return !down.contains(index); },
            .is_usable =
                [this](const core::IpAddress& address) {
                  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
                }};
  }

  void work(Part part = Part::all) {
    for (int round = 0; round < 3; ++round) {
      const auto steps = keeper.plan(kernel, surroundings(), now, part);
      if (steps.empty()) return;
      std::vector<RoutingKeeper::Outcome> outcomes;
      for (const RoutingStep& step : steps) outcomes.push_back({carry_out(step), {}});
      keeper.on_outcomes(steps, outcomes, now);
    }
  }

  int carry_out(const RoutingStep& step) {
    done.push_back((step.kind == Kind::add ? "add " : "remove ") + step.text);
    if (step.kind == Kind::add) {
      if (refusal != 0) return refusal;
      kernel.push_back(step.entry);
      return 0;
    }
    if (removal_refusal != 0) return removal_refusal;
    return std::erase(kernel, step.entry) == 0 ? ESRCH : 0;
  }

  std::vector<std::string> take() { return std::exchange(done, {}); }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("routing: comes with its owner and goes with it") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  bench.keeper.claim(owner(1), {route("10.1.0.0/16", "10.0.0.254")});
  bench.work();
  CHECK(bench.kernel.empty());

  bench.keeper.hold(owner(1));
  bench.work();
  CHECK(bench.take() == Lines{"add route 10.1.0.0/16 via 10.0.0.254"});
  CHECK(bench.keeper.states(owner(1)).front().held);

  bench.keeper.release(owner(1));
  bench.work(Part::withdrawals);
  CHECK(bench.take() == Lines{"remove route 10.1.0.0/16 via 10.0.0.254"});
  CHECK(bench.keeper.owned().empty());
}

TEST_CASE("routing: a default route of several owners goes with the last one") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  for (const std::uint8_t each : {std::uint8_t{1}, std::uint8_t{2}}) {
    bench.keeper.claim(owner(each), {route("0.0.0.0/0", "10.0.0.254")});
    bench.keeper.hold(owner(each));
  }
  bench.work();
  CHECK(bench.kernel.size() == 1);

  bench.keeper.release(owner(1));
  bench.work();
  CHECK(bench.kernel.size() == 1);
  bench.keeper.forget(owner(2));
  bench.work();
  CHECK(bench.kernel.empty());
}

TEST_CASE("routing: what is there without us is used and never taken off") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  const DesiredRouting wish = route("10.1.0.0/16", "10.0.0.254");
  bench.keeper.claim(owner(1), {wish});
  bench.work();
  bench.kernel.push_back(wish.entry);  // after the start: somebody else put it there

  bench.keeper.hold(owner(1));
  bench.work();
  CHECK(bench.keeper.states(owner(1)).front().held);
  bench.keeper.release(owner(1));
  bench.work();
  CHECK(bench.kernel.size() == 1);
  CHECK(bench.take().empty());
}

TEST_CASE("routing: somebody's removal is put back, with no_track it stays until the next time") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  DesiredRouting loose = route("10.2.0.0/16", "10.0.0.254");
  loose.when_taken = WhenTaken::stay_away;
  bench.keeper.claim(owner(1), {route("10.1.0.0/16", "10.0.0.254"), loose});
  bench.keeper.hold(owner(1));
  bench.work();
  bench.take();

  bench.kernel.clear();
  bench.work();
  CHECK(bench.take() == Lines{"add route 10.1.0.0/16 via 10.0.0.254"});
  CHECK(bench.keeper.repairs() == 1);
  CHECK(bench.keeper.states(owner(1)).back().let_go);

  bench.keeper.release(owner(1));
  bench.work();
  bench.keeper.hold(owner(1));
  bench.work();
  CHECK(bench.kernel.size() == 2);
}

TEST_CASE("routing: who removes it again and again gets a pause") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  bench.keeper.claim(owner(1), {route("10.1.0.0/16", "10.0.0.254")});
  bench.keeper.hold(owner(1));
  bench.work();
  bench.take();

  for (int round = 0; round < 30; ++round) {
    bench.kernel.clear();
    bench.now += 10ms;
    bench.work();
  }
  CHECK(bench.take().size() == RoutingKeeper::kMaxRepairs);
  REQUIRE(bench.keeper.deadline());
  bench.now = *bench.keeper.deadline();
  bench.work();
  CHECK(bench.kernel.size() == 1);
}

TEST_CASE("routing: waits for its source address, its interface and the link") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  DesiredRouting from = route("10.1.0.0/16", "10.0.0.254", "eth1");
  from.entry.attributes[RTA_PREFSRC] = bytes_of(ip("10.0.0.200"));
  bench.keeper.claim(owner(1), {from});
  bench.keeper.hold(owner(1));
  bench.links.erase("eth1");
  bench.work();
  CHECK(bench.keeper.states(owner(1)).front().problem == "there is no interface eth1");

  bench.links["eth1"] = 7;
  bench.down = {7};
  bench.work();
  CHECK(bench.keeper.states(owner(1)).front().problem == "eth1 is down");

  bench.down.clear();
  bench.work();
  CHECK(bench.keeper.states(owner(1)).front().problem ==
        "no interface has its source address 10.0.0.200");
  CHECK(bench.take().empty());

  bench.addresses = {ip("10.0.0.200")};
  bench.work();
  CHECK(bench.take().size() == 1);
  CHECK(bench.keeper.states(owner(1)).front().problem.empty());
}

TEST_CASE("routing: a refusal is told once, and tried again at growing distances") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  bench.keeper.claim(owner(1), {route("10.1.0.0/16", "10.9.9.9")});
  bench.keeper.hold(owner(1));
  bench.refusal = ENETUNREACH;
  std::vector<core::Duration> pauses;
  for (int attempt = 0; attempt < 4; ++attempt) {
    bench.work();
    REQUIRE(bench.keeper.deadline());
    pauses.push_back(*bench.keeper.deadline() - bench.now);
    bench.now = *bench.keeper.deadline();
  }
  CHECK(pauses == std::vector<core::Duration>{1s, 2s, 4s, 8s});
  CHECK(bench.keeper.take_notices().size() == 1);
  CHECK(bench.keeper.owned().empty());
  CHECK(bench.keeper.states(owner(1)).front().problem.find("gateway") != std::string::npos);
}

TEST_CASE("routing: what the kernel shows otherwise than it was said is taken off all the same") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  bench.keeper.claim(owner(1), {route("10.1.0.0/16", "10.0.0.254")});
  bench.keeper.hold(owner(1));
  const auto work = [&](int error) {
    const auto steps = bench.keeper.plan(bench.kernel, bench.surroundings(), bench.now, Part::all);
    const RoutingKeeper::Outcome outcome{error, {}};
    bench.keeper.on_outcomes(steps, std::vector(steps.size(), outcome), bench.now);
    return steps;
  };
  CHECK(work(0).size() == 1);
  CHECK(work(EEXIST).size() == 1);
  CHECK_MESSAGE(work(0).empty(), "it is not tried all the time");

  bench.keeper.release(owner(1));
  const auto steps = work(0);
  REQUIRE(steps.size() == 1);
  CHECK(steps.front().kind == Kind::remove);
  CHECK(bench.keeper.owned().empty());
}

TEST_CASE("routing: what is on record goes after a crash, whatever the kernel shows of it") {
  Bench bench;
  const DesiredRouting left = route("10.2.0.0/16", "10.0.0.254");
  bench.keeper.inherit({.owned = {left.entry}});
  bench.keeper.sweep_leftovers();
  bench.work();
  CHECK(bench.take() == Lines{"remove route of a former process"});
  CHECK_MESSAGE(bench.keeper.owned().empty(), "there was none: it is gone");
}

TEST_CASE("routing: what a predecessor was granted is ours, though it is shown otherwise") {
  Bench bench;
  const DesiredRouting capped = route("10.2.0.0/16", "10.0.0.254");
  bench.keeper.inherit({.owned = {capped.entry}});
  bench.keeper.claim(owner(1), {capped});
  bench.keeper.hold(owner(1));
  bench.keeper.sweep_leftovers();
  bench.refusal = EEXIST;
  bench.work();
  bench.keeper.release(owner(1));
  bench.work();
  CHECK(bench.take() ==
        Lines{"add route 10.2.0.0/16 via 10.0.0.254", "remove route 10.2.0.0/16 via 10.0.0.254"});
}

TEST_CASE("routing: a link that was down is no stranger, with no_track and without") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  DesiredRouting loose = route("10.2.0.0/16", "10.0.0.254");
  loose.when_taken = WhenTaken::stay_away;
  bench.keeper.claim(owner(1), {route("10.1.0.0/16", "10.0.0.254"), loose});
  bench.keeper.hold(owner(1));
  bench.work();
  const auto all = bench.kernel;
  for (RoutingEntry& each : bench.kernel) each.attributes[RTA_OIF] = bytes_of(std::uint32_t{2});
  bench.work();
  bench.take();

  SUBCASE("it is back already") {
    bench.keeper.on_link_down(2);
  }
  SUBCASE("it is down still") {
    bench.down = {2};
  }
  bench.kernel.clear();
  bench.work();
  CHECK(bench.kernel == all);
  CHECK(bench.keeper.repairs() == 0);
  CHECK(bench.keeper.states(owner(1)).back().held);
}

TEST_CASE("routing: another link's end excuses nobody") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  DesiredRouting loose = route("10.2.0.0/16", "10.0.0.254", "eth0");
  loose.when_taken = WhenTaken::stay_away;
  bench.keeper.claim(owner(1), {loose});
  bench.keeper.hold(owner(1));
  bench.work();
  bench.keeper.on_link_down(3);
  bench.kernel.clear();
  bench.work();
  CHECK(bench.keeper.states(owner(1)).back().let_go);
}

TEST_CASE("routing: what has expired stays away until the next time, what was taken does not") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  DesiredRouting passing = route("2001:db8::/32", "fe80::1", "eth0");
  passing.expires = 60;
  bench.keeper.claim(owner(1), {passing});
  bench.keeper.hold(owner(1));
  bench.work();
  bench.now += 30s;
  bench.kernel.clear();
  bench.work();
  CHECK(bench.keeper.repairs() == 1);

  bench.work();
  bench.now += 90s;  // the kernel looks now and then only
  bench.kernel.clear();
  bench.work();
  CHECK(bench.kernel.empty());
  CHECK(bench.keeper.repairs() == 1);
  CHECK(bench.keeper.states(owner(1)).front().problem == "it has expired, as configured");

  bench.keeper.release(owner(1));
  bench.work();
  bench.keeper.hold(owner(1));
  bench.work();
  CHECK(bench.kernel.size() == 1);
}

TEST_CASE("routing: a removal that is refused is told once, and tried at growing distances") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  bench.keeper.claim(owner(1), {route("10.1.0.0/16", "10.0.0.254")});
  bench.keeper.hold(owner(1));
  bench.work();
  bench.keeper.release(owner(1));
  bench.take();
  bench.removal_refusal = EPERM;
  std::vector<core::Duration> pauses;
  for (int attempt = 0; attempt < 3; ++attempt) {
    bench.work();
    REQUIRE(bench.keeper.deadline());
    pauses.push_back(*bench.keeper.deadline() - bench.now);
    bench.now = *bench.keeper.deadline();
  }
  CHECK(pauses == std::vector<core::Duration>{1s, 2s, 4s});
  CHECK(bench.take().size() == 3);
  CHECK(bench.keeper.take_notices().size() == 1);

  bench.removal_refusal = 0;
  bench.work();
  CHECK(bench.kernel.empty());
  CHECK(bench.keeper.deadline() == std::nullopt);
}

TEST_CASE("routing: owners that have none move without a look at the kernel") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  bench.keeper.claim(owner(1), {route("10.1.0.0/16", "10.0.0.254")});
  bench.keeper.claim(owner(2), {});
  bench.work();
  CHECK_FALSE(bench.keeper.has_moved());

  bench.keeper.hold(owner(2));
  bench.keeper.hold(owner(3));
  bench.keeper.forget(owner(2));
  CHECK_FALSE(bench.keeper.has_moved());
  bench.keeper.hold(owner(1));
  CHECK(bench.keeper.has_moved());
  bench.work();
  bench.keeper.hold(owner(1));
  CHECK_FALSE(bench.keeper.has_moved());

  bench.keeper.forget(owner(1));
  bench.work(Part::withdrawals);
  CHECK(bench.kernel.empty());
  CHECK_MESSAGE(bench.keeper.has_moved(), "what waited for its end is still to be added");
}

TEST_CASE("routing: a change by reload adds the new and removes the old") {
  Bench bench;
  bench.keeper.sweep_leftovers();
  bench.keeper.claim(owner(1), {route("10.1.0.0/16", "10.0.0.254")});
  bench.keeper.hold(owner(1));
  bench.work();
  bench.take();

  bench.keeper.claim(owner(1), {route("10.3.0.0/16", "10.0.0.254")});
  bench.work();
  CHECK(bench.take() ==
        Lines{"remove route 10.1.0.0/16 via 10.0.0.254", "add route 10.3.0.0/16 via 10.0.0.254"});
}

TEST_CASE("routing: what a killed process has on record stays where it is held, the rest goes") {
  Bench bench;
  const DesiredRouting kept = route("10.1.0.0/16", "10.0.0.254");
  const DesiredRouting left = route("10.2.0.0/16", "10.0.0.254");
  const RoutingEntry strange = route("10.3.0.0/16", "10.0.0.254").entry;
  bench.kernel = {kept.entry, left.entry, strange};
  bench.keeper.inherit({.owned = {kept.entry, left.entry}});
  bench.keeper.claim(owner(1), {kept, left});
  bench.keeper.claim(owner(2), {kept});
  bench.work();
  CHECK_MESSAGE(bench.take().empty(), "nobody has said yet who goes on");

  bench.keeper.hold(owner(2));
  bench.keeper.sweep_leftovers();
  bench.work();
  CHECK(bench.take() == Lines{"remove route of a former process"});
  CHECK(bench.kernel == std::vector{kept.entry, strange});
  bench.keeper.release(owner(2));
  bench.work();
  CHECK(bench.kernel == std::vector{strange});
}

TEST_CASE("routing: a release leaves what is static, and it goes with the director") {
  Bench bench;
  const DesiredRouting lasts = route("10.1.0.0/16", "10.0.0.254");
  const DesiredRouting moves = route("10.2.0.0/16", "10.0.0.254");
  bench.keeper.claim(kDirector, {lasts});
  bench.keeper.hold(kDirector);
  bench.keeper.claim(owner(1), {lasts, moves});
  bench.keeper.hold(owner(1));
  bench.keeper.sweep_leftovers();
  bench.work();
  bench.work();
  const RoutingRecord record = bench.keeper.record();
  CHECK(record == RoutingRecord{.owned = {lasts.entry, moves.entry}, .lasting = {lasts.entry}});

  bench.keeper = {};
  bench.keeper.inherit(record);
  bench.keeper.sweep_leftovers(Statics::stay);
  bench.work();
  CHECK(bench.kernel == std::vector{lasts.entry});
  CHECK(bench.keeper.staying_count() == 1);
  CHECK(bench.keeper.record() == RoutingRecord{{lasts.entry}, {lasts.entry}});

  const RoutingRecord left = bench.keeper.record();
  bench.keeper = {};
  bench.keeper.inherit(left);
  bench.keeper.sweep_leftovers();
  bench.work();
  CHECK(bench.kernel.empty());
}

TEST_CASE("routing: a step that was planned and not sent makes nothing ours") {
  Bench bench;
  const DesiredRouting one = route("10.1.0.0/16", "10.0.0.254");
  const DesiredRouting two = route("10.2.0.0/16", "10.0.0.254");
  bench.keeper.sweep_leftovers();
  bench.keeper.claim(owner(1), {one, two});
  bench.keeper.hold(owner(1));
  const auto steps = bench.keeper.plan(bench.kernel, bench.surroundings(), bench.now, Part::all);
  REQUIRE(steps.size() == 2);
  bench.kernel.push_back(steps[0].entry);
  bench.keeper.on_outcomes(std::span(steps).first(1), std::vector<RoutingKeeper::Outcome>(1),
                           bench.now);

  for (const RoutingStep& each : steps) bench.keeper.drop(each);
  CHECK(bench.keeper.owned() == std::set{steps[0].entry});
  bench.kernel.push_back(steps[1].entry);  // a stranger's, meanwhile
  bench.keeper.release(owner(1));
  bench.work();
  CHECK(bench.kernel == std::vector{steps[1].entry});
}

TEST_CASE("routing: thousands are found by their place as one by one") {
  std::vector<RoutingEntry> actual;
  for (int n = 0; n < 300; ++n) {
    RoutingEntry entry = route(fmt::format("10.{}.0.0/16", n % 100), "10.0.0.254").entry;
    entry.table = n < 100 ? kMainTable : static_cast<std::uint32_t>(n / 100);
    if (n % 3 == 0) entry.protocol = 77;
    actual.push_back(entry);
  }
  actual.push_back(route("0.0.0.0/0", "10.0.0.254").entry);
  const RoutingIndex index(actual);
  for (const RoutingEntry& wanted : actual) {
    const RoutingEntry* found = index.find(wanted);
    REQUIRE(found != nullptr);
    CHECK(satisfies(*found, wanted));
  }
  CHECK(index.find(route("10.200.0.0/16", "10.0.0.254").entry) == nullptr);
  RoutingEntry elsewhere = actual.front();
  elsewhere.table = 5;
  CHECK(index.find(elsewhere) == nullptr);
}

TEST_CASE("routing: what the kernel chose where nothing was said does not count") {
  RoutingEntry wanted = route("2001:db8::/32", "fe80::1").entry;
  RoutingEntry actual = wanted;
  actual.attributes[RTA_OIF] = bytes_of(std::uint32_t{2});
  actual.attributes[RTA_PRIORITY] = bytes_of(std::uint32_t{1024});
  CHECK(satisfies(actual, wanted));

  wanted.attributes[RTA_PRIORITY] = bytes_of(std::uint32_t{50});
  CHECK_FALSE(satisfies(actual, wanted));
  actual.attributes[RTA_PRIORITY] = bytes_of(std::uint32_t{50});
  CHECK(satisfies(actual, wanted));
  actual.attributes[RTA_GATEWAY] = bytes_of(ip("fe80::2"));
  CHECK_FALSE(satisfies(actual, wanted));
}

TEST_CASE("routing: legs of a multipath route count in any order, with their weights") {
  const FindInterface find = [](const std::string& name) {
    return name == "eth0" ? std::optional<InterfaceIndex>(2) : std::nullopt;
  };
  DesiredRouting one = route("10.1.0.0/16", "");
  DesiredLeg first{.interface = "eth0", .weight = 2};
  first.attributes[RTA_GATEWAY] = bytes_of(ip("10.0.0.1"));
  DesiredLeg second{.interface = "eth0", .weight = 1};
  second.attributes[RTA_GATEWAY] = bytes_of(ip("10.0.0.2"));
  one.legs = {first, second};
  DesiredRouting other = one;
  other.legs = {second, first};
  CHECK(satisfies(*resolve(one, find), *resolve(other, find)));

  other.legs[0].weight = 3;
  CHECK_FALSE(satisfies(*resolve(one, find), *resolve(other, find)));
  other.legs[0].interface = "eth9";
  CHECK(resolve(other, find).error().message == "there is no interface eth9");
}

TEST_CASE(
    "routing: a route with more legs than a page holds is sent, one beyond a message refused") {
  const FindInterface find = [](const std::string&) { return std::optional<InterfaceIndex>(2); };
  DesiredRouting wide = route("10.1.0.0/16", "");
  DesiredLeg leg{.interface = "eth0"};
  leg.attributes[RTA_GATEWAY] = bytes_of(ip("10.0.0.1"));
  wide.legs.assign(1000, leg);
  const RoutingEntry entry = *resolve(wide, find);
  const RoutingRecord record{.owned = {entry}};
  CHECK(*parse_routing(write_routing(record, "here"), "here") == record);

  wide.legs.assign(3000, leg);
  CHECK(resolve(wide, find).error().message == "it does not fit into a message to the kernel");
}

TEST_CASE("routing: the record comes back as it was written, for its boot and namespace only") {
  RoutingEntry rule;
  rule.kind = RoutingKind::rule;
  rule.type = 1;
  rule.table = 1000;
  rule.protocol = kProtocolKeepalived;
  rule.flags = kRuleInverted;
  rule.attributes[6] = bytes_of(std::uint32_t{5});
  const RoutingRecord record{.owned = {route("10.1.0.0/16", "10.0.0.254").entry,
                                       route("2001:db8::/32", "fe80::1").entry, rule},
                             .lasting = {rule}};
  const std::string text = write_routing(record, "here");

  CHECK(*parse_routing(text, "here") == record);
  CHECK(parse_routing(text, "there")->owned.empty());
  CHECK_FALSE(parse_routing("something else\n", "here").has_value());
  CHECK(parse_routing(text + "zz\n", "here").error().message == "line 5 names no route or rule");
  CHECK(*parse_routing(text + "18", "here") == record);  // a line that was not finished
  std::string later = text;  // of another version, with words that this one does not know
  later.replace(later.find(" static\n"), 8, " newer static kept\n");
  CHECK(*parse_routing(later, "here") == record);
}
