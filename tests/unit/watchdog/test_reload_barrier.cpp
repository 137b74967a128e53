#include "watchdog/core/reload_barrier.hpp"

#include <doctest/doctest.h>

using namespace holdfast::watchdog;
using namespace holdfast::core;

namespace {

using Verdict = ReloadBarrier::Verdict;
using Phase = ReloadBarrier::Phase;

const Instant t0{1h};

ReloadBarrier preparing_both() {
  ReloadBarrier barrier;
  CHECK(barrier.begin(7, RoleSet::all(), t0 + 10s) == Verdict::waiting);
  return barrier;
}

ReloadBarrier committing_both() {
  ReloadBarrier barrier = preparing_both();
  (void)barrier.on_prepared(Role::vrrp, 7);
  CHECK(barrier.on_prepared(Role::checkers, 7) == Verdict::commit);
  CHECK(barrier.begin_commit(RoleSet::all(), t0 + 20s) == Verdict::waiting);
  return barrier;
}

}  // namespace

TEST_CASE("barrier: commit comes when the last awaited child is prepared, in either order") {
  for (const Role first : kRoles) {
    const Role second = first == Role::vrrp ? Role::checkers : Role::vrrp;
    ReloadBarrier barrier = preparing_both();

    CHECK(barrier.on_prepared(first, 7) == Verdict::waiting);
    CHECK(barrier.on_prepared(first, 7) == Verdict::waiting);  // said twice counts once
    CHECK(barrier.on_prepared(second, 7) == Verdict::commit);
  }
}

TEST_CASE("barrier: nobody to wait for means commit at once") {
  ReloadBarrier barrier;
  CHECK(barrier.begin(3, RoleSet{}, t0) == Verdict::commit);
  CHECK(barrier.begin_commit(RoleSet{}, t0) == Verdict::finished);
  CHECK(barrier.phase() == Phase::idle);
}

TEST_CASE("barrier: an answer about another generation is not an answer") {
  ReloadBarrier barrier = preparing_both();
  CHECK(barrier.on_prepared(Role::vrrp, 6) == Verdict::waiting);
  CHECK(barrier.on_refused(Role::vrrp, 6, "old") == Verdict::waiting);
  CHECK(barrier.awaited() == RoleSet::all());

  ReloadBarrier later = committing_both();
  CHECK(later.on_committed(Role::vrrp, 6) == Verdict::waiting);
  CHECK(later.awaited() == RoleSet::all());
}

TEST_CASE("barrier: one refusal ends it and says who and why") {
  ReloadBarrier barrier = preparing_both();
  (void)barrier.on_prepared(Role::vrrp, 7);

  CHECK(barrier.on_refused(Role::checkers, 7, "no such scheduler") == Verdict::abort);

  CHECK(barrier.why() == "the checkers process refuses the configuration: no such scheduler");
  CHECK(barrier.phase() == Phase::idle);
  CHECK_FALSE(barrier.deadline());
}

TEST_CASE("barrier: a child lost before the commit ends it, even one that had answered") {
  ReloadBarrier barrier = preparing_both();
  (void)barrier.on_prepared(Role::vrrp, 7);

  CHECK(barrier.on_lost(Role::vrrp, "was killed by signal 9") == Verdict::abort);

  CHECK(barrier.why() ==
        "the vrrp process was killed by signal 9 while it prepared the configuration");
}

TEST_CASE("barrier: a child lost after the commit is not waited for") {
  ReloadBarrier barrier = committing_both();
  CHECK(barrier.on_lost(Role::vrrp, "died") == Verdict::waiting);
  CHECK(barrier.on_lost(Role::vrrp, "died") == Verdict::waiting);
  CHECK(barrier.on_committed(Role::checkers, 7) == Verdict::finished);
}

TEST_CASE("barrier: missing answers end it at the deadline, not before, and are named") {
  ReloadBarrier barrier = preparing_both();
  (void)barrier.on_prepared(Role::vrrp, 7);
  CHECK(barrier.deadline() == t0 + 10s);
  CHECK(barrier.on_tick(t0 + 10s - 1us) == Verdict::waiting);

  CHECK(barrier.on_tick(t0 + 10s) == Verdict::abort);

  CHECK(barrier.why() == "no answer in time from: checkers");
}

TEST_CASE("barrier: both missing are both named") {
  ReloadBarrier barrier = preparing_both();
  CHECK(barrier.on_tick(t0 + 11s) == Verdict::abort);
  CHECK(barrier.why() == "no answer in time from: vrrp and checkers");
}

TEST_CASE("barrier: after the commit the deadline only ends the waiting") {
  ReloadBarrier barrier = committing_both();
  CHECK(barrier.deadline() == t0 + 20s);
  CHECK(barrier.on_tick(t0 + 20s) == Verdict::finished);
  CHECK(barrier.phase() == Phase::idle);
}

TEST_CASE("barrier: while idle nothing means anything") {
  ReloadBarrier barrier;
  CHECK(barrier.on_prepared(Role::vrrp, 0) == Verdict::waiting);
  CHECK(barrier.on_refused(Role::vrrp, 0, "x") == Verdict::waiting);
  CHECK(barrier.on_committed(Role::vrrp, 0) == Verdict::waiting);
  CHECK(barrier.on_lost(Role::vrrp, "died") == Verdict::waiting);
  CHECK(barrier.on_tick(t0 + 1h) == Verdict::waiting);
  CHECK_FALSE(barrier.deadline());
}

TEST_CASE(
    "barrier: a commit answer while preparing, or a prepare answer while committing, is ignored") {
  ReloadBarrier barrier = preparing_both();
  CHECK(barrier.on_committed(Role::vrrp, 7) == Verdict::waiting);
  CHECK(barrier.awaited() == RoleSet::all());

  ReloadBarrier later = committing_both();
  CHECK(later.on_prepared(Role::vrrp, 7) == Verdict::waiting);
  CHECK(later.on_refused(Role::vrrp, 7, "too late") == Verdict::waiting);
  CHECK(later.awaited() == RoleSet::all());
}

TEST_CASE("barrier: the watchdog's own pause moves the deadline") {
  ReloadBarrier barrier = preparing_both();
  barrier.extend(30s);
  CHECK(barrier.on_tick(t0 + 39s) == Verdict::waiting);
  CHECK(barrier.on_tick(t0 + 40s) == Verdict::abort);
}
