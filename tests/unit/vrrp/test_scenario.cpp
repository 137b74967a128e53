// Recordings as text: every event, setting and memory comes back as it was, passwords do not, and
// a recording of anything plays to the same decisions.
#include "core/checksum.hpp"
#include "core/rng.hpp"
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/ah.hpp"
#include "vrrp/core/router.hpp"
#include "vrrp/core/trailer.hpp"
#include "vrrp/core/turn.hpp"
#include "vrrp/scenario/lines.hpp"
#include "vrrp/scenario/recording.hpp"
#include "vrrp/scenario/replay.hpp"
#include "vrrp/scenario/words.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
namespace scenario = holdfast::vrrp::scenario;
using scenario::Pseudonyms;
using scenario::Replay;
using Lines = std::vector<std::string>;

namespace {

const Instant t0{1h};
const RouterKey kKey{"eth0", core::Family::v4, 51, vrrp_group()};
constexpr std::uint16_t kIdentification = 17;
constexpr Pseudonyms::Key kSecret{0x0123456789abcdef, 0xfedcba9876543210};

/// Differs from a default-made one in every member.
InstanceSettings odd_settings() {
  InstanceSettings settings = everyday();
  settings.name = "VI \"odd\" #1;=%\n";
  settings.priority = 254;
  settings.initial_state = InitialState::master;
  settings.preempt = Preempt::no;
  settings.preempt_delay = 3s + 1us;
  settings.advert_interval = 2s;
  settings.down_timer_adverts = 4;
  settings.authentication = Authentication::password("secret");
  settings.addresses = {{.prefix = {ip("192.0.2.100"), 24},
                         .interface = "eth1",
                         .label = "eth1:0",
                         .broadcast = ip("192.0.2.255"),
                         .scope = 253,
                         .no_track = true,
                         .options = core::AddressOptions{.peer = IpPrefix{ip("192.0.2.9"), 30},
                                                         .no_prefix_route = true,
                                                         .auto_join = true,
                                                         .home = true,
                                                         .duplicate_detection = true,
                                                         .manage_temporary = true,
                                                         .preferred_lifetime = 60}},
                        {.prefix = {ip("192.0.2.101"), 32},
                         .interface = "e=t;h,2%",
                         .label = {},
                         .broadcast = {},
                         .scope = {}}};
  settings.excluded_addresses = {{.prefix = {ip("2001:db8::1"), 64},
                                  .interface = "eth1",
                                  .label = {},
                                  .broadcast = {},
                                  .scope = {}}};
  settings.source_address = ip("192.0.2.9");
  settings.garp = {1, 2s, 3s, 4, 6, 7s};
  settings.extra_announcements = ExtraAnnouncements{9s, settings.addresses};
  settings.address_list_policy = AddressListPolicy::drop_unless_sender_owner;
  settings.owner_receive = OwnerReceive::discard;
  settings.lower_priority_answer = LowerPriorityAnswer::announce_only;
  settings.higher_priority_send_advert = true;
  settings.version = 3;
  settings.source_tracking = SourceTracking::yes;
  settings.primary_tracking = PrimaryTracking::no;
  settings.address_list_check = AddressListCheck::new_sender;
  settings.group = ip("224.0.0.99");
  settings.unicast = Unicast{{{ip("192.0.2.2"), 2, 254}}, 64, Senders::listed};
  settings.checksum = ChecksumChoice::without_pseudo_header;
  settings.signing = Signing{{{7, std::vector<std::uint8_t>(32, 5)}, {8, {1, 2}}},
                             7,
                             6s,
                             AntiReplay::monotonic,
                             SigningMode::receive_only};
  settings.minimum_ttl = 254;
  settings.retry_after = 11s;
  settings.trackers = {
      {.id = {TrackerKind::script, "a;b,c=d:e"}, .weight = -30, .reverse = Reverse::yes},
      {.id = {TrackerKind::file, "load"}, .weight = 254, .reverse = Reverse::no},
      {.id = {TrackerKind::process, "web"}, .weight = -254, .reverse = Reverse::no},
      {.id = {TrackerKind::interface, "eth1"}, .weight = 0, .reverse = Reverse::no}};
  settings.device = OwnDevice{"vrrp.51", AdvertsFrom::device};
  return settings;
}

Advert odd_advert() {
  Advert advert = advert_of(everyday(), 7);
  advert.version = 3;
  advert.interval = 3s;
  advert.checksum = ChecksumForm::with_group;
  advert.authentication_type = 1;
  advert.authentication_data = {1, 2, 3, 4, 5, 6, 7, 8};
  return advert;
}

/// One of each alternative, with every member different from a default-made one.
std::vector<Event> every_event() {
  return {Startup{},
          Tick{},
          AdvertReceived{kKey, odd_advert(), ip("192.0.2.2"), true, Proof{3, 4, 5}},
          AdvertRejected{kKey, {Objection::interval_mismatch, ip("192.0.2.3"), "says \"2 s\""}},
          AdvertSent{kKey, 100},
          AdvertRefused{kKey, 100, "Operation not permitted"},
          AnnouncementsRefused{kKey, 5},
          InterfaceChanged{"eth0",
                           {.exists = true,
                            .up = true,
                            .primary_address = ip("192.0.2.1"),
                            .trouble = "cannot open a socket:\nNo buffer",
                            .link_local = ip("fe80::1"),
                            .trouble_v6 = "Address family not supported",
                            .own_addresses = {ip("192.0.2.1"), ip("fe80::1")},
                            .sources_to = {{ip("198.51.100.2"), ip("192.0.2.1")},
                                           {ip("2001:db8::2"), ip("2001:db8::1")}},
                            .virtual_sources_to = {{ip("198.51.100.3"), ip("192.0.2.100")}},
                            .deaf_groups = {ip("224.0.0.19")},
                            .unheard = {{"", "a port; of = br0"}, {"00:00:5e:00:01:33", "taken"}},
                            .device_troubles = {{"vrrp.51", "it is a; b=c, \"dummy\""}}}},
          AddressesPlaced{kKey, 3, 2, "eth0 refuses 192.0.2.100"},
          AddressesRepaired{kKey},
          Shutdown{},
          ShutdownNow{},
          ProcessPaused{5s, 1us},
          ResumeFromPage{kKey, t0 + 1us, t0 + 2s, 3s, ChecksumForm::with_group, 120},
          Reload{{odd_settings(), everyday()}},
          ScriptStarted{kKey},
          ScriptEnded{kKey,
                      "notify_master",
                      "MASTER",
                      {core::ScriptEnd::signalled, core::EndedBy::newer_state, 15, "a word", 3s}},
          RecallProofs{kKey, {41, 1, {{ip("192.0.2.2"), 7, 8}, {ip("fe80::2"), 9, 1}}}},
          ClockTold{5s + 1us},
          TrackerReported{{TrackerKind::script, "a;b,c=d:e"}, Verdict::good},
          TrackerReported{{TrackerKind::process, "web"}, Verdict::bad},
          TrackerReported{{TrackerKind::file, "load"}, {-254}},
          Steered{kKey, {.adds = -50, .resigns = true}}};
}

/// A recording in memory.
class Memory : public scenario::Tape {
 public:
  explicit Memory(bool everything = true) : everything_(everything) {
    lines.emplace_back(everything ? scenario::kFirstLine : scenario::kFirstLineOfExcerpt);
  }
  Need before_turn(std::size_t) override {
    return everything_ && !std::exchange(begun_, true) ? Need::life : Need::nothing;
  }
  void before_reload(std::size_t) override {}
  void begin_life(Instant at, RouterSituation situation) override {
    const Lines text = scenario::life_lines(situation);
    for (const std::string& each : text)
      write(&each == &text.front() ? std::optional(at) : std::nullopt, each);
  }
  [[nodiscard]] bool wants_everything() const override { return everything_; }
  void write(std::optional<Instant> at, std::string_view line) override {
    lines.push_back(
        (at ? fmt::format("{:.6f} ", std::chrono::duration<double>(at->time_since_epoch()).count())
            : "") +
        std::string(line));
  }
  void after_turn(Instant, const Actions&) override {}
  void join_again() { begun_ = false; }

