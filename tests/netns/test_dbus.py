"""D-Bus (`enable_dbus`): the tree, the signals and the methods that programs know from keepalived,
on a bus of the test's own; and a bus that is absent, dies and comes back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Process, eventually

from .test_vrrp_director import VIP, Scene, config

NAME = "org.keepalived.Vrrp1"
INSTANCE = "/org/keepalived/Vrrp1/Instance/eth0/51/IPv4"
SERVICE = "/org/keepalived/Vrrp1/Vrrp"
BOTH = pytest.mark.parametrize("program", ["holdfast", "keepalived"])
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
  <policy context="default"><allow user="*"/><allow receive_sender="*"/>
    <allow send_type="signal"/><allow send_type="method_return"/><allow send_type="error"/>
    <allow send_destination="org.freedesktop.DBus"/></policy>
  {policy}
</busconfig>
"""
OUR_POLICY = Path(__file__).parents[2] / "etc/holdfast-dbus.policy"


class Bus:
    """A system bus with the policy that is installed."""

    def __init__(self, lab: Lab, scene: Scene):
        # Where another account comes, too.
        self.directory = Path(tempfile.mkdtemp(prefix="holdfast-bus-"))
        self.directory.chmod(0o755)
        self.machine, self.path = scene.machine, self.directory / "bus"
        self.address = f"unix:path={self.path}"
        self.file = lab.directory / "bus.conf"
        self.file.write_text(BUS.format(
            path=self.path, policy=f"<include>{OUR_POLICY}</include>"), encoding="utf-8")
        lab.environment = lab.environment | {"DBUS_SYSTEM_BUS_ADDRESS": self.address}
        self.process: Process | None = None
        self._monitor: Process | None = None

    def start(self) -> None:
        self.process = self.machine.spawn(
            "dbus-daemon", f"--config-file={self.file}", "--nofork", "--nopidfile")
        assert eventually(self.path.exists, 5) is not None, self.process.output()
        self._monitor = self.machine.spawn(
            "dbus-monitor", "--address", self.address, f"path_namespace='{NAME_ROOT}'")
        assert eventually(lambda: "NameAcquired" in self._told(), 5) is not None, self._told()

    def stop(self) -> None:
        assert self.process
        self.process.stop()
        self.path.unlink(missing_ok=True)

    def call(self, *words: str, user: str = "root") -> str:
        return self.machine.run("setpriv", f"--reuid={user}", "--clear-groups", "busctl",
                                f"--address={self.address}", *words, check=False).stdout.strip()

    def state(self) -> str:
        return self.call("get-property", NAME, INSTANCE, f"{NAME}.Instance", "State")

    def _told(self) -> str:
        return self._monitor.output() if self._monitor else ""

    def signals(self) -> list[str]:
        """"VrrpStarted", "eth0/51 2", in their order."""
        found = []
        for path, member, body in re.findall(
                r"^signal .* path=(\S+); .*member=(Vrrp\w+)\n(?:   uint32 (\d+)\n)?",
                self._told(), re.M):
            number = re.search(r"Instance/(\w+/\d+)/", path)
            found.append(f"{number[1]} {body}" if number else member)
        return found


NAME_ROOT = "/org/keepalived"


@pytest.fixture
def scene(lab: Lab) -> Scene:
    return Scene(lab)


@pytest.fixture
def bus(lab: Lab, scene: Scene) -> Iterator[Bus]:
    bus = Bus(lab, scene)
    yield bus
    shutil.rmtree(bus.directory)


def served(extra: str = "", more: str = "") -> str:
    return (f"global_defs {{\n enable_dbus\n {extra}\n}}\n"
            + config(extra="version 3\n advert_int 0.2\n").replace(" advert_int 1\n", "") + more)


SECOND = (" vrrp_instance VI_2 {\n interface eth0\n virtual_router_id 52\n priority 90\n"
          " version 3\n advert_int 0.2\n virtual_ipaddress {\n 10.10.0.201\n }\n}\n")


@BOTH
def test_signals_and_properties_are_keepalived_s(scene: Scene, bus: Bus, program: str) -> None:
    bus.start()
    director = Director(scene.machine, served(), program)
    director.start("-P")
    director.wait_for(VIP)
    assert eventually(lambda: bus.state() == '(us) 2 "Master"', 5) is not None, director.log()
    assert bus.call("get-property", NAME, INSTANCE, f"{NAME}.Instance", "Name") == '(s) "VI_1"'
    # Everybody may look.
    assert "Master" in bus.call("get-property", NAME, INSTANCE, f"{NAME}.Instance", "State",
                                user="nobody")
    begun = len(bus.signals())
    assert bus.signals()[-1] == "eth0/51 2"
    assert "VrrpStarted" in bus.signals()

    scene.machine.ip("link set eth0 down")
    assert eventually(lambda: bus.state() == '(us) 3 "Fault"', 5) is not None
    scene.machine.ip("link set eth0 up")
    assert eventually(lambda: bus.state() == '(us) 2 "Master"', 5) is not None
    assert eventually(lambda: bus.signals()[begun:] == [
        "eth0/51 3", "eth0/51 1", "eth0/51 2"], 3) is not None, bus.signals()

    begun = len(bus.signals())
    director.write_config(served(more=SECOND))
    assert bus.call("call", NAME, SERVICE, f"{NAME}.Vrrp", "ReloadConfig") == ""
    wanted = ["VrrpReloaded", "eth0/52 1", "eth0/52 2"]
    assert eventually(lambda: set(bus.signals()[begun:]) == set(wanted), 8) is not None, (
        bus.signals())
    assert eventually(lambda: "/52/IPv4" in bus.call("tree", "--list", NAME), 3) is not None

    begun = len(bus.signals())
    director.stop()
    assert eventually(lambda: bus.signals()[begun:][-1:] == ["VrrpStopped"], 5) is not None, (
        bus.signals())
    assert sorted(bus.signals()[begun:-1]) == ["eth0/51 98", "eth0/52 98"]


