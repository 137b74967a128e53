#!/usr/bin/python3
"""Adverts per CPU second: Holdfast beside Debian's keepalived, in the same run, in namespaces.

Each program is measured as master (what sending costs) and as backup (what receiving costs) with
many virtual routers on one segment. Prints a table with the ratio and writes JSON. Not part of any
verdict.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import figures  # noqa: E402
from tests.bench.figures import Figure  # noqa: E402
from tests.lab.director import Director  # noqa: E402
from tests.lab.netns import Lab, eventually, why_unavailable  # noqa: E402
from tests.lab.wire import Capture  # noqa: E402


def config(instances: int, priority: int) -> str:
    """Instances 1…n on eth0, one address each; a second burst of ARP would disturb the count."""
    blocks = [
        "global_defs {\n router_id bench\n"
        " vrrp_garp_master_delay 0\n vrrp_garp_master_repeat 1\n}\n"
    ]
    for number in range(1, instances + 1):
        blocks.append(
            f"vrrp_instance VI_{number} {{\n state BACKUP\n interface eth0\n"
            f" virtual_router_id {number}\n priority {priority}\n advert_int 1\n"
            f" virtual_ipaddress {{\n 10.8.1.{number}/32\n }}\n}}\n"
        )
    return "".join(blocks)


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process, from the kernel's count of nanoseconds."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        total += int((thread / "schedstat").read_text(encoding="ascii").split()[0])
    return total / 1e9


def measure(program: str, instances: int, seconds: float) -> dict:
    """One pair of the same program; CPU of both VRRP processes over `seconds` of steady state."""
    prefix = f"bv{os.getpid() % 10000}"
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory), prefix=prefix) as lab:
        switch = lab.switch("sw")
        a, b = lab.machines("a", "b")
        lab.cables(switch, (a, "eth0", "10.8.0.1/16"), (b, "eth0", "10.8.0.2/16"))
        master = Director(a, config(instances, 150), program)
        backup = Director(b, config(instances, 100), program)
        for director in (master, backup):
            director.start("-P")
            last = f"10.8.1.{instances}"
            if director is master and eventually(lambda: director.holds(last), 15) is None:
                raise SystemExit(f"{program} did not become master:\n{director.log()[-2000:]}")
        time.sleep(5)
        pids = {"master": master.role_pid("vrrp"), "backup": backup.role_pid("vrrp")}
        capture = Capture(switch)
        began, before = time.time(), {role: cpu_seconds(pid) for role, pid in pids.items()}
        time.sleep(seconds)
        after, ended = {role: cpu_seconds(pid) for role, pid in pids.items()}, time.time()
        adverts = [one for one in capture.adverts(began, "10.8.0.1") if one.at < ended]
        used = {role: after[role] - before[role] for role in pids}
        return {
            "program": program, "instances": instances,
            "seconds": ended - began, "adverts": len(adverts),
            "master_cpu_s": used["master"], "backup_cpu_s": used["backup"],
            "sent_per_cpu_s": len(adverts) / max(used["master"], 1e-9),
            "received_per_cpu_s": len(adverts) / max(used["backup"], 1e-9),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=200,
                        help="virtual routers on the segment, at most 254")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", type=Path,
                        help="where the numbers go (default: build/bench-vrrp.json)")
    options = parser.parse_args()
    if reason := why_unavailable():
        print(f"skipped: {reason}")
        return 0
    ours, theirs = rows = [measure(program, options.instances, options.seconds)
                           for program in ("holdfast", "keepalived")]
    print(f"{options.instances} virtual routers, VRRPv2 at 1 s, {options.seconds:.0f} s each\n")
    many = f"{options.instances} virtual routers"
    table = [Figure(f"{many}: adverts on the wire", "", ours["adverts"], theirs["adverts"], "more"),
             Figure(f"{many}: adverts sent", "a CPU second", ours["sent_per_cpu_s"],
                    theirs["sent_per_cpu_s"], "more"),
             Figure(f"{many}: adverts received", "a CPU second", ours["received_per_cpu_s"],
                    theirs["received_per_cpu_s"], "more")]
    figures.print_table(table)
    print(f"\n{figures.write('vrrp', table, options.json, rows=rows)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