  Lines lines;

 private:
  bool everything_;
  bool begun_ = false;
};

struct Played {
  Replay::Verdict verdict;
  std::size_t decisions = 0;
  std::size_t line = 0;
  std::string text;
  Lines trace;
};

Played play(const Lines& lines) {
  Played played{};
  Replay replay([&](std::string_view line) { played.trace.emplace_back(line); });
  for (const std::string& line : lines) replay.feed(line);
  replay.finish();
  played.verdict = replay.verdict();
  played.decisions = replay.decisions();
  if (const auto& difference = replay.difference()) {
    played.line = difference->line;
    played.text = difference->expected + " | " + difference->got;
  }
  if (const auto& trouble = replay.trouble()) {
    played.line = trouble->line;
    played.text = trouble->sentence;
  }
  return played;
}

/// A director whose world is dice: packets of two peers with three passwords, interface changes,
/// refused adverts and addresses, tracked scripts, reloads, pauses.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : rng_(seed) {
    for (int vrid = 51; vrid < 54; ++vrid) settings_.push_back(numbered(vrid));
  }

  void begin(Memory& tape) {
    driver.attach(tape, kSecret, now);
    handle(InterfaceChanged{"eth0", up()});
    handle(Reload{settings_});
    handle(Startup{});
  }

  void step() {
    now += rng_.below(Duration(700ms));
    switch (rng_.below(std::uint64_t{12})) {
      case 0:
        return handle(InterfaceChanged{"eth0", rng_.chance(50) ? up() : InterfaceStatus{}});
      case 1:
        now += 9s;  // a pause
        return wake(0);
      case 2: {
        const auto& one = settings_[rng_.below(std::uint64_t{3})];
        return handle(AddressesPlaced{one.key(), 1, rng_.below(std::uint64_t{2}), "no room"});
      }
      case 3:
        settings_[rng_.below(std::uint64_t{3})] = numbered(51 + rng_.below(std::uint64_t{3}));
        if (!rng_.chance(10)) settings_ = {numbered(51), numbered(52), numbered(53)};
        return handle(Reload{unique()});
      case 4:
        return handle(TrackerReported{{TrackerKind::script, "chk"},
                                      rng_.chance(70) ? Verdict::good : Verdict::bad});
      default:
        return wake(rng_.below(std::uint64_t{3}));
    }
  }

  scenario::RecordedDriver driver{Router{}};
  Instant now = t0;

 private:
  InstanceSettings numbered(std::uint64_t vrid) {
    InstanceSettings settings = everyday();
    settings.name = fmt::format("VI_{}", vrid);
    settings.vrid = static_cast<std::uint8_t>(vrid);
    settings.priority = static_cast<std::uint8_t>(100 + rng_.below(std::uint64_t{3}) * 50);
    settings.authentication =
        vrid == 52 ? Authentication::header("secret") : Authentication::password("secret");
    if (vrid == 53) settings.signing = Signing{.keys = {{1, std::vector<std::uint8_t>(32, 's')}}};
    if (rng_.chance(30)) settings.preempt = Preempt::no;
    if (rng_.chance(40))
      settings.trackers = {{.id = {TrackerKind::script, "chk"},
                            .weight = static_cast<std::int16_t>(rng_.chance(50) ? -60 : 0)}};
    return settings;
  }
  [[nodiscard]] std::vector<InstanceSettings> unique() const {
    std::vector<InstanceSettings> once;
    for (const InstanceSettings& each : settings_) {
      const bool there = std::any_of(once.begin(), once.end(), [&](const InstanceSettings& known) {
        return known.vrid == each.vrid;
      });
      if (!there) once.push_back(each);
    }
    return once;
  }
  static InterfaceStatus up() {
    return {.exists = true, .up = true, .primary_address = ip("192.0.2.1"), .trouble = {}};
  }
  /// What follows an IP header, which AH covers with this identification.
  std::vector<std::uint8_t> packet(const IpAddress& source, std::uint8_t& protocol) {
    static constexpr std::array<std::string_view, 3> kWords{"secret", "secret", "other"};
    const Envelope envelope{2, source, vrrp_group()};
    InstanceSettings peer = numbered(51 + rng_.below(std::uint64_t{4}));
    const auto word = kWords.at(rng_.below(std::uint64_t{3}));
    peer.authentication =
        peer.has_header() ? Authentication::header(word) : Authentication::password(word);
    Advert advert = make_advert(peer, static_cast<std::uint8_t>(rng_.below(std::uint64_t{256})));
    if (rng_.chance(20)) advert.interval = 2s;
    std::vector<std::uint8_t> bytes;
    encode_advert(advert, bytes);
    if (rng_.chance(10)) bytes[6] ^= 1;
    if (rng_.chance(10)) bytes.resize(bytes.size() - rng_.below(std::uint64_t{20}));
    const auto utc = now.time_since_epoch() - rng_.below(Duration(6s));
    if (peer.signs() && claimed_bytes(bytes, envelope) == bytes.size())
      append_trailer(bytes, envelope, peer.signing->keys[0], stamp_of(utc));
    if (rng_.chance(10)) bytes.back() ^= 1;
    protocol = peer.has_header() ? kIpProtocolAh : kIpProtocolVrrp;
    if (peer.has_header())
      put_ah(bytes, static_cast<std::uint32_t>(now.time_since_epoch() / 20s),
             {source, vrrp_group(), kIdentification, 255}, peer.authentication.data);
    if (rng_.chance(10)) bytes.back() ^= 1;
    return bytes;
  }
  void wake(std::uint64_t packets) {
    actions_.clear();
    const Instant heard_since = now;
    driver.begin(now, Duration::zero(), actions_);
    for (std::uint64_t i = 0; i < packets; ++i) {
      if (rng_.chance(10)) {  // too many for a turn
        end();
        actions_.clear();
        now += 5ms;
        driver.begin(now, Duration::zero(), actions_);
      }
      const IpAddress source = ip(rng_.chance(50) ? "192.0.2.2" : "192.0.2.0");
      std::uint8_t protocol = 0;
      const auto bytes = packet(source, protocol);
      driver.receive(
          {"eth0", core::Family::v4, source, vrrp_group(), 255, bytes, protocol, kIdentification},
          actions_);
    }
    driver.finish(heard_since, actions_);
    end();
  }
  void handle(const Event& event) {
    actions_.clear();
    driver.handle(event, now, actions_);
    end();
  }
  void end() {
    for (std::size_t i = 0; i < actions_.size(); ++i) {
      const auto* advert = std::get_if<SendAdvert>(&actions_[i]);
      if (advert == nullptr) continue;
      const AdvertSent sent{advert->router->key, advert->priority};
      if (rng_.chance(90)) {
        driver.answer(sent, actions_);
      } else {
        driver.answer(AdvertRefused{sent.router, sent.priority, "no buffer"}, actions_);
      }
    }
    driver.settle(actions_);
  }

  core::Rng rng_;
  std::vector<InstanceSettings> settings_;
  Actions actions_;
};

}  // namespace

