// What version 3, IPv6 and unicast peers change in the state machine and in the router.
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/driver.hpp"
#include "vrrp/core/imagined_peers.hpp"
#include "vrrp/core/timing.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
using Lines = std::vector<std::string>;

namespace {

const Instant t0{1h};

InstanceSettings version3(Duration interval = 1s) {
  InstanceSettings settings = everyday();
  settings.version = 3;
  settings.advert_interval = interval;
  return settings;
}

InstanceSettings unicast(std::vector<UnicastPeer> peers) {
  InstanceSettings settings = version3();
  settings.source_address = ip("192.0.2.1");
  settings.unicast = Unicast{std::move(peers), 64, Senders::anybody};
  return settings;
}

InstanceSettings six() {
  InstanceSettings settings = version3();
  settings.family = core::Family::v6;
  settings.addresses = {{.prefix = {ip("fe80::100"), 128},
                         .interface = {},
                         .label = {},
                         .broadcast = {},
                         .scope = {}}};
  return settings;
}

InterfaceStatus good() {
  return {.exists = true,
          .up = true,
          .primary_address = ip("192.0.2.1"),
          .trouble = {},
          .link_local = ip("fe80::1"),
          .trouble_v6 = {},
          .own_addresses = {ip("192.0.2.1")}};
}

/// A director whose kernel takes every advert.
struct Bench {
  Driver driver;
  Actions out;
  std::vector<SendAdvert> sent;

  explicit Bench(std::vector<InstanceSettings> settings, const InterfaceStatus& status = good())
      : driver(Router(std::move(settings))) {
    handle(InterfaceChanged{"eth0", status}, t0);
    handle(Startup{}, t0);
  }
  void answer() {
    sent.clear();
    Actions answers;
    for (const Action& action : Actions(out)) {
      const auto* advert = std::get_if<SendAdvert>(&action);
      if (advert == nullptr) continue;
      sent.push_back(*advert);
      driver.answer(AdvertSent{advert->router->key, advert->priority}, answers);
    }
  }
  void handle(const Event& event, Instant now) {
    out.clear();
    driver.handle(event, now, out);
    answer();
  }
  void wake(Instant now) {
    out.clear();
    driver.begin(now, 0s, out);
    driver.finish(out);
    answer();
  }
  void hear(const InstanceSettings& peer, int priority, Instant now, const IpAddress& source,
            const IpAddress& destination, ChecksumForm form = ChecksumForm::with_pseudo_header) {
    Advert advert = make_advert(peer, static_cast<std::uint8_t>(priority));
    advert.checksum = form;
    std::vector<std::uint8_t> payload;
    encode_advert(advert, payload, {peer.version, source, destination});
    out.clear();
    driver.begin(now, 0s, out);
    driver.receive({"eth0", source.family(), source, destination, 255, payload}, out);
    driver.finish(out);
    answer();
  }
  const Instance& instance(std::size_t at = 0) const { return *driver.router().instances()[at]; }
};

const IpAddress kPeer = ip("192.0.2.2");

ChecksumForm form_of(const SendAdvert& advert, std::size_t letter = 0) {
  const Letter& each = advert.departure->letters.at(letter);
  return decode_advert(each.payload, {3, advert.departure->source, each.destination})->checksum;
}

}  // namespace

