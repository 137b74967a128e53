// What explain says about an instance in every state, and that its promises are the timers' own.
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/router.hpp"
#include "vrrp/explain.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
using Lines = std::vector<std::string>;

namespace {

const core::Instant t0{1h};

struct Bench {
  Router router;
  Actions out;
  Past past;

  explicit Bench(const InstanceSettings& settings) : router({settings}) {
    step(InterfaceChanged{"eth0", {.exists = true, .up = true, .primary_address = ip("192.0.2.1")}},
         t0);
    step(Startup{}, t0);
  }
  void step(const Event& event, core::Instant now) { router.step(event, now, out); }
  void hear(int priority, core::Instant now) {
    const Instance& one = *router.instances().front();
    step(AdvertReceived{one.key(), advert_of(one.settings(), priority), ip("192.0.2.2"), false},
         now);
  }
  [[nodiscard]] boost::json::object at(core::Instant now) const {
    return explain(*router.instances().front(), past, now);
  }
  [[nodiscard]] Lines lines(core::Instant now, std::string_view key) const {
    Lines lines;
    const boost::json::object whole = at(now);
    for (const auto& each : whole.at(key).as_array()) {
      if (each.is_string()) {
        lines.emplace_back(each.as_string());
      } else {
        lines.push_back(fmt::format("{:.3f} {}", each.at("in_ms").as_double(),
                                    std::string_view(each.at("what").as_string())));
      }
    }
    return lines;
  }
  [[nodiscard]] Lines changes(core::Instant now) const { return lines(now, "changes"); }
  [[nodiscard]] Lines timers(core::Instant now) const { return lines(now, "timers"); }
};

const std::string kInterface = "goes to FAULT when eth0 goes down or has no address to send from";

}  // namespace

TEST_CASE("explain: a backup without a master counts down") {
  const Bench bench(everyday());

  CHECK(bench.timers(t0 + 1s) ==
        Lines{"2609.375 becomes master, unless an advert that counts comes before"});
  CHECK(bench.changes(t0 + 1s) == Lines{"becomes master in 2.6 s: no master is heard", kInterface});
  CHECK(bench.at(t0).at("heard").is_null());
}

TEST_CASE("explain: a backup below a better master") {
  Bench bench(everyday());
  bench.hear(150, t0 + 1s);

  CHECK(bench.changes(t0 + 1s + 500ms) ==
        Lines{"becomes master when 192.0.2.2 is silent for 3.1 s more",
              "becomes master 0.6 s after 192.0.2.2 resigns (priority 0)",
              "takes over within 3.6 s when a reload raises its priority above 150",
              "takes over when 192.0.2.2 falls below its priority 100", kInterface});
  const auto heard = bench.at(t0 + 1s + 500ms).at("heard").as_object();
  CHECK(heard.at("address").as_string() == "192.0.2.2");
  CHECK(heard.at("priority").to_number<int>() == 150);
  CHECK(heard.at("heard_ms").as_double() == 500);
}

TEST_CASE("explain: who may not pre-empt is told why, and until when") {
  auto settings = everyday();
  settings.preempt = Preempt::no;
  Bench never(settings);
  never.hear(50, t0 + 1s);
  CHECK(never.changes(t0 + 1s).at(2) ==
        "never takes over from 192.0.2.2 while that one advertises: nopreempt is set");

  settings = everyday();
  settings.preempt_delay = 30s;
  Bench later(settings);
  later.hear(50, t0 + 1s);
  CHECK(later.changes(t0 + 2s).at(2) ==
        "leaves 192.0.2.2 alone for another 29.0 s although that one has only priority 50: "
        "preempt_delay");
  CHECK(later.timers(t0 + 2s).at(1) ==
        "29000.000 may take over from a weaker master (preempt_delay)");

  Bench soon(everyday());
  soon.hear(50, t0 + 1s);
  CHECK(soon.changes(t0 + 2s).at(2) ==
        "takes over from 192.0.2.2 when its timer ends: 50 is less than its own priority 100");
}