TEST_CASE("scenario: every event comes back from its line as it was") {
  std::set<std::size_t> seen;
  for (const Event& event : every_event()) {
    seen.insert(event.index());
    const auto words = scenario::split_words(scenario::event_text(event));

    Event back = scenario::read_event(words);

    REQUIRE(back.index() == event.index());
    if (auto* reload = std::get_if<Reload>(&back)) {
      const auto& settings = std::get<Reload>(event).instances;
      REQUIRE(reload->instances.size() == settings.size());
      for (std::size_t i = 0; i < settings.size(); ++i) {
        const auto line = scenario::split_words(scenario::instance_line(settings[i]));
        reload->instances[i] = scenario::read_instance(std::span(line).subspan(1));
        CHECK(reload->instances[i] == settings[i]);
      }
    }
    CHECK(scenario::event_text(back) == scenario::event_text(event));
  }
  CHECK(seen.size() == std::variant_size_v<Event>);  // every_event() has one of each
}

TEST_CASE("scenario: a line names every member that differs from a default-made one") {
  const std::string line = scenario::instance_line(odd_settings());

  for (const std::string_view key : {"name",
                                     "interface",
                                     "vrid",
                                     "priority",
                                     "initial_state",
                                     "preempt",
                                     "preempt_delay",
                                     "advert_interval",
                                     "down_timer_adverts",
                                     "authentication.type",
                                     "authentication.data",
                                     "signing.keys",
                                     "signing.active_key",
                                     "signing.window",
                                     "signing.anti_replay",
                                     "signing.mode",
                                     "addresses",
                                     "excluded_addresses",
                                     "source_address",
                                     "version",
                                     "source_tracking",
                                     "primary_tracking",
                                     "group",
                                     "unicast",
                                     "unicast.peers",
                                     "unicast.hop_limit",
                                     "unicast.senders",
                                     "checksum",
                                     "garp.repeat",
                                     "garp.delay",
                                     "garp.refresh",
                                     "garp.refresh_repeat",
                                     "garp.lower_priority_repeat",
                                     "garp.lower_priority_delay",
                                     "extra_announcements.every",
                                     "extra_announcements.addresses",
                                     "address_list_policy",
                                     "address_list_check",
                                     "owner_receive",
                                     "lower_priority_answer",
                                     "higher_priority_send_advert",
                                     "minimum_ttl",
                                     "retry_after",
                                     "trackers"})
    CHECK_MESSAGE(line.find(fmt::format(" {}=", key)) != std::string::npos, key);
  CHECK(scenario::event_text(AdvertSent{kKey, 100}) ==
        "sent router=eth0/51/224.0.0.18 priority=100");
}

