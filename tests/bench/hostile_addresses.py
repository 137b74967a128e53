"""1,000 virtual routers with 20 addresses each on four interfaces, taken over at once."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Figure
from tests.lab.crowd import AddressClock, crowd_cables, crowd_captures, crowd_config
from tests.lab.director import Director
from tests.lab.memory import processes
from tests.lab.netns import Lab, eventually

INTERFACES = 4
VRIDS = 250
ADDRESSES = 20
PATIENCE = 180


@dataclass(frozen=True)
class Takeover:
    last_address: float  # seconds after the first advert of all
    last_instance: float  # its first advert, after the first advert of all
    longest_gap: float  # between two adverts of one instance
    deaths: int  # of the VRRP process


def take_over(program: str) -> Takeover:
    """One director without a peer: it takes everything over when nobody has been heard."""
    prefix = f"bh{os.getpid() % 10000}"
    count = INTERFACES * VRIDS * ADDRESSES
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory), prefix=prefix) as lab:
        switch = lab.switch("sw")
        machine, = lab.machines("a")
        crowd_cables(lab, switch, [machine], INTERFACES)
        director = Director(machine, crowd_config(INTERFACES, VRIDS, 100, addresses=ADDRESSES),
                            program)
        captures = crowd_captures(switch, INTERFACES)
        clock = AddressClock(machine)
        director.start("-P")
        vrrp = eventually(lambda: "vrrp" in processes(director), 20)
        assert vrrp is not None, director.log()
        pids = {processes(director)["vrrp"]}

        def is_done() -> bool:
            pids.update(pid for role, pid in processes(director).items() if role == "vrrp")
            return clock.added() >= count

        if eventually(is_done, PATIENCE, every=0.1) is None:
            raise SystemExit(f"{program}: {clock.added()} of {count} addresses after {PATIENCE} s:"
                             f"\n{director.log()[-2000:]}")
        time.sleep(3)
        times: dict[tuple[int, int], list[float]] = {}
        for number, capture in enumerate(captures):
            for advert in capture.adverts(0):
                times.setdefault((number, advert.vrid), []).append(advert.at)
        if len(times) != INTERFACES * VRIDS:
            raise SystemExit(f"{program}: {len(times)} of {INTERFACES * VRIDS} sent an advert")
        began = min(each[0] for each in times.values())
        ended = max(each[-1] for each in times.values())
        gaps = [later - earlier for each in times.values()
                for earlier, later in zip(each, [*each[1:], ended])]
        return Takeover(last_address=clock.time_of(count) - began,
                        last_instance=max(each[0] for each in times.values()) - began,
                        longest_gap=max(gaps), deaths=len(pids) - 1)


def measure() -> list[Figure]:
    ours, theirs = take_over("holdfast"), take_over("keepalived")
    what = f"{INTERFACES * VRIDS:,} × {ADDRESSES} addresses taken over"
    return [
        Figure(f"{what}: until the last", "s", ours.last_address, theirs.last_address),
        Figure(f"{what}: latest first advert", "s", ours.last_instance, theirs.last_instance),
        Figure(f"{what}: longest gap of adverts (of 1 s)", "s", ours.longest_gap,
               theirs.longest_gap),
        Figure(f"{what}: deaths of the VRRP process", "", ours.deaths, theirs.deaths),
    ]
