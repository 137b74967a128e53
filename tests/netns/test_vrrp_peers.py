"""Beside real keepalived, over one switch: what is on the wire, and who is not master.

Who is master when, in every way of speaking, is test_interop.py's.
"""

from __future__ import annotations

import os
import signal
import statistics
import time
from dataclasses import dataclass

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, eventually
from tests.lab.wire import Advert, Capture

VIPS = ("10.9.0.200", "10.9.0.201")
OURS, THEIRS = "10.9.0.1", "10.9.0.2"
TOLERANCE = 0.02  # of an interval; the formulas are checked to 5 ms in test_vrrp_timing.py


def config(priority: int, extra: str = "", state: str = "BACKUP") -> str:
    addresses = "\n".join(VIPS)
    return (
        "global_defs {\n router_id test\n}\n"
        f"vrrp_instance VI_1 {{\n state {state}\n interface eth0\n virtual_router_id 51\n"
        f" priority {priority}\n advert_int 1\n {extra}\n"
        f" virtual_ipaddress {{\n{addresses}\n }}\n}}\n"
    )


@dataclass
class Segment:
    ours: Director
    theirs: Director
    capture: Capture

    def adverts(self, since: float = 0, source: str | None = None) -> list[Advert]:
        return self.capture.adverts(since=since, source=source)

    def bursts(self, since: float = 0) -> list[list]:
        """Gratuitous ARP, split where a second passes without any."""
        groups: list[list] = []
        for arp in (one for one in self.capture.arps(since) if one.gratuitous):
            if groups and arp.at - groups[-1][-1].at < 1:
                groups[-1].append(arp)
            else:
                groups.append([arp])
        return groups


@pytest.fixture
def segment(lab: Lab) -> Segment:
    switch = lab.switch("sw")
    a, b = lab.machines("a", "b")
    lab.cables(switch, (a, "eth0", f"{OURS}/24"), (b, "eth0", f"{THEIRS}/24"))
    return Segment(Director(a, config(150)), Director(b, config(100), "keepalived"),
                   Capture(switch))


def start_ours(director: Director) -> None:
    director.start("-P", "-D")
    assert eventually(lambda: director.state("VI_1") != "INIT", 10) is not None, director.log()


def start_keepalived(director: Director) -> None:
    director.start("-P")


def master_of(segment: Segment) -> set[str]:
    return {
        name for name, director in (("ours", segment.ours), ("theirs", segment.theirs))
        if director.holds(VIPS[0])
    }


def becomes(segment: Segment, name: str, timeout: float) -> None:
    assert eventually(lambda: master_of(segment) == {name}, timeout) is not None, (
        f"{name} is not the only master: {master_of(segment)}\n{segment.ours.log()}"
    )


def skew(priority: int) -> float:
    return (256 - priority) / 256


def down_interval(priority: int) -> float:
    return 3 + skew(priority)


def test_adverts_and_announcements_are_what_keepalived_sends(segment: Segment) -> None:
    segment.theirs.write_config(config(150))
    start_keepalived(segment.theirs)
    becomes(segment, "theirs", 10)
    time.sleep(7)
    segment.theirs.stop()
    their_adverts, their_bursts = segment.adverts(0, THEIRS), segment.bursts()

    began = time.time()
    start_ours(segment.ours)
    becomes(segment, "ours", 10)
    time.sleep(7)
    our_adverts, our_bursts = segment.adverts(began, OURS), segment.bursts(began)

    mine, yours = our_adverts[0], their_adverts[0]
    for name in ("destination", "ttl", "tos", "version", "vrid", "priority", "interval_s",
                 "auth_type", "auth_data", "addresses", "checksum_good", "payload"):
        assert getattr(mine, name) == getattr(yours, name), name
    assert mine.checksum_good

    assert [len(burst) for burst in our_bursts] == [10, 10]
    assert [len(burst) for burst in their_bursts] == [10, 10]
    for ours, theirs in zip(our_bursts, their_bursts):
        assert [one.sender for one in ours] == [one.sender for one in theirs] == list(VIPS) * 5
        for one, other in zip(ours, theirs):
            assert one.to == other.to
            assert (one.operation, one.target_mac) == (other.operation, other.target_mac)
            assert one.sender_mac == one.mac
    assert our_bursts[1][0].at - our_bursts[0][0].at == pytest.approx(5, abs=0.2)
    assert our_bursts[0][0].at >= our_adverts[0].at, "the advert comes first"

    gaps = [later.at - earlier.at for earlier, later in zip(our_adverts, our_adverts[1:])]
    assert statistics.mean(gaps) == pytest.approx(1, abs=TOLERANCE)


def test_higher_priority_preempts_and_nopreempt_does_not(segment: Segment) -> None:
    segment.theirs.write_config(config(100))
    start_keepalived(segment.theirs)
    becomes(segment, "theirs", 10)

    segment.ours.write_config(config(150, "nopreempt"))
    start_ours(segment.ours)
    time.sleep(5)
    assert master_of(segment) == {"theirs"}
    segment.ours.stop()

    segment.ours.write_config(config(150))
    start_ours(segment.ours)
    becomes(segment, "ours", 6)


def test_a_backup_that_was_stopped_for_ten_seconds_does_not_usurp(segment: Segment) -> None:
    segment.ours.write_config(config(90))
    segment.theirs.write_config(config(100))
    start_keepalived(segment.theirs)
    becomes(segment, "theirs", 10)
    start_ours(segment.ours)
    time.sleep(2)
    pid = segment.ours.role_pid("vrrp")

    watchdog = segment.ours.process.pid
    os.kill(watchdog, signal.SIGSTOP)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(10)
    began = time.time()
    os.kill(watchdog, signal.SIGCONT)
    os.kill(pid, signal.SIGCONT)
    time.sleep(4)

    assert segment.adverts(began, OURS) == []
    assert master_of(segment) == {"theirs"}
    assert segment.ours.role_pid("vrrp") == pid, "nobody thought that it hung"


def test_another_number_of_addresses_makes_keepalived_a_second_master_as_plan_says(
    segment: Segment,
) -> None:
    """Debian 12's keepalived counts the addresses of an advert; only those it lists count."""
    if "v2.2." not in segment.theirs.machine.run("keepalived", "--version").stderr:
        pytest.skip("keepalived from 2.3.3 on does not count")
    start_ours(segment.ours)
    becomes(segment, "ours", 8)
    start_keepalived(segment.theirs)
    time.sleep(5)
    assert master_of(segment) == {"ours"}

    excluded = config(150, "virtual_ipaddress_excluded {\n10.9.0.203/24\n }")
    segment.ours.write_config(excluded)
    quiet = segment.ours.ctl("plan")
    assert "takes off" not in quiet.stdout and "warning" not in quiet.stdout, quiet
    assert segment.ours.ctl("reload").returncode == 0
    time.sleep(5)
    assert master_of(segment) == {"ours"}

    longer = config(150).replace(VIPS[1], f"{VIPS[1]}\n10.9.0.203")
    segment.ours.write_config(longer)
    warned = segment.ours.ctl("plan")
    assert "warning: VI_1: its adverts list 3 addresses instead of 2" in warned.stdout, warned
    assert segment.ours.ctl("reload").returncode == 0
    assert eventually(lambda: master_of(segment) == {"ours", "theirs"}, 8) is not None

    segment.theirs.write_config(longer.replace("priority 150", "priority 100"))
    segment.theirs.process.send(signal.SIGHUP)
    assert eventually(lambda: master_of(segment) == {"ours"}, 8) is not None