TEST_CASE("scenario: words with quotes, control bytes and comments survive") {
  core::Rng rng(5);
  for (int i = 0; i < 2000; ++i) {
    Lines words;
    std::string line;
    for (std::uint64_t n = rng.below(std::uint64_t{4}) + 1; n > 0; --n) {
      std::string& word = words.emplace_back();
      for (std::uint64_t letters = rng.below(std::uint64_t{6}); letters > 0; --letters)
        word += static_cast<char>(rng.below(std::uint64_t{256}));
      line += scenario::quote(word) + " ";
    }
    REQUIRE(scenario::split_words(line + "# and a comment") == words);
    REQUIRE(line.find('\n') == std::string::npos);
  }
}

TEST_CASE("scenario: a director that goes on from its situation decides the same") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Dice dice(seed);
    Memory tape;
    dice.begin(tape);
    for (int i = 0; i < 60; ++i) dice.step();
    const RouterSituation before = dice.driver.router().situation();

    const Router copy(before);

    CHECK(copy.situation() == before);
    CHECK(copy.deadline() == dice.driver.deadline());
    CHECK(copy.shortest_interval() == dice.driver.router().shortest_interval());
  }
}

TEST_CASE("scenario: whatever happened plays to the same decisions, from the start or joined") {
  std::size_t decisions = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    Dice dice(seed);
    Memory whole;
    dice.begin(whole);
    for (int i = 0; i < 100; ++i) dice.step();
    Memory joined;
    dice.driver.attach(joined, {7, seed}, dice.now);
    for (int i = 0; i < 100; ++i) {
      dice.step();
      if (i == 50) joined.join_again();  // as a ring that begins its next part
    }

    const Played first = play(whole.lines);
    const Played second = play(joined.lines);

    REQUIRE_MESSAGE(first.verdict == Replay::Verdict::same, first.line, ": ", first.text);
    REQUIRE_MESSAGE(second.verdict == Replay::Verdict::same, second.line, ": ", second.text);
    decisions += second.decisions;
  }
  CHECK(decisions > 1000);
}

