"""`./dev lab`: a shell among the article's machines, with two directors and two servers running.

    ./dev lab [dr|nat|tun|two-masters] [--program holdfast|keepalived]

In it, `on MACHINE COMMAND …` runs a command on a machine: client d1 d2 s1 s2 switch.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from . import netns, topology, vm
from .director import BIN
from .netns import Lab
from .story import IN_VM
from .topology import NAT_VIP, VIP, VIP2, Topology
from .wire import Capture

WELCOME = r"""
The article's machines ({kind}), directors run {program}:  {machines}
  on client curl -s {vip}:8099          on d1 ipvsadm -Ln
  on d1 ip -br addr                     on switch tcpdump -nni br0 vrrp or arp
{status}  log d1            what the director on d1 says
  cut d1 / plug d1  pulls and plugs its cable
  exit              takes everything down
"""

FUNCTIONS = r"""
on() { local machine=$1; shift; ip netns exec "PREFIX-$machine" "$@"; }
log() { tail -n "${2:-40}" DIRECTORY/$1-PROGRAM.log; }
ctl() {
  local machine=$1; shift
  on "$machine" BIN/holdfastctl --run-dir "DIRECTORY/$machine" "$@"
}
cut() { on switch ip link set "$1-eth0" down; }
plug() { on switch ip link set "$1-eth0" up; }
PS1='(lab) \w \$ '
"""


def open_shell(kind: str, program: str) -> int:
    vips = {"nat": (NAT_VIP,), "two-masters": (VIP, VIP2)}.get(kind, (VIP,))
    if kind == "two-masters":
        configs = (topology.two_masters(1), topology.two_masters(2))
    else:
        config, _ = topology.article("nat" if kind == "nat" else "dr")
        config = topology.as_tunnel(config) if kind == "tun" else config
        configs = (config, topology.as_backup(config))
    directory = Path(tempfile.mkdtemp(prefix="holdfast-lab-"))
    with Lab(directory, prefix="lab") as lab:
        built = Topology(lab, "dr" if kind == "two-masters" else kind, vips)
        built.start_servers()
        capture = Capture(built.switch)
        built.start_directors(configs, program)
        functions = FUNCTIONS
        for word, value in {"PREFIX": lab.prefix, "DIRECTORY": directory, "PROGRAM": program,
                            "BIN": BIN}.items():
            functions = functions.replace(word, str(value))
        (directory / "rc").write_text(functions, encoding="utf-8")
        status = "  ctl d1 status     what it knows\n" if program == "holdfast" else ""
        print(WELCOME.format(kind=kind, program=program, vip=vips[0], status=status,
                             machines=" ".join(one.short for one in lab.namespaces)), flush=True)
        code = subprocess.run(["bash", "--rcfile", directory / "rc"], check=False).returncode
        capture.save(directory / "segment.pcap")
        return code


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev lab", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", default="dr",
                        choices=["dr", "nat", "tun", "two-masters"])
    parser.add_argument("--program", choices=["holdfast", "keepalived"], default="holdfast")
    options = parser.parse_args()
    if IN_VM or vm.host_has_ipvs():
        reason = netns.why_unavailable()
        if reason:
            print(f"lab: {reason}", file=sys.stderr)
            return 2
        return open_shell(options.kind, options.program)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("lab: this needs a terminal", file=sys.stderr)
        return 2
    print("This kernel has no ip_vs: starting a virtual machine (about 15 seconds) …", flush=True)
    results = topology.Path(__file__).resolve().parents[2] / "build" / "lab"
    results.mkdir(parents=True, exist_ok=True)
    command = ["/usr/bin/python3", "-m", "tests.lab.shell", options.kind,
               "--program", options.program]
    try:
        return vm.run(command, results=results, interactive=True,
                      environment={"TERM": os.environ.get("TERM", "vt100")})
    except vm.VmError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
