#!/usr/bin/python3
"""Reading a large configuration: ours beside Debian's keepalived, in one run.

usage: tests/bench/config.py [--build DIR] [--json FILE] [--runs N] [CASE ...]

A CASE is services:N (virtual servers with two checked real servers each) or instances:N (one
address each; 254 on an interface). Without one: services:10000, services:100000, instances:8128.
Each file is read by `bench_config` (load = read, expand, parse, validate; parse = parse and
validate the text once more), by `holdfastctl check` and by `keepalived -t -f`. The table has the
processor time of these two, user and system, and the share of it that ours takes. MB is the largest
resident set of the whole process, nothing subtracted. The best of --runs counts. Below the table:
how time and memory of an object grow between two sizes of one kind.

Needs no root; keepalived is left out, with a word, where it is not installed.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench import figures  # noqa: E402
from tests.bench.figures import Figure  # noqa: E402

DEFAULT_CASES = ["services:10000", "services:100000", "instances:8128"]
VRIDS = 254  # used of one interface: 1..254
INTERFACES = 32  # names eth0..eth31 that the instances go round

SERVER = """    real_server 172.{net}.{high}.{low} 8080 {{
        weight 1
        TCP_CHECK {{
            connect_timeout 3
            retry 3
            delay_before_retry 3
        }}
    }}
"""

INSTANCE = """vrrp_instance VI_{number} {{
    state BACKUP
    interface eth{interface}
    virtual_router_id {vrid}
    priority 100
    advert_int 1
    virtual_ipaddress {{
        10.{third}.{high}.{low}/16
    }}
}}

"""


def service(number):
    high, low = number // 256 % 256, number % 256
    servers = "".join(
        SERVER.format(net=net + number // 65536, high=high, low=low) for net in (16, 24))
    return (f"virtual_server 10.{number // 65536}.{high}.{low} 80 {{\n"
            f"    delay_loop 6\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n{servers}}}\n\n")


def instance(number):
    interface = number // VRIDS
    return INSTANCE.format(number=number, interface=interface, vrid=number % VRIDS + 1,
                           third=interface, high=1, low=number % VRIDS + 1)


MAKERS = {"services": service, "instances": instance}


def write_configuration(path, kind, count):
    with open(path, "w", encoding="ascii") as out:
        out.write("global_defs {\n    router_id BENCH\n}\n\n")
        out.writelines(MAKERS[kind](number) for number in range(count))


def timed(command):
    """Seconds of the clock and of the processor, largest resident set in kB, how it ended."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return {"seconds": seconds, "cpu_s": usage.ru_utime + usage.ru_stime,
                "rss_kb": usage.ru_maxrss, "code": process.returncode,
                "out": out.read().decode(), "err": err.read().decode(errors="replace")}


def best_of(command, runs):
    """Of both times the least; the rest is the same each time."""
    results = [timed(command) for _ in range(runs)]
    return results[0] | {time: min(one[time] for one in results) for time in ("seconds", "cpu_s")}


def find_keepalived():
    return shutil.which("keepalived") or shutil.which("keepalived", path="/usr/sbin:/sbin")