TEST_CASE("scenario: another decision is found, with its line, what was expected and what came") {
  Dice dice(1);
  Memory tape;
  dice.begin(tape);
  for (int i = 0; i < 200; ++i) dice.step();
  Lines lines = tape.lines;
  const auto found = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("send advert priority") != std::string::npos;
  });
  REQUIRE(found != lines.end());
  const std::string right = *found;
  *found = right + "0";

  const Played played = play(lines);

  CHECK(played.verdict == Replay::Verdict::differs);
  CHECK(played.line == static_cast<std::size_t>(found - lines.begin()) + 1);
  CHECK(played.text == right + "0 | " + right);
}

TEST_CASE("scenario: what is cut off or left out is no difference") {
  Dice dice(2);
  Memory tape;
  dice.begin(tape);
  for (int i = 0; i < 30; ++i) dice.step();
  Lines lines = tape.lines;
  while (!lines.back().ends_with("finish")) lines.pop_back();  // killed within a wake-up

  CHECK(play(lines).verdict == Replay::Verdict::same);

  lines.insert(lines.begin() + 12, "gap");
  lines.insert(lines.begin() + 13, "3700.000000 no such thing");
  const Played played = play(lines);
  CHECK(played.verdict == Replay::Verdict::same);
}

TEST_CASE("scenario: a recording that a full disk cut after any of its lines can be played") {
  Dice dice(2);
  Memory tape;
  dice.begin(tape);
  for (int i = 0; i < 60; ++i) dice.step();
  const auto reload = std::find_if(tape.lines.begin(), tape.lines.end(), [](const auto& line) {
    return line.find(" do reload instances=") != std::string::npos;
  });
  REQUIRE(reload != tape.lines.end());

  for (auto end = tape.lines.begin() + 1; end != tape.lines.end(); ++end) {
    const Played played = play(Lines(tape.lines.begin(), end));
    REQUIRE_MESSAGE(played.verdict == Replay::Verdict::same, played.line, ": ", played.text);
  }
}

