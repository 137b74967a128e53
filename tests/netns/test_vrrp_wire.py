"""Addresses that come and go, and two instances of one number, beside real keepalived.

Who is master, and when, in every way of speaking is test_interop.py's.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab import dialects
from tests.lab.dialects import GLOBALS6, SOURCES4, SOURCES6, VIPS4, Dialect
from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.wire import Advert, Capture

@dataclass
class Pair:
    dialect: Dialect
    ours: Director
    theirs: Director
    switch: Namespace
    capture: Capture

    def adverts(self, since: float, side: int) -> list[Advert]:
        return self.capture.adverts(since=since, source=self.dialect.sources[side])

    def masters(self) -> set[str]:
        sides = (("ours", self.ours), ("theirs", self.theirs))
        return {name for name, side in sides if all(side.holds(vip) for vip in self.dialect.vips)}

    def becomes(self, name: str, timeout: float = 8) -> None:
        assert eventually(lambda: self.masters() == {name}, timeout) is not None, (
            f"{name} is not the only master: {self.masters()}\n{self.ours.log()}\n"
            f"{self.theirs.log()}"
        )

    def start(self, side: int, priority: int, extra: str = "") -> None:
        director = (self.ours, self.theirs)[side]
        director.write_config(self.dialect.config(priority, side, extra))
        for left in director.directory.glob("*.pid") if side == 1 else ():
            left.unlink()  # of a crash: its number may be another process's, then it does not start
        director.start("-P", "-D") if side == 0 else director.start("-P")


@pytest.fixture
def pair(lab: Lab, request: pytest.FixtureRequest) -> Pair:
    dialect: Dialect = request.param
    is_six = ":" in dialect.vips[0]
    if is_six and not Path("/proc/sys/net/ipv6").exists():
        pytest.skip("this kernel has no IPv6")
    switch = lab.switch("sw")
    a, b = lab.machines("a", "b")
    ports = lab.cables(switch, *((one, "eth0", f"{source}/24")
                                 for one, source in zip((a, b), SOURCES4)))
    for one, local, wide in zip((a, b), SOURCES6, GLOBALS6) if is_six else ():
        one.ip("link set eth0 addrgenmode none")
        one.sysctl(ipv6__conf__eth0__disable_ipv6=0)
        one.ip(f"addr add {local}/64 dev eth0 nodad", f"addr add {wide}/64 dev eth0 nodad")
    capture = Capture(switch, ports[0])  # the bridge itself does not see what is unicast
    return Pair(dialect, Director(a, ""), Director(b, "", "keepalived"), switch, capture)


def named(name: str):
    return pytest.mark.parametrize("pair", [dialects.named(name)], ids=[name], indirect=True)


def waits_for(pair: Pair, state: str, why: str = "") -> None:
    def reached() -> bool:
        told = pair.ours.status("vrrp").get("instances", [])
        return bool(told) and told[0]["state"] == state and why in told[0]["why"]
    assert eventually(reached, 8) is not None, pair.ours.log()


@named("v3 IPv6")
def test_a_link_local_address_that_comes_and_goes(pair: Pair) -> None:
    machine = pair.ours.machine
    pair.start(1, 150)
    pair.becomes("theirs")
    pair.start(0, 100)
    waits_for(pair, "BACKUP")

    machine.sysctl(ipv6__conf__eth0__disable_ipv6=1)
    waits_for(pair, "FAULT", "has no IPv6 link-local address")
    machine.sysctl(ipv6__conf__eth0__disable_ipv6=0, ipv6__conf__eth0__dad_transmits=1)
    began = time.time()
    machine.ip("addr add fe80::1/64 dev eth0")  # tentative for a second
    waits_for(pair, "BACKUP")
    assert time.time() - began > 0.8, "a tentative address is no source"
    time.sleep(5 * pair.dialect.interval)
    assert pair.adverts(0, 0) == [], "it hears the group as before"

    pair.theirs.kill_everything()
    assert eventually(lambda: pair.ours.holds(pair.dialect.vips[1]), 4) is not None
    shown = machine.run("ip", "-6", "addr", "show", "dev", "eth0").stdout
    for vip in pair.dialect.vips:
        [line] = [one for one in shown.splitlines() if f"{vip}/128" in one]
        assert "nodad" in line and "deprecated" in line and "tentative" not in line
    found = [one for one in pair.capture.neighbour_adverts() if one.mac != ""]
    assert {one.target for one in found} >= set(pair.dialect.vips)
    assert all(one.override and one.destination == "ff02::1" for one in found)


@named("v3 IPv4 unicast")
def test_a_unicast_source_that_comes_and_goes(pair: Pair) -> None:
    source = "10.9.0.7"
    machine = pair.ours.machine
    machine.ip(f"addr add {source}/24 dev eth0")
    pair.theirs.write_config(pair.dialect.config(150, 1).replace(SOURCES4[0], source))
    pair.theirs.start("-P")
    pair.becomes("theirs")
    pair.ours.write_config(pair.dialect.config(100, 0).replace(SOURCES4[0], source))
    pair.ours.start("-P", "-D")
    waits_for(pair, "BACKUP")

    machine.ip(f"addr del {source}/24 dev eth0")
    waits_for(pair, "FAULT", f"no interface has the address {source} to send from")
    machine.ip(f"addr add {source}/24 dev eth0")
    waits_for(pair, "BACKUP")
    pair.theirs.stop()
    pair.becomes("ours")

    since = time.time()
    machine.ip(f"addr del {source}/24 dev eth0")
    waits_for(pair, "FAULT")
    assert not pair.ours.holds(VIPS4[0])
    assert pair.adverts(since + 0.5, 0) == []
    assert [one for one in pair.capture.adverts() if one.destination.startswith("224.")] == []


@named("v3 IPv4 unicast")
def test_two_instances_with_one_number_are_told_apart_by_their_source(pair: Pair) -> None:
    pair.ours.machine.ip("addr add 10.9.0.7/24 dev eth0")
    pair.theirs.machine.ip("addr add 10.9.0.8/24 dev eth0")

    def second(side: int, priority: int) -> str:
        text = pair.dialect.config(priority, side).replace("VI_1", "VI_2")
        for old, new in ((SOURCES4[0], "10.9.0.7"), (SOURCES4[1], "10.9.0.8"),
                         (VIPS4[0], "10.9.0.210"), (VIPS4[1], "10.9.0.211")):
            text = re.sub(rf"\b{re.escape(old)}\b", new, text)
        return text[text.index("vrrp_instance"):]

    pair.ours.write_config(pair.dialect.config(150, 0) + second(0, 100))
    pair.theirs.write_config(pair.dialect.config(100, 1) + second(1, 150))
    pair.ours.start("-P", "-D")
    pair.theirs.start("-P")

    pair.becomes("ours")
    assert eventually(lambda: pair.theirs.holds("10.9.0.210"), 5) is not None
    time.sleep(5 * pair.dialect.interval)
    assert pair.masters() == {"ours"}
    assert not pair.ours.holds("10.9.0.210")
    assert (pair.ours.state("VI_1"), pair.ours.state("VI_2")) == ("MASTER", "BACKUP")
