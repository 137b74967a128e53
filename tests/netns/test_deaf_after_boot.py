"""A director that is started with its host and hears nobody: it waits for a first frame before it
believes that nobody is there. The host's age is that of a time namespace."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.lab.crowd import crowd_cables, crowd_config
from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.wire import Capture

from .test_host_scripts import quick
from .test_strangers import ask
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
        self.port, _ = lab.cables(self.switch, (self.machine, "eth0", "10.9.0.1/24"),
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
    assert any("no frame of any host has been received on eth0" in each
               for each in shown["troubles"])

    line.frame()
    assert director.wait_for(VIP) < 1.5
    assert "eth0: a host is heard now" in director.log()
    assert director.status("vrrp")["instances"][0]["troubles"] == []


def test_it_does_not_wait_for_ever(line: Line) -> None:
    director = JustBooted(line.machine, listening(4))
    began = time.monotonic()
    director.start("-P")
    director.wait_for(VIP)
    assert 3.9 < time.monotonic() - began < 6
    assert "elections go on all the same" in director.log()


def test_what_ends_the_waiting_of_many_holds_nobody_up(lab: Lab) -> None:
    """Closing a packet socket takes the kernel some 10 ms."""
    machine, other = lab.machines("m", "o")
    crowd_cables(lab, lab.switch("sw"), [machine, other], 32)
    director = JustBooted(machine, crowd_config(32, 1, 100).replace(
        "global_defs {\n", "global_defs {\n vrrp_listen_after_boot 5\n"))
    director.start("-P")
    assert eventually(lambda: "vrrp-deaf-after-boot" in director.log(), 8) is not None
    ask(director, "vrrp", "measure-loop")  # begins anew
    assert eventually(lambda: "elections go on all the same" in director.log(), 8) is not None
    time.sleep(0.5)
    told = ask(director, "vrrp", "measure-loop")
    assert told["longest_turn_ms"] < 150, told


CONTROL = {"BPDU": "01:80:c2:00:00:00", "LACP": "01:80:c2:00:00:02", "LLDP": "01:80:c2:00:00:0e",
           "CDP": "01:00:0c:cc:cc:cc", "PVST+": "01:00:0c:cc:cc:cd"}
OF_HOSTS = {"all": "ff:ff:ff:ff:ff:ff", "GARP": "01:80:c2:00:00:20",
            "a host": "02:00:00:00:00:77", "beside Cisco's": "01:00:0c:cc:cc:ce"}
SENDER = """
import socket, sys
ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
ear.bind((sys.argv[1], 0))
for mac in sys.argv[2:]:
    mac = bytes.fromhex(mac.replace(":", ""))
    ear.send(mac + b"\\2\\0\\0\\0\\0\\5" + b"\\x88\\xb5" + bytes(50))
"""


def say(line: Line, *macs: str) -> None:
    """From the switch itself: it forwards some of these to nobody."""
    line.switch.run("python3", "-c", SENDER, line.port, *macs)


def test_what_a_switch_says_itself_is_no_life(line: Line) -> None:
    """A bridge says so every second to a port that it does not forward from yet."""
    line.switch.ip("link set br0 type bridge stp_state 1 hello_time 100 forward_delay 3000")
    line.switch.ip(f"link set {line.port} down", f"link set {line.port} up")
    wire = Capture(line.machine, "eth0")
    director = JustBooted(line.machine, listening(30))
    director.start("-P")
    assert eventually(lambda: "vrrp-deaf-after-boot" in director.log(), 6) is not None
    say(line, *CONTROL.values())
    time.sleep(1.5)
    told = bytes.fromhex(CONTROL["BPDU"].replace(":", ""))
    assert len([each for each in wire.frames() if each.data[:6] == told]) >= 3, "no BPDU came"
    assert director.state("VI_1") == "BACKUP" and not director.holds(VIP), director.log()


@pytest.mark.parametrize("mac", OF_HOSTS.values(), ids=OF_HOSTS)
def test_every_other_frame_is_life(line: Line, mac: str) -> None:
    director = JustBooted(line.machine, listening(30))
    director.start("-P")
    assert eventually(lambda: director.state("VI_1") == "BACKUP", 5) is not None
    say(line, mac)
    assert director.wait_for(VIP) < 1.5


def test_an_interface_that_comes_later_waits_too(line: Line) -> None:
    line.machine.ip("link set eth0 down", "link set eth0 name late0")
    director = JustBooted(line.machine, listening(2))
    director.start("-P")
    assert eventually(lambda: director.state("VI_1") == "FAULT", 5) is not None
    time.sleep(2)
    line.machine.ip("link set late0 name eth0", "link set eth0 up")
    began = time.monotonic()
    director.wait_for(VIP)
    assert 1.9 < time.monotonic() - began < 4, director.log()


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
