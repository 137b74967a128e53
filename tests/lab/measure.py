"""What a pair of directors looks like from outside: every answer, every address, every process.

Each of these runs in a thread of its own until stopped. All times are calendar seconds.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import sys
import threading
import time
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

from .netns import SIOCGIFFLAGS, SIOCSIFFLAGS, Namespace
from .wire import SO_TIMESTAMPNS, _checksum

RTMGRP_IPV4_IFADDR = 0x10
RTM_NEWADDR, RTM_DELADDR = 20, 21
IFA_LOCAL = 2


@dataclass(frozen=True)
class Outage:
    began: float
    length: float


class _Thread:
    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()


class Pinger(_Thread):
    """ICMP echo requests at a fixed rhythm; an answer that is later than `patience` is none."""

    def __init__(self, machine: Namespace, address: str, every: float = 0.01,
                 patience: float = 0.1):
        super().__init__()
        self._address, self._every, self.patience = address, every, patience
        self._sent: list[float] = []
        self._answered: list[float] = []  # beside each request; 0: not yet
        with machine.inside():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)
        self._mark = os.urandom(8)
        self._thread.start()

    def _run(self) -> None:
        next_at = time.time()
        while not self._stopping.is_set():
            self._send()
            next_at = max(next_at + self._every, time.time() - self._every)
            while (wait := next_at - time.time()) > 0:
                if select.select([self._socket], [], [], wait)[0]:
                    self._receive()

    def _send(self) -> None:
        body = struct.pack("!HH", 1, len(self._sent) & 0xFFFF) + self._mark
        body += struct.pack("!Q", len(self._sent))
        packet = struct.pack("!BBH", 8, 0, _checksum(struct.pack("!BBH", 8, 0, 0) + body)) + body
        self._answered.append(0)
        self._sent.append(time.time())
        try:
            self._socket.sendto(packet, (self._address, 0))
        except OSError:
            pass  # no route or no neighbour: a request without an answer

    def _receive(self) -> None:
        while True:
            try:
                data, ancillary, _, _ = self._socket.recvmsg(512, 256)
            except OSError:
                return  # drained, or an ICMP error about a request
            header = (data[0] & 15) * 4
            if len(data) < header + 24 or data[header] != 0:
                continue
            if data[header + 8:header + 16] != self._mark:
                continue
            number = struct.unpack("!Q", data[header + 16:header + 24])[0]
            for level, kind, value in ancillary:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("ll", value[:16])
                    self._answered[number] = seconds + nanoseconds / 1e9

    def outages(self, since: float, until: float) -> list[Outage]:
        """Runs of requests without an answer in time. `until` lies `patience` ago or more.

        Where this program itself did not run for a while, only a little of that time counts: it has
        no evidence for more.
        """
        found: list[Outage] = []
        began, length = 0.0, 0.0
        for number in range(bisect_left(self._sent, since), bisect_left(self._sent, until)):
            sent, answered = self._sent[number], self._answered[number]
            if answered and answered - sent <= self.patience:
                if length:
                    found.append(Outage(began, length))
                length = 0.0
                continue
            began = began if length else sent
            following = self._sent[number + 1] if number + 1 < len(self._sent) else until
            length += min(following - sent, 5 * self._every)
        if length:
            found.append(Outage(began, length))
        return found

    def lateness(self, since: float, until: float) -> float:
        """The longest time that this thread waited for a processor: what everybody here may have
        been late by."""
        sent = self._sent[bisect_left(self._sent, since):bisect_left(self._sent, until)]
        return max((later - one - self._every for one, later in zip(sent, sent[1:])), default=0.0)


class KernelLock(_Thread):
    """How long the kernel lets everybody wait who changes an interface or an address.

    It has one lock for that (rtnl), for all namespaces: another laboratory that is taken down holds
    it for more than a second at times, and no director can place an address meanwhile.
    """

    def __init__(self, machine: Namespace, every: float = 0.05):
        super().__init__()
        self._every = every
        self._waits: list[Outage] = []
        with machine.inside():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread.start()

    def _run(self) -> None:
        flags = fcntl.ioctl(self._socket, SIOCGIFFLAGS, struct.pack("16s24x", b"lo"))
        while not self._stopping.wait(self._every):
            began = time.time()
            fcntl.ioctl(self._socket, SIOCSIFFLAGS, flags)  # as they are: only the lock is taken
            took = time.time() - began
            if took > self._every:
                self._waits.append(Outage(began, took))

    def lateness(self, since: float, until: float) -> float:
        return max((one.length for one in self._waits
                    if one.began < until and one.began + one.length > since), default=0.0)

    def stop(self) -> None:
        super().stop()
        self._socket.close()


WITNESS = """
import os, time
os.sched_setaffinity(0, {%d})
while True:
    began = time.time()
    time.sleep(0.002)
    late = time.time() - began - 0.002
    if late > 0.001:
        print(began, late, flush=True)
