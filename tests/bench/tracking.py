#!/usr/bin/python3
"""What tracking costs: Holdfast beside Debian's keepalived, in one run.

500 tracked scripts that each run every second: processor time of the director's own processes, the
scripts themselves left out. An interface that loses and finds its carrier 1,000 times in ten
seconds, with a weight: the same, and how late any advert of the master came. And how long after a
tracked file was written the first advert with the new priority is on the wire.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import socket
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import figures  # noqa: E402
from tests.bench.figures import Figure  # noqa: E402
from tests.bench.vrrp import cpu_seconds  # noqa: E402
from tests.lab.director import Director  # noqa: E402
from tests.lab.netns import SIOCSIFFLAGS, Lab, Namespace, eventually, why_unavailable  # noqa: E402
from tests.lab.wire import Capture  # noqa: E402

MASTER, VIP = "10.74.0.1", "10.74.0.200"
INTERVAL = 0.1
IFF_UP = 1
PROGRAMS = ("holdfast", "keepalived")


def config(blocks: str, body: str) -> str:
    return ("global_defs {\n script_user root\n vrrp_version 3\n}\n" + blocks +
            "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n priority 100\n"
            f" advert_int {INTERVAL}\n{body} virtual_ipaddress {{\n  {VIP}/24\n }}\n}}\n")


@contextmanager
def master(program: str, blocks: str, body: str) -> Iterator[tuple[Director, Namespace, Capture]]:
    prefix = f"bt{os.getpid() % 10000}"
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory), prefix=prefix) as lab:
        switch = lab.switch("sw")
        machine = lab.machines("a")[0]
        lab.cables(switch, (machine, "eth0", f"{MASTER}/24"))
        machine.ip("link add t1 type veth peer name t1p", "link set t1 up", "link set t1p up")
        director = Director(machine, config(blocks, body), program)
        capture = Capture(switch)
        director.start("-P")
        director.wait_for(VIP)
        yield director, machine, capture


def own_processes(director: Director) -> list[int]:
    """The parent and its children, of which none is a script."""
    parent = director.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    return [parent, *map(int, children.split())]


class Stopwatch:
    def __init__(self, director: Director):
        self._pids = own_processes(director)
        self._before = self._used()

    def _used(self) -> float:
        return sum(cpu_seconds(pid) for pid in self._pids)

    def used(self) -> float:
        return self._used() - self._before


def scripts(program: str, count: int, seconds: float) -> float:
    """Processor time in a second."""
    blocks = "".join(f"vrrp_script s{number} {{\n script /bin/true\n interval 1\n weight 1\n}}\n"
                     for number in range(count))
    body = " track_script {\n" + "".join(f"  s{number}\n" for number in range(count)) + " }\n"
    with master(program, blocks, body) as (director, _, _):
        time.sleep(3)
        watch = Stopwatch(director)
        time.sleep(seconds)
        return watch.used() / seconds


def flaps(program: str, count: int, seconds: float) -> tuple[float, float]:
    """Processor time, and by how much the latest advert was late."""
    with master(program, "", " track_interface {\n  t1 weight -10\n }\n") as (director, machine,
                                                                             capture):
        time.sleep(1)
        watch, began = Stopwatch(director), time.time()
        with machine.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            for number in range(count):
                flags = IFF_UP if number % 2 else 0
                fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"t1p", flags))
                time.sleep(max(0.0, began + (number + 1) * seconds / count - time.time()))
        time.sleep(0.5)
        used = watch.used()
        times = [one.at for one in capture.adverts(began, MASTER)]
        return used, max(b - a for a, b in zip(times, times[1:])) - INTERVAL


def file_to_wire(program: str, rounds: int) -> float:
    """Median, seconds."""
    with tempfile.TemporaryDirectory() as shared:
        path = Path(shared) / "value"
        path.write_text("0\n", encoding="ascii")
        with master(program, f"vrrp_track_file f {{\n file {path}\n weight 1\n}}\n",
                    " track_file {\n  f\n }\n") as (_, _, capture):
            waits = []
            for number in range(rounds):
                time.sleep(0.317)
                wanted = 101 + number % 50
                began = time.time()
                path.write_text(f"{wanted - 100}\n", encoding="ascii")

                def found(began: float = began, wanted: int = wanted) -> list[float]:
                    return [one.at for one in capture.adverts(began, MASTER)
                            if one.priority == wanted]

                if eventually(lambda found=found: bool(found()), 5, every=0.02) is None:
                    raise SystemExit(f"{program}: the new priority does not come")
                waits.append(found()[0] - began)
            return statistics.median(waits)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scripts", type=int, default=500)
    parser.add_argument("--flaps", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path,
                        help="where the numbers go (default: build/bench-tracking.json)")
    options = parser.parse_args()
    if reason := why_unavailable():
        print(f"skipped: {reason}")
        return 0
    cost = [scripts(program, options.scripts, options.seconds) for program in PROGRAMS]
    flapping = [flaps(program, options.flaps, options.seconds) for program in PROGRAMS]
    waits = [file_to_wire(program, options.rounds) for program in PROGRAMS]
    rows = [
        Figure(f"{options.scripts} scripts a second: processor time", "ms/s",
               cost[0] * 1000, cost[1] * 1000),
        Figure(f"{options.flaps:,} link changes in {options.seconds:.0f} s: processor time", "ms",
               flapping[0][0] * 1000, flapping[1][0] * 1000),
        Figure(f"{options.flaps:,} link changes: latest advert", "ms",
               flapping[0][1] * 1000, flapping[1][1] * 1000),
        Figure("tracked file written: new priority on the wire", "ms",
               waits[0] * 1000, waits[1] * 1000),
    ]
    figures.print_table(rows)
    figures.write("tracking", rows, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
