"""What real peers and networks do that a reading of the RFCs does not tell, beside Holdfast.

The moments of FRR (early by its centiseconds, its first IPv6 advert an interval late) are
test_interop.py's.
"""

from __future__ import annotations

import re
import socket
import struct
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.dialects import VIPS4, VIPS6, named
from tests.lab.director import Director
from tests.lab.matrix import OURS, THEIRS, Cell
from tests.lab.measure import Processors
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.peers import NEWER, THIS, Peer
from tests.lab.speakers import Frr, speaker
from tests.lab.wire import Capture

KEEPALIVED, FRR = THIS
NEW_FRR = next(peer for peer in NEWER if peer.package == "frr")
needs_six = pytest.mark.skipif(not Path("/proc/sys/net/ipv6").exists(),
                               reason="this kernel has no IPv6")


def cell(lab: Lab, name: str, peer: Peer = KEEPALIVED) -> Cell:
    if missing := peer.why_missing():
        pytest.skip(missing)
    return Cell(lab, 0, named(name), peer, Processors(lab.machine("cpu")), ours_higher=False)


def instance(director: Director) -> dict:
    [only] = director.status("vrrp")["instances"]
    return only


@needs_six
def test_a_wrong_checksum_over_ipv6_is_seen_and_counted(lab: Lab) -> None:
    """With the kernel's own check (IPV6_CHECKSUM) it would be gone without a trace."""
    pair = cell(lab, "v3 IPv6")
    pair.start_ours(100)
    pair.becomes(OURS)
    machine = pair.theirs.machine
    with machine.inside():
        sender = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 112)
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF,
                          socket.if_nametoindex("eth0"))
        sender.bind(("fe80::2", 0, 0, socket.if_nametoindex("eth0")))
    vips = b"".join(socket.inet_pton(socket.AF_INET6, vip) for vip in VIPS6)
    wrong = struct.pack("!BBBBHH", 0x31, 51, 200, len(VIPS6), 20, 0xBAD1) + vips
    with sender:
        sender.sendto(wrong, ("ff02::12", 0))

    def counted() -> bool:
        return instance(pair.ours)["counters"]["errors"]["bad_checksum"] == 1
    assert eventually(counted, 3) is not None, instance(pair.ours)
    assert pair.ours.state("VI_1") == "MASTER", "priority 200 does not count"
    assert re.search(r"sends the checksum bad1 where .* is right.*\(from fe80::2", pair.ours.log())


@needs_six
def test_keepalived_sends_ipv6_to_a_peer_with_hop_limit_64_which_is_accepted(lab: Lab) -> None:
    pair = cell(lab, "v3 IPv6 unicast")
    pair.theirs.play(150)
    pair.becomes(THEIRS)
    began = time.time()
    pair.start_ours(100)
    time.sleep(2)
    assert {one.ttl for one in pair.wires[THEIRS].since(began)} == {64}
    assert not pair.wires[OURS].since(began)
    pair.theirs.stop()
    pair.becomes(OURS)
    assert {one.ttl for one in pair.wires[OURS].since(began)} == {255}


@needs_six
def test_a_switch_that_snoops_passes_ipv6_adverts_on_to_us(lab: Lab) -> None:
    """Linux's floods 224.0.0.18, but gives ff02::12 only to ports that have asked for it."""
    pair = cell(lab, "v3 IPv6")
    pair.switch.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__br0__disable_ipv6=0)
    pair.switch.ip("addr add fe80::53/64 dev br0 nodad",
                   "link set br0 type bridge mcast_query_response_interval 50 "
                   "mcast_startup_query_interval 50 mcast_mld_version 2",
                   "link set br0 type bridge mcast_snooping 1 mcast_querier 1")
    pair.theirs.play(150)
    pair.becomes(THEIRS)
    began = time.time()
    pair.start_ours(100)

    def learned() -> bool:
        return f"{pair.ports[OURS]} grp ff02::12" in pair.switch.run("bridge", "mdb").stdout
    assert eventually(learned, 10) is not None, pair.switch.run("bridge", "-d", "mdb").stdout
    time.sleep(3)
    assert not pair.wires[OURS].since(began), "it is deaf"
    assert instance(pair.ours)["master"]["address"] == "fe80::2"


