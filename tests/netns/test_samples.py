"""The sample configurations that need no IPVS, word for word, with the programs that they name.

Every director runs with what belongs to it in a box: processes and mounts of its own, so that
`pgrep` sees the HAProxy of its machine only, and a script is where the file says.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from tests.lab.director import ROOT, Director
from tests.lab.netns import Lab, Namespace, eventually

VIP = "192.168.1.200"
CLOUD = "10.0.0.200"
SIX = "2001:db8:1::200"
PROGRAM = "/usr/sbin/haproxy"


class Boxed(Director):
    """A director behind `unshare`; `first` is what the machine does before it."""

    def __init__(self, machine: Namespace, config: str, first: str):
        super().__init__(machine, config)
        self.first = first

    def command(self, *extra: str) -> list[str]:
        return ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
                "sh", "-ec", f'{self.first}\nexec "$@"', "sh", *super().command(*extra)]

    def run_inside(self, *argv: str) -> str:
        """Beside the director; returns what it printed."""
        first = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        box = first.read_text(encoding="ascii").split()[0]
        return self.machine.run("nsenter", "-t", box, "-p", "-m", *argv).stdout


def sample(name: str, priority: int | None = None) -> str:
    """A file of etc/, with another priority where its head asks for one on the other machine."""
    text = (ROOT / "etc" / f"{name}.conf").read_text(encoding="utf-8")
    if priority is None:
        return text
    changed, times = re.subn(r"^( +priority) \d+", rf"\1 {priority}", text, flags=re.MULTILINE)
    assert times == 1
    return changed


# --- haproxy.conf -----------------------------------------------------------------------

HAPROXY = """\
global
    log stdout format raw local0
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend web
    bind 192.168.1.200:80
    http-request return status 200 content-type text/plain string {name}
