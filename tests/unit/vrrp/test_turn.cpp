// The order in which one wake-up's actions are done, and what its answers may still take back.
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/driver.hpp"
#include "vrrp/core/turn.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
using Lines = std::vector<std::string>;

namespace {

const Instant t0{1h};

core::Shared<Subject> subject(int vrid) {
  auto settings = everyday();
  settings.vrid = static_cast<std::uint8_t>(vrid);
  return Subject{settings.key(), "VI_" + std::to_string(vrid)};
}

/// Writes down what it is asked to do; refuses every advert when told to.
struct Recorder : Doer {
  Lines done;
  bool refuses = false;
  int refused_announcements = 0;

  void send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers) override {
    for (const SendAdvert* advert : adverts) {
      done.push_back(fmt::format("{} advert {}", advert->router->name, advert->priority));
      if (refuses) {
        answers.emplace_back(AdvertRefused{advert->router->key, advert->priority, "not permitted"});
      } else {
        answers.emplace_back(AdvertSent{advert->router->key, advert->priority});
      }
    }
  }
  Moved move(std::span<const AddressMove> moves) override {
    for (const AddressMove& move : moves) {
      std::visit(
          [&](const auto* wish) { done.push_back(wish->router->name + " " + to_string(*wish)); },
          move);
    }
    return is_slow ? Moved::not_yet : Moved::all;
  }
  Moved keep_moving() override { return is_slow ? Moved::not_yet : Moved::all; }
  void announce(std::span<const Announce* const> announcements,
                std::vector<Event>& answers) override {
    for (const Announce* announce : announcements) {
      done.push_back(announce->router->name + " " + to_string(*announce));
      if (refused_announcements > 0)
        answers.emplace_back(AnnouncementsRefused{announce->router->key, 5});
    }
  }
  void tell(const Action& action) override {
    const auto* remember = std::get_if<Remember>(&action);
    if (remember == nullptr) done.push_back(to_string(action));
    if (remember != nullptr && notes_pages)
      done.push_back(fmt::format("{} page {}", remember->router->name, to_string(remember->state)));
  }
  bool notes_pages = false;
  bool is_slow = false;  // the kernel takes its time
};

/// Several wake-ups whose work waits in one turn.
struct Waiting {
  Turn turn;
  Recorder recorder;

  void wake(Actions actions) {
    turn.begin(actions, recorder, [](const Event&, Actions&) {});
  }
  void work() {
    turn.work(recorder, [](const Event&, Actions&) {});
  }
  Lines rest() {
    while (turn.has_work()) work();
    return recorder.done;
  }
};

// All of it at once.
void perform(Actions& actions, Doer& doer, const Step& step) {
  Turn turn;
  turn.begin(actions, doer, step);
  while (turn.has_work()) turn.work(doer, step);
}

Lines performed(Actions actions) {
  Recorder recorder;
  perform(actions, recorder, [](const Event&, Actions&) {});
  return recorder.done;
}

Lines performed_with_pages(Actions actions) {
  Recorder recorder;
  recorder.notes_pages = true;
  perform(actions, recorder, [](const Event&, Actions&) {});
  return recorder.done;
}

Remember page(int vrid, StateName state) {
  Remember remember;
  remember.router = subject(vrid);
  remember.state = state;
  return remember;
}
Announce announce(int vrid) {
  return {subject(vrid), everyday().addresses, 5};
}
PublishAddresses publish(int vrid) {
  return {subject(vrid), everyday().addresses};
}

/// A backup at t0.
Driver started() {
  Driver driver{Router({everyday()})};
  Actions out;
  driver.handle(
      InterfaceChanged{"eth0", {.exists = true, .up = true, .primary_address = ip("192.0.2.1")}},
      t0, out);
  driver.handle(Startup{}, t0, out);
  return driver;
}

}  // namespace

TEST_CASE("turn: adverts of all go first, then addresses, announcements and the rest") {
  CHECK(performed({publish(1), announce(1), Notify{subject(1), NotifyState::master, 100},
                   SendAdvert{subject(1), 100, 1, {}}, publish(2),
                   SendAdvert{subject(2), 90, 1, {}}, announce(2)}) ==
        Lines{"VI_1 advert 100", "VI_2 advert 90", "VI_1 publish 192.0.2.100/32",
              "VI_2 publish 192.0.2.100/32", "VI_1 announce x5", "VI_2 announce x5",
              "notify MASTER 100"});
}

TEST_CASE("turn: addresses that were wished for and taken back in one wake-up are never touched") {
  CHECK(performed({publish(1), WithdrawAddresses{subject(1)}}) == Lines{"VI_1 withdraw"});
  CHECK(performed({WithdrawAddresses{subject(1)}, publish(1)}) ==
        Lines{"VI_1 publish 192.0.2.100/32"});
}

