"""Between what a director decides and what its kernel does: beside real keepalived, with a client.

Each test is something that operators met. What is judged is what the client, the wire and the
kernels saw; status and log must say what is wrong.
"""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.lab.director import Director
from tests.lab.measure import Holders, Pinger
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.wire import Capture

from .test_vrrp_peers import down_interval, skew

OURS, THEIRS, CLIENT = "10.70.0.1", "10.70.0.2", "10.70.0.66"
VIP, OTHER = "10.70.0.200", "10.70.0.201"
ELSEWHERE = "10.71.0.200"  # on eth1
VIP6 = "fd00:70::200"
NOISE = 0.15  # of a busy machine, on a bound
BLOCK = """add table inet block
add chain inet block c {{ type filter hook {hook} priority 0; }}
add rule inet block c ip protocol 112 drop
"""


def config(priority: int, *addresses: str, name: str = "VI_1", vrid: int = 51, extra: str = "",
           excluded: tuple[str, ...] = (), state: str = "BACKUP") -> str:
    text = (f"vrrp_instance {name} {{\n state {state}\n interface eth0\n"
            f" virtual_router_id {vrid}\n priority {priority}\n advert_int 1\n {extra}\n"
            " virtual_ipaddress {\n  " + "\n  ".join(addresses or (VIP,)) + "\n }\n")
    if excluded:
        text += " virtual_ipaddress_excluded {\n  " + "\n  ".join(excluded) + "\n }\n"
    return text + "}\n"


class Segment:
    """Our director, keepalived and a client on one switch."""

    def __init__(self, lab: Lab, tag: str = ""):
        self.switch = lab.switch(f"sw{tag}")
        a, b, self.client = lab.machines(*(f"{one}{tag}" for one in "abc"))
        self.port, *_ = lab.cables(
            self.switch, (a, "eth0", f"{OURS}/24"), (b, "eth0", f"{THEIRS}/24"),
            (self.client, "eth0", f"{CLIENT}/24"))
        self.ours = Director(a, config(150))
        self.theirs = Director(b, config(100), "keepalived")
        self.capture = Capture(self.switch)
        self.holders = Holders([a, b], VIP)
        self.pings = Pinger(self.client, VIP)
        lab.closers += [self.holders.stop, self.pings.stop]

    @property
    def host(self) -> Namespace:
        return self.ours.machine

    def start(self, ours: str | None = None, theirs: str | None = None) -> None:
        """Both; ours becomes master."""
        if ours:
            self.ours.write_config(ours)
        if theirs:
            self.theirs.write_config(theirs)
        self.start_theirs()
        self.start_ours()
        self.becomes("ours")
        time.sleep(1)

    def start_ours(self) -> None:
        self.ours.start("-P", "-D")

    def start_theirs(self) -> None:
        self.theirs.start("-P", "-G")

    def becomes(self, who: str, timeout: float = 8) -> None:
        """Alone."""
        wanted = {(self.ours if who == "ours" else self.theirs).machine.short}
        assert eventually(lambda: self.holders.now() == wanted, timeout) is not None, (
            f"{sorted(self.holders.now())} instead of {wanted}\n{self.ours.log()}")

    def reload_ours(self, text: str) -> None:
        before = self.ours.status("watchdog")["generation"]
        self.ours.write_config(text)
        self.ours.process.send(signal.SIGHUP)
        assert eventually(
            lambda: self.ours.status("watchdog")["generation"] > before, 5) is not None

    def instance(self) -> dict:
        return self.ours.status("vrrp")["instances"][0]

    def says(self) -> str:
        """What an operator reads."""
        return self.ours.ctl("status").stdout

    def outage(self, since: float) -> float:
        time.sleep(0.2)
        found = self.pings.outages(since - 0.1, time.time() - 0.15)
        return max((one.length for one in found), default=0.0)

    def shared(self, since: float) -> float:
        return sum(one.length for one in self.holders.shared(since, time.time()))

    def masters(self, since: float) -> list[str]:
        """Who advertised, one entry a reign."""
        sources = [one.source for one in self.capture.adverts(since) if one.priority]
        return [one for one, before in zip(sources, [None, *sources]) if one != before]

    def strange(self) -> set[str]:
        """What is on our host beside its own addresses."""
        held = set(self.host.addresses()) - {"127.0.0.1/8", f"{OURS}/24", "10.71.0.1/24"}
        six = self.host.run("ip", "-j", "-6", "addr", "show", "scope", "global").stdout
        return held | {one["local"] for link in json.loads(six or "[]")
                       for one in link.get("addr_info", []) if "local" in one}

    def filter(self, director: Director, hook: str) -> None:
        director.machine.run("nft", "-f", "-", stdin=BLOCK.format(hook=hook))

    def unfilter(self, director: Director) -> None:
        director.machine.run("nft", "delete", "table", "inet", "block")


