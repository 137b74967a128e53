// Which letter leaves when.
#include <doctest/doctest.h>

#include "mail/core/queue.hpp"

using namespace holdfast;
using namespace holdfast::mail;
using namespace std::chrono_literals;
using Verdict = Delivery::Verdict;
using How = Settled::How;

namespace {

struct Bench {
  Queue queue;
  core::Instant now{1h};
  Actions actions;

  Actions step(const Event& event) {
    actions.clear();
    queue.step(event, now, actions);
    return actions;
  }
  Actions post(LetterId id, std::string subject) {
    return step(Posted{id, std::move(subject), {.title = "t"}});
  }
  void decide(LetterId id, Verdict verdict, std::string why = {}) {
    step(Decided{id, {.verdict = verdict, .why = std::move(why)}});
  }
  /// The relay cannot be reached.
  Actions fail() { return step(SessionOver{"no relay"}); }
  [[nodiscard]] std::vector<LetterId> begun() const {
    for (const Action& action : actions)
      if (const auto* one = std::get_if<Begin>(&action)) return one->letters;
    return {};
  }
};

template <class T>
std::vector<T> of(const Actions& actions) {
  std::vector<T> found;
  for (const Action& action : actions)
    if (const auto* one = std::get_if<T>(&action)) found.push_back(*one);
  return found;
}

}  // namespace

TEST_CASE("mail queue: a letter leaves at once, those that come meanwhile in the next session") {
  Bench bench;
  CHECK(bench.post(1, "a") == Actions{Begin{{1}}});
  CHECK(bench.post(2, "b").empty());
  CHECK(bench.post(3, "a").empty());  // behind the one that is under way

  bench.decide(1, Verdict::sent);
  CHECK(of<Settled>(bench.actions) == std::vector<Settled>{{1, "a", How::sent, {}}});
  CHECK(bench.step(SessionOver{}) == Actions{Begin{{2, 3}}});
  CHECK(bench.queue.counts().sent == 1);
}

TEST_CASE("mail queue: a newer letter overtakes one that has not left") {
  Bench bench;
  bench.post(1, "a");
  CHECK(of<Troubled>(bench.fail()).size() == 1);
  CHECK(of<Settled>(bench.post(2, "a")) ==
        std::vector<Settled>{{1, "a", How::overtaken, "a newer one came before it left"}});
  bench.post(3, "a");
  bench.now = *bench.queue.deadline();
  CHECK(bench.step(Tick{}) == Actions{Begin{{3}}});
  CHECK(bench.queue.letter(3).overtaken == 2);
  CHECK(bench.queue.counts().overtaken == 2);
}

TEST_CASE("mail queue: one that was under way and came back is overtaken by the newer one") {
  Bench bench;
  bench.post(1, "a");
  bench.post(2, "a");
  CHECK(of<Settled>(bench.fail()).front().how == How::overtaken);
  CHECK(bench.queue.letter(2).overtaken == 1);
  CHECK(bench.queue.waiting() == 1);
}

TEST_CASE("mail queue: pauses grow to ten minutes, trouble is said once, success ends it") {
  Bench bench;
  bench.post(1, "a");
  bench.fail();
  core::Duration pause{};
  std::size_t said = 0;
  for (int tries = 0; tries < 12; ++tries) {
    const core::Duration next = *bench.queue.deadline() - bench.now;
    CHECK(next >= pause);
    pause = next;
    CHECK(bench.step(Tick{}).empty());  // too early
    bench.now = *bench.queue.deadline();
    CHECK(bench.step(Tick{}) == Actions{Begin{{1}}});
    said += of<Troubled>(bench.fail()).size();
  }
  CHECK(pause == Queue::kLongestPause);
  CHECK(said == 0);
  CHECK(bench.queue.last_trouble()->why == "no relay");

  bench.step(SettingsChanged{});  // another relay is tried at once
  CHECK(bench.begun() == std::vector<LetterId>{1});
  bench.decide(1, Verdict::sent);
  bench.step(SessionOver{});
  CHECK(bench.queue.deadline() == std::nullopt);
  bench.post(2, "b");
  CHECK(of<Troubled>(bench.fail()).size() == 1);
  CHECK(*bench.queue.deadline() - bench.now == Queue::kFirstPause);
}

TEST_CASE(
    "mail queue: what is refused is not tried again, what cannot leave for a day is given up") {
  Bench bench;
  bench.post(1, "a");
  bench.decide(1, Verdict::refused, "no");
  CHECK(of<Settled>(bench.actions) == std::vector<Settled>{{1, "a", How::refused, "no"}});
  bench.step(SessionOver{});
  bench.post(2, "b");
  bench.fail();
  bench.now += Queue::kGiveUpAfter;
  bench.step(Tick{});
  CHECK(of<Settled>(bench.fail()) == std::vector<Settled>{{2, "b", How::given_up, "no relay"}});
  CHECK(bench.queue.counts().failed == 2);
  CHECK(bench.queue.deadline() == std::nullopt);
}

TEST_CASE("mail queue: a letter that some have goes again to the others only") {
  Bench bench;
  bench.post(1, "a");
  bench.step(Decided{1,
                     {.verdict = Verdict::sent,
                      .accepted = 1,
                      .refused = 1,
                      .deferred = {"busy@x"},
                      .why = "busy"}});
  CHECK(bench.actions.empty());
  bench.step(SessionOver{});
  bench.now = *bench.queue.deadline();
  CHECK(bench.step(Tick{}) == Actions{Begin{{1}}});
  CHECK(bench.queue.only_for(1) == std::vector<std::string>{"busy@x"});
  CHECK(bench.queue.counts().refused_receivers == 1);
}

TEST_CASE("mail queue: letters that the relay puts off do not keep new ones back") {
  Bench bench;
  for (LetterId id = 1; id <= Queue::kMostInSession; ++id) bench.post(id, std::to_string(id));
  bench.fail();  // the first alone
  bench.now = *bench.queue.deadline();
  bench.step(Tick{});
  bench.fail();
  bench.post(1000, "new");
  bench.now = *bench.queue.deadline();
  bench.step(Tick{});
  CHECK(bench.begun().front() == 1000);
  CHECK(bench.begun().size() == Queue::kMostInSession);
}

TEST_CASE("mail queue: it has a bound, and what does not fit is counted as failed") {
  Bench bench;
  for (LetterId id = 1; id <= Queue::kMostWaiting; ++id) bench.post(id, std::to_string(id));
  CHECK(of<Settled>(bench.post(100'000, "one more")).front().how == How::lost);
  CHECK(bench.queue.waiting() == Queue::kMostWaiting);
  CHECK(bench.queue.counts().failed == 1);
  bench.post(100'001, "7");  // in the place of an older one
  CHECK(bench.queue.counts().failed == 1);
}

TEST_CASE(
    "mail queue: without a relay what waits is given up, what is under way decided once more") {
  Bench bench;
  bench.post(1, "a");
  bench.post(2, "b");

  bench.step(SettingsChanged{.can_send = false});
  REQUIRE(of<Settled>(bench.actions).size() == 1);
  CHECK(of<Settled>(bench.actions)[0].id == 2);
  CHECK(of<Settled>(bench.actions)[0].how == How::given_up);
  bench.fail();
  REQUIRE(of<Settled>(bench.actions).size() == 1);
  CHECK(of<Settled>(bench.actions)[0].id == 1);
  CHECK(bench.queue.deadline() == std::nullopt);

  bench.step(SettingsChanged{});
  CHECK(bench.post(3, "a") == Actions{Begin{{3}}});
}
