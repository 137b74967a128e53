"""Nobody holds an address longer than peers stay silent: whatever the vrrp process is doing.

The real director beside real keepalived. The budget of a master is its last advert plus three
intervals; the first backup takes over a skew later.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, eventually
from tests.lab.wire import Capture

VIP = "10.9.0.200"
OURS, PEER = "10.9.0.1", "10.9.0.2"
TOLERANCE = 0.1


def config(priority: int, interval: float = 1) -> str:
    return f"""
vrrp_instance VI_1 {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int {interval}
    virtual_ipaddress {{
        {VIP}
    }}
}}
"""


class Scene:
    def __init__(self, lab: Lab):
        self.switch = lab.switch("sw")
        machine, other = lab.machines("a", "b")
        lab.cables(self.switch, (machine, "eth0", f"{OURS}/24"), (other, "eth0", f"{PEER}/24"))
        self.ours = Director(machine, config(100))
        self.peer = Director(other, config(50), "keepalived")
        self.capture = Capture(self.switch)

    def start(self) -> None:
        self.ours.start("-D")
        self.ours.wait_for(VIP)
        self.peer.start("-P", "-G")
        assert eventually(lambda: self.peer.state("VI_1") == "BACKUP", 10) is not None
        time.sleep(0.5)

    def last_advert(self, since: float = 0) -> float:
        return self.capture.adverts(since, OURS)[-1].at

    def gone_after(self, since: float, limit: float = 20) -> float:
        """When the address left this host."""
        while self.ours.holds(VIP):
            assert time.time() < since + limit, f"{VIP} stays\n{self.ours.log()}"
            time.sleep(0.005)
        return time.time()

    def child_after(self, old: int, limit: float = 10) -> int:
        """The process that takes the place of `old`, as soon as it is there."""
        parent = self.ours.process.pid
        path = f"/proc/{parent}/task/{parent}/children"
        end = time.monotonic() + limit
        while time.monotonic() < end:
            with open(path, encoding="ascii") as children:
                for pid in map(int, children.read().split()):
                    if pid != old and role_of(pid) == "vrrp":
                        return pid
        raise AssertionError(self.ours.log())


def role_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", encoding="ascii") as words:
            roles = [word for word in words.read().split("\0") if word.startswith("--role=")]
    except OSError:
        return ""
    return roles[0].removeprefix("--role=") if roles else ""


@contextlib.contextmanager
def always_held(scene: Scene) -> Iterator[None]:
    """Fails when the address is off our host at any moment meanwhile."""
    end, lost = threading.Event(), threading.Event()

    def watch() -> None:
        while not end.wait(0.002):
            if not scene.ours.holds(VIP):
                lost.set()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
    assert not lost.is_set(), scene.ours.log()


@pytest.fixture
def scene(lab: Lab) -> Scene:
    return Scene(lab)


def test_a_successor_that_stands_still_loses_the_addresses_when_the_peers_wake(
    scene: Scene,
) -> None:
    scene.start()
    old = scene.ours.role_pid("vrrp")

    os.kill(old, signal.SIGKILL)
    successor = scene.child_after(old)
    os.kill(successor, signal.SIGSTOP)

    gone = scene.gone_after(time.time())
    budget = scene.last_advert() + 3
    assert budget - TOLERANCE < gone < budget + TOLERANCE, gone - budget
    # Awake again it is a backup, and wins only by an election.
    assert eventually(lambda: scene.peer.holds(VIP), 5) is not None
    woken = time.time()
    os.kill(successor, signal.SIGCONT)
    assert eventually(lambda: scene.ours.holds(VIP), 10) is not None
    assert scene.capture.adverts(woken, OURS)[0].at - woken > 2, "no advert without an election"
    assert "resumed after a restart" not in scene.ours.log()


def test_a_successor_that_is_back_in_time_keeps_them(scene: Scene) -> None:
    scene.start()
    old, began = scene.ours.role_pid("vrrp"), time.time()
    with always_held(scene):
        os.kill(old, signal.SIGKILL)
        successor = scene.child_after(old)
        os.kill(successor, signal.SIGSTOP)
        time.sleep(1.2)
        os.kill(successor, signal.SIGCONT)
        time.sleep(4)

    assert "resumed after a restart" in scene.ours.log()
    assert scene.capture.adverts(began, PEER) == []


def test_a_master_that_is_stopped_is_replaced_before_its_peers_notice(scene: Scene) -> None:
    scene.start()
    old, began = scene.ours.role_pid("vrrp"), time.time()
    with always_held(scene):
        os.kill(old, signal.SIGSTOP)
        replaced = eventually(lambda: scene.ours.status("vrrp").get("pid") not in (None, old), 5)
        assert replaced is not None
        time.sleep(3)

    assert scene.capture.adverts(began, PEER) == []
    assert "resumed after a restart" in scene.ours.log()


def test_a_master_that_is_stopped_for_good_loses_them_with_its_budget(scene: Scene) -> None:
    scene.start()
    old, began = scene.ours.role_pid("vrrp"), time.time()

    os.kill(old, signal.SIGSTOP)
    os.kill(scene.child_after(old), signal.SIGSTOP)

    gone = scene.gone_after(time.time())
    budget = scene.last_advert() + 3
    assert budget - TOLERANCE < gone < budget + TOLERANCE, gone - budget
    assert eventually(lambda: scene.peer.holds(VIP), 5) is not None
    assert gone < scene.capture.adverts(began, PEER)[0].at, "never on both"


def test_a_short_stop_is_no_death(scene: Scene) -> None:
    scene.start()
    old, began = scene.ours.role_pid("vrrp"), time.time()

    for _ in range(3):
        os.kill(old, signal.SIGSTOP)
        time.sleep(1.5)
        os.kill(old, signal.SIGCONT)
        time.sleep(1)

    assert scene.ours.role_pid("vrrp") == old
    assert scene.ours.holds(VIP)
    assert scene.capture.adverts(began, PEER) == []