TEST_CASE("version 3: skew and down timer follow the interval, in microseconds [RFC9568-6.1-1]") {
  CHECK(skew_time(100, 500ms, 3) == 304'687us);
  CHECK(skew_time(100, 10ms, 3) == 6'093us);
  CHECK(skew_time(100, 500ms, 2) == 609'375us);
  CHECK(master_down_interval(version3(500ms), 500ms) == 1'804'687us);
  CHECK(master_down_interval(everyday(), 2s) == 6'609'375us);
}

TEST_CASE(
    "version 3: a backup lives by its master's interval, a new master by its own "
    "[RFC9568-6.4.2-5]") {
  Bench bench({version3(1s)});
  bench.hear(version3(200ms), 200, t0 + 1s, kPeer, vrrp_group());
  const Instant heard = t0 + 1s;
  CHECK(bench.driver.deadline() == heard + 3 * 200ms + skew_time(100, 200ms, 3));

  bench.hear(version3(200ms), 0, heard + 100ms, kPeer, vrrp_group());
  CHECK(bench.driver.deadline() == heard + 100ms + skew_time(100, 200ms, 3));

  const Instant took = *bench.driver.deadline();
  bench.wake(took);
  REQUIRE(bench.sent.size() == 1);
  const Letter& letter = bench.sent[0].departure->letters.at(0);
  CHECK(decode_advert(letter.payload, {3, ip("192.0.2.1"), vrrp_group()})->interval == 1s);
  CHECK(bench.driver.deadline() == took + 1s);
}

TEST_CASE("version 3: a pause counts against the master's interval, not our own") {
  Bench bench({version3(1s)});
  bench.hear(version3(10ms), 200, t0 + 1s, kPeer, vrrp_group());
  const Instant due = *bench.driver.deadline();
  CHECK(due == t0 + 1s + 36'093us);

  bench.wake(due + 50ms);  // the host slept: 50 ms of silence prove nothing

  CHECK(bench.instance().state_name() == StateName::backup);
  CHECK(bench.driver.deadline() == due + 50ms + 36'093us);
  bench.wake(due + 50ms + 36'093us);
  CHECK(bench.instance().state_name() == StateName::master);
}

TEST_CASE("version 3: the checksum follows the peer, is counted, and v3_checksum_as_v2 forces it") {
  Bench bench({version3()});
  bench.hear(version3(), 200, t0 + 1s, kPeer, vrrp_group(), ChecksumForm::without_pseudo_header);
  bench.hear(version3(), 200, t0 + 2s, kPeer, vrrp_group(), ChecksumForm::without_pseudo_header);
  REQUIRE(bench.instance().dialects());
  CHECK(*bench.instance().dialects() ==
        Dialects{{kPeer, ChecksumForm::without_pseudo_header, 2, t0 + 2s}});
  const Instant took = *bench.driver.deadline();
  bench.wake(took);
  REQUIRE(bench.sent.size() == 1);
  CHECK(form_of(bench.sent[0]) == ChecksumForm::without_pseudo_header);
  bench.hear(version3(), 50, took + 100ms, kPeer, vrrp_group());
  REQUIRE(bench.sent.size() == 1);  // the answer to a weaker master
  CHECK(form_of(bench.sent[0]) == ChecksumForm::with_pseudo_header);

  auto forced = version3();
  forced.checksum = ChecksumChoice::without_pseudo_header;
  Bench strict({forced});
  strict.hear(version3(), 200, t0 + 1s, kPeer, vrrp_group());
  strict.wake(*strict.driver.deadline());
  CHECK(form_of(strict.sent.at(0)) == ChecksumForm::without_pseudo_header);
}

TEST_CASE("checksum: partners that verify different forms each get a letter, until one is silent") {
  using enum ChecksumForm;
  const IpAddress other = ip("192.0.2.3");
  Bench bench({version3()});
  bench.hear(version3(), 200, t0 + 1s, kPeer, vrrp_group(), without_pseudo_header);
  bench.hear(version3(), 200, t0 + 1s, other, vrrp_group(), with_pseudo_header);
  Instant now = *bench.driver.deadline();
  bench.wake(now);
  const auto forms = [&] {
    std::vector<ChecksumForm> found;
    for (std::size_t i = 0; i < bench.sent.at(0).departure->letters.size(); ++i)
      found.push_back(form_of(bench.sent[0], i));
    return found;
  };
  CHECK(forms() == std::vector{with_pseudo_header, without_pseudo_header});
  CHECK(bench.instance().counters().adverts_sent == 1);
  for (const Instant until = now + 1h; now < until;) {  // both are content: nobody is heard
    now = *bench.driver.deadline();
    bench.wake(now);
  }
  CHECK(forms() == std::vector{with_pseudo_header, without_pseudo_header});

  // Beside a master that writes one form, whoever refuses it would be heard.
  const auto obey = [&](Duration how_long) {
    for (const Instant until = now + how_long; now < until; now += 1s)
      bench.hear(version3(), 200, now, other, vrrp_group(), with_pseudo_header);
    return bench.instance().dialects()->size();
  };
  CHECK(obey(590s) == 2);
  CHECK(obey(20s) == 1);
  bench.wake(*bench.driver.deadline());
  CHECK(forms() == std::vector{with_pseudo_header});
}

TEST_CASE("version 3: a reload keeps the interval that a backup lives by [RFC9568-6.4.2-5]") {
  Bench bench({version3(1s)});
  const auto slow = version3(10s);
  bench.hear(slow, 200, t0 + 1s, kPeer, vrrp_group());
  auto next = version3(2s);
  next.priority = 150;
  next.down_timer_adverts = 4;
  bench.handle(Reload{{next}}, t0 + 5s);
  CHECK(bench.driver.deadline() == t0 + 1s + 40s + skew_time(150, 10s, 3));
  bench.hear(slow, 0, t0 + 6s, kPeer, vrrp_group());
  CHECK(bench.driver.deadline() == t0 + 6s + skew_time(150, 10s, 3));

  auto old = next;  // another version does not hear that master
  old.version = 2;
  bench.handle(Reload{{old}}, t0 + 7s);
  CHECK(bench.driver.deadline() == t0 + 7s + master_down_interval(old, 2s));

  Bench alone({version3(10s)});  // nothing was learned: the new interval is the one to wait for
  alone.handle(Reload{{version3(1s)}}, t0 + 1s);
  CHECK(alone.driver.deadline() == t0 + 1s + master_down_interval(version3(1s), 1s));
}

TEST_CASE("version 3: who yields lives by the new master's interval from its first advert on") {
  Bench bench({version3(1s)});
  bench.wake(*bench.driver.deadline());
  const Instant heard = t0 + 4s;
  bench.hear(version3(10s), 200, heard, kPeer, vrrp_group());
  REQUIRE(bench.instance().state_name() == StateName::backup);
  bench.hear(version3(10s), 0, heard + 1s, kPeer, vrrp_group());
  CHECK(bench.driver.deadline() == heard + 1s + skew_time(100, 10s, 3));
}

TEST_CASE("version 3: after a fault it waits by the interval of the master that was heard lately") {
  auto down = good();
  down.up = false;
  Bench bench({version3(1s)});
  bench.hear(version3(10s), 200, t0 + 1s, kPeer, vrrp_group());
  bench.handle(InterfaceChanged{"eth0", down}, t0 + 2s);
  bench.handle(InterfaceChanged{"eth0", good()}, t0 + 3s);
  CHECK(bench.driver.deadline() == t0 + 3s + master_down_interval(version3(), 10s));

  bench.handle(InterfaceChanged{"eth0", down}, t0 + 4s);
  bench.handle(InterfaceChanged{"eth0", good()}, t0 + 60s);  // long ago
  CHECK(bench.driver.deadline() == t0 + 60s + master_down_interval(version3(), 1s));
}

TEST_CASE("version 3: after a pause a master listens for the longer of both intervals") {
  const auto back_after = [](Duration theirs) {
    Bench bench({version3(1s)});
    bench.hear(version3(theirs), 90, t0 + 1s, kPeer, vrrp_group());
    bench.wake(*bench.driver.deadline());
    REQUIRE(bench.instance().state_name() == StateName::master);
    const Instant now = t0 + 100s;
    bench.wake(now);
    REQUIRE(bench.instance().state_name() == StateName::backup);
    return *bench.driver.deadline() - now;
  };
  CHECK(back_after(10s) == 10s + skew_time(100, 10s, 3));
  CHECK(back_after(500ms) == 1s + skew_time(100, 1s, 3));
}

TEST_CASE("version 3: what counts as a pause follows what backups learned, and nothing else") {
  Bench bench({version3(1s)});
  const auto shortest = [&] { return bench.driver.router().shortest_interval(); };
  bench.hear(version3(10ms), 50, t0 + 100ms, kPeer, vrrp_group());  // weaker: not lived by
  CHECK(shortest() == 1s);
  bench.hear(version3(200ms), 200, t0 + 200ms, kPeer, vrrp_group());
  CHECK(shortest() == 200ms);
  bench.hear(version3(500ms), 200, t0 + 300ms, kPeer, vrrp_group());
  CHECK(shortest() == 500ms);
  bench.wake(*bench.driver.deadline());
  REQUIRE(bench.instance().state_name() == StateName::master);
  CHECK(shortest() == 1s);
  bench.hear(version3(10ms), 50, t0 + 5s, kPeer, vrrp_group());
  CHECK(shortest() == 1s);

  auto other = version3(2s);
  other.vrid = 52;
  bench.handle(Reload{{other}}, t0 + 5100ms);  // the first one hands over: nobody lives by it
  bench.hear(version3(10ms), 50, t0 + 5200ms, kPeer, vrrp_group());
  REQUIRE(bench.driver.router().size() == 2);
  CHECK(shortest() == 2s);
}

TEST_CASE("version 3: a hasty weaker master is answered, but announced against once a second") {
  Bench bench({version3(10ms)});
  const Instant start = *bench.driver.deadline();
  bench.wake(start);
  std::size_t adverts = 0;
  std::size_t bursts = 0;
  for (int i = 0; i < 2000; ++i) {
    bench.hear(version3(10ms), 50, start + (i + 1) * 1ms, kPeer, vrrp_group());
    adverts += bench.sent.size();
    for (const Action& action : bench.out) bursts += std::holds_alternative<Announce>(action);
  }
  CHECK(adverts >= 400);  // twice an interval, and its own
  CHECK(bursts == 2);
}

TEST_CASE("version 3: of two owners the one with the higher address stays [RFC9568 erratum 8298]") {
  auto owner = version3();
  owner.priority = 255;
  Bench lower({owner});
  CHECK(lower.instance().state_name() == StateName::master);
  lower.hear(owner, 255, t0 + 100ms, ip("192.0.2.2"), vrrp_group());
  CHECK(lower.instance().state_name() == StateName::backup);

  auto higher_status = good();
  higher_status.primary_address = ip("192.0.2.3");
  Bench higher({owner}, higher_status);
  higher.hear(owner, 255, t0 + 100ms, ip("192.0.2.2"), vrrp_group());
  CHECK(higher.instance().state_name() == StateName::master);
  CHECK(higher.sent.size() == 1);
}

TEST_CASE("IPv6: adverts come from the link-local address, and without one there is a fault") {
  Bench bench({six()});
  bench.wake(*bench.driver.deadline());
  REQUIRE(bench.sent.size() == 1);
  CHECK(bench.sent[0].departure->source == ip("fe80::1"));
  CHECK(bench.sent[0].departure->letters.at(0).destination == ip("ff02::12"));

  auto tentative = good();
  tentative.link_local.reset();
  bench.handle(InterfaceChanged{"eth0", tentative}, t0 + 4s);
  CHECK(bench.instance().state_name() == StateName::fault);
  CHECK(bench.instance().why() ==
        "interface eth0 has no IPv6 link-local address to send from, or only one whose duplicate "
        "detection is not over");
  bench.handle(InterfaceChanged{"eth0", good()}, t0 + 5s);
  CHECK(bench.instance().state_name() == StateName::backup);
}

TEST_CASE("IPv6: the checksum always covers the pseudo header [RFC9568-5.2.8-1]") {
  auto forced = six();
  forced.checksum = ChecksumChoice::without_pseudo_header;
  Bench bench({forced});
  bench.wake(*bench.driver.deadline());
  const Letter& letter = bench.sent.at(0).departure->letters.at(0);
  CHECK(decode_advert(letter.payload, {3, ip("fe80::1"), letter.destination}).has_value());
}

TEST_CASE("checksum: a resumed master writes to its partners as it did before") {
  for (const ChecksumForm form :
       {ChecksumForm::with_pseudo_header, ChecksumForm::without_pseudo_header}) {
    CAPTURE(to_string(form));
    Bench before({version3()});
    before.hear(version3(), 200, t0 + 1s, kPeer, vrrp_group(), form);
    before.wake(*before.driver.deadline());
    std::optional<ChecksumForm> page;
    for (const Action& action : before.out) {
      if (const auto* remember = std::get_if<Remember>(&action)) page = remember->checksum;
    }
    REQUIRE(page == form);

    Driver after{Router({version3()})};
    Actions out;
    after.handle(InterfaceChanged{"eth0", good()}, t0, out);
    after.handle(
        ResumeFromPage{version3().key(), t0 - 60s, t0, 3s, form_of_number(number_of(page))}, t0,
        out);
    after.handle(Startup{}, t0, out);
    const Instance& instance = *after.router().instances().front();
    REQUIRE(instance.state_name() == StateName::master);
    const auto next = instance.next_departure();
    REQUIRE(next.has_value());
    CHECK(form_of({{}, 100, 1, *next}) == form);
  }
}

TEST_CASE("checksum: what no form has is none on the page") {
  for (int number = 0; number < 256; ++number) {
    const auto read = static_cast<std::uint8_t>(number);
    CHECK(form_of_number(read).has_value() == (number >= 1 && number <= 3));
    if (form_of_number(read)) CHECK(number_of(form_of_number(read)) == number);
  }
}

TEST_CASE("checksum: peers with different forms leave none on the page") {
  const IpAddress other = ip("192.0.2.3");
  Bench bench({unicast({{kPeer, 0, 255}, {other, 0, 255}})});
  bench.hear(version3(), 200, t0 + 1s, kPeer, ip("192.0.2.1"), ChecksumForm::without_pseudo_header);
  bench.hear(version3(), 200, t0 + 1s, other, ip("192.0.2.1"), ChecksumForm::with_group);
  bench.wake(*bench.driver.deadline());
  for (const Action& action : bench.out) {
    if (const auto* remember = std::get_if<Remember>(&action))
      CHECK_FALSE(remember->checksum.has_value());
  }
}

TEST_CASE("IPv6: what troubles one family's socket leaves the other alone") {
  auto four = version3();
  auto both = good();
  both.trouble_v6 = "cannot open a raw socket: no IPv6 here";
  Bench bench({four, six()}, both);
  CHECK(bench.instance(0).state_name() == StateName::backup);
  CHECK(bench.instance(1).state_name() == StateName::fault);
  CHECK(bench.instance(1).why() == both.trouble_v6);
}

TEST_CASE("IPv6 and IPv4 with one number on one link are two virtual routers [RFC9568-5.2.3-1]") {
  Bench bench({version3(), six()});
  bench.hear(six(), 200, t0 + 2s, ip("fe80::2"), vrrp_group(core::Family::v6));
  CHECK(bench.instance(1).heard_master().has_value());
  CHECK_FALSE(bench.instance(0).heard_master().has_value());
}

TEST_CASE("unicast: a letter to each peer with its own checksum, none to ourselves") {
  auto status = good();
  status.own_addresses = {ip("192.0.2.1"), ip("192.0.2.5")};
  Bench bench({unicast({{kPeer, 0, 255},
                        {ip("192.0.2.1"), 0, 255},
                        {ip("192.0.2.5"), 0, 255},
                        {ip("198.51.100.7"), 0, 255}})},
              status);
  bench.hear(version3(), 200, t0 + 1s, ip("198.51.100.7"), ip("192.0.2.1"),
             ChecksumForm::with_group);
  bench.wake(*bench.driver.deadline());

  REQUIRE(bench.sent.size() == 1);
  const Departure& departure = *bench.sent[0].departure;
  CHECK(departure.hop_limit == 64);
  REQUIRE(departure.letters.size() == 2);
  CHECK(departure.letters[0].destination == kPeer);
  CHECK(departure.letters[1].destination == ip("198.51.100.7"));
  CHECK(form_of(bench.sent[0], 0) == ChecksumForm::with_pseudo_header);
  CHECK(form_of(bench.sent[0], 1) == ChecksumForm::with_group);
}

TEST_CASE("rehearsal: imagined peers speak IPv6 and unicast as the real ones did") {
  auto peers = unicast({{kPeer, 0, 255}});
  Bench bench({six(), peers});
  bench.hear(six(), 90, t0 + 100ms, ip("fe80::2"), vrrp_group(core::Family::v6));
  bench.hear(peers, 90, t0 + 100ms, kPeer, ip("192.0.2.1"));
  const Instant due = *bench.driver.deadline();
  bench.wake(due);
  REQUIRE(bench.instance(0).state_name() == StateName::master);
  REQUIRE(bench.instance(1).state_name() == StateName::master);

  ImaginedPeers known(bench.driver.router(), due + 100ms);
  std::vector<std::string> took_over;
  const ImaginedPeers::Watcher watcher{.sends = [](const SendAdvert&) {},
                                       .changes =
                                           [&](const IpAddress& peer, const StateChanged& change) {
                                             if (change.to == StateName::master)
                                               took_over.push_back(peer.to_string());
                                           }};
  bench.handle(Shutdown{}, due + 100ms);
  REQUIRE(bench.sent.size() == 2);
  for (const SendAdvert& advert : bench.sent) known.hear(advert, due + 100ms, watcher);
  known.tick(due + 100ms + skew_time(90, 1s, 3), watcher);

  std::sort(took_over.begin(), took_over.end());
  CHECK(took_over == std::vector<std::string>{"192.0.2.2", "fe80::2"});
}

TEST_CASE(
    "unicast: never a silent fall back: no peer, or no source, is a fault with its sentence") {
  Bench lonely({unicast({})});
  CHECK(lonely.instance().state_name() == StateName::fault);
  CHECK(lonely.instance().why() == "no unicast peer is listed");

  auto without = good();
  without.own_addresses.clear();
  Bench bench({unicast({{kPeer, 0, 255}})}, without);
  CHECK(bench.instance().why() == "no interface has the address 192.0.2.1 to send from");
  bench.handle(InterfaceChanged{"eth0", good()}, t0 + 1s);
  CHECK(bench.instance().state_name() == StateName::backup);
  bench.wake(*bench.driver.deadline());
  CHECK(bench.instance().state_name() == StateName::master);
  bench.handle(InterfaceChanged{"eth0", without}, t0 + 9s);
  CHECK(bench.instance().state_name() == StateName::fault);
}

TEST_CASE("unicast: a list of nothing but this host's addresses is a fault") {
  auto status = good();
  status.own_addresses = {ip("192.0.2.1"), ip("192.0.2.5")};
  Bench bench({unicast({{ip("192.0.2.1"), 0, 255}, {ip("192.0.2.5"), 0, 255}})}, status);
  CHECK(bench.instance().state_name() == StateName::fault);
  CHECK(bench.instance().why() == "every unicast peer that is listed is an address of this host");
  bench.handle(InterfaceChanged{"eth0", good()}, t0 + 1s);  // the other one has moved away
  CHECK(bench.instance().state_name() == StateName::backup);
}

TEST_CASE("unicast: two instances with one number are told apart by their source") {
  auto one = unicast({{kPeer, 0, 255}});
  auto other = one;
  other.name = "VI_2";
  other.source_address = ip("192.0.2.5");
  auto status = good();
  status.own_addresses = {ip("192.0.2.1"), ip("192.0.2.5")};
  Bench bench({one, other}, status);

  bench.hear(version3(), 200, t0 + 1s, kPeer, ip("192.0.2.5"));

  CHECK_FALSE(bench.instance(0).heard_master().has_value());
  CHECK(bench.instance(1).heard_master().has_value());
}

TEST_CASE("unicast: without a source of its own it is the interface's address, whatever that is") {
  auto settings = unicast({{kPeer, 0, 255}});
  settings.source_address.reset();
  Bench bench({settings});
  CHECK(bench.instance().key().channel.is_unspecified());
  bench.hear(version3(), 200, t0 + 1s, kPeer, ip("192.0.2.1"));
  CHECK(bench.instance().heard_master().has_value());

  auto moved = good();
  moved.primary_address = ip("192.0.2.8");
  bench.handle(InterfaceChanged{"eth0", moved}, t0 + 2s);
  bench.wake(*bench.driver.deadline());
  CHECK(bench.sent.at(0).departure->source == ip("192.0.2.8"));
}

TEST_CASE("track_src_ip: a missing source is a fault, without it IPv4 adverts go all the same") {
  auto settings = version3();
  settings.source_address = ip("203.0.113.9");
  Bench loose({settings});
  CHECK(loose.instance().state_name() == StateName::backup);
  settings.source_tracking = SourceTracking::yes;
  Bench strict({settings});
  CHECK(strict.instance().why() == "no interface has the address 203.0.113.9 to send from");
}