@needs_six
def test_an_ipv6_address_is_not_what_the_host_talks_from(lab: Lab) -> None:
    pair = cell(lab, "v3 IPv6")
    pair.start_ours(100)
    pair.becomes(OURS)
    for target, own in (("2001:db8::99", "2001:db8::1"), ("fe80::99", "fe80::1")):
        found = pair.ours.machine.run("ip", "-6", "route", "get", target, "oif", "eth0").stdout
        assert f" src {own} " in found, found


def test_frr_is_master_in_words_only_and_we_serve(lab: Lab) -> None:
    """Its macvlan is down: it calls itself master and sends nothing."""
    pair = cell(lab, "v3 IPv4", FRR)
    pair.theirs.play(200)
    pair.becomes(THEIRS)
    pair.theirs.machine.ip("link set virtual down")
    time.sleep(1)
    began = time.time()
    pair.start_ours(100)
    pair.becomes(OURS)
    assert "Backup -> Master" in pair.theirs.log()
    assert "Master -> Backup" not in pair.theirs.log()
    assert not pair.wires[THEIRS].since(began)


def third(pair: Cell, lab: Lab) -> tuple[Namespace, str]:
    """A machine more on the switch of a pair, and its port."""
    machine = lab.machine("c")
    return machine, lab.cable(machine, pair.switch, "10.9.0.3/24")


def test_keepalived_that_falls_silent_beside_a_stranger_is_replaced_and_heard_again(
    lab: Lab,
) -> None:
    """Each advert that it rejects makes a master of keepalived's wait for an interval again. What
    we reject touches none of our clocks, and we say who speaks wrongly."""
    pair = cell(lab, "v2")
    pair.theirs.play(150)
    pair.becomes(THEIRS)
    pair.start_ours(100)
    time.sleep(1.5)
    stranger, _ = third(pair, lab)
    other = replace(named("v3 IPv4"), interval=0.5, vips=("10.9.0.210",),
                    sources=("10.9.0.1", "10.9.0.3"))
    foreign = speaker(stranger, KEEPALIVED, other)
    foreign.play(100)

    took = eventually(lambda: pair.wires[OURS].adverts_sent, 20)
    assert took is not None, pair.ours.log()
    heard = [one.at for one in pair.wires[THEIRS].adverts_sent]
    silent_since = max(at for at in heard if at < pair.wires[OURS].adverts_sent[0].at)
    first = pair.wires[OURS].adverts_sent[0].at
    assert first - silent_since == pytest.approx(pair.dialect.down(100), abs=0.1)
    assert re.search(r"speaks VRRP version 3, we speak 2: .*\(from 10.9.0.3", pair.ours.log())
    foreign.stop()
    pair.becomes(THEIRS)


def test_partners_that_verify_different_checksums_are_both_kept_quiet(lab: Lab) -> None:
    """FRR and keepalived each accept one form of version 3's checksum only."""
    pair = cell(lab, "v3 IPv4")
    if missing := NEW_FRR.why_missing():
        pytest.skip(missing)
    other, port = third(pair, lab)
    strict = replace(pair.dialect, sources=("10.9.0.1", "10.9.0.3"))
    frr = Frr(other, NEW_FRR, strict,
              words=("no vrrp 51 checksum-with-ipv4-pseudoheader",))
    wire = Capture(pair.switch, port)
    pair.theirs.play(90)
    pair.becomes(THEIRS)
    pair.start_ours(100)
    pair.becomes(OURS)
    frr.play(80)  # it refuses what keepalived accepts

    def knows_both() -> bool:
        return len(instance(pair.ours)["partner_checksums"]) == 2
    assert eventually(knows_both, 10) is not None, frr.log()[-2000:]
    time.sleep(1)
    began = time.time()
    time.sleep(4)
    assert not pair.wires[THEIRS].since(began), "keepalived does not accept ours"
    assert not wire.adverts(began, "10.9.0.3"), "FRR does not accept ours"
    assert not any(pair.theirs.holds(vip) for vip in VIPS4)
    forms = {one.checksum_form for one in pair.wires[OURS].since(began)}
    assert forms == {"pseudo", "plain"}
    assert all(pair.ours.holds(vip) for vip in VIPS4)
