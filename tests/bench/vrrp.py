#!/usr/bin/python3
"""Adverts at a sub-second pace: Holdfast beside Debian's keepalived, in one run, in namespaces.

200 virtual routers of version 3 at 10 ms on one segment: what a master and a backup of each program
cost, with idle cores and with a busy loop on each, how often a backup took over from a master that
lived, and how late after 3 × Advertisement_Interval + Skew_Time a successor speaks when the master
is killed. A loop that does nothing but sendmmsg and recvmmsg shows what the kernel alone costs.
--quick does it in two minutes. Prints a table and writes JSON. Not part of any verdict.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import figures  # noqa: E402
from tests.bench.figures import Figure  # noqa: E402
from tests.lab.director import BIN, Director  # noqa: E402
from tests.lab.memory import processes  # noqa: E402
from tests.lab.netns import Lab, Namespace, eventually, why_unavailable  # noqa: E402
from tests.lab.wire import Capture  # noqa: E402

PROGRAMS = ("holdfast", "keepalived")
INTERVAL = 0.01
PRIORITY, SUCCESSOR_PRIORITY = 150, 100
DOWN_AFTER = (3 + (256 - SUCCESSOR_PRIORITY) / 256) * INTERVAL  # RFC 9568 §6.1
MASTER, BACKUP = "10.8.0.1", "10.8.0.2"
QUIET = 0.1  # a takeover that is over for so long: the next advert is another one


@dataclass(frozen=True)
class Steady:
    """Both VRRP processes over some seconds in which nothing should happen."""

    adverts_per_s: float
    master_share: float  # of one core
    backup_share: float
    false_masters: int

    def each(self, share: float) -> float:
        """Microseconds of CPU an advert: a master that does not keep its pace is not cheaper."""
        return share / self.adverts_per_s * 1e6


def config(instances: int, priority: int) -> str:
    """Instances 1…n on eth0, one address each; further bursts of ARP would disturb the count."""
    blocks = [
        "global_defs {\n router_id bench\n vrrp_version 3\n"
        " vrrp_garp_master_delay 0\n vrrp_garp_master_repeat 1\n"
        " vrrp_garp_lower_prio_repeat 0\n}\n"
    ]
    for number in range(1, instances + 1):
        blocks.append(
            f"vrrp_instance VI_{number} {{\n state BACKUP\n interface eth0\n"
            f" virtual_router_id {number}\n priority {priority}\n advert_int {INTERVAL}\n"
            f" virtual_ipaddress {{\n 10.8.1.{number}/32\n }}\n}}\n"
        )
    return "".join(blocks)


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process, from the kernel's count of nanoseconds."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        total += int((thread / "schedstat").read_text(encoding="ascii").split()[0])
    return total / 1e9


def packets_received(machine: Namespace) -> int:
    for line in machine.read("dev").splitlines():
        name, _, counters = line.partition(":")
        if name.strip() == "eth0":
            return int(counters.split()[1])
    raise SystemExit("eth0 is gone")


@contextlib.contextmanager
def busy_cores(busy: bool) -> Iterator[None]:
    """A loop of ordinary priority on every core, or nothing."""
    cores = sorted(os.sched_getaffinity(0)) if busy else []
    loops = [subprocess.Popen(["taskset", "-c", str(core), sys.executable, "-c",
                               "while True: pass"]) for core in cores]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@contextlib.contextmanager
def segment(name: str) -> Iterator[tuple[Namespace, Namespace, Namespace]]:
    prefix = f"b{name}{os.getpid() % 10000}"
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory), prefix=prefix) as lab:
        switch = lab.switch("sw")
        a, b = lab.machines("a", "b")
        lab.cables(switch, (a, "eth0", f"{MASTER}/16"), (b, "eth0", f"{BACKUP}/16"))
        yield switch, a, b


def takeovers(capture: Capture, since: float, until: float) -> int:
    """How often a virtual router's backup began to speak."""
    last: dict[int, float] = {}
    count = 0
    for advert in capture.adverts(since):
        if advert.at >= until or advert.priority == 0:
            continue
        count += advert.at - last.get(advert.vrid, 0) > QUIET
        last[advert.vrid] = advert.at
    return count


def pair(machines: tuple[Namespace, Namespace], program: str,
         instances: int) -> tuple[Director, Director]:
    """A master at work and a backup that has heard it."""
    a, b = machines
    master = Director(a, config(instances, PRIORITY), program)
    backup = Director(b, config(instances, SUCCESSOR_PRIORITY), program)
    master.start("-P")
    if eventually(lambda: sum(one.endswith("/32") for one in a.addresses()) == instances,
                  30) is None:
        raise SystemExit(f"{program} did not become master:\n{master.log()[-2000:]}")
    backup.start("-P")
    time.sleep(3)
    return master, backup


