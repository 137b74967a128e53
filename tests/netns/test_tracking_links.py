"""Interfaces that settle, come, go and are renamed, and the time before the first election: beside
real keepalived."""

from __future__ import annotations

import time

import pytest

from tests.lab.netns import Lab, eventually

from .test_tracking import OURS, Bench, config
from .test_tracking_files import Both


@pytest.fixture
def bench(lab: Lab) -> Bench:
    return Bench(lab)


def everywhere(bench: Bench, *lines: str) -> None:
    for machine in (bench.a, bench.b):
        machine.ip(*lines)


def test_a_link_settles_before_it_counts(bench: Bench) -> None:
    blocks = "interface_up_down_delays {\n t1 1.5 1\n t2 3\n}\n"
    both = Both(bench, " track_interface {\n  t1\n  t2 weight -20\n }\n", blocks)
    both.are("MASTER", 100)
    began = time.time()
    everywhere(bench, "link set t1p down")
    time.sleep(0.7)
    everywhere(bench, "link set t1p up")
    time.sleep(1.5)
    both.are("MASTER", 100)
    assert all(one.priority == 100 for one in bench.capture.adverts(began)), "a fault was told"
    down = time.time()
    everywhere(bench, "link set t2p down")
    both.are("MASTER", 80, 6)
    assert time.time() - down > 2.9
    everywhere(bench, "link set t1p down")
    both.are("FAULT", None, 4)
    back = time.time()
    everywhere(bench, "link set t1p up")
    bench.becomes("BACKUP", 3)
    assert 0.9 < time.time() - back < 1.4
    both.are("MASTER", 80)


def test_dont_track_primary_serves_on_without_a_link(bench: Bench) -> None:
    both = Both(bench, " dont_track_primary\n", "")
    both.are("MASTER", 100)
    for machine in (bench.a, bench.b):
        machine.ip("link set eth0 down")
    time.sleep(1.5)
    for director in both.directors.values():
        assert director.state("VI_1") == "MASTER", director.log()[-2000:]
    for machine in (bench.a, bench.b):
        machine.ip("link set eth0 up")
    both.are("MASTER", 100)


def test_the_first_election_waits_for_vrrp_startup_delay(bench: Bench) -> None:
    text = config(61, "").replace("global_defs {", "global_defs {\n vrrp_startup_delay 2.5")
    began = time.time()
    bench.start(text)
    bench.becomes("MASTER", 9)
    first = bench.capture.adverts(began, OURS)[0].at - began
    assert 2.5 + 3.6 < first < 2.5 + 3.6 + 0.7, first  # the delay, then an election
    assert "elections start at" in bench.ours.log()
    reloaded = time.time()
    bench.reload(text.replace("priority 100", "priority 110"))
    bench.waits(lambda: bench.last_priority(OURS, reloaded) == 110, 1.5)


def test_a_tracked_interface_may_come_go_and_be_renamed(bench: Bench) -> None:
    bench.start(config(61, " track_interface {\n  late weight 30\n  t1\n }\n"))
    bench.becomes("MASTER")
    assert bench.instance()["effective_priority"] == 100
    bench.a.ip("link add late type veth peer name latep", "link set late up", "link set latep up")
    bench.waits(lambda: bench.instance()["effective_priority"] == 130)
    bench.a.ip("link set late down", "link set late name other", "link set other up")
    bench.waits(lambda: bench.instance()["effective_priority"] == 100)
    bench.a.ip("link set other down", "link set other name late", "link set late up")
    bench.waits(lambda: bench.instance()["effective_priority"] == 130)
    bench.a.ip("link del late")
    bench.waits(lambda: bench.instance()["effective_priority"] == 100)
    bench.a.ip("link del t1")
    bench.becomes("FAULT", 3)
    bench.a.ip("link add t1 type veth peer name t1p", "link set t1 up", "link set t1p up")
    bench.becomes("MASTER", 8)


def test_a_thousand_link_changes_miss_no_advert(bench: Bench) -> None:
    bench.start(config(61, " track_interface {\n  t1 weight -10\n }\n"))
    bench.becomes("MASTER")
    began = time.time()
    lines = [f"link set t1p {'down' if number % 2 == 0 else 'up'}" for number in range(50)]
    for _ in range(20):
        bench.a.ip(*lines)
        time.sleep(0.2)
    assert eventually(lambda: bench.last_priority(OURS, began) == 100, 3, 0.1) is not None
    times = [one.at for one in bench.capture.adverts(began, OURS)]
    assert max(b - a for a, b in zip(times, times[1:])) < 1.05
    assert bench.instance()["state"] == "MASTER"
    # A priority that changes is said at once, but at most twice an interval.
    assert len(times) <= 2 * (time.time() - began) + 3
