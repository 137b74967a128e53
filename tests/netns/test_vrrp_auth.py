"""Adverts that prove where they come from: AH beside real keepalived, auth_hmac between our own."""

from __future__ import annotations

import hmac
import json
import os
import signal
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.wire import Advert, Capture, signature_good

SOURCES = ("10.9.0.1", "10.9.0.2")
SOURCES6 = ("fe80::1", "fe80::2")
VIP, VIP6 = "10.9.0.200", "fe80::9:200"
KEYS = {1: bytes(range(32)), 2: b"a-key-as-text-of-thirty-two-byte"}
SECRET = "secret12"
AH = f"authentication {{\n auth_type AH\n auth_pass {SECRET}\n }}"
KEY_LINES = f" key 1 hex:{KEYS[1].hex()}\n key 2 {KEYS[2].decode()}\n"


def signing(words: str = "", keys: str = KEY_LINES) -> str:
    return f"auth_hmac {{\n{keys}{words}\n }}"


def config(priority: int, extra: str, version: int = 2, interval: float = 1, vip: str = VIP,
           unicast: tuple[str, str] | None = None) -> str:
    peers = "" if unicast is None else (
        f" unicast_src_ip {unicast[0]}\n unicast_peer {{\n{unicast[1]}\n }}\n")
    return (
        "global_defs {\n router_id test\n}\n"
        "vrrp_instance VI_1 {\n state BACKUP\n interface eth0\n virtual_router_id 51\n"
        f" priority {priority}\n version {version}\n advert_int {interval:g}\n{peers} {extra}\n"
        f" virtual_ipaddress {{\n{vip}\n }}\n}}\n"
    )


@dataclass
class Pair:
    one: Director
    other: Director
    switch: Namespace
    capture: Capture
    vip: str = VIP

    def masters(self) -> set[str]:
        return {name for name, side in (("one", self.one), ("other", self.other))
                if side.holds(self.vip)}

    def becomes(self, name: str, timeout: float = 9) -> None:
        assert eventually(lambda: self.masters() == {name}, timeout) is not None, (
            f"{name} is not the only master: {self.masters()}\n{self.one.log()}\n"
            f"{self.other.log()}"
        )

    def adverts(self, side: int, since: float = 0) -> list[Advert]:
        return [one for one in self.capture.adverts(since=since)
                if one.source in (SOURCES[side], SOURCES6[side])]


def instance(director: Director) -> dict:
    [only] = director.status("vrrp")["instances"]
    return only


def errors(director: Director) -> dict:
    return {name: count for name, count in instance(director)["counters"]["errors"].items()
            if count}


def start(director: Director, text: str) -> None:
    director.write_config(text)
    if director.program == "keepalived":
        for left in director.directory.glob("*.pid"):
            left.unlink()
        director.start("-P")
        return
    director.start("-P", "-D")
    assert eventually(lambda: director.state("VI_1") not in ("", "INIT"), 10) is not None


def reload(director: Director, text: str) -> None:
    director.write_config(text)
    assert director.ctl("reload").returncode == 0, director.log()


def make_pair(lab: Lab, other: str) -> Pair:
    switch = lab.switch("sw")
    a, b = lab.machines("a", "b")
    ports = lab.cables(switch, *((one, "eth0", f"{source}/24")
                                 for one, source in zip((a, b), SOURCES)))
    for one, local in zip((a, b), SOURCES6):
        one.ip("link set eth0 addrgenmode none")
        one.sysctl(ipv6__conf__eth0__disable_ipv6=0)
        one.ip(f"addr add {local}/64 dev eth0 nodad")
    return Pair(Director(a, ""), Director(b, "", other), switch, Capture(switch, ports[0]))


@pytest.fixture
def beside(lab: Lab) -> Pair:
    return make_pair(lab, "keepalived")


@pytest.fixture
def pair(lab: Lab) -> Pair:
    return make_pair(lab, "holdfast")


# ---- AH ----


def test_an_owner_of_keepalived_that_starts_again_is_master_in_the_end(beside: Pair) -> None:
    """It begins with number 1, which nobody takes; ours becomes a second master for a moment, and
    its number is what the owner goes on from."""
    owner = config(255, AH).replace(" state BACKUP\n", "")  # it speaks at once
    start(beside.other, owner)
    beside.becomes("other")
    start(beside.one, config(100, AH))
    time.sleep(4)
    assert instance(beside.one)["authentication"]["sequence"] >= 3
    beside.other.kill_everything()
    beside.other.forget_everything({f"{SOURCES[1]}/24"})

    again = time.time()
    start(beside.other, owner)
    assert eventually(lambda: beside.adverts(0, again), 8) is not None
    time.sleep(2)

    beside.becomes("other")
    taken = beside.adverts(0, again)
    assert errors(beside.one)["ah_replay"] >= 2
    assert "in its authentication header, but" in beside.one.log()
    assert len(taken) <= 2, "it yields at once"
    later = [one.ah_sequence for one in beside.adverts(1, taken[-1].at)]
    assert min(later) > taken[-1].ah_sequence


