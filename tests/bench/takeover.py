#!/usr/bin/python3
"""What clients notice of a takeover: Holdfast beside Debian's keepalived, in one run.

A pair of the same program serves one address that a client pings every 10 ms, while the master's
VRRP process is killed and while the master is stopped in order. Then thousands of virtual routers
whose master dies at once: how late, after 3 × Advertisement_Interval + Skew_Time, the successor's
latest first advert is on the wire.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import figures  # noqa: E402
from tests.bench.figures import Figure  # noqa: E402
from tests.lab.crowd import crowd_cables, crowd_config, virtual_addresses_held  # noqa: E402
from tests.lab.director import Director  # noqa: E402
from tests.lab.memory import processes  # noqa: E402
from tests.lab.netns import Lab, Namespace, eventually, why_unavailable  # noqa: E402
from tests.lab.wire import Capture  # noqa: E402

ADDRESS = "10.100.1.1"
PING_EVERY = 0.01
SUCCESSOR_PRIORITY = 100
DOWN_AFTER = 3 + (256 - SUCCESSOR_PRIORITY) / 256  # RFC 9568 §6.1, advertisements every second


class Pings:
    """A client that pings for a while, and which of its pings were not answered."""

    def __init__(self, machine: Namespace, seconds: float):
        self._count = int(seconds / PING_EVERY)
        self._process = machine.spawn("ping", "-n", "-i", str(PING_EVERY), "-W", "1", "-c",
                                      str(self._count), ADDRESS, log="ping")
        self._seconds = seconds

    def lost(self) -> tuple[int, float]:
        """How many, and how long the longest row of them was, in seconds."""
        self._process.wait(self._seconds + 20)
        answered = {int(number) for number in
                    re.findall(r"icmp_seq=(\d+) ttl", self._process.output())}
        longest = row = 0
        for number in range(1, self._count + 1):
            row = 0 if number in answered else row + 1
            longest = max(longest, row)
        return self._count - len(answered), longest * PING_EVERY


def pair_under_ping(program: str, event: str) -> tuple[int, float]:
    """`event`: "killed" (the master's VRRP process) or "stopped" (the master, in order)."""
    prefix = f"bt{os.getpid() % 10000}"
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory), prefix=prefix) as lab:
        switch = lab.switch("sw")
        a, b, client = lab.machines("a", "b", "client")
        crowd_cables(lab, switch, [a, b, client], 1)
        master = Director(a, crowd_config(1, 1, 150), program)
        backup = Director(b, crowd_config(1, 1, SUCCESSOR_PRIORITY), program)
        master.start("-P")
        master.wait_for(ADDRESS)
        backup.start("-P")
        time.sleep(5)  # keepalived's second burst of ARP is over, both are at rest
        pings = Pings(client, 8)
        time.sleep(1)
        if event == "killed":
            os.kill(processes(master)["vrrp"], signal.SIGKILL)
        else:
            master.process.send(signal.SIGTERM)
        return pings.lost()


@contextlib.contextmanager
def out_of_the_way() -> Iterator[None]:
    """Threads that are made in here give way to everything that is measured; the kernel stamps the
    frames, so it does not matter when they are read."""
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, 19)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, usual)


def adverts_of(captures: list[Capture], host: int, since: float) -> dict[tuple, list[float]]:
    """(interface, VRID) → times of that host's adverts from then on."""
    found: dict[tuple, list[float]] = {}
    for number, capture in enumerate(captures):
        for advert in capture.adverts(since):
            if advert.source.endswith(f".0.{host}"):
                found.setdefault((number, advert.vrid), []).append(advert.at)
    return found


def crowd_takeover(program: str, interfaces: int, vrids: int) -> list[float]:
    """Lateness of each virtual router's takeover in seconds, sorted."""
    prefix = f"bc{os.getpid() % 10000}"
    count = interfaces * vrids
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory), prefix=prefix) as lab:
        switch = lab.switch("sw")
        a, b = lab.machines("a", "b")
        crowd_cables(lab, switch, [a, b], interfaces)
        master = Director(a, crowd_config(interfaces, vrids, 150), program)
        backup = Director(b, crowd_config(interfaces, vrids, SUCCESSOR_PRIORITY), program)
        master.start("-P")
        if eventually(lambda: virtual_addresses_held(a) == count, 120, every=0.5) is None:
            raise SystemExit(f"{program}: the master has {virtual_addresses_held(a)} of {count}")
        backup.start("-P")
        time.sleep(8)
        if eventually(lambda: virtual_addresses_held(b) == 0, 60, every=1) is None:
            raise SystemExit(f"{program}: the backup does not rest")
        with out_of_the_way():
            captures = [Capture(switch, "br0" if number == 0 else f"br{number}")
                        for number in range(interfaces)]
        began = time.time()
        time.sleep(2.5)
        master.kill_everything()
        killed = time.time()
        eventually(lambda: len(adverts_of(captures, 2, killed)) == count, 40, every=4)
        heard, taken = adverts_of(captures, 1, began), adverts_of(captures, 2, killed)
        if len(heard) != count or len(taken) != count:
            raise SystemExit(f"{program}: {len(heard)} of {count} were master, {len(taken)} "
                             "taken over after 40 s")
        return sorted(taken[key][0] - heard[key][-1] - DOWN_AFTER for key in heard)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interfaces", type=int, default=16)
    parser.add_argument("--vrids", type=int, default=254,
                        help="virtual routers on each, at most 254")
    parser.add_argument("--json", type=Path,
                        help="where the numbers go (default: build/bench-takeover.json)")
    options = parser.parse_args()
    if reason := why_unavailable():
        print(f"skipped: {reason}")
        return 0
    programs = ("holdfast", "keepalived")
    rows = []
    for event, title in (("killed", "VRRP process killed"), ("stopped", "orderly stop")):
        (ours_lost, ours_gap), (theirs_lost, theirs_gap) = (
            pair_under_ping(program, event) for program in programs)
        rows.append(Figure(f"{title}: pings lost at 10 ms", "", ours_lost, theirs_lost))
        rows.append(Figure(f"{title}: longest outage", "ms", ours_gap * 1e3, theirs_gap * 1e3))
    ours, theirs = (crowd_takeover(program, options.interfaces, options.vrids)
                    for program in programs)
    count = options.interfaces * options.vrids
    rows.append(Figure(f"{count:,} taken over at once: latest advert late by", "ms",
                       ours[-1] * 1e3, theirs[-1] * 1e3))
    rows.append(Figure(f"{count:,} taken over at once: median advert late by", "ms",
                       ours[count // 2] * 1e3, theirs[count // 2] * 1e3))
    figures.print_table(rows)
    print(f"\n{figures.write('takeover', rows, options.json)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
