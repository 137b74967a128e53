#!/usr/bin/python3
"""Reading a large configuration: ours beside Debian's keepalived, in one run.

usage: tests/bench/config.py [--build DIR] [--json FILE] [--runs N] [SERVICES ...]

Generates virtual servers with two checked real servers each, times `bench_config` (load = read,
expand, parse, validate; whole = its whole process) and `keepalived -t -f` of the same file, and
prints a table with the ratio. Needs no root; keepalived is left out, with a word, where it is not
installed.
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

SERVER = """    real_server 172.{net}.{high}.{low} 8080 {{
        weight 1
        TCP_CHECK {{
            connect_timeout 3
            retry 3
            delay_before_retry 3
        }}
    }}
"""


def service(number):
    high, low = number // 256 % 256, number % 256
    servers = "".join(SERVER.format(net=net, high=high, low=low) for net in (16, 17))
    return (f"virtual_server 10.{number // 65536}.{high}.{low} 80 {{\n"
            f"    delay_loop 6\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n{servers}}}\n\n")


def write_configuration(path, services):
    with open(path, "w", encoding="ascii") as out:
        out.write("global_defs {\n    router_id BENCH\n}\n\n")
        out.writelines(service(number) for number in range(services))


def timed(command):
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return time.monotonic() - start, done


def best_of(command, runs):
    results = [timed(command) for _ in range(runs)]
    return min(results, key=lambda result: result[0])


def find_keepalived():
    return shutil.which("keepalived") or shutil.which("keepalived", path="/usr/sbin:/sbin")


def keepalived_command(keepalived, path):
    # In a network namespace of its own where that is possible, so that it sees nobody's interfaces.
    inside = ["unshare", "--net"] if os.geteuid() == 0 and shutil.which("unshare") else []
    return [*inside, keepalived, "-t", "-f", path]


def measure(bench, keepalived, services, runs):
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        path = os.path.join(folder, "bench.conf")
        write_configuration(path, services)
        whole, done = best_of([bench, path, "1"], runs)
        ours = json.loads(done.stdout)
        if done.returncode != 0 or ours["services"] != services:
            sys.exit(f"bench_config did not read the file: {done.stderr}")
        row = {"services": services, "bytes": ours["bytes"], "load_s": ours["load_s"],
               "parse_s": ours["parse_s"], "process_s": whole, "max_rss_kb": ours["max_rss_kb"],
               "keepalived_s": None, "ratio": None}
        if keepalived:
            row["keepalived_s"], theirs = best_of(keepalived_command(keepalived, path), runs)
            if theirs.returncode != 0:
                print(f"keepalived -t ended with {theirs.returncode}: {theirs.stderr[:200]}",
                      file=sys.stderr)
            row["ratio"] = row["keepalived_s"] / row["load_s"]
        return row


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("services", nargs="*", type=int, default=[1000, 10000])
    parser.add_argument("--build", default=str(ROOT / "build"), help="build directory")
    parser.add_argument("--json", help="write the rows to this file")
    parser.add_argument("--runs", type=int, default=5, help="the best of this many counts")
    options = parser.parse_args()
    bench = os.path.join(options.build, "bin", "bench_config")
    if not os.path.exists(bench):
        sys.exit(f"{bench} is not built")
    keepalived = find_keepalived()
    if not keepalived:
        print("keepalived is not installed: only our own times")
    print(f"{'services':>9} {'servers':>8} {'load s':>9} {'parse s':>9} "
          f"{'MB':>6} {'keepalived s':>13} {'ratio':>6}")
    rows = []
    for services in options.services:
        row = measure(bench, keepalived, services, options.runs)
        rows.append(row)
        theirs = f"{'-':>13} {'-':>6}"
        if keepalived:
            theirs = f"{row['keepalived_s']:13.3f} {row['ratio']:6.1f}"
        print(f"{services:9d} {2 * services:8d} {row['load_s']:9.4f} {row['parse_s']:9.4f} "
              f"{row['max_rss_kb'] / 1024:6.1f} {theirs}")
    if options.json:
        report = json.dumps({"bench": "config", "rows": rows}, indent=1)
        pathlib.Path(options.json).write_text(report + "\n")


if __name__ == "__main__":
    main()
