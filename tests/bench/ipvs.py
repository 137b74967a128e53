#!/usr/bin/python3
"""The cost of a large IPVS table: Holdfast beside Debian's keepalived, one after the other in one
kernel (the laboratory's virtual machine where this kernel has no ip_vs).

Each program gets one file of many services without checks and is measured from its start until the
table is complete, at rest, and while one weight changes by a reload. Prints a table with the ratio
and writes JSON. Under emulation times mean little, the ratio does. Not part of any verdict.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.lab import vm  # noqa: E402
from tests.lab.director import Director  # noqa: E402
from tests.lab.netns import Lab, Namespace, why_unavailable  # noqa: E402

REPORT = "bench-ipvs.json"
PATIENCE = 180.0  # s; the slowest start seen under emulation took ten
SETTLE = 20.0  # s between a complete table and the measurement of rest
CHANGED_WEIGHT = 7


def config(services: int, servers: int, first_weight: int = 1) -> str:
    """Services 10.1.0.0, 10.1.0.1 … on port 80; only the first server's weight is a parameter."""
    blocks = []
    for number in range(services):
        pool = "".join(
            f" real_server 10.99.{number // 250}.{one + 1} 80 {{\n"
            f"  weight {first_weight if number == one == 0 else 1}\n }}\n"
            for one in range(servers)
        )
        blocks.append(
            f"virtual_server 10.1.{number // 250}.{number % 250} 80 {{\n delay_loop 10\n"
            f" lb_algo rr\n lb_kind DR\n protocol TCP\n{pool}}}\n"
        )
    return "".join(blocks)


def process_seconds(pid: int) -> float:
    """User and system time of all threads of a process, from the kernel's count of nanoseconds."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        total += int((thread / "schedstat").read_text(encoding="ascii").split()[0])
    return total / 1e9


def all_seconds(machine: Namespace) -> float:
    """The same for every process on this machine, and for those children that have ended."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for pid in machine.pids():
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        total += process_seconds(pid) + (int(stat[13]) + int(stat[14])) / ticks
    return total


def pid_of(director: Director, role: str) -> int:
    """From the pid file: asking for the status of a large table costs something itself."""
    if director.program == "keepalived":
        return director.role_pid(role)
    name = {"watchdog": "holdfast.pid"}.get(role, f"{role}.pid")
    return int((director.directory / name).read_text(encoding="ascii"))


def wait_for_table(machine: Namespace, is_there, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_there(machine.read("ip_vs")):
        if time.monotonic() > deadline:
            raise SystemExit(f"the table never had {what}")
        time.sleep(0.1)


def resident_kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def measure(program: str, services: int, servers: int, seconds: float) -> dict:
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory), prefix="bi") as lab:
        (machine,) = lab.machines("d")
        machine.bring_up("lo")
        director = Director(machine, config(services, servers), program)
        began = time.monotonic()
        director.start("-C")
        wait_for_table(
            machine,
            lambda text: text.count(" rr ") == services
            and text.count("  -> 0") == services * servers,
            f"{services} services of {servers} servers:\n{director.log()[-2000:]}",
        )
        started, start_cpu = time.monotonic() - began, all_seconds(machine)

        time.sleep(SETTLE)
        child, parent = pid_of(director, "checkers"), pid_of(director, "watchdog")
        before = time.monotonic(), process_seconds(child), all_seconds(machine)
        time.sleep(seconds)
        after = time.monotonic(), process_seconds(child), all_seconds(machine)
        idle = after[0] - before[0]

        director.write_config(config(services, servers, CHANGED_WEIGHT))
        reloaded, reload_cpu = time.monotonic(), all_seconds(machine)
        os.kill(parent, signal.SIGHUP)
        wait_for_table(machine, lambda text: f"Route   {CHANGED_WEIGHT} " in text, "the new weight")
        reload_took, reload_cpu = time.monotonic() - reloaded, all_seconds(machine) - reload_cpu
        memory = resident_kilobytes(child)
        director.stop(60)
        return {
            "program": program, "services": services, "servers": servers,
            "start_s": started, "start_cpu_s": start_cpu,
            "idle_percent": 100 * (after[1] - before[1]) / idle,
            "idle_all_percent": 100 * (after[2] - before[2]) / idle,
            "reload_s": reload_took, "reload_cpu_s": reload_cpu,
            "memory_mb": memory / 1024,
        }


TITLES = (
    ("start_s", "start to whole table, s"),
    ("start_cpu_s", "  CPU, all processes, s"),
    ("idle_percent", "at rest, checkers, % CPU"),
    ("idle_all_percent", "  all processes, % CPU"),
    ("reload_s", "one weight by reload, s"),
    ("reload_cpu_s", "  CPU, all processes, s"),
    ("memory_mb", "checkers, resident MB"),
)


def show(rows: list[dict], options: argparse.Namespace) -> None:
    ours, theirs = rows
    print(f"{options.services} services of {options.servers} servers, {options.seconds:.0f} s at "
          f"rest\n\n{'':28}{'holdfast':>12}{'keepalived':>12}{'ratio':>8}")
    for name, title in TITLES:
        ratio = f"{ours[name] / theirs[name]:.2f}" if theirs[name] >= 0.005 else "–"
        print(f"{title:28}{ours[name]:>12.2f}{theirs[name]:>12.2f}{ratio:>8}")


def measure_both(options: argparse.Namespace) -> list[dict]:
    return [measure(program, options.services, options.servers, options.seconds)
            for program in ("holdfast", "keepalived")]


def in_machine(options: argparse.Namespace) -> list[dict]:
    results = ROOT / "build" / "vm-results"
    results.mkdir(parents=True, exist_ok=True)
    (results / REPORT).unlink(missing_ok=True)
    command = ["/usr/bin/python3", "tests/bench/ipvs.py", "--rows-only",
               "--services", str(options.services), "--servers", str(options.servers),
               "--seconds", str(options.seconds), "--json", f"{vm.RESULTS_IN_GUEST}/{REPORT}"]
    passed_on = {name: os.environ[name] for name in ("HOLDFAST_BIN",) if name in os.environ}
    if code := vm.run(command, results=results, environment=passed_on, timeout=1800):
        raise SystemExit(code)
    return json.loads((results / REPORT).read_text(encoding="utf-8"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=2000)
    parser.add_argument("--servers", type=int, default=4, help="of each service, at most 250")
    parser.add_argument("--seconds", type=float, default=60, help="how long to watch it at rest")
    parser.add_argument("--json", type=Path,
                        help=f"where the numbers go (default: build/{REPORT})")
    parser.add_argument("--rows-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rows_only:
        options.json.write_text(json.dumps(measure_both(options)), encoding="utf-8")
        return 0
    here = vm.host_has_ipvs()
    if reason := (why_unavailable() if here else vm.why_unavailable()):
        print(f"skipped: {reason}")
        return 0
    rows = measure_both(options) if here else in_machine(options)
    show(rows, options)
    target = options.json or ROOT / "build" / REPORT
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"bench": "ipvs", "rows": rows}, indent=2) + "\n",
                      encoding="utf-8")
    print(f"\n{target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
