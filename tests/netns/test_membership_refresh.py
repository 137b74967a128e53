"""A switch that snoops and has no querier (any more) forgets who is a member of the group.

The switch is Linux's bridge. It floods where it never heard a querier, and always to 224.0.0.0/24;
so it hears one query, from a machine that then falls silent, and the group of IPv4 is another.
"""

from __future__ import annotations

import json
import socket
import struct
import time

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.wire import Capture

VIPS = ("10.9.0.200", "fe80::9:200")


def config(priority: int, refresh: str) -> str:
    def instance(name: str, vrid: int, vip: str) -> str:
        return (f"vrrp_instance {name} {{\n state BACKUP\n interface eth0\n version 3\n"
                f" virtual_router_id {vrid}\n priority {priority}\n advert_int 0.2\n"
                f" virtual_ipaddress {{\n {vip}\n }}\n}}\n")

    return (f"global_defs {{\n vrrp_mcast_group4 239.192.0.18\n {refresh}\n}}\n"
            + instance("VI_4", 51, VIPS[0]) + instance("VI_6", 56, VIPS[1]))


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def query(machine: Namespace) -> None:
    """One general query of IGMPv3 and of MLDv2, to be answered within 0.1 s."""
    source, every = socket.inet_aton("10.9.0.3"), socket.inet_aton("224.0.0.1")
    igmp = struct.pack("!BBH4xBBH", 0x11, 1, 0, 2, 125, 0)
    igmp = igmp[:2] + struct.pack("!H", checksum(igmp)) + igmp[4:]
    header = struct.pack("!BBHHHBBH4s4sI", 0x46, 0xC0, 24 + len(igmp), 0, 0, 1, 2, 0, source, every,
                         0x94040000)
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    source6 = socket.inet_pton(socket.AF_INET6, "fe80::3")
    every6 = socket.inet_pton(socket.AF_INET6, "ff02::1")
    mld = struct.pack("!BBHHH16xBBH", 130, 0, 0, 100, 0, 2, 125, 0)
    pseudo = source6 + every6 + struct.pack("!II", len(mld), 58)
    mld = mld[:2] + struct.pack("!H", checksum(pseudo + mld)) + mld[4:]
    header6 = struct.pack("!IHBB", 6 << 28, 8 + len(mld), 0, 1) + source6 + every6
    options = bytes((58, 0, 5, 2, 0, 0, 1, 0))
    mac = bytes((2, 0, 0, 0, 0, 3))
    with machine.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(("eth0", 0))
        wire.send(bytes.fromhex("01005e000001") + mac + b"\x08\x00" + header + igmp)
        wire.send(bytes.fromhex("333300000001") + mac + b"\x86\xdd" + header6 + options + mld)


@pytest.fixture
def segment(lab: Lab) -> tuple[Namespace, list[Namespace]]:
    switch = lab.switch("sw")
    machines = lab.machines("a", "b", "c")
    for one in (switch, *machines):
        one.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__default__disable_ipv6=0,
                   ipv6__conf__default__accept_dad=0)
    lab.cables(switch, *((one, "eth0", f"10.9.0.{at}/24") for at, one in enumerate(machines, 1)))
    # Hundredths of a second: members are forgotten after two, the querier after 255.
    switch.ip("link set br0 type bridge mcast_snooping 1 mcast_querier 0 "
              "mcast_membership_interval 200 mcast_querier_interval 25500 "
              "mcast_query_response_interval 10")
    return switch, machines


def states(director: Director) -> set[str]:
    return {each["state"] for each in director.status("vrrp").get("instances", [])}


def begin(machines: list[Namespace], refresh: str) -> tuple[Director, Director]:
    """The first one is master of both families, the second one backup; a querier has asked."""
    strong, weak = (Director(one, config(priority, refresh))
                    for one, priority in zip(machines, (150, 100)))
    for one, wanted in ((strong, "MASTER"), (weak, "BACKUP")):
        one.start("-P")
        assert eventually(lambda: states(one) == {wanted}, 8) is not None, one.log()
    query(machines[2])
    return strong, weak


def takes_over(director: Director) -> bool:
    """Perhaps not for long: an address of IPv6 that is added makes the kernel report groups."""
    return all(f"{name}: BACKUP → MASTER" in director.log() for name in ("VI_4", "VI_6"))


def test_without_it_the_switch_forgets_and_both_are_master(segment) -> None:
    _, machines = segment
    strong, weak = begin(machines, "")
    assert eventually(lambda: takes_over(weak), 8) is not None, weak.log()
    assert states(strong) == {"MASTER"}


def test_with_it_nobody_is_forgotten(segment) -> None:
    switch, machines = segment
    strong, weak = begin(machines, "vrrp_membership_refresh 0.5")
    since = time.time()
    capture = Capture(switch, "b-eth0")
    time.sleep(5)
    assert (states(strong), states(weak)) == ({"MASTER"}, {"BACKUP"}), weak.log()
    assert "MASTER" not in weak.log()
    link = json.loads(machines[1].run("ip", "-j", "link", "show", "eth0").stdout)[0]
    own = bytes.fromhex(link["address"].replace(":", ""))
    for group in (socket.inet_aton("239.192.0.18"), socket.inet_pton(socket.AF_INET6, "ff02::12")):
        seen = [one for one in capture.frames(since)
                if one.data[6:12] == own and one.data.endswith(group)]
        # Every half a second, and what the kernel reports by itself.
        assert 8 <= len(seen) <= (time.time() - since) / 0.5 + 5, (group, seen)
    # A reload can end it.
    weak.write_config(config(100, ""))
    weak.ctl("reload", check=True)
    assert eventually(lambda: takes_over(weak), 8) is not None, weak.log()