TEST_CASE("turn: the page claims before addresses come, and lets go after they have left") {
  // Who dies in between leaves addresses that nobody would know of.
  CHECK(
      performed_with_pages({SendAdvert{subject(1), 100, 1, {}}, publish(1),
                            page(1, StateName::master), Notify{subject(1), NotifyState::master}}) ==
      Lines{"VI_1 advert 100", "VI_1 page MASTER", "VI_1 publish 192.0.2.100/32",
            "notify MASTER 0"});
  CHECK(performed_with_pages({WithdrawAddresses{subject(1)}, page(1, StateName::backup)}) ==
        Lines{"VI_1 withdraw", "VI_1 page BACKUP"});
}

TEST_CASE("turn: of one wake-up's pages of an instance the last is written, and only that") {
  CHECK(performed_with_pages({page(1, StateName::backup), page(2, StateName::master), publish(1),
                              page(1, StateName::master)}) ==
        Lines{"VI_2 page MASTER", "VI_1 page MASTER", "VI_1 publish 192.0.2.100/32"});
  CHECK(performed_with_pages({page(1, StateName::master), WithdrawAddresses{subject(1)},
                              page(1, StateName::backup)}) ==
        Lines{"VI_1 withdraw", "VI_1 page BACKUP"});
  // A new instance with the key of one that leaves keeps what it wrote.
  CHECK(performed_with_pages(
            {WithdrawAddresses{subject(1)}, Removed{subject(1)}, page(1, StateName::backup)}) ==
        Lines{"VI_1 withdraw", "removed", "VI_1 page BACKUP"});
}

TEST_CASE("turn: who hands over is on its page at once, keeps its addresses and announces none") {
  Remember handover{subject(1), StateName::init};
  handover.hands_over = true;
  CHECK(performed_with_pages({publish(1), announce(1), handover}) ==
        Lines{"VI_1 page INIT", "VI_1 publish 192.0.2.100/32"});
}

TEST_CASE("turn: nothing is announced that a later withdrawal takes off, others are") {
  CHECK(performed({announce(1), WithdrawAddresses{subject(1)}, announce(2)}) ==
        Lines{"VI_1 withdraw", "VI_2 announce x5"});
  CHECK(performed({WithdrawAddresses{subject(1)}, publish(1), announce(1)}) ==
        Lines{"VI_1 publish 192.0.2.100/32", "VI_1 announce x5"});
}

TEST_CASE("turn: a lower advert and then a higher one in one batch leave no announcement behind") {
  Driver driver = started();
  Actions out;
  driver.begin(t0 + 3'609'375us, 0s, out);
  driver.finish(out);
  out.clear();
  const auto heard = [&](int priority) {
    std::vector<std::uint8_t> payload;
    encode_advert(make_advert(everyday(), static_cast<std::uint8_t>(priority)), payload);
    driver.receive({"eth0", core::Family::v4, ip("192.0.2.2"), vrrp_group(), 255, payload}, out);
  };

  driver.begin(t0 + 4s, 0s, out);
  heard(90);
  heard(200);
  driver.finish(out);

  Recorder recorder;
  perform(out, recorder, [&](const Event& e, Actions& more) { driver.answer(e, more); });
  CHECK(std::find(recorder.done.begin(), recorder.done.end(), "VI_1 announce x5") ==
        recorder.done.end());
  CHECK(std::find(recorder.done.begin(), recorder.done.end(), "VI_1 withdraw") !=
        recorder.done.end());
}

TEST_CASE("turn: a new instance with the key of a removed one keeps what it wishes") {
  CHECK(performed({WithdrawAddresses{subject(1)}, Removed{subject(1)}, publish(1)}) ==
        Lines{"VI_1 publish 192.0.2.100/32", "removed"});
  CHECK(performed({WithdrawAddresses{subject(1)}, Removed{subject(1)}}) ==
        Lines{"VI_1 removed", "removed"});
}

TEST_CASE("turn: a takeover whose advert does not leave beside a living master is taken back") {
  Driver driver = started();
  Actions out;
  std::vector<std::uint8_t> weaker;
  encode_advert(make_advert(everyday(), 90), weaker);
  driver.begin(t0 + 3s, 0s, out);
  driver.receive({"eth0", core::Family::v4, ip("192.0.2.2"), vrrp_group(), 255, weaker}, out);
  driver.finish(out);
  out.clear();
  driver.begin(t0 + 3'609'375us, 0s, out);
  driver.finish(out);

  Recorder recorder;
  recorder.refuses = true;
  perform(out, recorder, [&](const Event& e, Actions& more) { driver.answer(e, more); });

  CHECK(recorder.done ==
        Lines{"VI_1 advert 100", "VI_1 advert 0", "VI_1 withdraw",
              "BACKUP -> MASTER: 192.0.2.2 advertises priority 90, ours is 100",
              "notify MASTER 100",
              "MASTER -> FAULT: adverts cannot be sent (not permitted), and 192.0.2.2 is master",
              "notify FAULT 100"});
}

