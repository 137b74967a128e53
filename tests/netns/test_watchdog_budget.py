"""Nobody holds an address longer than peers stay silent: whatever the vrrp process is doing.

The real director beside real keepalived. The budget of a master is its last advert plus three
intervals; the first backup takes over a skew later.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import tempfile
import threading
import time
from collections.abc import Iterator

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, LabError, eventually
from tests.lab.wire import Capture

VIP = "10.9.0.200"
OURS, PEER = "10.9.0.1", "10.9.0.2"
EARLY = 0.05  # clocks of the capture and of the director
# On a machine that does nothing else it is 0.03; the peer comes 0.8 after the budget.
LATE = 0.5


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


def service(number: int) -> str:
    return f"""
virtual_server 10.8.{number // 250}.{number % 250 + 1} 80 {{
    delay_loop 60
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 10.9.0.10 80 {{
        TCP_CHECK {{
            connect_timeout 1
        }}
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

    def start(self, *options: str) -> None:
        self.ours.start("-D", *options)
        self.ours.wait_for(VIP)
        self.peer.start("-P", "-G")
        assert eventually(lambda: self.peer.state("VI_1") == "BACKUP", 10) is not None
        time.sleep(0.5)

    def last_advert(self, since: float = 0) -> float:
        return self.capture.adverts(since, OURS)[-1].at

    def stopped_successor(self, knows_addresses: bool) -> int:
        """Kills the vrrp process of the master, and stops the next one before it begins."""
        old = self.ours.role_pid("vrrp")
        os.kill(old, signal.SIGKILL)
        successor = self.child_after(old)
        self.ours.process.send(signal.SIGSTOP)  # so that it is not told to begin
        if knows_addresses:
            wait_until_it_knows(successor)
        os.kill(successor, signal.SIGSTOP)
        self.ours.process.send(signal.SIGCONT)
        assert "resumed after a restart" not in self.ours.log(), "stopped too late"
        return successor

    def priorities_since(self, moment: float) -> list[int]:
        return [one.priority for one in self.capture.adverts(moment, OURS)]

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


def wait_until_it_knows(pid: int) -> None:
    """It has read what is on the interfaces, and shows itself to other directors."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        with open(f"/proc/{pid}/net/unix", encoding="ascii") as sockets:
            if "@holdfast.addresses." in sockets.read():
                return
    raise AssertionError("the successor did not get far")


@contextlib.contextmanager
def always_held(scene: Scene) -> Iterator[None]:
    """Fails when the address is off our host at any moment meanwhile."""
    end, lost = threading.Event(), threading.Event()

    def watch() -> None:
        while not end.wait(0.002):
            with contextlib.suppress(LabError):  # who asks is killed with everybody else
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
def in_memory(scene: Scene) -> Iterator[Scene]:
    """The run directory is in memory, as /run is."""
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="hf-run-") as name:
        scene.ours.directory = pathlib.Path(name)
        yield scene
        scene.ours.kill_everything()


@pytest.fixture
def scene(lab: Lab) -> Scene:
    return Scene(lab)


@pytest.mark.parametrize("moment", ["at birth", "when it knows its addresses"])
def test_a_successor_that_stands_still_loses_the_addresses_when_the_peers_wake(
    scene: Scene, moment: str,
) -> None:
    # A long file takes long to read: time to stop the successor before it can begin.
    scene.ours.write_config(config(100) + "".join(map(service, range(15000))))
    scene.start("-P")
    successor = scene.stopped_successor(moment != "at birth")

    gone = scene.gone_after(time.time())
    budget = scene.last_advert() + 3
    assert budget - EARLY < gone < budget + LATE, gone - budget
    # Awake again it is a backup, and wins only by an election.
    assert eventually(lambda: scene.peer.holds(VIP), 5) is not None
    woken = time.time()
    with contextlib.suppress(ProcessLookupError):  # ended, when it had been told to begin
        os.kill(successor, signal.SIGCONT)
    assert eventually(lambda: scene.capture.adverts(woken, OURS), 12) is not None
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


# ---- a child that dies again and again -----------------------------------------------------------


def test_the_third_death_of_a_master_is_a_handover(scene: Scene) -> None:
    scene.start()
    began = time.time()
    with always_held(scene):
        for death in (1, 2):
            os.kill(scene.ours.role_pid("vrrp"), signal.SIGKILL)
            assert eventually(lambda: scene.ours.log().count("resumed after a restart") == death,
                              3) is not None
            time.sleep(1.5)
    assert scene.capture.adverts(began, PEER) == [], "the second one costs nobody anything either"

    killed = time.time()
    os.kill(scene.ours.role_pid("vrrp"), signal.SIGKILL)

    assert eventually(lambda: scene.capture.adverts(killed, PEER), 5) is not None
    assert scene.capture.adverts(killed, PEER)[0].at - killed < 1.2, "a skew of 0.8 s"
    assert scene.priorities_since(killed) == [0]
    assert eventually(lambda: not scene.ours.holds(VIP), 1) is not None
    assert scene.peer.holds(VIP)
    # After the pause it is a backup that wins its election.
    assert eventually(lambda: scene.ours.holds(VIP), 12) is not None
    assert scene.ours.log().count("resumed after a restart") == 3


# ---- everything is killed at once: a container that is started again -----------------------------


def test_a_director_that_is_back_in_time_resumes(in_memory: Scene) -> None:
    in_memory.start()
    began = time.time()
    with always_held(in_memory):
        in_memory.ours.kill_everything()
        in_memory.ours.start("-D")
        time.sleep(4)

    assert in_memory.capture.adverts(began, PEER) == []
    assert "resumed after a restart" in in_memory.ours.log()
    assert in_memory.ours.stop() == 0
    assert not (in_memory.ours.directory / "vrrp.page").exists()


def test_a_director_that_is_back_too_late_stands_for_election(in_memory: Scene) -> None:
    in_memory.start()
    in_memory.ours.kill_everything()
    assert eventually(lambda: in_memory.peer.holds(VIP), 5) is not None
    began = time.time()

    in_memory.ours.start("-D")

    assert eventually(lambda: not in_memory.ours.holds(VIP), 1) is not None
    assert eventually(lambda: in_memory.capture.adverts(began, OURS), 8) is not None
    assert in_memory.capture.adverts(began, OURS)[0].at - began > 3
    assert "resumed after a restart" not in in_memory.ours.log()


def test_an_instance_that_nobody_hears_does_not_cost_the_others_their_resumption(
    scene: Scene,
) -> None:
    unheard = config(100).replace("VI_1", "VI_2").replace(" 51", " 52").replace(VIP, "10.9.0.201")
    scene.ours.write_config(config(100) + unheard)
    scene.start()
    scene.ours.wait_for("10.9.0.201")
    rules = ("add table inet block\n"
             "add chain inet block c { type filter hook output priority 0; }\n"
             "add rule inet block c ip protocol 112 @th,8,8 52 drop\n")
    scene.ours.machine.run("nft", "-f", "-", stdin=rules)
    time.sleep(4)
    began = time.time()

    with always_held(scene):
        os.kill(scene.ours.role_pid("vrrp"), signal.SIGKILL)
        time.sleep(5)

    assert "VI_1: INIT → MASTER: resumed after a restart" in scene.ours.log()
    assert scene.capture.adverts(began, PEER) == []
