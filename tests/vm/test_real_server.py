"""`holdfastctl real-server up --tunnel`: the real server's side of a director that tunnels, with
every kind of tunnel that ip_vs has. Without tunnel: tests/netns/test_real_server.py.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.lab import servers
from tests.lab.director import BIN
from tests.lab.netns import Lab, Namespace, eventually

VIP, SIX = "10.0.0.100", "fd00:1::100"
OUTER, OUTER_SIX = "10.0.0.11", "fd00:1::11"
MODULES = ("ipip", "ip_gre", "ip6_gre", "ip6_tunnel", "sit", "fou")


class Bench:
    """A client, a director with ipvsadm's table and the real server, on one segment."""

    def __init__(self, lab: Lab):
        subprocess.run(["modprobe", "-a", *MODULES], check=False)
        switch = lab.switch("sw")
        self.client, self.director, self.server = lab.machines("c", "d", "rs")
        ends = zip((self.client, self.director, self.server), ("1", "2", "11"))
        for machine, last in ends:
            lab.cable(machine, switch, f"10.0.0.{last}/24")
            machine.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__eth0__disable_ipv6=0,
                           ipv6__conf__lo__disable_ipv6=0, ipv4__conf__all__rp_filter=1)
            machine.ip(f"addr add fd00:1::{last}/64 dev eth0 nodad")
        # The virtual address is no source: the server would see its own in the outer header.
        self.director.ip(f"addr add {VIP}/32 dev eth0",
                         f"addr add {SIX}/128 dev eth0 nodad preferred_lft 0")
        self.director.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
        self.run_dir = lab.directory / "run"
        servers.answer_everybody(self.server, "tunnelled")

    def ctl(self, *words: str) -> str:
        done = self.server.run(str(BIN / "holdfastctl"), "--run-dir", str(self.run_dir),
                               "real-server", *words, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def serve(self, vip: str, server: str, *tunnel: str) -> None:
        self.director.run("ipvsadm", "-C")
        self.director.run("ipvsadm", "-A", "-t", f"{bracket(vip)}:80", "-s", "rr")
        self.director.run("ipvsadm", "-a", "-t", f"{bracket(vip)}:80", "-r",
                          f"{bracket(server)}:80", "-i", *tunnel)

    def answer(self, vip: str) -> str:
        return self.client.run("curl", "-s", "-g", "--max-time", "3", f"http://{bracket(vip)}/",
                               check=False).stdout

    def state(self) -> tuple:
        links = self.server.run("ip", "-br", "link").stdout
        up = [line.split()[0] for line in links.splitlines() if "UP" in line]
        six = [line for line in self.server.run("ip", "-6", "tunnel", check=False).stdout
               .splitlines() if line.startswith("ip6tnl0")]
        return (up + six, self.server.addresses(), self.server.addresses(family=6),
                switches(self.server), self.server.run("ss", "-unlH").stdout)


def bracket(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def switches(machine: Namespace) -> dict[str, str]:
    with machine.inside():
        return {str(path): path.read_text(encoding="ascii").strip()
                for path in Path("/proc/sys/net/ipv4/conf").glob("*/*")
                if path.name in ("arp_ignore", "arp_announce", "rp_filter")}


@pytest.fixture
def bench(lab: Lab) -> Bench:
    return Bench(lab)


def test_each_tunnel_is_unwrapped_and_everything_is_given_back(bench: Bench) -> None:
    assert eventually(lambda: bench.answer(OUTER) == "tunnelled", 20) is not None
    wrong = []
    for words, vip, outer, tunnel in (
        (("ipip",), VIP, OUTER, ()),
        (("gre",), VIP, OUTER, ("--tun-type", "gre", "--tun-nocsum")),
        (("gue", "--port", "6081"), VIP, OUTER,
         ("--tun-type", "gue", "--tun-port", "6081", "--tun-nocsum")),
        (("ip6tnl",), VIP, OUTER_SIX, ()),
        (("ipip",), SIX, OUTER_SIX, ()),
        (("sit",), SIX, OUTER, ()),
    ):
        bench.serve(vip, outer, *tunnel)
        before = bench.state()
        if bench.answer(vip):
            wrong.append((words, vip, "answered before"))
        bench.ctl("up", vip, "--tunnel", *words)
        bench.ctl("up", vip, "--tunnel", *words)
        if bench.answer(vip) != "tunnelled":
            wrong.append((words, vip, bench.ctl("status", vip), bench.state()))
        bench.ctl("down", vip)
        after = bench.state()
        if after[:3] != before[:3] or after[4] != before[4] or any(
                after[3][path] != value for path, value in before[3].items()):
            wrong.append((words, vip, before, after))
    assert not wrong, "\n".join(map(str, wrong))