TEST_CASE("explain: a master, and one that could not serve") {
  Bench bench(everyday());
  const core::Instant master = t0 + 3609375us;
  bench.step(Tick{}, master);
  const RouterKey key = bench.router.instances().front()->key();

  CHECK(bench.timers(master + 400ms) ==
        Lines{"600.000 sends its next advert", "4600.000 announces its addresses once more"});
  CHECK(bench.changes(master) ==
        Lines{"becomes backup when another router advertises a priority above 100",
              "becomes backup when another router advertises 100 from an address above 192.0.2.1",
              "resigns and goes to FAULT when eth0 goes down or has no address to send from",
              "resigns and goes to FAULT when none of its addresses can be held"});

  bench.step(AddressesPlaced{key, 1, 0, "eth0 refuses 192.0.2.100"}, master);
  CHECK(bench.timers(master) == Lines{"10000.000 tries again"});
  CHECK(bench.changes(master) ==
        Lines{"takes part again when this is over: eth0 refuses 192.0.2.100"});
  CHECK(bench.lines(master, "faults") == Lines{"eth0 refuses 192.0.2.100"});
  CHECK(bench.lines(master, "troubles").size() == 1);  // it will leave a working master alone
}

TEST_CASE("explain: one that leaves, and one that has left") {
  Bench bench(everyday());
  const core::Instant master = t0 + 3609375us;
  bench.step(Tick{}, master);
  bench.step(Shutdown{}, master + 1s);
  REQUIRE(bench.timers(master + 1s).size() == 1);
  CHECK(bench.timers(master + 1s)
            .front()
            .ends_with("takes its addresses off, if no successor was heard before"));

  bench.step(ShutdownNow{}, master + 1s);
  CHECK(bench.timers(master + 1s).empty());
  CHECK(bench.changes(master + 1s) ==
        Lines{"nothing: it has left, until holdfast starts again or a "
              "reload brings it back"});
}

TEST_CASE("explain: packets that are not usable are told while they come") {
  Bench bench(everyday());
  const RouterKey key = bench.router.instances().front()->key();
  const Rejected odd{Objection::authentication_data, ip("192.0.2.3"), "uses another password"};
  bench.step(AdvertRejected{key, odd}, t0);
  bench.step(AdvertRejected{key, odd}, t0 + 1s);

  const auto rejected = bench.at(t0 + 59s).at("rejected").as_array();

  REQUIRE(rejected.size() == 1);
  CHECK(rejected.front().at("source").as_string() == "192.0.2.3");
  CHECK(rejected.front().at("what").as_string() == "uses another password");
  CHECK(rejected.front().at("adverts").to_number<int>() == 2);
  CHECK(bench.at(t0 + 62s).at("rejected").as_array().empty());
}

TEST_CASE("explain: the history is this instance's, newest first") {
  Bench bench(everyday());
  const RouterKey key = bench.router.instances().front()->key();
  RouterKey other = key;
  other.vrid = 99;
  bench.past.states = {{key, t0, StateName::init, StateName::backup, "started"},
                       {other, t0, StateName::backup, StateName::fault, "not this one"},
                       {key, t0 + 1s, StateName::backup, StateName::master, "no master was heard"}};

  const auto history = bench.at(t0 + 2s).at("history").as_array();

  REQUIRE(history.size() == 2);
  CHECK(history.front().at("to").as_string() == "MASTER");
  CHECK(history.front().at("why").as_string() == "no master was heard");
  CHECK(history.back().at("to").as_string() == "BACKUP");
}

TEST_CASE(
    "explain: an instance is found by its name, interface and VRID, or key; the name counts") {
  auto one = everyday();
  auto other = everyday();
  other.vrid = 52;
  other.name = "eth0/51";
  const Router router({one, other});

  CHECK(find_instance(router, "VI_1")->key().vrid == 51);
  CHECK(find_instance(router, "eth0/52")->key().vrid == 52);
  CHECK(find_instance(router, "eth0/51")->key().vrid == 52);
  CHECK(find_instance(router, "eth0 51 ipv4 224.0.0.18")->key().vrid == 51);
  CHECK(find_instance(router, "VI_2") == nullptr);
}