def steady(program: str, instances: int, seconds: float, busy: bool) -> Steady:
    with segment("v") as (switch, a, b):
        directors = pair((a, b), program, instances)
        pids = [processes(director)["vrrp"] for director in directors]
        spoken = Capture(switch, sender=BACKUP)
        with busy_cores(busy):
            time.sleep(1)
            began, cpu = time.time(), [cpu_seconds(pid) for pid in pids]
            packets = packets_received(b)
            time.sleep(seconds)
            used = [cpu_seconds(pid) - before for pid, before in zip(pids, cpu)]
            ended, packets = time.time(), packets_received(b) - packets
        spoken.stop()
        took = ended - began
        return Steady(packets / took, used[0] / took, used[1] / took,
                      takeovers(spoken, began, ended))


def bare(instances: int, seconds: float) -> Steady:
    with segment("w") as (_, a, b):
        every = str(int(INTERVAL * 1e6))
        loops = [machine.spawn(str(BIN / "bench_adverts"), role, "eth0", source, str(instances),
                               every, str(seconds), log=role)
                 for machine, role, source in ((b, "receive", BACKUP), (a, "send", MASTER))]
        for loop in loops:
            loop.wait(seconds + 10)
        received, sent = (json.loads(loop.output()) for loop in loops)
        return Steady(sent["packets"] / seconds, sent["cpu_s"] / seconds,
                      received["cpu_s"] / seconds, 0)


def lateness(program: str, rounds: int) -> list[float]:
    """Of each takeover after kill -9 of everything on the master, in seconds, sorted."""
    late = []
    with segment("k") as (switch, a, b):
        master, _ = pair((a, b), program, 1)
        capture = Capture(switch)
        for _ in range(rounds):
            began = time.time()
            time.sleep(0.3)
            master.kill_everything()
            if eventually(lambda: capture.adverts(began, BACKUP), 5, every=0.05) is None:
                raise SystemExit(f"{program}: the backup did not take over")
            silent = capture.adverts(began, MASTER)[-1].at
            late.append(capture.adverts(began, BACKUP)[0].at - silent - DOWN_AFTER)
            for stale in master.directory.glob("*.pid"):
                stale.unlink()  # keepalived takes the dead one for a daemon that runs
            master.start("-P")
            if eventually(lambda: reigns(capture, MASTER), 20, every=0.1) is None:
                raise SystemExit(f"{program}: the master did not come back:\n"
                                 f"{master.log()[-2000:]}")
            capture.forget(time.time() - 1)
    return sorted(late)


def reigns(capture: Capture, source: str) -> bool:
    now = time.time()
    sources = {advert.source for advert in capture.adverts(now - 0.2)}
    return sources == {source}


def pace_figures(instances: int, seconds: float, busy: bool, loop: Steady) -> list[Figure]:
    ours, theirs = (steady(program, instances, seconds, busy) for program in PROGRAMS)
    where = "busy cores" if busy else "idle cores"
    rows = [
        Figure(f"{where}: adverts sent", "a second", ours.adverts_per_s, theirs.adverts_per_s,
               "more"),
        Figure(f"{where}: false masters in {seconds:.0f} s", "", ours.false_masters,
               theirs.false_masters),
    ]
    for role, share in (("master", "master_share"), ("backup", "backup_share")):
        ours_each, theirs_each = (one.each(getattr(one, share)) for one in (ours, theirs))
        bare_each = loop.each(getattr(loop, share))
        rows.append(Figure(f"{where}: CPU of the {role}", "µs an advert", ours_each, theirs_each))
        if not busy:
            rows.append(Figure(f"{where}: CPU of the {role}, a bare loop = 1", "",
                               ours_each / bare_each, theirs_each / bare_each))
    return rows


def failover_figures(rounds: int) -> list[Figure]:
    ours, theirs = (lateness(program, rounds) for program in PROGRAMS)
    kept = [100 * sum(one <= 1e-3 for one in late) / rounds for late in (ours, theirs)]
    nearly_all = -max(1, rounds // 100) - 1  # the 99th of 100
    return [
        Figure(f"killed master, {rounds} rounds: at most 1 ms late", "%", *kept, "more"),
        Figure("killed master: median late by", "ms", ours[rounds // 2] * 1e3,
               theirs[rounds // 2] * 1e3),
        Figure("killed master: 99 of 100 late by at most", "ms", ours[nearly_all] * 1e3,
               theirs[nearly_all] * 1e3),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=200,
                        help="virtual routers on the segment, at most 254")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=100, help="of killed masters")
    parser.add_argument("--quick", action="store_true", help="6 s and 15 rounds")
    parser.add_argument("--json", type=Path,
                        help="where the numbers go (default: build/bench-vrrp.json)")
    options = parser.parse_args()
    if reason := why_unavailable():
        print(f"skipped: {reason}")
        return 0
    if options.quick:
        options.seconds, options.rounds = 6, 15
    loop = bare(options.instances, options.seconds)
    table = pace_figures(options.instances, options.seconds, False, loop)
    table += pace_figures(options.instances, options.seconds, True, loop)
    table += failover_figures(options.rounds)
    print(f"{options.instances} virtual routers, version 3 at {INTERVAL * 1e3:.0f} ms, "
          f"{options.seconds:.0f} s each\n")
    figures.print_table(table)
    print(f"bare loops: {loop.each(loop.master_share):.2f} µs to send an advert, "
          f"{loop.each(loop.backup_share):.2f} µs to receive one")
    print(f"\n{figures.write('vrrp', table, options.json, bare=vars(loop))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
