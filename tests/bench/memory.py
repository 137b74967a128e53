#!/usr/bin/python3
"""What the processes occupy: Holdfast beside Debian's keepalived, in the same run, in namespaces.

A file of one instance (private memory of each process), and a director that has just taken over
thousands of virtual routers (resident memory of its VRRP process). keepalived's checkers process
needs the kernel module ip_vs; where that is missing, its column is empty.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import figures  # noqa: E402
from tests.bench.figures import Figure  # noqa: E402
from tests.lab.crowd import (  # noqa: E402
    ONE_SERVICE, crowd_cables, crowd_config, virtual_addresses_held)
from tests.lab.director import Director  # noqa: E402
from tests.lab.memory import Memory, memory_of  # noqa: E402
from tests.lab.netns import Lab, eventually, why_unavailable  # noqa: E402

def measure(program: str, interfaces: int, vrids: int, services: str = "",
            *options: str) -> dict[str, Memory]:
    """One director without a peer, once it holds every address of the file."""
    prefix = f"bm{os.getpid() % 10000}"
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory), prefix=prefix) as lab:
        switch = lab.switch("sw")
        machine, = lab.machines("a")
        crowd_cables(lab, switch, [machine], interfaces)
        director = Director(machine, crowd_config(interfaces, vrids, 100) + services, program)
        director.start(*options)
        count = interfaces * vrids
        if eventually(lambda: virtual_addresses_held(machine) == count, 120, every=0.5) is None:
            raise SystemExit(f"{program} holds {virtual_addresses_held(machine)} of {count} "
                             f"addresses:\n{director.log()[-2000:]}")
        return memory_of(director)


def can_balance() -> bool:
    return Path("/proc/net/ip_vs").exists()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interfaces", type=int, default=16)
    parser.add_argument("--vrids", type=int, default=254,
                        help="virtual routers on each, at most 254")
    parser.add_argument("--json", type=Path,
                        help="where the numbers go (default: build/bench-memory.json)")
    options = parser.parse_args()
    if reason := why_unavailable():
        print(f"skipped: {reason}")
        return 0
    one = {"holdfast": measure("holdfast", 1, 1, ONE_SERVICE),
           "keepalived": measure("keepalived", 1, 1, ONE_SERVICE) if can_balance()
           else measure("keepalived", 1, 1, "", "-P")}
    many = {program: measure(program, options.interfaces, options.vrids, "", "-P")
            for program in ("holdfast", "keepalived")}
    rows = []
    for role, title in (("watchdog", "parent"), ("vrrp", "VRRP"), ("checkers", "checkers")):
        values = [one[program][role].private / 1024 if role in one[program] else None
                  for program in ("holdfast", "keepalived")]
        rows.append(Figure(f"one instance: private memory, {title} process", "MB", *values))
    count = options.interfaces * options.vrids
    rows.append(Figure(f"{count:,} instances just taken over: VRRP process, resident", "MB",
                       *(many[program]["vrrp"].rss / 1024 for program in many)))
    rows.append(Figure(f"{count:,} instances just taken over: VRRP process, private", "MB",
                       *(many[program]["vrrp"].private / 1024 for program in many)))
    figures.print_table(rows)
    print(f"\n{figures.write('memory', rows, options.json)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
