"""4,000 virtual routers, each with a script that is told every state: they come up, and fail over.

The director that is measured has no peer at first and takes everything over; then a stronger one
comes, and goes again by kill -9.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Figure
from tests.lab.crowd import crowd_cables, crowd_captures, crowd_config
from tests.lab.director import Director
from tests.lab.netns import Lab, eventually

INTERFACES = 16
VRIDS = 250
COUNT = INTERFACES * VRIDS
PATIENCE = 120
INTERVAL = 1.0


@dataclass(frozen=True)
class Rhythm:
    took: float  # until the last instance is master; of the bench's own clock
    latest: float  # how much later than its interval any advert came, once its instance is master
    runs: int  # of the script


class Counted:
    """A script that leaves a byte in a file: cheap, and what it leaves can be counted."""

    def __init__(self, directory: Path):
        self.out = directory / "runs"
        self.path = directory / "tell"
        self.path.write_text(f"#!/bin/sh\nprintf x >> {self.out}\n", encoding="ascii")
        self.path.chmod(0o755)

    def runs(self) -> int:
        return self.out.stat().st_size if self.out.exists() else 0


def adverts(captures, source: str, since: float) -> dict[tuple[int, int], list[float]]:
    times: dict[tuple[int, int], list[float]] = {}
    for number, capture in enumerate(captures):
        for one in capture.adverts(since=since):
            if one.source.endswith(source) and one.priority:
                times.setdefault((number, one.vrid), []).append(one.at)
    return times


def rhythm(captures, source: str, began: float, script: Counted, runs_before: int) -> Rhythm:
    """Waits until all are master, and five seconds more: scripts run behind."""
    def is_done() -> bool:
        return len(adverts(captures, source, began)) == COUNT

    took = eventually(is_done, PATIENCE, every=1.0)
    if took is None:
        return Rhythm(float("inf"), float("inf"), script.runs() - runs_before)
    time.sleep(5)
    times = adverts(captures, source, began)
    gaps = [later - earlier for each in times.values() for earlier, later in zip(each, each[1:])]
    first = [each[0] for each in times.values()]
    return Rhythm(max(first) - began, max(gaps) - INTERVAL, script.runs() - runs_before)


def play(program: str) -> tuple[Rhythm, Rhythm]:
    prefix = f"bs{os.getpid() % 10000}"
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory), prefix=prefix) as lab:
        os.chmod(directory, 0o755)
        switch = lab.switch("sw")
        machine, other = lab.machines("a", "b")
        crowd_cables(lab, switch, [machine, other], INTERFACES)
        script = Counted(Path(directory))
        told = crowd_config(INTERFACES, VRIDS, 100).replace(
            " advert_int 1\n", f" advert_int 1\n notify {script.path}\n").replace(
            "global_defs {\n", "global_defs {\n script_user root\n")
        measured = Director(machine, told, program)
        stronger = Director(other, crowd_config(INTERFACES, VRIDS, 200))
        captures = crowd_captures(switch, INTERFACES)
        began = time.time()
        measured.start("-P")
        start = rhythm(captures, ".0.1", began, script, 0)

        stronger.start("-P")
        eventually(lambda: len(adverts(captures, ".0.2", began)) == COUNT, PATIENCE, every=1.0)
        time.sleep(5)
        runs = script.runs()
        began = time.time()
        stronger.kill_everything()
        return start, rhythm(captures, ".0.1", began, script, runs)


def measure() -> list[Figure]:
    ours, theirs = play("holdfast"), play("keepalived")
    rows = []
    for number, what in enumerate(("come up", "fail over")):
        name = f"{COUNT:,} with scripts {what}"
        rows += [
            Figure(f"{name}: latest advert", "ms", ours[number].latest * 1000,
                   theirs[number].latest * 1000),
            Figure(f"{name}: last master after", "s", ours[number].took, theirs[number].took),
            Figure(f"{name}: scripts run", "", ours[number].runs, theirs[number].runs),
        ]
    return rows