TEST_CASE("explain: a group names the member and the fault that keep it from serving") {
  InstanceSettings a = everyday();
  a.name = "A";
  a.sync_group = "pair";
  InstanceSettings b = a;
  b.name = "B";
  b.vrid = 9;
  b.interface = "eth1";
  Bench bench(a);
  bench.step(
      InterfaceChanged{"eth1", {.exists = true, .up = true, .primary_address = ip("192.0.3.1")}},
      t0);
  bench.step(Reload{{a, b}}, t0);
  bench.step(InterfaceChanged{"eth1", {.exists = true, .up = false, .primary_address = {}}},
             t0 + 2s);
  bench.past.states = {{b.key(), t0 + 2s, StateName::backup, StateName::fault, "eth1 went"},
                       {{"eth9", core::Family::v4, 1, a.key().channel}, t0 + 3s, {}, {}, "x"},
                       {a.key(), t0 + 2s, StateName::backup, StateName::fault, "B is in FAULT"}};
  const auto told = [&](core::Instant now) {
    return explain_group(bench.router, bench.router.groups(now).at(0), bench.past, now);
  };

  boost::json::object faulty = told(t0 + 5s);
  CHECK(faulty.at("group") == "pair");
  CHECK(faulty.at("state") == "FAULT");
  CHECK(faulty.at("since_ms") == 3000.0);
  const std::string sentence = "B: interface eth1 is down or has no carrier";
  CHECK(faulty.at("faults") == boost::json::array{sentence});
  CHECK(faulty.at("changes") ==
        boost::json::array{"takes part again when this is over: " + sentence});
  const boost::json::array& members = faulty.at("members").as_array();
  REQUIRE(members.size() == 2);
  CHECK(members[0].at("name") == "A");
  CHECK(members[0].at("fault").is_null());
  CHECK(members[1].at("fault") == "interface eth1 is down or has no carrier");
  const boost::json::array& history = faulty.at("history").as_array();
  REQUIRE(history.size() == 2);
  CHECK(history[0].at("member") == "A");
  CHECK(history[1].at("member") == "B");

  bench.step(
      InterfaceChanged{"eth1", {.exists = true, .up = true, .primary_address = ip("192.0.3.1")}},
      t0 + 6s);
  const boost::json::object good = told(t0 + 7s);
  CHECK(good.at("state") == "BACKUP");
  CHECK(good.at("faults").as_array().empty());
  CHECK(good.at("changes").as_array().front() == "all members become master when each of them may");
}

TEST_CASE("explain: a member that is ready says for whom it waits") {
  InstanceSettings waiting = everyday();
  waiting.sync_group = "G";
  InstanceSettings other = waiting;
  other.name = "VI_2";
  other.interface = "eth1";  // nothing is known about it
  Router router({waiting, other});
  Actions out;
  const InterfaceStatus up{.exists = true, .up = true, .primary_address = ip("192.0.2.1")};
  for (const char* name : {"eth0", "eth1"}) router.step(InterfaceChanged{name, up}, t0, out);
  router.step(Startup{}, t0, out);
  Advert advert = advert_of(other, 200);
  router.step(AdvertReceived{other.key(), advert, ip("192.0.2.2"), false}, t0 + 3s, out);
  router.step(Tick{}, t0 + 4s, out);
  const GroupView group = router.groups(t0 + 4s).at(0);

  const boost::json::object whole = explain(*router.instances().front(), Past{}, t0 + 4s, &group);

  CHECK(whole.at("timers").as_array().empty());
  CHECK(whole.at("changes").at(0) ==
        "becomes master as soon as these of its sync group G may be master, too: VI_2");
  CHECK(whole.at("sync_group").at("state") == "BACKUP");
  CHECK(boost::json::serialize(whole.at("sync_group").at("waits_for")) == R"(["VI_2"])");
}