@pytest.fixture
def segment(lab: Lab) -> Segment:
    return Segment(lab)


# --- nothing outlives its holder ------------------------------------------------------------------


def test_killed_and_started_with_another_file_only_the_partner_holds(segment: Segment) -> None:
    segment.host.lab.cables(segment.switch, (segment.host, "eth1", "10.71.0.1/24"))
    segment.start(config(150, f"{VIP}/24", f"{OTHER}/24", excluded=(f"{ELSEWHERE}/24 dev eth1",)),
                  config(100, f"{VIP}/24", f"{OTHER}/24"))
    segment.ours.kill_everything()
    assert eventually(lambda: segment.theirs.holds(VIP), 6) is not None
    assert segment.strange() == {f"{VIP}/24", f"{OTHER}/24", f"{ELSEWHERE}/24"}

    segment.ours.write_config(config(50, f"{VIP}/24"))
    began = time.time()
    segment.start_ours()

    took = eventually(lambda: not segment.strange(), 3, every=0.02)
    assert took is not None and took < 1, (took, segment.strange(), segment.ours.log())
    assert segment.outage(began) < NOISE
    time.sleep(4)
    assert segment.masters(began) == [THEIRS]
    assert segment.ours.stop() == 0
    assert segment.strange() == set()


def test_a_reload_takes_an_instance_away_and_the_child_is_killed(segment: Segment) -> None:
    stays, goes = config(150, VIP), config(150, OTHER, name="VI_2", vrid=52)
    segment.start(stays + goes, config(100, VIP) + config(100, OTHER, name="VI_2", vrid=52))
    assert eventually(lambda: segment.ours.holds(OTHER), 3) is not None
    began = time.time()
    segment.reload_ours(stays)
    pid = segment.ours.role_pid("vrrp")
    time.sleep(0.1)

    os.kill(pid, signal.SIGKILL)

    took = eventually(lambda: segment.strange() == {f"{VIP}/32"}, 3, every=0.02)
    assert took is not None and took < 1, (took, segment.strange(), segment.ours.log())
    assert eventually(lambda: segment.theirs.holds(OTHER), 3) is not None
    time.sleep(3)
    assert segment.outage(began) < NOISE, "the instance that stays serves all the time"
    assert segment.holders.now() == {"a"}
    assert segment.ours.stop() == 0
    assert segment.strange() == set()


# --- half is better than a flap -------------------------------------------------------------------


class Minute:
    """Three segments that play for a minute side by side."""

    LENGTH = 60

    def __init__(self, lab: Lab):
        whole = config(150, VIP, OTHER, excluded=(f"{VIP6}/64",))
        self.pair, self.alone, self.none = (Segment(lab, tag) for tag in "123")
        self.pair.ours.write_config(whole)
        self.pair.theirs.write_config(config(100, VIP, OTHER))
        self.alone.ours.write_config(whole)
        self.none.ours.write_config(config(150, f"{VIP}/32 dev nosuch0"))
        self.pair.start_theirs()
        self.none.start_theirs()
        assert eventually(lambda: self.pair.theirs.holds(VIP) and self.none.theirs.holds(VIP), 8)
        time.sleep(1)
        self.began = time.time()
        for segment in (self.pair, self.alone, self.none):
            segment.start_ours()
        self.alone_serves = eventually(lambda: self.alone.ours.holds(VIP), 6)
        time.sleep(self.LENGTH)


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory):
    with Lab(tmp_path_factory.mktemp("minute"), prefix=f"m{os.getpid() % 100000}") as lab:
        yield Minute(lab)


def test_one_refused_address_beside_a_healthy_peer(minute: Minute) -> None:
    segment = minute.pair

    assert segment.outage(minute.began) < NOISE
    assert segment.masters(minute.began) == [THEIRS, OURS], "it takes over once and keeps it"
    assert segment.holders.now() == {segment.host.short}
    assert VIP6 in segment.says() and "2 of 3 addresses are in place" in segment.says()

    segment.host.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__eth0__disable_ipv6=0)
    began = time.time()
    segment.reload_ours(segment.ours.config.read_text(encoding="utf-8"))
    took = eventually(lambda: VIP6 in segment.strange(), 3, every=0.02)
    assert took is not None and took < 1, segment.ours.log()  # it waits for no pause
    assert segment.outage(began) < NOISE
    assert eventually(lambda: "addresses are in place" not in segment.says(), 2) is not None


def test_one_refused_address_alone(minute: Minute) -> None:
    segment = minute.alone

    assert minute.alone_serves is not None, segment.ours.log()
    served_from = minute.began + down_interval(150) + 0.7
    assert segment.outage(served_from) < NOISE
    assert segment.masters(minute.began) == [OURS]
    assert f"✗ missing {VIP6}/64" in segment.says()


