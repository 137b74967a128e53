"""The sample configurations that need no IPVS, word for word, with the programs that they name.

Every director runs with what belongs to it in a box: processes and mounts of its own, so that
`pgrep` sees the HAProxy of its machine only, and a script is where the file says.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.lab import story, story_haproxy
from tests.lab.boxed import Boxed, sample
from tests.lab.client import answers
from tests.lab.director import Director
from tests.lab.netns import Lab, eventually
from tests.lab.story import Narrator
from tests.lab.story_haproxy import PROGRAM, chapter_haproxy

VIP = "192.168.1.200"
CLOUD = "10.0.0.200"


# --- haproxy.conf -----------------------------------------------------------------------


def test_the_address_is_where_haproxy_works(tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    """The chapter of the demo: by script, by process, and without power. Other tests run beside."""
    for module in (story, story_haproxy):
        monkeypatch.setattr(module, "TOLERANCE", 0.5)
    narrator = Narrator()
    chapter_haproxy(narrator, tmp_path / "lab")
    for step in narrator.steps:
        print(f"{step.title}: measured {step.measured}, bound {step.bound} {step.notes}")
    assert len(narrator.steps) == 5
    assert not narrator.failed(), [(step.title, step.problems) for step in narrator.failed()]


# --- cloud-unicast.conf -----------------------------------------------------------------


WEB = """\
global
    log stdout format raw local0
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend web
    bind 10.0.0.200:80
    http-request return status 200 content-type text/plain string {name}
"""


class Cloud:
    """Two machines and a client in a network whose addresses move by the provider's hand only: its
    router has a route for each, and neither multicast nor ARP between machines gets through.
    HAProxy works on both machines."""

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
            web = lab.directory / f"web-{machine.short}.cfg"
            web.write_text(WEB.format(name=machine.short), encoding="ascii")
            machine.sysctl(ipv4__ip_nonlocal_bind=1)
            director = Boxed(machine, text, f"{PROGRAM} -D -f {web}\n"
                             "mount -t tmpfs -o mode=755 sbin /usr/local/sbin\n"
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
            return f"dev to_{name} " in route and answers(
                self.client, CLOUD, 1, port=80) == [name]

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
