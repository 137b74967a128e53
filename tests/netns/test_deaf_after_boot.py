"""A director that is started with its host and hears nobody: it waits for a first frame before it
believes that nobody is there. The host's age is that of a time namespace."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually

from .test_host_scripts import quick
from .test_vrrp_director import VIP

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/ns/time"),
                                reason="this kernel has no time namespaces")


class JustBooted(Director):
    """On a host that is `age` seconds old."""

    def __init__(self, machine: Namespace, config: str, age: int = 20):
        super().__init__(machine, config)
        self.age = age

    def command(self, *extra: str) -> list[str]:
        up = int(float(Path("/proc/uptime").read_text(encoding="ascii").split()[0]))
        offset = str(self.age - up)
        return ["unshare", "--time", "--monotonic", offset, "--boottime", offset, "--fork",
                "--kill-child=SIGTERM", *super().command(*extra)]


class Line:
    """A machine, and who is at the other end of its cable."""

    def __init__(self, lab: Lab):
        self.switch = lab.switch("sw")
        self.machine, self.other = lab.machines("m", "o")
        lab.cables(self.switch, (self.machine, "eth0", "10.9.0.1/24"),
                   (self.other, "eth0", "10.9.0.2/24"))
        self.machine.run("ip", "neigh", "add", "10.9.0.2", "lladdr", "02:00:00:00:00:02", "dev",
                         "eth0")
        # IPv6 is off, and nobody asks anybody for anything: the line is silent.

    def frame(self) -> None:
        self.other.run("ping", "-c1", "-W0.1", "-b", "10.9.0.255", check=False)


@pytest.fixture
def line(lab: Lab) -> Line:
    return Line(lab)


def listening(seconds: float, extra: str = "") -> str:
    return f"global_defs {{\n vrrp_listen_after_boot {seconds}\n}}\n" + quick(extra)


def test_it_waits_for_a_first_frame_and_says_so(line: Line) -> None:
    director = JustBooted(line.machine, listening(30))
    director.start("-P")
    assert eventually(lambda: "vrrp-deaf-after-boot" in director.log(), 6) is not None
    assert director.state("VI_1") == "BACKUP" and not director.holds(VIP)
    [shown] = director.status("vrrp")["instances"]
    assert any("nothing at all has been received on eth0" in each for each in shown["troubles"])

    line.frame()
    assert director.wait_for(VIP) < 1.5
    assert "eth0: something is received now" in director.log()
    assert director.status("vrrp")["instances"][0]["troubles"] == []


def test_it_does_not_wait_for_ever(line: Line) -> None:
    director = JustBooted(line.machine, listening(4))
    began = time.monotonic()
    director.start("-P")
    director.wait_for(VIP)
    assert 3.9 < time.monotonic() - began < 6
    assert "elections go on all the same" in director.log()


@pytest.mark.parametrize("why", ["switched off", "an old host", "a restarted process"])
def test_nobody_else_waits(line: Line, why: str) -> None:
    director = JustBooted(line.machine, listening(0 if why == "switched off" else 20),
                          age=300 if why == "an old host" else 20)
    director.start("-P")
    if why == "a restarted process":
        assert eventually(lambda: director.state("VI_1") == "BACKUP", 5) is not None
        line.frame()
        director.wait_for(VIP)
        os.kill(director.role_pid("vrrp"), 9)
        assert eventually(lambda: director.state("VI_1") == "MASTER", 2) is not None
    assert director.wait_for(VIP) < 1.5