TEST_CASE("scenario: nonsense is named with its line, and never harms") {
  Dice dice(3);
  Memory tape;
  dice.begin(tape);
  for (int i = 0; i < 20; ++i) dice.step();
  core::Rng rng(11);
  std::size_t unreadable = 0;
  for (int i = 0; i < 3000; ++i) {
    Lines lines = tape.lines;
    std::string& line = lines[rng.below(std::uint64_t{lines.size()})];
    if (line.empty()) continue;
    line[rng.below(std::uint64_t{line.size()})] =
        static_cast<char>(' ' + rng.below(std::uint64_t{90}));
    unreadable += play(lines).verdict == Replay::Verdict::unreadable ? 1 : 0;
  }
  CHECK(unreadable > 100);

  CHECK(play({"holdfast-scenario 2"}).text ==
        "this program reads 'holdfast-scenario 1', not "
        "'holdfast-scenario 2'");
  CHECK(play({}).verdict == Replay::Verdict::unreadable);
  CHECK(play({"instance prio 1", "at 0s start", "until 999999999s"}).line == 3);
  const Played twice = play({"holdfast-scenario 1", "1 life", "1 do reload instances=2",
                             "instance vrid=5 interface=eth0", "instance vrid=5 interface=eth0"});
  CHECK(twice.line == 5);
  CHECK(twice.text == "two instances are eth0 5 ipv4 224.0.0.18");
  const Played never = play({"holdfast-scenario 1", "1 life", "1 do reload instances=1",
                             "instance vrid=5 advert_interval=0"});
  CHECK(never.text == "advert_interval: more than nothing");
}

TEST_CASE("scenario: no password stands in a recording") {
  Dice dice(4);
  Memory tape;
  dice.begin(tape);
  for (int i = 0; i < 200; ++i) dice.step();
  std::string all;
  for (const std::string& line : tape.lines) all += line + "\n";
  const std::string hex = "736563726574";  // "secret"
  REQUIRE(all.find("packet ") != std::string::npos);
  REQUIRE(all.find("authentication.type=password") != std::string::npos);

  CHECK(all.find("secret") == std::string::npos);
  CHECK(all.find(hex) == std::string::npos);
  CHECK(all.find("6f74686572") == std::string::npos);  // "other", of a packet
  CHECK(all.find("7373737373") == std::string::npos);  // the key of auth_hmac
  CHECK(all.find("authentication.type=header") != std::string::npos);
  CHECK(all.find("signing.keys=1,") != std::string::npos);
  CHECK(all.find(" ah=17") != std::string::npos);
  for (const std::string_view reason :
       {"ah_invalid", "ah_replay", "auth_ext_invalid_hmac", "auth_ext_stale", "auth_ext_replay"})
    CHECK_MESSAGE(all.find(reason) != std::string::npos, reason);
}

TEST_CASE("pseudonyms: equal stays equal, zeros stay zeros, checksums stay what they were") {
  const Pseudonyms hide(kSecret);
  const Pseudonyms::Octets one{'s', 'e', 'c', 'r', 'e', 't', 0, 0};
  Pseudonyms::Octets other = one;
  other[7] = 1;

  CHECK(hide.hide(one) == hide.hide(one));
  CHECK(hide.hide(one) != one);
  CHECK(hide.hide(one) != hide.hide(other));
  CHECK(hide.hide(Pseudonyms::Octets{}) == Pseudonyms::Octets{});
  CHECK(Pseudonyms({1, 2}).hide(one) != hide.hide(one));

  std::vector<std::uint8_t> packet;
  InstanceSettings settings = everyday();
  settings.authentication = Authentication::password("secret");
  encode_advert(make_advert(settings, 100), packet);
  const auto hidden = hide.hide(std::span<const std::uint8_t>(packet));
  CHECK(hidden.size() == packet.size());
  CHECK(core::internet_checksum(hidden) == 0);
  CHECK(decode_advert(hidden)->authentication_data == hide.hide(settings.authentication.data));
  packet[6] ^= 0x40;
  CHECK(core::internet_checksum(hide.hide(std::span<const std::uint8_t>(packet))) != 0);
}

