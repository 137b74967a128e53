"""`holdfastctl real-server`: a host accepts packets for a virtual address that it answers no ARP
for, and is afterwards what it was before. Tunnels: tests/vm/test_real_server.py.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import subprocess
from collections.abc import Iterator

import pytest

from tests.lab import servers
from tests.lab.director import BIN
from tests.lab.netns import Lab, Namespace, eventually

VIP, SECOND, SIX = "10.0.0.100", "10.0.0.101", "fd00:1::100"
CLIENT, SERVER = "10.0.0.1", "10.0.0.11"
ETH_P_ARP = 0x0806
SWITCHES = [f"ipv4/conf/{device}/{name}" for device in ("all", "lo")
            for name in ("arp_ignore", "arp_announce")]


class Bench:
    """A client that takes the director's place on the wire, and a real server."""

    def __init__(self, lab: Lab):
        switch = lab.switch("sw")
        self.client, self.server = lab.machines("c", "rs")
        lab.cables(switch, (self.client, "eth0", f"{CLIENT}/24"),
                   (self.server, "eth0", f"{SERVER}/24"))
        self.run_dir = lab.directory / "run"
        self.record = lab.directory / "run-real-server.json"
        servers.answer_everybody(self.server, "served")
        assert eventually(lambda: self.get(SERVER) == "served", 10) is not None

    def ctl(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = self.server.run(str(BIN / "holdfastctl"), "--run-dir", str(self.run_dir),
                               "real-server", *words, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def get(self, address: str) -> str:
        host = f"[{address}]" if ":" in address else address
        return self.client.run("curl", "-s", "--max-time", "3", f"http://{host}/",
                               check=False).stdout

    def answers_arp(self, address: str) -> bool:
        return self.client.run("arping", "-c", "2", "-w", "2", "-f", "-I", "eth0", address,
                               check=False).returncode == 0

    def values(self) -> list[str]:
        with self.server.inside():
            return [open(f"/proc/sys/net/{path}", encoding="ascii").read().strip()
                    for path in SWITCHES]

    def state(self) -> tuple:
        return (self.values(), self.server.addresses(), self.server.addresses(family=6))

    def mac(self) -> str:
        shown = json.loads(self.server.run("ip", "-j", "link", "show", "dev", "eth0").stdout)
        return shown[0]["address"]

    def send_as_a_director_does(self, address: str) -> None:
        """To the server's MAC address, whatever nobody answers."""
        self.client.ip(f"route replace {address} dev eth0",
                       f"neigh replace {address} lladdr {self.mac()} dev eth0 nud permanent")


@pytest.fixture
def bench(lab: Lab) -> Bench:
    return Bench(lab)


@contextlib.contextmanager
def arp_heard(machine: Namespace) -> Iterator[list[tuple[str, str]]]:
    """(sender, target) of each ARP request that arrived meanwhile."""
    with machine.inside():
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP))
    with ear:
        heard: list[tuple[str, str]] = []
        yield heard
        ear.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while True:
                frame = ear.recv(2048)
                if struct.unpack("!H", frame[20:22])[0] == 1:
                    heard.append((socket.inet_ntoa(frame[28:32]), socket.inet_ntoa(frame[38:42])))


def test_an_address_is_served_and_not_answered_for(bench: Bench) -> None:
    bench.server.ip(f"addr add {VIP}/32 dev lo")
    assert bench.answers_arp(VIP), "by itself Linux answers for what is on lo"
    bench.server.ip(f"addr del {VIP}/32 dev lo")
    before = bench.state()

    bench.ctl("up", VIP)
    assert not bench.answers_arp(VIP)
    assert bench.answers_arp(SERVER)
    bench.send_as_a_director_does(VIP)
    with arp_heard(bench.client) as heard:
        bench.server.ip("neigh flush dev eth0")
        assert bench.get(VIP) == "served"
    asked = [sender for sender, target in heard if target == CLIENT]
    assert asked and set(asked) == {SERVER}, f"the virtual address is told to the switch: {heard}"

    bench.ctl("down", VIP)
    assert bench.get(VIP) == ""
    assert bench.state() == before
    assert not bench.record.exists()


def test_it_can_be_said_twice_and_gives_back_what_it_found(bench: Bench) -> None:
    bench.server.sysctl(ipv4__conf__all__arp_announce=1, ipv4__conf__lo__arp_ignore=2)
    bench.server.ip(f"addr add {SECOND}/32 dev lo")
    before = bench.state()
    assert "IPv6 is switched off there" in bench.ctl("up", SIX, code=1).stderr
    assert bench.state() == before
    bench.server.sysctl(ipv6__conf__lo__disable_ipv6=0)
    before = bench.state()

    for _ in range(2):
        bench.ctl("up", VIP, SECOND, SIX)
        assert bench.values() == ["1", "2", "2", "2"], "a stricter value was there: it stays"
    bench.ctl("down", VIP)
    assert bench.values() == ["1", "2", "2", "2"], "another address needs them"
    for _ in range(2):
        bench.ctl("down", SECOND, SIX)
    assert bench.state() == before