def test_no_address_at_all_does_not_flap(minute: Minute) -> None:
    segment = minute.none
    tries = [one.at for one in segment.capture.adverts(minute.began, source=OURS) if one.priority]
    pauses = [later - earlier for earlier, later in zip(tries, tries[1:])]

    assert 2 <= len(tries) <= 3, pauses
    assert all(later > earlier + 8 for earlier, later in zip(pauses, pauses[1:])), pauses
    assert pauses[0] > 10
    assert segment.theirs.holds(VIP)
    assert segment.outage(minute.began) < skew(100) + NOISE
    assert "could not serve" in segment.says() or "nosuch0" in segment.says()


# --- the owner ------------------------------------------------------------------------------------


def test_an_owner_with_its_hosts_only_address_beside_a_backup(segment: Segment) -> None:
    segment.pings.stop()
    pings = Pinger(segment.client, OURS)
    segment.host.lab.closers.append(pings.stop)
    own = f"{OURS}/24"  # the virtual one has no length: a /32 of ours beside it
    segment.ours.write_config(config(255, OURS, state="MASTER"))
    segment.theirs.write_config(config(100, OURS))
    # Once a backup has the owner's address its kernel drops what comes from there, adverts too.
    segment.theirs.machine.sysctl(ipv4__conf__all__accept_local=1,
                                  ipv4__conf__eth0__accept_local=1)
    segment.start_theirs()
    began = time.time()
    segment.start_ours()
    assert eventually(lambda: segment.ours.state("VI_1") == "MASTER", 3) is not None
    time.sleep(1)
    assert own in segment.host.addresses("eth0")
    assert not [one for one in pings.outages(began, time.time() - 0.2) if one.length > NOISE]

    segment.host.ip("link set eth0 down")
    assert eventually(lambda: segment.theirs.holds(OURS), 6) is not None
    assert segment.host.addresses("eth0") == [own]
    segment.host.ip("link set eth0 up")
    assert eventually(lambda: not segment.theirs.holds(OURS), 6) is not None
    assert own in segment.host.addresses("eth0")
    assert segment.ours.state("VI_1") == "MASTER"
    back = time.time()
    time.sleep(2)
    assert not [one for one in pings.outages(back, time.time() - 0.2) if one.length > NOISE]

    assert segment.ours.stop() == 0
    assert segment.host.addresses("eth0") == [own]


def test_state_backup_makes_an_owner_wait(segment: Segment) -> None:
    segment.start_theirs()
    segment.becomes("theirs")
    segment.ours.write_config(config(255))
    began = time.time()
    segment.start_ours()
    segment.becomes("ours")

    first = segment.capture.adverts(began, OURS)[0]
    assert down_interval(255) < first.at - began < down_interval(255) + 0.5
    assert segment.outage(began) < NOISE


def test_the_second_owner_leaves_the_address_with_the_first(segment: Segment) -> None:
    segment.theirs.write_config(config(255, state="MASTER"))
    segment.start_theirs()
    segment.becomes("theirs")
    segment.ours.write_config(config(255))
    began = time.time()
    segment.start_ours()
    time.sleep(8)

    assert segment.masters(began) == [THEIRS]
    assert segment.shared(began) == 0
    assert segment.ours.state("VI_1") == "BACKUP"


# --- announcements --------------------------------------------------------------------------------


def test_an_excluded_ipv6_address_is_announced(segment: Segment) -> None:
    for machine, own in ((segment.host, "fd00:70::1"), (segment.theirs.machine, "fd00:70::2"),
                         (segment.client, "fd00:70::66")):
        machine.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__eth0__disable_ipv6=0)
        machine.ip(f"addr add {own}/64 dev eth0 nodad")

    def reached() -> bool:
        return not segment.client.run("ping", "-6", "-c1", "-W1", VIP6, check=False).returncode

    segment.theirs.write_config(config(100, excluded=(f"{VIP6}/64",)))
    segment.start_theirs()
    segment.becomes("theirs")
    assert eventually(reached, 5) is not None
    segment.ours.write_config(config(150, excluded=(f"{VIP6}/64",)))
    began = time.time()
    segment.start_ours()
    segment.becomes("ours")
    assert reached(), "the client knows the new place at once"

    time.sleep(6)
    taken = segment.capture.adverts(began, OURS)[0]
    found = [one for one in segment.capture.neighbour_adverts(taken.at)
             if one.target == VIP6 and one.mac == taken.mac]
    assert {(one.destination, one.override, one.target_mac) for one in found} == {
        ("ff02::1", True, taken.mac)}
    moments = [one.at - taken.at for one in found]
    assert len([one for one in moments if one < 0.3]) == 5, moments
    assert len([one for one in moments if 4.8 < one < 5.3]) == 5, moments


