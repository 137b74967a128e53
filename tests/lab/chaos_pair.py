"""The machines of `chaos`: two directors, a client that never stops asking, and what it sees."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator

from .director import Director
from .measure import (Footprint, Holders, KernelLock, Pinger, Requests, Server, children_of,
                      footprint)
from .netns import Lab, LabError, Namespace, eventually
from .wire import Capture

VIP = "10.60.0.200"
EXTRA = "10.60.0.210"  # in the excluded block: not in the adverts, which keepalived compares
OWN = {"a": "10.60.0.1", "b": "10.60.0.2"}
CLIENT = "10.60.0.66"
INTERVAL = 1.0
#: What a busy machine and this program's own clock may add to any figure.
NOISE = 0.1
DEATHS_BEFORE_GIVING_UP = 4
STABLE_AFTER = 60.0


def skew(priority: int) -> float:
    """RFC 3768 §6.1, seconds."""
    return (256 - priority) / 256


def down_interval(priority: int) -> float:
    return 3 * INTERVAL + skew(priority)


def config(priority: int, extra: bool, service: bool) -> str:
    excluded = f" virtual_ipaddress_excluded {{\n  {EXTRA}/32\n }}\n" if extra else ""
    text = (f"vrrp_instance VI_1 {{\n state BACKUP\n interface eth0\n virtual_router_id 60\n"
            f" priority {priority}\n advert_int {INTERVAL:.0f}\n"
            f" virtual_ipaddress {{\n  {VIP}/32\n }}\n{excluded}}}\n")
    if service:
        text += (f"virtual_server {VIP} 8081 {{\n delay_loop 2\n lb_algo rr\n lb_kind DR\n"
                 f" protocol TCP\n real_server {CLIENT} 8081 {{\n  TCP_CHECK {{\n"
                 "   connect_timeout 1\n  }\n }\n}\n")
    return text


class Member:
    """One director of the pair and what was done to it."""

    def __init__(self, machine: Namespace, port: str, program: str, priority: int):
        self.program, self.port, self.priority = program, port, priority
        self.extra = False
        self.director = Director(machine, "", program)
        self.deaths: list[float] = []  # of the vrrp process, in a row
        self.write()

    @property
    def name(self) -> str:
        return self.machine.short

    @property
    def machine(self) -> Namespace:
        return self.director.machine

    @property
    def is_ours(self) -> bool:
        return self.program == "holdfast"

    def write(self) -> None:
        self.director.write_config(config(self.priority, self.extra, self.is_ours))

    def start(self) -> None:
        self.deaths.clear()
        self.director.start("-D") if self.is_ours else self.director.start("-P", "-G")

    def pid(self, role: str) -> int:
        """Of a process of ours; 0 while there is none."""
        return children_of(self.director.process.pid).get(role, 0)

    def send(self, role: str, number: int) -> None:
        if eventually(lambda: self.pid(role), 5) is None:  # it may wait for its next start
            raise LabError(f"{self.name} has no {role} process: {self.director.log()[-2000:]}")
        os.kill(self.pid(role), number)

    def note_death(self) -> bool:
        """A vrrp process of ours is about to die; False: one of several (docs/watchdog.md)."""
        now = time.time()
        if self.deaths and now - self.deaths[-1] > STABLE_AFTER:
            self.deaths.clear()
        self.deaths.append(now)
        return len(self.deaths) == 1

    def may_die(self) -> bool:
        return (len(self.deaths) < DEATHS_BEFORE_GIVING_UP - 1
                or time.time() - self.deaths[-1] > STABLE_AFTER)

    def crash(self) -> None:
        """Everything dies in the same moment: frozen first, children before parents, so that no
        child lives to see its parent die and resigns."""
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in sorted(self.machine.pids(), reverse=True):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        self.director.kill_everything()

    def reload(self) -> None:
        self.director.process.send(signal.SIGHUP)

    def forget(self) -> None:
        """What a reboot does to addresses and to /run."""
        for path in self.director.directory.iterdir():
            if path != self.director.config:
                path.unlink()
        for held in self.machine.addresses("eth0"):
            if not held.startswith(OWN[self.name] + "/"):
                self.machine.ip(f"addr del {held} dev eth0")


class Pair:
    def __init__(self, lab: Lab, partner: str):
        self.switch = lab.switch("sw")
        a, b, self.client = lab.machines("a", "b", "c")
        ports = lab.cables(self.switch, (a, "eth0", f"{OWN['a']}/24"),
                           (b, "eth0", f"{OWN['b']}/24"), (self.client, "eth0", f"{CLIENT}/24"))
        self.a = Member(a, ports[0], "holdfast", 150)
        self.b = Member(b, ports[1], partner, 100)
        self.members = [self.a, self.b]
        self.capture = Capture(self.switch)
        self.holders = Holders([a, b], VIP)
        self.servers = [Server(a), Server(b), Server(self.client, 8081)]
        self.pings = Pinger(self.client, VIP)
        self.requests = Requests(self.client, VIP)
        self.kernel = KernelLock(self.client)
        lab.closers += [one.stop for one in (*self.servers, self.holders, self.pings,
                                             self.requests, self.kernel)]

    def start(self) -> None:
        for member in self.members:
            member.start()
        if not self.settle(20, 3):
            raise LabError(f"the pair does not start: {self.describe()}\n{self.a.director.log()}")

    def other(self, member: Member) -> Member:
        return self.b if member is self.a else self.a

    def best(self) -> Member:
        return max(self.members, key=lambda one: one.priority)

    def is_master(self, member: Member) -> bool:
        return member is self.best()

    def settle(self, within: float, quiet: float) -> bool:
        """Waits until the better one alone holds the address and advertises, for `quiet`."""
        began = time.time()
        best = self.best()

        def settled() -> bool:
            now = time.time()
            since = max(self.holders.since(), began)
            if self.holders.now() != {best.name} or now - since < quiet:
                return False
            heard = {one.source for one in self.capture.adverts(now - 1.5 * INTERVAL)}
            return heard == {OWN[best.name]}

        return eventually(settled, within, 0.1) is not None

    def describe(self) -> str:
        heard = {one.source for one in self.capture.adverts(time.time() - 1.5)}
        return (f"the address is held by {sorted(self.holders.now())} and advertised by "
                f"{sorted(heard)}, not by {self.best().name} alone\n"
                + "".join(f"--- {one.name}\n{one.director.log()[-3000:]}" for one in self.members))

    def footprints(self) -> Iterator[tuple[str, str, Footprint]]:
        for member in self.members:
            if member.is_ours:
                for role, pid in children_of(member.director.process.pid).items():
                    if found := footprint(pid):
                        yield member.name, role, found

    def lateness(self, since: float, until: float) -> float:
        """What the machine, not a director, may have added to what took place in this time."""
        return max(self.pings.lateness(since, until), self.kernel.lateness(since, until))

    def stop(self) -> list[str]:
        """An orderly end; returns what is left behind."""
        problems = []
        for member in sorted(self.members, key=lambda one: one.priority):
            code = member.director.stop()
            if member.is_ours and code:
                problems.append(f"{member.name} ends with {code}: {member.director.log()[-2000:]}")
            left = [one for one in member.machine.addresses("eth0")
                    if not one.startswith(OWN[member.name] + "/")]
            if left:
                problems.append(f"{member.name} leaves {left} behind")
        return problems