def test_the_sixth_version_needs_no_switch(bench: Bench) -> None:
    for machine, address in ((bench.client, "fd00:1::1"), (bench.server, "fd00:1::11")):
        machine.sysctl(ipv6__conf__eth0__disable_ipv6=0, ipv6__conf__lo__disable_ipv6=0)
        machine.ip(f"addr add {address}/64 dev eth0 nodad")
    assert eventually(lambda: bench.get("fd00:1::11") == "served", 10) is not None
    before = bench.state()

    bench.ctl("up", SIX)
    assert bench.values() == before[0]
    assert bench.get(SIX) == "", "a neighbour was solicited and has answered"
    bench.send_as_a_director_does(SIX)
    assert bench.get(SIX) == "served"

    bench.ctl("down", "--all")
    assert bench.state() == before


def test_status_says_what_somebody_took_away(bench: Bench) -> None:
    assert "no real server" in bench.ctl("status").stdout
    bench.ctl("up", VIP)
    assert f"{VIP} on lo: there" in bench.ctl("status").stdout

    bench.server.sysctl(ipv4__conf__all__arp_ignore=0)
    bench.server.ip(f"addr del {VIP}/32 dev lo")
    said = json.loads(bench.ctl("status", "--json", code=1).stdout)
    assert said["problems"] == 2
    assert [one["there"] for one in said["addresses"]] == [False]
    bad = [one["path"] for one in said["switches"] if not one["good"]]
    assert bad == ["ipv4/conf/all/arp_ignore"]

    bench.ctl("up", VIP)
    bench.ctl("status", VIP)
    bench.server.sysctl(ipv4__conf__all__arp_announce=1)
    left = bench.ctl("down", VIP).stderr
    assert "all/arp_announce is 1 now" in left
    assert bench.values() == ["0", "1", "0", "0"]


def test_what_was_done_by_hand_is_judged_as_well(bench: Bench) -> None:
    bench.server.ip(f"addr add {VIP}/32 dev eth0")
    said = bench.ctl("status", VIP, code=1).stdout
    assert f"{VIP} on eth0: there, and answered for" in said
    assert "net/ipv4/conf/all/arp_ignore = 0, 1 is needed" in said


@pytest.mark.parametrize("words, sentence", [
    (["up", VIP, "--dev", "eth0"], "would answer ARP"),
    (["up", VIP, "--dev", "eth9"], "no interface eth9"),
    (["up", f"{VIP}/24"], "is no virtual address"),
    (["up", "224.0.0.18"], "is no virtual address"),
    (["up", SERVER], "is on eth0 already"),
    (["up", VIP, "--tunnel", "sit"], "carries no packets"),
    (["down"], "name the addresses"),
])
def test_what_cannot_be_is_refused_and_nothing_has_changed(bench: Bench, words: list[str],
                                                           sentence: str) -> None:
    before = bench.state()
    assert sentence in bench.ctl(*words, code=1).stderr
    assert bench.state() == before
    assert not bench.record.exists()


def test_a_record_of_another_host_or_of_strangers_is_not_followed(bench: Bench) -> None:
    bench.ctl("up", VIP)
    before = bench.state()
    text = bench.record.read_text(encoding="utf-8")
    for other, sentence in (
        (text.replace('"network_namespace":', '"network_namespace":1'), "another network namesp"),
        (text.replace("ipv4/conf/all/arp_ignore", "ipv4/conf/../../../kernel/x"), "no switch of"),
        (text[:40], "not what"),
    ):
        bench.record.write_text(other, encoding="utf-8")
        assert sentence in bench.ctl("down", "--all", code=1).stderr
        assert bench.state() == before
    bench.record.write_text(text, encoding="utf-8")
    bench.record.chmod(0o666)
    bench.ctl("down", "--all", code=1)
    assert bench.state() == before


def test_several_at_once_do_not_lose_each_other(bench: Bench) -> None:
    """As units for each address do at a start."""
    addresses = [f"10.0.1.{at}" for at in range(1, 9)]
    before = bench.state()
    started = [bench.server.spawn(str(BIN / "holdfastctl"), "--run-dir", str(bench.run_dir),
                                  "real-server", "up", address, log=address)
               for address in addresses]
    assert [process.wait(20) for process in started] == [0] * len(addresses)
    bench.ctl("status", *addresses)

    bench.ctl("down", "--all")
    assert bench.state() == before