TEST_CASE("turn: adverts of a later wake-up do not wait for what an earlier one left") {
  Waiting waiting;
  waiting.recorder.is_slow = true;
  waiting.wake({SendAdvert{subject(1), 100, 1, {}}, publish(1), announce(1)});
  waiting.work();
  waiting.wake({SendAdvert{subject(2), 100, 1, {}}, publish(2)});
  waiting.work();
  CHECK(waiting.recorder.done ==
        Lines{"VI_1 advert 100", "VI_1 publish 192.0.2.100/32", "VI_2 advert 100"});

  waiting.recorder.is_slow = false;
  CHECK(waiting.rest() == Lines{"VI_1 advert 100", "VI_1 publish 192.0.2.100/32", "VI_2 advert 100",
                                "VI_1 announce x5", "VI_2 publish 192.0.2.100/32"});
}

TEST_CASE("turn: who withdraws goes before who waits for addresses, and takes back what waited") {
  Waiting waiting;
  waiting.wake({publish(1), announce(1), publish(2), Notify{subject(2), NotifyState::master, 100}});
  waiting.wake({WithdrawAddresses{subject(2)}, Notify{subject(2), NotifyState::backup, 100}});

  CHECK(waiting.rest() == Lines{"VI_2 withdraw", "VI_1 publish 192.0.2.100/32", "VI_1 announce x5",
                                "notify MASTER 100", "notify BACKUP 100"});
}

TEST_CASE("turn: addresses on their way are not announced when a withdrawal waits already") {
  Waiting waiting;
  waiting.recorder.is_slow = true;
  waiting.wake({publish(1), announce(1)});
  waiting.work();
  waiting.wake({WithdrawAddresses{subject(1)}});
  waiting.recorder.is_slow = false;

  CHECK(waiting.rest() == Lines{"VI_1 publish 192.0.2.100/32", "VI_1 withdraw"});
}

TEST_CASE("turn: a master is on its page at once, whatever earlier wake-ups had to say") {
  Waiting waiting;
  waiting.recorder.notes_pages = true;
  waiting.wake({WithdrawAddresses{subject(1)}, page(1, StateName::backup)});
  waiting.wake({publish(1), page(1, StateName::master)});
  CHECK(waiting.rest() == Lines{"VI_1 page MASTER", "VI_1 publish 192.0.2.100/32"});

  // But a new instance's page comes after the end of the old one's.
  Waiting removal;
  removal.recorder.notes_pages = true;
  removal.wake({WithdrawAddresses{subject(1)}, Removed{subject(1)}});
  removal.wake({publish(1), page(1, StateName::master)});
  CHECK(removal.rest() == Lines{"VI_1 publish 192.0.2.100/32", "removed", "VI_1 page MASTER"});
}

TEST_CASE("turn: thousands of addresses are moved in pieces, each on one interface") {
  Waiting waiting;
  Actions actions;
  for (int vrid = 1; vrid <= 250; ++vrid) {
    for (const char* interface : {"eth0", "eth1"}) {
      Subject one{subject(vrid)->key, interface};
      one.key.interface = interface;
      actions.push_back(PublishAddresses{one, std::vector(20, everyday().addresses.front())});
    }
  }
  actions.push_back(Stopped{});
  waiting.wake(actions);

  std::size_t pieces = 0;
  while (waiting.turn.has_work()) {
    waiting.recorder.done.clear();
    waiting.work();
    ++pieces;
    const Lines& done = waiting.recorder.done;
    CHECK(done.size() <= Turn::kPieceAddresses / 20 + 1);
    for (const std::string& line : done) CHECK(line.substr(0, 5) == done.front().substr(0, 5));
  }
  CHECK(pieces == 2 * 10 + 1);
  CHECK(waiting.recorder.done == Lines{"stopped"});  // last of all
}

TEST_CASE("turn: announcements that the kernel refuses are counted where they belong") {
  Driver driver{Router({everyday()})};
  Actions out{announce(51)};
  Recorder recorder;
  recorder.refused_announcements = 1;
  perform(out, recorder, [&](const Event& e, Actions& more) { driver.answer(e, more); });
  CHECK(driver.router().find(everyday().key())->counters().announcements_refused == 5);
}