# --- partners that disagree -----------------------------------------------------------------------


def test_a_second_master_is_told_and_scripts_are_spared(segment: Segment) -> None:
    notes = Path(segment.ours.directory, "notes")
    script = Path(segment.ours.directory, "note.sh")
    script.write_text(f"#!/bin/sh\ndate +%s.%N >> {notes}\n", encoding="ascii")
    script.chmod(0o755)
    segment.start(config(150, extra=f'notify_master_rx_lower_pri "{script}" root'))
    assert segment.instance()["rival"] is None

    segment.filter(segment.theirs, "input")
    assert eventually(lambda: segment.theirs.holds(VIP), 6) is not None
    first = segment.capture.adverts(0, THEIRS)[-1].at
    told = eventually(lambda: f"{THEIRS} is master too" in segment.says(), 4)
    assert told is not None and time.time() - first < 3, segment.says()
    logged = eventually(
        lambda: "is master too, with priority 100" in segment.ours.log(), 4)
    assert logged is not None and time.time() - first < 3, segment.ours.log()
    assert segment.instance()["rival"]["address"] == THEIRS
    time.sleep(15)
    assert len(notes.read_text(encoding="ascii").splitlines()) == 1
    assert segment.ours.log().count("is master too") == 1
    assert segment.instance()["rival"]["adverts"] > 12

    segment.unfilter(segment.theirs)
    segment.becomes("ours", 3)
    assert eventually(lambda: segment.instance()["rival"] is None, 5) is not None
    assert "master too" not in segment.says()


def test_an_address_more_than_the_partner_is_named(segment: Segment) -> None:
    segment.start()
    assert segment.instance()["partner_addresses"] is None
    began = time.time()
    segment.reload_ours(config(150, VIP, OTHER))

    # keepalived 2.2.7 drops our adverts from now on, and is a second master after its timer.
    assert eventually(lambda: segment.theirs.holds(VIP), 6) is not None
    assert time.time() - began > 3
    named = f"{THEIRS} advertises other addresses than ours, without {OTHER}"
    assert eventually(lambda: named in segment.says(), 3) is not None, segment.says()
    assert "keepalived before 2.3.3 refuses another number" in segment.says()
    difference = {"partner": THEIRS, "advertises": [VIP]}
    assert segment.instance()["partner_addresses"] == difference

    segment.theirs.write_config(config(100, VIP, OTHER))
    segment.theirs.process.send(signal.SIGHUP)
    segment.becomes("ours", 6)
    assert segment.outage(began) < 0.5


# --- what a master loses --------------------------------------------------------------------------


def test_it_resigns_when_its_source_address_goes(segment: Segment) -> None:
    segment.start()
    began = time.time()
    segment.host.ip("addr flush dev eth0")
    segment.becomes("theirs")

    resigned = segment.capture.adverts(began, OURS)
    assert [one.priority for one in resigned] == [0]
    assert segment.outage(began) < 0.8
    assert segment.shared(began) == 0
    assert "no IPv4 address to send from" in segment.says()
    segment.host.ip(f"addr add {OURS}/24 dev eth0")
    segment.becomes("ours", 6)


def test_it_resigns_when_its_interface_is_renamed(segment: Segment) -> None:
    segment.start()
    began = time.time()
    segment.host.ip("link set eth0 name eth7")
    gone = eventually(lambda: not segment.strange(), 2, every=0.02)
    assert gone is not None and gone < 0.3, segment.ours.log()
    segment.becomes("theirs")
    assert segment.outage(began) < 0.8
    assert segment.shared(began) == 0

    segment.host.ip("link set eth7 name eth0")
    back = time.time()
    segment.becomes("ours", 6)
    assert time.time() - back < down_interval(150) + 0.7, "only an election is left to wait for"
    time.sleep(2)
    assert segment.outage(back) < NOISE
    assert segment.masters(back)[-1] == OURS


def test_adverts_that_do_not_leave_end_as_soon_as_somebody_else_serves(segment: Segment) -> None:
    segment.start()
    sent = segment.instance()["counters"]["adverts_sent"]
    began = time.time()
    segment.filter(segment.ours, "output")
    assert eventually(lambda: segment.instance()["counters"]["adverts_refused"] > 1, 4) is not None
    assert "adverts have not left for" in segment.says()
    assert segment.holders.now() == {"a"}, "while nobody else serves it goes on"
    assert segment.instance()["counters"]["adverts_sent"] <= sent + 1

    segment.becomes("theirs", 6)
    assert segment.shared(began) < 1 + NOISE
    assert segment.outage(began) < NOISE + 0.2
    assert segment.masters(began)[-1] == THEIRS
    assert "Operation not permitted" in segment.says()

    segment.unfilter(segment.ours)
    segment.becomes("ours", 30)
