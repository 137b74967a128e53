"""4,000 real servers that drop every packet at once, and one among them that is well.

keepalived's checkers need ip_vs: where the kernel has none there is nothing beside our figures, but
the laboratory's virtual machine (`python3 -m tests.lab.vm run`) has one; there times mean little.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.ipvs import process_seconds
from tests.lab.director import Director
from tests.lab.many_servers import PORT, ManyServers, server, services
from tests.lab.memory import processes
from tests.lab.netns import Lab

COUNT = 4000
PACE, CHECK = "delay_loop 5", "connect_timeout 2\n retry 1\n delay_before_retry 1"
BOUND = 5 + 1 + 2 * 2
WELL, WELL_CHECK = 60_000, "connect_timeout 1\n retry 1\n delay_before_retry 1"
WELL_BOUND = 1 + 1 + 2 * 1
ROUNDS = 3
PATIENCE = 120
FALLEN = {"holdfast": r"checkers-server-down: .*server {}:\d+ is down",
          "keepalived": r"Removing service \[{}\]"}
ANY = r"[\d.]+"


@dataclass(frozen=True)
class Disaster:
    all_known: float  # seconds after the servers died
    one_known: float  # the slowest of the rounds, after one server died among 4,000 dead ones
    share: float  # of a core, beside 4,000 dead ones


class Log:
    """The director's log, read as it grows."""

    def __init__(self, director: Director):
        self._program = director.program
        self._file = director.process.log.open("r", encoding="utf-8", errors="replace")
        self._text = ""

    def wait(self, address: str, count: int) -> float:
        """Until so many falls were told from now on; returns when the last of them was read."""
        pattern = re.compile(FALLEN[self._program].format(address))
        found, until = 0, time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self._text += self._file.read()
            whole, _, self._text = self._text.rpartition("\n")
            found += len(pattern.findall(whole))
            if found >= count:
                return time.monotonic()
            time.sleep(0.02)
        raise SystemExit(f"{self._program}: {found} of {count} known after {PATIENCE} s")


def disaster(program: str) -> Disaster:
    prefix = f"bk{os.getpid() % 10000}"
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory), prefix=prefix) as lab:
        many = ManyServers(lab)
        well = (f"virtual_server 10.250.0.1 80 {{\n delay_loop 1\n lb_algo rr\n lb_kind NAT\n"
                f" protocol TCP\n real_server {server(WELL)} {PORT} {{\n  TCP_CHECK {{\n"
                f"{WELL_CHECK}\n  }}\n }}\n}}\n")
        director = Director(many.director, services(COUNT, PACE, CHECK) + well, program)
        director.start("-C")
        log = Log(director)
        time.sleep(15)  # everybody has been asked at least once
        many.kill(0, COUNT - 1)
        died = time.monotonic()
        all_known = log.wait(ANY, COUNT) - died
        time.sleep(6)
        checkers = processes(director)["checkers"]
        used, began = process_seconds(checkers), time.monotonic()
        time.sleep(10)
        share = (process_seconds(checkers) - used) / (time.monotonic() - began)
        known = []
        for number in range(ROUNDS):
            time.sleep(0.37 * number)  # in another phase of its rhythm
            many.kill(WELL)
            died = time.monotonic()
            known.append(log.wait(re.escape(server(WELL)), 1) - died)
            many.revive(WELL)
            time.sleep(3)
        return Disaster(all_known, max(known), share)


def measure() -> list[Figure]:
    ours = disaster("holdfast")
    theirs = disaster("keepalived") if Path("/proc/net/ip_vs").exists() else None
    dead = f"{COUNT:,} dead servers"

    def row(title: str, unit: str, name: str) -> Figure:
        return Figure(title, unit, getattr(ours, name), theirs and getattr(theirs, name))

    return [
        row(f"{dead}: all known after (bound {BOUND})", "s", "all_known"),
        row(f"one beside {dead}: known after (bound {WELL_BOUND})", "s", "one_known"),
        row(f"beside {dead}: share of a core", "", "share"),
    ]