def test_our_owner_that_starts_again_listens_first(beside: Pair) -> None:
    start(beside.one, config(255, AH))
    beside.becomes("one")
    start(beside.other, config(100, AH))
    time.sleep(2)
    beside.one.kill_everything()
    beside.one.forget_everything({f"{SOURCES[0]}/24"})
    for left in Path(beside.one.directory).rglob("vrrp*page*"):
        left.unlink()
    beside.becomes("other")

    again = time.time()
    start(beside.one, config(255, AH))
    beside.becomes("one")

    first = beside.adverts(0, again)[0]
    heard = [one.ah_sequence for one in beside.adverts(1, again) if one.at < first.at]
    assert len(heard) >= 2 and first.ah_sequence == max(heard) + 1
    assert [one for one in beside.adverts(1, first.at + 0.1) if one.priority] == []
    assert "already processed" not in beside.other.log()


def test_a_vrrp_process_that_is_killed_counts_on(beside: Pair) -> None:
    start(beside.one, config(150, AH))
    beside.becomes("one")
    start(beside.other, config(100, AH))
    time.sleep(2)

    killed = time.time()
    os.kill(beside.one.role_pid("vrrp"), signal.SIGKILL)
    time.sleep(5)

    assert beside.masters() == {"one"} and beside.adverts(1, killed) == []
    numbers = [one.ah_sequence for one in beside.adverts(0)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert "already processed" not in beside.other.log()


def test_another_password_and_no_header_at_all_are_named(beside: Pair) -> None:
    start(beside.other, config(100, AH.replace(SECRET, "zq7other")))
    start(beside.one, config(150, AH))
    assert eventually(lambda: beside.masters() == {"one", "other"}, 9) is not None
    # Once is enough: keepalived begins its interval anew with each advert that it refuses.
    assert eventually(lambda: errors(beside.one).get("ah_invalid"), 4) is not None
    assert "another 'auth_pass'" in beside.one.log()

    beside.other.stop()
    start(beside.other, config(100, ""))
    assert eventually(lambda: errors(beside.one).get("authentication_type"), 8) is not None
    assert "without the authentication header (auth_type AH)" in beside.one.log()

    beside.one.stop()
    beside.other.stop()
    start(beside.other, config(100, AH))
    start(beside.one, config(150, ""))
    assert eventually(lambda: errors(beside.one).get("authentication_type"), 9) is not None
    assert "we do not: write the same 'authentication' on both" in beside.one.log()
    told = json.dumps(beside.one.status("vrrp")) + beside.one.log()
    assert SECRET not in told and "zq7other" not in told


# ---- auth_hmac ----

WAYS = {
    "v2": {},
    "v3": {"version": 3, "interval": 0.3},
    "v3 IPv6": {"version": 3, "interval": 0.3, "vip": VIP6},
    "v3 unicast": {"version": 3, "interval": 0.3, "unicast": SOURCES},
    "v3 IPv6 unicast": {"version": 3, "interval": 0.3, "vip": VIP6, "unicast": SOURCES6},
}


def turned(way: dict) -> dict:
    return {**way, "unicast": way["unicast"][::-1]} if "unicast" in way else way


@pytest.mark.parametrize("name", WAYS)
def test_signed_pairs_elect_stop_and_crash(pair: Pair, name: str) -> None:
    way = WAYS[name]
    pair.vip = way.get("vip", VIP)
    start(pair.other, config(100, signing(), **turned(way)))
    pair.becomes("other")
    start(pair.one, config(150, signing(), **way))
    pair.becomes("one")
    sent = pair.adverts(0)
    assert sent and all(signature_good(one, KEYS[1]) and one.trailer[1] == 1 for one in sent)
    assert all(one.checksum_good for one in sent)
    stamps = [one.trailer[4:12] for one in sent]
    assert stamps == sorted(set(stamps))
    assert abs(struct.unpack("!I", stamps[-1][:4])[0] - sent[-1].at) < 2
    told = instance(pair.other)["authentication"]
    assert [one["partner"] for one in told["partners"]] == [sent[0].source]
    assert errors(pair.one) == {} and set(errors(pair.other)) <= {"second_master"}

    assert pair.one.stop() == 0
    pair.becomes("other")
    start(pair.one, config(150, signing(), **way))
    pair.becomes("one")
    pair.one.kill_everything()
    assert eventually(lambda: pair.other.holds(pair.vip), 9) is not None
    told = json.dumps(pair.other.status("vrrp")) + pair.other.log()
    assert KEYS[1].hex() not in told and KEYS[2].decode() not in told


def test_a_pair_comes_to_signed_adverts_and_to_another_key_without_a_gap(pair: Pair) -> None:
    way = {"version": 3, "interval": 0.3}
    start(pair.other, config(100, "", **way))
    start(pair.one, config(150, "", **way))
    pair.becomes("one")
    steps = [signing("mode receive-only"), signing("mode permissive"), signing(),
             signing("active_key 2"), signing("active_key 2", KEY_LINES.splitlines()[1] + "\n")]

    since = time.time()
    for step in steps:
        for director, priority in ((pair.one, 150), (pair.other, 100)):
            reload(director, config(priority, step, **way))
            time.sleep(0.7)
            assert pair.masters() == {"one"}, step

    assert pair.adverts(1, since) == [], "the backup never missed its master"
    assert set(errors(pair.other)) == set()
    by_key = [one.trailer[1:2] for one in pair.adverts(0, since)]
    assert by_key == sorted(by_key) and {b"", bytes([1]), bytes([2])} == set(by_key)
    assert signature_good(pair.adverts(0, since)[-1], KEYS[2])


def forged(priority: int, key: bytes | None, ahead: int = 0, key_id: int = 1,
           scheme: int = 1) -> bytes:
    """A VRRPv2 advert of SOURCES[1], without IP header."""
    def checksum(data: bytes) -> int:
        total = sum(struct.unpack(f"!{len(data) // 2}H", data))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        return ~total & 0xFFFF

    bare = struct.pack("!BBBBBBH4s8x", 0x21, 51, priority, 1, 0, 1, 0, socket.inet_aton(VIP))
    pdu = bare[:6] + struct.pack("!H", checksum(bare)) + bare[8:]
    if key is None:
        return pdu
    prefix = struct.pack("!BBHQ", scheme, key_id, 0, int((time.time() + ahead) * 2**32))
    scope = bytes([4, 2, 51, 0]) + socket.inet_aton(SOURCES[1]) + bytes(12)
    signed = scope + bare + prefix + bytes(16)
    return pdu + prefix + hmac.digest(key, signed, "sha256")[:16]


def send(machine: Namespace, *payloads: bytes) -> None:
    with machine.inside():
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
    raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
    for payload in payloads:
        raw.sendto(payload, ("224.0.0.18", 0))
    raw.close()


def test_who_is_refused_hears_why(pair: Pair) -> None:
    start(pair.one, config(100, signing()))
    pair.becomes("one")
    recorded = forged(50, KEYS[1])
    bad = {
        "auth_ext_missing": (forged(200, None), "does not sign its adverts"),
        "auth_ext_malformed": (forged(200, KEYS[1], scheme=2), "signs by scheme 2"),
        "auth_ext_unknown_key": (forged(200, KEYS[1], key_id=9), "signs with key 9"),
        "auth_ext_invalid_hmac": (forged(200, b"x" * 32), "another key than our key 1"),
        "auth_ext_stale": (forged(200, KEYS[1], ahead=-60), "60 s behind ours"),
        "auth_ext_replay": (recorded, "repeats an advert"),
    }

    send(pair.other.machine, recorded)
    for name, (payload, sentence) in bad.items():
        send(pair.other.machine, payload)
        assert eventually(lambda name=name: errors(pair.one).get(name) == 1, 3) is not None, (
            name, errors(pair.one))
        # Counters are told before the log is written.
        assert eventually(lambda sentence=sentence: sentence in pair.one.log(), 3) is not None, name
    assert pair.masters() == {"one"}

    send(pair.other.machine, forged(200, KEYS[1]))
    assert eventually(lambda: pair.one.state("VI_1") == "BACKUP", 3) is not None


def test_what_was_heard_outlives_the_process(pair: Pair) -> None:
    """A recorded advert must not count for the successor of a killed backup."""
    start(pair.one, config(100, signing("anti_replay monotonic")))
    pair.becomes("one")
    recorded = forged(200, KEYS[1])
    send(pair.other.machine, recorded)
    assert eventually(lambda: pair.one.state("VI_1") == "BACKUP", 3) is not None

    old = pair.one.role_pid("vrrp")
    os.kill(old, signal.SIGKILL)
    assert eventually(lambda: pair.one.status("vrrp").get("pid", old) != old, 5) is not None
    assert eventually(lambda: pair.one.state("VI_1") == "BACKUP", 5) is not None

    send(pair.other.machine, recorded)
    assert eventually(lambda: errors(pair.one).get("auth_ext_replay") == 1, 3) is not None


def test_keys_in_a_file_are_read_and_one_that_is_not_there_is_named(pair: Pair) -> None:
    file = pair.one.directory / "vrrp.key"
    file.write_text(f"hex:{KEYS[1].hex()}\n")
    file.chmod(0o600)
    start(pair.one, config(150, signing(keys=f" key 1 file:{file}\n")))
    pair.becomes("one")
    assert signature_good(pair.adverts(0)[-1], KEYS[1])

    missing = config(150, signing(keys=f" key 1 file:{file}.not\n"))
    checked = pair.one.directory / "missing.conf"
    checked.write_text(missing)
    told = pair.one.ctl("check", str(checked))
    assert "key 1: cannot read" in told.stdout + told.stderr
    assert "is not started" in told.stdout + told.stderr