"""




class Haproxies:
    def __init__(self, lab: Lab):
        switch = lab.switch("sw")
        a, b, self.client = lab.machines("a", "b", "c")
        lab.cables(switch, *((machine, "eth0", f"192.168.1.{10 + at}/24")
                             for at, machine in enumerate((a, b, self.client))))
        self.files, self.directors = {}, {}
        for machine, priority in ((a, None), (b, 100)):
            machine.sysctl(ipv4__ip_nonlocal_bind=1)
            file = self.files[machine.short] = lab.directory / f"haproxy-{machine.short}.cfg"
            file.write_text(HAPROXY.format(name=machine.short), encoding="ascii")
            director = Boxed(machine, sample("haproxy", priority), f"{PROGRAM} -D -f {file}")
            director.start()
            self.directors[machine.short] = director

    def wait_until_answers(self, name: str, timeout: float) -> float:
        def answers() -> bool:
            return self.client.run("curl", "-s", "--max-time", "1", f"http://{VIP}/",
                                   check=False).stdout == name

        took = eventually(answers, timeout)
        assert took is not None, "\n".join(one.log() for one in self.directors.values())
        return took


def test_the_address_is_where_haproxy_works(lab: Lab) -> None:
    pair = Haproxies(lab)
    a = pair.directors["a"]
    pair.wait_until_answers("a", 15)

    a.run_inside("pkill", "-KILL", "-x", "haproxy")
    # two looks that fail, two seconds apart, then a hand-over between 90 and 100
    assert pair.wait_until_answers("b", 9) < 7
    assert eventually(lambda: a.state("VI_1") == "BACKUP", 3) is not None
    said = a.ctl("explain", "VI_1").stdout
    assert "haproxy_alive" in said and "= 90" in said, said

    a.run_inside(PROGRAM, "-D", "-f", str(pair.files["a"]))
    assert pair.wait_until_answers("a", 9) < 7


# --- cloud-unicast.conf -----------------------------------------------------------------


class Cloud:
    """Two machines and a client in a network whose addresses move by the provider's hand only: its
    router has a route for each, and neither multicast nor ARP between machines gets through."""

    def __init__(self, lab: Lab):
        self.router, a, b, self.client = lab.machines("r", "a", "b", "c")
        self.router.sysctl(ipv4__ip_forward=1)
        addresses = {a: "10.0.0.11", b: "10.0.0.12", self.client: "10.9.0.1"}
        lab.ip(*(f"link add eth0 netns {machine.name} type veth peer name to_{machine.short} "
                 f"netns {self.router.name}" for machine in addresses))
        for machine, address in addresses.items():
            machine.bring_up("eth0", f"{address}/32")
            machine.ip("route add 10.255.0.1 dev eth0", "route add default via 10.255.0.1")
            self.router.ip(f"link set to_{machine.short} up",
                           f"addr add 10.255.0.1/32 dev to_{machine.short}",
                           f"route add {address} dev to_{machine.short}")
        self.directors = {}
        for machine, text in ((a, sample("cloud-unicast")), (b, self.other_side())):
            claim = lab.directory / f"claim-address-{machine.short}"
            claim.write_text(f"#!/bin/sh\nip -n {self.router.name} route replace $1 "
                             f"via {addresses[machine]} dev to_{machine.short} onlink\n",
                             encoding="ascii")
            claim.chmod(0o755)
            director = Boxed(machine, text, "mount -t tmpfs -o mode=755 sbin /usr/local/sbin\n"
                             f"cp {claim} /usr/local/sbin/claim-address")
            self.directors[machine.short] = director
            director.start()

    @staticmethod
    def other_side() -> str:
        swap = {"10.0.0.11": "10.0.0.12", "10.0.0.12": "10.0.0.11"}
        return re.sub(r"10\.0\.0\.1[12]", lambda found: swap[found[0]],
                      sample("cloud-unicast", 100))

    def wait_until_reached(self, name: str, timeout: float) -> float:
        def reached() -> bool:
            route = self.router.run("ip", "route", "show", CLOUD).stdout
            return f"dev to_{name} " in route and self.client.run(
                "ping", "-c1", "-W1", "-q", CLOUD, check=False).returncode == 0

        took = eventually(reached, timeout)
        assert took is not None, "\n".join(one.log() for one in self.directors.values())
        return took


def test_in_a_cloud_the_script_moves_the_address(lab: Lab) -> None:
    cloud = Cloud(lab)
    a, b = cloud.directors["a"], cloud.directors["b"]
    cloud.wait_until_reached("a", 15)
    assert b.state("VI_1") == "BACKUP"

    a.kill_everything()
    assert cloud.wait_until_reached("b", 9) < 6

    a.start()
    assert eventually(lambda: a.state("VI_1") == "BACKUP", 5) is not None, a.log()
    time.sleep(4)  # a down interval and some: nopreempt
    assert (a.state("VI_1"), b.state("VI_1")) == ("BACKUP", "MASTER")
    cloud.wait_until_reached("b", 1)


# --- ipv6.conf --------------------------------------------------------------------------


def test_an_address_of_ipv6_moves_within_two_seconds(lab: Lab) -> None:
    switch = lab.switch("sw")
    a, b, client = machines = lab.machines("a", "b", "c")
    for machine in machines:
        machine.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__default__disable_ipv6=0)
    lab.cables(switch, *((machine, "eth0", "") for machine in machines))
    for machine, last in zip(machines, ("179", "180", "99")):
        machine.ip(f"addr add 2001:db8:1::{last}/64 dev eth0 nodad")
    second = sample("ipv6", 100).replace("state MASTER", "state BACKUP")
    pair = Director(a, sample("ipv6")), Director(b, second)
    for director in pair:
        director.start()

    def wait_until_reached(director: Director, timeout: float) -> float:
        took = eventually(lambda: director.holds(SIX) and client.run(
            "ping", "-6", "-c1", "-W1", "-q", SIX, check=False).returncode == 0, timeout)
        assert took is not None, "\n".join(one.log() for one in pair)
        return took

    wait_until_reached(pair[0], 15)
    assert pair[0].holds("fe80::200")
    pair[0].kill_everything()
    a.ip("link set eth0 down")  # a dead machine keeps no address on the network
    assert wait_until_reached(pair[1], 6) < 2.5
    assert pair[1].holds("fe80::200")


# --- nat-sync.conf ----------------------------------------------------------------------

HIDE = """\
table ip hide {
  chain out {
    type nat hook postrouting priority srcnat;
    ip saddr 192.168.1.0/24 oifname "eth0" snat to 203.0.113.10
  }
}
"""
OUTER, GATEWAY = "203.0.113.10", "192.168.1.254"


def weaker(name: str, members: int) -> str:
    """The sample for the other machine, with 100 in each of its instances."""
    changed, times = re.subn(r"^( +priority) 150$", r"\1 100", sample(name), flags=re.MULTILINE)
    assert times == members
    return changed


def test_a_sync_group_moves_both_sides_of_nat_together(lab: Lab) -> None:
    outside, inside = lab.switch("out"), lab.switch("in")
    a, b, host, world = lab.machines("a", "b", "c", "w")
    for machine, last in ((a, 2), (b, 3)):
        lab.cables(outside, (machine, "eth0", f"203.0.113.{last}/24"))
        lab.cables(inside, (machine, "eth1", f"192.168.1.{last}/24"))
        machine.sysctl(ipv4__ip_forward=1)
        machine.run("nft", "-f", "-", stdin=HIDE)
    lab.cables(outside, (world, "eth0", "203.0.113.99/24"))
    lab.cables(inside, (host, "eth0", "192.168.1.50/24"))
    host.ip(f"route add default via {GATEWAY}")
    echo = ("import socketserver\nclass Echo(socketserver.BaseRequestHandler):\n"
            "  def handle(self): self.request.sendall(self.client_address[0].encode())\n"
            "socketserver.TCPServer.allow_reuse_address = True\n"
            "socketserver.ThreadingTCPServer(('', 80), Echo).serve_forever()\n")
    world.spawn("/usr/bin/python3", "-c", echo, log="world")
    pair = {"a": Director(a, sample("nat-sync")), "b": Director(b, weaker("nat-sync", 2))}
    for director in pair.values():
        director.start("-P")

    def sender() -> str:
        """Whom the world sees, when a host inside asks it."""
        return host.run("python3", "-c",
                        "import socket; s = socket.create_connection(('203.0.113.99', 80), 0.7); "
                        "print(s.recv(99).decode(), end='')", check=False).stdout

    def wait_until_hidden_by(name: str, timeout: float) -> float:
        def hidden() -> bool:
            holders = [[one for one in pair if pair[one].holds(address)]
                       for address in (OUTER, GATEWAY)]
            return holders == [[name], [name]] and sender() == OUTER

        took = eventually(hidden, timeout)
        assert took is not None, "\n".join(one.log() for one in pair.values())
        return took

    wait_until_hidden_by("a", 15)
    a.ip("link set eth0 down")  # its outer cable: the inner address has to go as well
    assert wait_until_hidden_by("b", 9) < 5
    assert a.addresses("eth1") == ["192.168.1.2/24"]
    a.ip("link set eth0 up")
    assert wait_until_hidden_by("a", 12) < 8


# --- pair-vmac.conf ---------------------------------------------------------------------


def test_a_client_that_learns_nothing_keeps_its_connection_to_a_virtual_mac(lab: Lab) -> None:
    """Its ARP entry was written by hand, as in a plant; the switch is a real bridge."""
    switch = lab.switch("sw")
    a, b, client = lab.machines("a", "b", "c")
    lab.cables(switch, *((machine, "eth0", f"192.168.1.{last}/24")
                         for machine, last in ((a, 179), (b, 180), (client, 66))))
    client.ip(f"neigh add {VIP} lladdr 00:00:5e:00:01:33 dev eth0 nud permanent")
    pair = Director(a, sample("pair-vmac")), Director(b, sample("pair-vmac", 100))
    for director in pair:
        director.start()
    pair[0].wait_for(VIP)
    time.sleep(1)
    client.run("ping", "-c1", "-W2", VIP)
    pings = client.spawn("ping", "-i", "0.05", "-w", "4", "-q", VIP, log="ping")
    time.sleep(0.5)
    assert pair[0].stop() == 0  # a planned handover
    pair[1].wait_for(VIP)
    pings.wait(12)
    sent, got = map(int, re.search(r"(\d+) packets transmitted, (\d+) received",
                                   pings.output()).groups())
    print(f"{sent - got} of {sent} pings without an answer over a handover")
    assert sent > 50 and sent - got <= 4, pings.output()
    assert a.run("ip", "link", "show", "vrrp.51", check=False).returncode != 0