TEST_CASE("pseudonyms: a right proof stays right, a wrong one wrong, one unasked for is blank") {
  const Pseudonyms hide(kSecret);
  const IpAddress from = ip("192.0.2.2");
  const IpAddress six = ip("fe80::2");
  InstanceSettings signer = everyday();
  signer.signing = Signing{.keys = {{1, std::vector<std::uint8_t>(32, 's')}}};
  InstanceSettings header = everyday();
  header.authentication = Authentication::header("secret");
  const auto verdict = [&](std::vector<std::uint8_t> bytes, const IpAddress& source,
                           const InstanceSettings& settings, std::uint8_t protocol) {
    const IpAddress group = vrrp_group(source.family());
    Received packet{"eth0", source.family(), source, group, 255, bytes, protocol, kIdentification};
    const auto hidden = hide.hide(packet, &settings);
    CHECK(hidden != bytes);
    const auto blank = hide.hide(packet, nullptr);
    const std::size_t proof_at = protocol == kIpProtocolAh ? 12 : bytes.size() - 16;
    for (std::size_t i = 0; i < 12; ++i) CHECK(blank.at(proof_at + i) == 0);
    packet.payload = hidden;
    const auto checked = check_advert(packet, hide.hide(settings), std::nullopt);
    const auto* rejected = std::get_if<Rejected>(&checked);
    return rejected == nullptr ? "accepted" : std::string(to_string(rejected->reason));
  };
  signer.signing->anti_replay = AntiReplay::monotonic;
  for (const IpAddress& source : {from, six}) {
    signer.family = source.family();
    signer.version = source.is_v4() ? 2 : 3;
    if (!source.is_v4())
      signer.addresses = {{.prefix = {ip("fe80::9"), 64},
                           .interface = {},
                           .label = {},
                           .broadcast = {},
                           .scope = {}}};
    const Envelope envelope{signer.version, source, vrrp_group(source.family())};
    std::vector<std::uint8_t> bytes;
    encode_advert(make_advert(signer, 100), bytes, envelope);
    append_trailer(bytes, envelope, signer.signing->keys[0], 5);
    CHECK(verdict(bytes, source, signer, kIpProtocolVrrp) == "accepted");
    bytes.back() ^= 1;
    CHECK(verdict(bytes, source, signer, kIpProtocolVrrp) ==
          (source.is_v4() ? "auth_ext_invalid_hmac" : "bad_checksum"));
  }
  std::vector<std::uint8_t> bytes;
  encode_advert(make_advert(header, 100), bytes);
  put_ah(bytes, 5, {from, vrrp_group(), kIdentification, 255}, header.authentication.data);
  CHECK(verdict(bytes, from, header, kIpProtocolAh) == "accepted");
  bytes[12] ^= 1;
  CHECK(verdict(bytes, from, header, kIpProtocolAh) == "ah_invalid");
}

TEST_CASE("pseudonyms: SipHash-2-4 gives the value of another implementation") {
  // The bytes 00 01 … 07 under the key 00 01 … 0f: vector 8 of the reference's table, as a number.
  const Pseudonyms hide(Pseudonyms::Key{0x0706050403020100, 0x0f0e0d0c0b0a0908});

  CHECK(hide.hide(Pseudonyms::Octets{7, 6, 5, 4, 3, 2, 1, 0}) ==
        Pseudonyms::Octets{0x93, 0xf5, 0xf5, 0x79, 0x9a, 0x93, 0x24, 0x62});
}

TEST_CASE("excerpt: tells the changes, names the way to everything when it is played") {
  Dice dice(5);
  Memory tape(false);
  dice.begin(tape);
  for (int i = 0; i < 100; ++i) dice.step();
  std::string all;
  for (const std::string& line : tape.lines) all += line + "\n";

  CHECK(all.find("BACKUP -> MASTER") != std::string::npos);
  CHECK(all.find("do interface") != std::string::npos);
  CHECK(all.find(" packet \"") == std::string::npos);
  CHECK(all.find("answer sent") == std::string::npos);
  CHECK(all.find("send advert") == std::string::npos);
  CHECK(play(tape.lines).text.find("holdfastctl record start") != std::string::npos);
}