@BOTH
def test_introspection_is_keepalived_s(scene: Scene, bus: Bus, program: str) -> None:
    bus.start()
    director = Director(scene.machine, served(), program)
    director.start("-P")
    assert eventually(lambda: NAME in bus.call("tree", "--list", NAME).replace("/", "."), 8)

    def members(path: str) -> set[str]:
        lines = bus.call("introspect", NAME, path).split("\n")
        own = [line.split()[:4] for line in lines if line.startswith(".Vrrp") or any(
            line.startswith(f".{word} ") for word in ("SendGarp", "Name", "State", "PrintData",
                                                      "PrintStats", "PrintStatsClear",
                                                      "ReloadConfig"))]
        return {f"{name} {kind}" for name, kind, *_ in own}

    assert eventually(lambda: members(INSTANCE) == {
        ".SendGarp method", ".Name property", ".State property", ".VrrpStatusChange signal"},
        5) is not None, members(INSTANCE)
    assert members(SERVICE) == {
        ".PrintData method", ".PrintStats method", ".PrintStatsClear method",
        ".ReloadConfig method", ".VrrpReloaded signal", ".VrrpStarted signal",
        ".VrrpStopped signal"}


def test_methods_do_what_they_say_for_root_only(scene: Scene, bus: Bus, lab: Lab) -> None:
    lab.environment = lab.environment | {"TMPDIR": str(lab.directory)}
    bus.start()
    director = Director(scene.machine, served())
    director.start("-P")
    director.wait_for(VIP)
    assert eventually(lambda: bus.state() == '(us) 2 "Master"', 5) is not None, director.log()
    time.sleep(1)  # the announcements of the take-over

    began = time.time()
    bus.call("call", NAME, INSTANCE, f"{NAME}.Instance", "SendGarp", user="nobody")
    time.sleep(0.3)
    assert not scene.capture.arps(began, VIP)
    bus.call("call", NAME, INSTANCE, f"{NAME}.Instance", "SendGarp")
    assert eventually(lambda: any(
        one.gratuitous for one in scene.capture.arps(began, VIP)), 2) is not None

    bus.call("call", NAME, SERVICE, f"{NAME}.Vrrp", "PrintData")
    bus.call("call", NAME, SERVICE, f"{NAME}.Vrrp", "PrintStats")
    for name in ("keepalived.data", "keepalived.stats"):
        assert eventually((lab.directory / name).exists, 5) is not None, director.log()

    director.write_config("vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 0\n}\n")
    said = scene.machine.run("busctl", f"--address={bus.address}", "call", NAME, SERVICE,
                             f"{NAME}.Vrrp", "ReloadConfig", check=False)
    assert said.returncode != 0 and "virtual_router_id" in said.stderr, said.stderr
    assert bus.state() == '(us) 2 "Master"'


def test_a_bus_that_comes_late_and_dies_is_joined_again(scene: Scene, bus: Bus) -> None:
    director = Director(scene.machine, served())
    director.start("-P")
    director.wait_for(VIP)
    assert eventually(lambda: "D-Bus is not served: cannot reach the system bus" in director.log(),
                      5) is not None, director.log()
    bus.start()
    assert eventually(lambda: bus.state() == '(us) 2 "Master"', 8) is not None, director.log()
    bus.stop()
    assert eventually(lambda: director.log().count("D-Bus is not served") == 2, 5) is not None, (
        director.log())
    bus.start()
    assert eventually(lambda: bus.state() == '(us) 2 "Master"', 8) is not None, director.log()
    assert not [gap for gap in scene.gaps(0) if gap > 0.4]


def test_a_bus_that_says_nothing_is_given_up(scene: Scene, bus: Bus) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(bus.path))
        deaf.listen(8)
        director = Director(scene.machine, served())
        director.start("-P")
        assert eventually(lambda: "the system bus does not answer" in director.log(), 9), (
            director.log())
        began = time.monotonic()
        director.stop()
        assert time.monotonic() - began < 3
    assert not [gap for gap in scene.gaps(0) if gap > 0.4]


def test_a_service_that_dies_begins_anew_and_tells_of_no_reload(scene: Scene, bus: Bus) -> None:
    bus.start()
    director = Director(scene.machine, served())
    director.start("-P")
    director.wait_for(VIP)
    assert director.ctl("reload").returncode == 0
    assert eventually(lambda: "VrrpReloaded" in bus.signals(), 5) is not None, bus.signals()
    begun = len(bus.signals())
    pid = int(scene.machine.run("pgrep", "-f", f"holdfast-dbus .*{director.directory}").stdout)
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: bus.signals()[begun:] == ["VrrpStarted", "eth0/51 2"], 5), (
        bus.signals())