class Host:
    """Where keepalived is run: a network namespace of its own, which has the interfaces."""

    def __init__(self, interfaces):
        self.name = None
        if os.geteuid() != 0 or not shutil.which("ip"):
            return
        self.name = f"hf-bench-{os.getpid()}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        for number in range(0, interfaces, 2):
            # Not every kernel has dummy interfaces; a pair does as well.
            subprocess.run(["ip", "-n", self.name, "link", "add", f"eth{number}", "type", "veth",
                            "peer", "name", f"eth{number + 1}"], check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.name:
            subprocess.run(["ip", "netns", "del", self.name], check=False)

    def inside(self, command):
        return ["ip", "netns", "exec", self.name, *command] if self.name else command


def measure(programs, keepalived, kind, count, runs):
    bench, ctl = programs
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        path = os.path.join(folder, "bench.conf")
        write_configuration(path, kind, count)
        results = [timed([bench, path, "1"]) for _ in range(runs)]
        whole = best_of([ctl, "check", path], runs)
        if whole["code"] != 0:
            sys.exit(f"holdfastctl check ended with {whole['code']}: {whole['err'][:500]}")
        ours = [json.loads(one["out"]) for one in results if one["code"] == 0]
        if len(ours) != runs or ours[0][kind] != count:
            sys.exit(f"bench_config did not read the file: {results[0]['err'][:500]}")
        row = {"kind": kind, "count": count, "servers": ours[0]["servers"],
               "bytes": ours[0]["bytes"], "warnings": ours[0]["warnings"],
               "load_s": min(one["load_s"] for one in ours),
               "parse_s": min(one["parse_s"] for one in ours),
               "process_s": whole["seconds"], "process_cpu_s": whole["cpu_s"],
               "max_rss_kb": whole["rss_kb"]}
        if keepalived:
            with Host(INTERFACES if kind == "instances" else 0) as host:
                theirs = best_of(host.inside([keepalived, "-t", "-f", path]), runs)
            if theirs["code"] != 0:
                print(f"keepalived -t ended with {theirs['code']}: {theirs['err'][:200]}",
                      file=sys.stderr)
            row.update({"keepalived_s": theirs["seconds"], "keepalived_rss_kb": theirs["rss_kb"],
                        "keepalived_cpu_s": theirs["cpu_s"], "keepalived_code": theirs["code"],
                        "cpu_share": row["process_cpu_s"] / theirs["cpu_s"]})
        return row


def print_row(row):
    theirs = f"{'-':>14} {'-':>6} {'-':>5}"
    if "cpu_share" in row:
        theirs = (f"{row['keepalived_cpu_s']:14.3f} {row['keepalived_rss_kb'] / 1024:6.1f} "
                  f"{row['cpu_share']:5.2f}")
    print(f"{row['count']:7d} {row['kind']:<9} {row['load_s']:8.4f} {row['parse_s']:8.4f} "
          f"{row['process_cpu_s']:9.4f} {row['max_rss_kb'] / 1024:6.1f} {theirs}", flush=True)


def growth(rows):
    """Of two sizes of one kind: how much more time and memory an object takes in the larger."""
    found = []
    for kind in MAKERS:
        sizes = sorted((row for row in rows if row["kind"] == kind), key=lambda row: row["count"])
        for small, large in zip(sizes, sizes[1:]):
            factor = large["count"] / small["count"]
            found.append({"kind": kind, "from": small["count"], "to": large["count"],
                          "parse": large["parse_s"] / small["parse_s"] / factor,
                          "load": large["load_s"] / small["load_s"] / factor,
                          "memory": large["max_rss_kb"] / small["max_rss_kb"] / factor})
    return found


def figures_of(rows):
    """Whole processes beside each other: what an operator waits for."""
    found = []
    for row in rows:
        what = f"{row['count']:,} {row['kind']} read"
        found.append(Figure(f"{what}: processor time", "s", row["process_cpu_s"],
                            row.get("keepalived_cpu_s")))
        theirs = row.get("keepalived_rss_kb")
        found.append(Figure(f"{what}: largest memory", "MB", row["max_rss_kb"] / 1024,
                            theirs and theirs / 1024))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=DEFAULT_CASES)
    parser.add_argument("--build", default=str(ROOT / "build"), help="build directory")
    parser.add_argument("--json", type=pathlib.Path,
                        help="where the numbers go (default: build/bench-config.json)")
    parser.add_argument("--runs", type=int, default=5, help="the best of this many counts")
    options = parser.parse_args()
    programs = [os.path.join(options.build, "bin", name)
                for name in ("bench_config", "holdfastctl")]
    for program in programs:
        if not os.path.exists(program):
            sys.exit(f"{program} is not built")
    cases = [case.split(":") for case in options.cases]
    if any(len(case) != 2 or case[0] not in MAKERS or not case[1].isdigit() for case in cases):
        parser.error("a case is services:N or instances:N")
    keepalived = find_keepalived()
    if not keepalived:
        print("keepalived is not installed: only our own times")
    print(f"{'what':>17} {'load s':>8} {'parse s':>8} {'check cpu':>9} {'MB':>6} "
          f"{'keepalived cpu':>14} {'its MB':>6} {'share':>5}")
    rows = []
    for kind, count in cases:
        rows.append(measure(programs, keepalived, kind, int(count), options.runs))
        print_row(rows[-1])
    factors = growth(rows)
    for one in factors:
        print(f"{one['kind']} {one['from']} → {one['to']}: each takes {one['load']:.2f} times the "
              f"load time, {one['parse']:.2f} times the parse time, {one['memory']:.2f} times the "
              "memory")
    table = figures_of(rows)
    print(figures.write("config", table, options.json, rows=rows, growth=factors))


if __name__ == "__main__":
    main()