"""


class Processors:
    """What the machine was late by: a process on each processor asks for nothing but to be woken
    every 2 ms, as any program may that has a moment to keep."""

    def __init__(self, machine: Namespace):
        self._witnesses = [machine.spawn(sys.executable, "-c", WITNESS % number, log=f"cpu{number}")
                           for number in sorted(os.sched_getaffinity(0))]

    def lateness(self, since: float, until: float) -> float:
        """The longest wait that overlaps this span."""
        waits = [0.0]
        for witness in self._witnesses:
            for line in witness.output().splitlines():
                began, late = map(float, line.split()[:2])
                if began < until and began + 0.002 + late > since:
                    waits.append(late)
        return max(waits)


class Server(_Thread):
    """Answers every connection to a port of a machine, on all its addresses, with its name."""

    def __init__(self, machine: Namespace, port: int = 8080):
        super().__init__()
        self._answer = f"{machine.short}\n".encode()
        with machine.inside():
            self._socket = socket.create_server(("0.0.0.0", port), backlog=64)
        self._socket.settimeout(0.2)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                continue
            with connection:
                try:
                    connection.sendall(self._answer)
                except OSError:
                    pass  # the client has gone

    def stop(self) -> None:
        super().stop()
        self._socket.close()


class Requests(_Thread):
    """A connection and a line read from it, again and again."""

    def __init__(self, machine: Namespace, address: str, port: int = 8080, every: float = 0.1,
                 patience: float = 0.5):
        super().__init__()
        self._machine, self._to = machine, (address, port)
        self._every, self.patience = every, patience
        self._results: list[tuple[float, bool]] = []
        self._thread.start()

    def _run(self) -> None:
        with self._machine.inside():
            while not self._stopping.wait(self._every):
                began = time.time()
                try:
                    with socket.create_connection(self._to, self.patience) as connection:
                        good = connection.recv(64).endswith(b"\n")
                except OSError:
                    good = False
                self._results.append((began, good))

    def outages(self, since: float, until: float) -> list[Outage]:
        """From the first request that failed to the first one after it that did not."""
        found: list[Outage] = []
        began = None
        for at, good in list(self._results):
            if not since <= at < until:
                continue
            if good and began is not None:
                found.append(Outage(began, at - began))
                began = None
            elif not good and began is None:
                began = at
        if began is not None:
            found.append(Outage(began, until - began))
        return found


class Holders(_Thread):
    """Which machines have an IPv4 address, at every moment: from the kernel's own messages."""

    def __init__(self, machines: list[Namespace], address: str):
        super().__init__()
        self._wanted = socket.inet_aton(address)
        self._entries: dict[str, set[tuple[int, int]]] = {one.short: set() for one in machines}
        self._changes: list[tuple[float, frozenset[str]]] = [(time.time(), frozenset())]
        self._sockets: dict[socket.socket, str] = {}
        for machine in machines:
            with machine.inside():
                netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            netlink.bind((0, RTMGRP_IPV4_IFADDR))
            netlink.setblocking(False)
            self._sockets[netlink] = machine.short
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            for ready in select.select(list(self._sockets), [], [], 0.2)[0]:
                now = time.time()
                try:
                    data = ready.recv(65536)
                except OSError:
                    continue
                self._read(self._sockets[ready], data)
                holders = frozenset(name for name, held in self._entries.items() if held)
                if holders != self._changes[-1][1]:
                    self._changes.append((now, holders))

    def _read(self, name: str, data: bytes) -> None:
        while len(data) >= 24:
            length, kind = struct.unpack("=IH", data[:6])
            _, prefix, _, _, index = struct.unpack("=BBBBI", data[16:24])
            attributes = data[24:length]
            while len(attributes) >= 4:
                size, what = struct.unpack("=HH", attributes[:4])
                if what == IFA_LOCAL and attributes[4:size] == self._wanted:
                    if kind == RTM_NEWADDR:
                        self._entries[name].add((index, prefix))
                    elif kind == RTM_DELADDR:
                        self._entries[name].discard((index, prefix))
                attributes = attributes[(size + 3) & ~3 or 4:]
            data = data[(length + 3) & ~3:]

    def now(self) -> frozenset[str]:
        return self._changes[-1][1]

    def since(self) -> float:
        """When it became as it is now."""
        return self._changes[-1][0]

    def history(self, since: float, until: float) -> list[tuple[float, float, frozenset[str]]]:
        """Spans (from, to, holders) that cover the time asked for."""
        changes = [*self._changes, (until, frozenset())]
        return [
            (max(began, since), min(ended, until), holders)
            for (began, holders), (ended, _) in zip(changes, changes[1:])
            if ended > since and began < until
        ]

    def shared(self, since: float, until: float) -> list[Outage]:
        """Spans in which more than one machine has it."""
        found: list[Outage] = []
        for began, ended, holders in self.history(since, until):
            if len(holders) > 1:
                found.append(Outage(began, ended - began))
        return found

    def stop(self) -> None:
        super().stop()
        for each in self._sockets:
            each.close()


def children_of(pid: int) -> dict[str, int]:
    """The roles of a director's processes: vrrp, checkers, watchdog (itself) → process id."""
    roles = {"watchdog": pid}
    try:
        words = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return {}
    for child in map(int, words):
        try:
            line = Path(f"/proc/{child}/cmdline").read_text(encoding="ascii").split("\0")
        except OSError:
            continue
        for word in line:
            if word.startswith("--role="):
                roles[word.removeprefix("--role=")] = child
    return roles


@dataclass(frozen=True)
class Footprint:
    """What one process occupies."""

    descriptors: int
    own_kb: int  # memory that no file stands behind: the others are as many as the machine has room


def footprint(pid: int) -> Footprint | None:
    try:
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return None
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    if "RssAnon" not in lines:
        return None  # it has ended
    return Footprint(descriptors, int(lines["RssAnon"].split()[0]))
