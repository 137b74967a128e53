"""Peers that speak another dialect, all at once: each is named with its cure by the running
director and by `holdfastctl doctor vrrp`, which needs no director.

One director with an interface for each peer; what a peer does otherwise stands in PEERS.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.lab import peers
from tests.lab.dialects import VRID, Dialect
from tests.lab.director import BIN, Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.speakers import Frr
from tests.lab.wire import _checksum
from tests.netns.test_vrrp_director import packet

LISTEN = 5  # seconds
FRR = peers.Peer("frr")
CTL = str(BIN / "holdfastctl")


@dataclass(frozen=True)
class Peer:
    """What it does, what the director calls that, and the cure for it."""

    name: str
    reason: str
    sentence: str
    keepalived: str
    frr: str = ""
    version: int = 2
    words: str = ""      # of its instance
    ours: str = ""       # of the director's
    other: str = ""      # address instead of ours
    program: str = "keepalived"


PASS = " authentication {{\n auth_type PASS\n auth_pass {}\n }}\n"
PEERS = [
    Peer("version", "bad_version", "speaks VRRP version 3, we speak 2", "version 2",
         f"vrrp {VRID} version 2", version=3),
    Peer("locked", "authentication_type", "uses authentication type 1",
         "remove its authentication block", words=PASS.format("secret12")),
    Peer("secret", "authentication_data", "uses another password", "the same auth_pass on both",
         words=PASS.format("secret12"), ours=PASS.format("secret13")),
    Peer("interval", "interval_mismatch", "advertises every 2 s, we every 1 s", "advert_int 1",
         f"vrrp {VRID} advertisement-interval 1000", words=" advert_int 2\n"),
    Peer("list", "address_list", "advertises other addresses than ours",
         "virtual_ipaddress { 10.5.0.200 }", f"vrrp {VRID} ip 10.5.0.200", other="10.5.0.201"),
    Peer("frr", "bad_version", "speaks VRRP version 3, we speak 2", "version 2",
         f"vrrp {VRID} version 2", program="frr"),
    Peer("carp", "carp", f"speaks CARP with vhid {VRID}",
         "virtual_router_id 255 (or ucarp --vhid=255)",
         f"no vrrp {VRID}; vrrp 255 version 2", program="frames"),
]
PLAYED = [peer for peer in PEERS if peer.program != "frr" or FRR.why_missing() is None]


def instance(peer: Peer, interface: str, priority: int, address: str) -> str:
    is_ours = interface != "eth0"
    return (f"vrrp_instance {peer.name} {{\n state BACKUP\n interface {interface}\n"
            f" virtual_router_id {VRID}\n priority {priority}\n"
            f" version {2 if is_ours else peer.version}\n advert_int 1\n"
            f"{peer.ours if is_ours else peer.words}"
            f" virtual_ipaddress {{\n {address}\n }}\n}}\n")


class Frames:
    """CARP and HSRP of a machine, twice a second, made by hand."""

    def __init__(self, machine: Namespace, source: str):
        carp = bytes([0x21, VRID, 0, 7, 0, 1, 0, 0]) + bytes(28)
        hello = (b"\x07\xc1\x07\xc1\x00\x1c\0\0" + bytes([0, 0, 16, 3, 10, 110, 7, 0])
                 + b"cisco\0\0\0" + socket.inet_aton("10.6.0.77"))
        hsrp = packet(hello, ttl=1, destination="224.0.0.2", source=source)
        hsrp["IP"].proto = 17
        self.frames = [bytes(packet(carp, source=source)), bytes(hsrp)]
        with machine.inside():
            self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.wire.bind(("eth0", 0))
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.speak)
        self.thread.start()

    def speak(self) -> None:
        while not self.over.wait(0.5):
            for frame in self.frames:
                self.wire.send(frame)

    def stop(self) -> None:
        self.over.set()
        self.thread.join()
        self.wire.close()


@dataclass
class Scene:
    director: Director
    machines: dict[str, Namespace]

    def doctor(self, *words: str) -> dict:
        answer = self.director.ctl("doctor", "vrrp", "--json", f"--seconds={LISTEN}", *words)
        assert answer.stdout, answer.stderr
        return json.loads(answer.stdout)

    def instance(self, name: str) -> dict:
        found = [one for one in self.director.status("vrrp")["instances"] if one["name"] == name]
        return found[0]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Lab(tmp_path_factory.mktemp("doctor")) as lab:
        host = lab.machine("director")
        machines, text = {}, ""
        for number, peer in enumerate(PLAYED, 1):
            switch, machine = lab.switch(f"sw{number}"), lab.machine(peer.name)
            lab.cables(switch, (host, f"eth{number}", f"10.{number}.0.1/24"),
                       (machine, "eth0", f"10.{number}.0.2/24"))
            machines[peer.name] = machine
            text += instance(peer, f"eth{number}", 100, f"10.{number}.0.200")
        director = Director(host, text)
        director.start()
        frames = None
        for number, peer in enumerate(PLAYED, 1):
            address = peer.other or f"10.{number}.0.200"
            if peer.program == "frr":
                dialect = Dialect("FRR's own", 3, 1, vips=(address,))
                Frr(machines[peer.name], FRR, dialect).play(200)
            elif peer.program == "frames":
                frames = Frames(machines[peer.name], f"10.{number}.0.2")
            else:
                Director(machines[peer.name], instance(peer, "eth0", 200, address),
                         "keepalived").start("-P")
        try:
            scene = Scene(director, machines)
            reasons = [lambda one=peer: scene.instance(one.name)["peer_problems"]
                       for peer in PLAYED]
            assert eventually(lambda: all(one() for one in reasons), 15) is not None, director.log()
            yield scene
        finally:
            if frames:
                frames.stop()


@pytest.mark.parametrize("peer", PLAYED, ids=lambda peer: peer.name)
def test_the_director_names_each_peer_and_its_fault(scene: Scene, peer: Peer) -> None:
    number = PLAYED.index(peer) + 1
    source = f"10.{number}.0.2"
    entry = scene.instance(peer.name)
    (problem,) = [one for one in entry["peer_problems"] if one["reason"] == peer.reason]
    assert problem["peer"] == source and problem["lasts"] and problem["adverts"] >= 1
    assert peer.sentence in problem["what"]
    assert problem["adverts"] <= entry["counters"]["errors"][peer.reason]
    assert any(one.startswith(f"{source} ") and peer.sentence in one for one in entry["troubles"])

    explained = scene.director.ctl("explain", peer.name).stdout
    assert re.search(rf"rejects   {source} {re.escape(peer.sentence)}.*\(\d+ adverts\)", explained)
    lines = [one for one in scene.director.log().splitlines()
             if "vrrp-peer-problem" in one and f"{peer.name}: " in one and peer.sentence in one]
    assert len(lines) == 1, "told once, for the first minute"


def alone(machine: Namespace, *words: str) -> subprocess.CompletedProcess[str]:
    """The doctor where no director runs."""
    return machine.run(CTL, "--run-dir", "/nobody", "doctor", "vrrp", *words, check=False)


def findings_of(told: dict, interface: str) -> dict[str, dict]:
    return {one["reason"]: one for one in told["findings"] if one["interface"] == interface}


def test_the_doctor_says_who_speaks_what_and_what_to_write(scene: Scene) -> None:
    told = scene.doctor()
    assert told["compared_with"] == "the running director"
    for number, peer in enumerate(PLAYED, 1):
        found = findings_of(told, f"eth{number}")
        assert peer.reason in found, (peer, told)
        finding = found[peer.reason]
        assert finding["problem"] and finding["speaker"] == f"10.{number}.0.2"
        assert peer.sentence in finding["what"]
        assert finding["subject"] == f"{peer.name} (VRID {VRID}, IPv4)"
        assert finding["keepalived"] == peer.keepalived
        assert not peer.frr or finding["frr"] == peer.frr
        if peer.program == "frr":
            assert f"10.{number}.0.1 10.{number}.0.2" in found["two_masters"]["what"]
    speakers = {(one["interface"], one["this_host"], one["protocol"]): one
                for one in told["speakers"]}
    ours = speakers["eth1", True, "VRRP"]
    assert (ours["version"], ours["id"], ours["priority"], ours["ttl"]) == (2, VRID, 100, 255)
    assert ours["addresses"] == ["10.1.0.200"] and ours["authentication"] == "none"
    assert 900 < ours["measured_ms"] < 1100
    theirs = speakers["eth5", False, "VRRP"]
    assert (theirs["version"], theirs["priority"], theirs["checksum"]) == (2, 200, "right")
    assert theirs["looks_like"].startswith("keepalived or Holdfast")
    carp = f"eth{len(PLAYED)}"
    assert speakers[carp, False, "CARP"]["id"] == VRID
    hsrp = findings_of(told, carp)["hsrp"]
    assert not hsrp["problem"] and "speaks HSRP" in hsrp["what"]
    if FRR.why_missing() is None:
        frr = speakers["eth6", False, "VRRP"]
        assert frr["looks_like"].startswith("FRR"), frr
        assert frr["checksum"] == "with_pseudo_header"


def test_the_doctor_speaks_to_people(scene: Scene) -> None:
    answer = scene.director.ctl("doctor", "vrrp", "--seconds", "2", "--interface", "eth4")
    assert answer.returncode == 1
    assert "compared with the running director" in answer.stdout
    assert "eth4, interval (VRID 51, IPv4): 10.4.0.2 advertises every 2 s" in answer.stdout
    assert "keepalived or Holdfast on 10.4.0.2:  advert_int 1\n" in answer.stdout
    assert f"FRR on 10.4.0.2:  vrrp {VRID} advertisement-interval 1000\n" in answer.stdout
    assert "eth5" not in answer.stdout


def test_the_doctor_says_what_it_lacks(scene: Scene) -> None:
    machine = scene.machines["carp"]
    answer = machine.run("setpriv", "--bounding-set=-net_raw", "--inh-caps=-all", CTL, "doctor",
                         "vrrp", "--seconds=1", check=False)
    assert answer.returncode == 1
    assert "cannot listen on the wire (it needs root or CAP_NET_RAW)" in answer.stderr
    answer = alone(machine, "--interface", "eth9")
    assert answer.returncode == 1 and "there is no interface eth9" in answer.stderr


def test_the_doctor_survives_a_flood(scene: Scene) -> None:
    """Of thousands of forged senders 256 are listed, the rest counted, and it ends in time."""
    machine = scene.machines["carp"]
    frame = bytearray(packet(bytes([0x21, 9, 100, 1, 0, 1, 0, 0]) + bytes(12)).build())
    with machine.inside():
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("eth0", 0))
    number = len(PLAYED)
    result: list[dict] = []
    began = time.monotonic()
    thread = threading.Thread(
        target=lambda: result.append(scene.doctor("--interface", f"eth{number}")))
    thread.start()
    sent = 0
    while thread.is_alive():
        for _ in range(100):
            sent += 1
            frame[24:30] = b"\0\0" + (0x0A000000 + sent).to_bytes(4, "big")
            frame[24:26] = _checksum(bytes(frame[14:34])).to_bytes(2, "big")  # a bridge looks at it
            wire.send(bytes(frame))
        time.sleep(0.005)
    wire.close()
    assert time.monotonic() - began < LISTEN + 3
    assert len(result[0]["speakers"]) == 256
    assert 5_000 < result[0]["packets_unlisted"] + result[0]["packets_lost"] < sent


def test_the_doctor_needs_no_director(scene: Scene) -> None:
    """The last one: ours stops. What keepalived says then is compared with a file, where each is
    heard, those too that ours kept silent; and two of them with each other."""
    scene.director.stop()
    told = json.loads(alone(scene.director.machine, "--json", f"--seconds={LISTEN}",
                            str(scene.director.config)).stdout)
    assert told["compared_with"] == str(scene.director.config)
    speakers = {one["interface"]: one for one in told["speakers"] if one["protocol"] == "VRRP"}
    assert not any(one["this_host"] for one in speakers.values())
    for number, peer in enumerate(PLAYED, 1):
        found = findings_of(told, f"eth{number}")
        assert peer.reason in found, (peer, told)
        assert "now it is silent" not in found[peer.reason]["what"]
        assert found[peer.reason]["keepalived"] == peer.keepalived
    assert speakers["eth3"]["authentication"] == "PASS"
    assert speakers["eth4"]["interval_ms"] == 2000

    answer = alone(scene.machines["version"], "--json", "--seconds=3")
    told = json.loads(answer.stdout)
    assert answer.returncode == 0 and told["compared_with"] == "" and not told["findings"]
    assert told["speakers"][0]["this_host"]
