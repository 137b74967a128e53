// Router and Turn are values: what is done to a copy, the original does not notice, and a copy that
// is told the same does the same.
#include "core/rng.hpp"
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/router.hpp"
#include "vrrp/core/situation.hpp"
#include "vrrp/core/turn.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;

namespace {

constexpr int kRouters = 6;
const TrackerId kScript{TrackerKind::script, "chk"};

InstanceSettings one(core::Rng& rng, int vrid) {
  InstanceSettings settings = everyday();
  settings.name = "VI_" + std::to_string(vrid);
  settings.interface = vrid % 2 == 0 ? "eth0" : "eth1";
  settings.vrid = static_cast<std::uint8_t>(vrid);
  settings.priority = static_cast<std::uint8_t>(90 + 10 * rng.below(std::uint64_t{3}));
  if (rng.chance(20)) settings.addresses = {};
  if (rng.chance(50))
    settings.trackers.push_back(
        {.id = kScript, .weight = rng.chance(50) ? std::int16_t{-15} : std::int16_t{0}});
  if (rng.chance(20))
    settings.trackers.push_back({.id = {TrackerKind::interface, "eth1"}, .weight = 15});
  if (rng.chance(20)) settings.authentication = Authentication::header("secret");
  if (settings.authentication.type == AuthenticationType::none && rng.chance(30))
    settings.signing = Signing{.keys = {{1, std::vector<std::uint8_t>(32, 7)}}};
  return settings;
}

/// Most of the routers; which ones, and their settings, change.
std::vector<InstanceSettings> some(core::Rng& rng) {
  std::vector<InstanceSettings> all;
  for (int vrid = 1; vrid <= kRouters; ++vrid)
    if (!rng.chance(20)) all.push_back(one(rng, vrid));
  return all;
}

Event random_event(core::Rng& rng) {
  const InstanceSettings about = one(rng, 1 + static_cast<int>(rng.below(std::uint64_t{kRouters})));
  const auto priority = static_cast<int>(80 + 10 * rng.below(std::uint64_t{5}));
  switch (rng.below(std::uint64_t{11})) {
    case 0:
      return Reload{some(rng)};
    case 1:
      return InterfaceChanged{
          about.interface,
          {.exists = true, .up = rng.chance(70), .primary_address = ip("192.0.2.1")}};
    case 2:
      return AdvertReceived{about.key(), advert_of(about, priority), ip("192.0.2.2"), false,
                            Proof{static_cast<std::uint32_t>(rng.below(std::uint64_t{100})),
                                  rng.below(std::uint64_t{100}), 1}};
    case 3:
      return AdvertReceived{about.key(), advert_of(about, kResignPriority), ip("192.0.2.2"), false};
    case 4:
      return AdvertRefused{about.key(), about.priority, "Operation not permitted"};
    case 5:
      return AddressesPlaced{about.key(), 1, rng.below(std::uint64_t{2}), "no room"};
    case 6:
      return ScriptEnded{about.key(), "notify_master", "MASTER", {}};
    case 7:
      return TrackerReported{kScript, rng.chance(70) ? Verdict::good : Verdict::bad};
    case 8:
      return ClockTold{rng.below(Duration(9s))};
    default:
      return Tick{};
  }
}

/// A director after some minutes of everything; all that it does is kept.
struct Life {
  Router router{};
  Instant now{1h};
  Actions done{};

  explicit Life(core::Rng& rng) {
    router.step(Reload{some(rng)}, now, done);
    router.step(Startup{}, now, done);
    go_on(rng, 60);
  }
  void go_on(core::Rng& rng, int events) {
    for (int i = 0; i < events; ++i) {
      now += rng.below(Duration(900ms));
      router.step(random_event(rng), now, done);
    }
  }
};

/// All that can be seen of it.
std::vector<std::pair<Situation, Counters>> seen(const Router& router) {
  std::vector<std::pair<Situation, Counters>> all;
  for (const Instance* instance : router.instances())
    all.emplace_back(instance->situation(), instance->counters());
  return all;
}

/// Does as it is told and writes it down.
struct Doing final : Doer {
  std::vector<std::string> done;

  void note(const core::Shared<Subject>& router, const std::string& what) {
    done.push_back(router->name + " " + what);
  }
  void send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers) override {
    for (const SendAdvert* advert : adverts) {
      note(advert->router, to_string(*advert));
      answers.emplace_back(AdvertSent{advert->router->key, advert->priority});
    }
  }
  Moved move(std::span<const AddressMove> moves) override {
    for (const AddressMove& move : moves)
      std::visit([&](const auto* wish) { note(wish->router, to_string(*wish)); }, move);
    return Moved::not_yet;
  }
  Moved keep_moving() override { return Moved::all; }
  void announce(std::span<const Announce* const> all, std::vector<Event>&) override {
    for (const Announce* each : all) note(each->router, to_string(*each));
  }
  void tell(const Action& action) override { done.push_back(to_string(action)); }
};

const Step kNothingMore = [](const Event&, Actions&) {};

}  // namespace

TEST_CASE("copies: what happens to the copy of a director, the director does not notice") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    core::Rng rng(seed);
    const Life life(rng);
    const RouterSituation before = life.router.situation();
    const auto seen_before = seen(life.router);
    const auto deadline = life.router.deadline();

    Life copy = life;
    copy.go_on(rng, 40);

    REQUIRE(life.router.situation() == before);
    REQUIRE(seen(life.router) == seen_before);
    REQUIRE(life.router.deadline() == deadline);
  }
}

TEST_CASE("copies: a director and its copy that hear the same do the same, in the same order") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    core::Rng rng(seed);
    Life life(rng);
    Life copy = life;
    Life disturbed = life;  // whatever they might share is disturbed by it
    disturbed.go_on(rng, 40);
    life.done.clear();
    copy.done.clear();

    core::Rng again = rng;
    life.go_on(rng, 60);
    copy.go_on(again, 60);

    REQUIRE(copy.done == life.done);
    REQUIRE(copy.router.situation() == life.router.situation());
    REQUIRE(seen(copy.router) == seen(life.router));
  }
}

TEST_CASE("copies: a turn that waits can be worked off twice, piece under way included") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    core::Rng rng(seed);
    Life life(rng);
    life.done.clear();
    while (life.done.empty()) life.go_on(rng, 1);
    life.go_on(rng, static_cast<int>(rng.below(std::uint64_t{8})));
    Turn turn;
    Doing first;
    turn.begin(life.done, first, kNothingMore);
    if (seed % 2 == 0) turn.work(first, kNothingMore);  // its addresses are being moved
    first.done.clear();
    Turn copy = turn;
    Turn assigned;
    assigned = turn;

    life.done.clear();
    life.go_on(rng, 10);  // finds what already waits for the same instance
    Doing second;
    Doing third;
    Actions more = life.done;
    turn.begin(more, first, kNothingMore);
    while (turn.has_work()) turn.work(first, kNothingMore);
    more = life.done;
    copy.begin(more, second, kNothingMore);
    while (copy.has_work()) copy.work(second, kNothingMore);
    more = life.done;
    assigned.begin(more, third, kNothingMore);
    while (assigned.has_work()) assigned.work(third, kNothingMore);

    REQUIRE(second.done == first.done);
    REQUIRE(third.done == first.done);
  }
}
