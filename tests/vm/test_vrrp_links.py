"""VRRP on interfaces that belong to another one: a VRF, whose members hear, and a bond, whose parts
do not. In the machine, because the kernels of sandboxes have neither."""

from __future__ import annotations

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, LabError, Namespace, eventually

VIP = "10.9.0.200"


def config(priority: int, interface: str = "eth0") -> str:
    return (
        f"vrrp_instance VI_1 {{\n state BACKUP\n interface {interface}\n virtual_router_id 51\n"
        f" version 3\n priority {priority}\n advert_int 0.5\n"
        f" virtual_ipaddress {{\n {VIP}\n }}\n}}\n"
    )


@pytest.fixture
def pair(lab: Lab, program: str) -> tuple[Namespace, Director, Director]:
    if program != "holdfast":
        pytest.skip("about our own sockets and words")
    switch = lab.switch("sw")
    a, b = lab.machines("a", "b")
    lab.cables(switch, (a, "eth0", "10.9.0.1/24"), (b, "eth0", "10.9.0.2/24"))
    partner = Director(b, config(150))
    partner.start("-P")
    partner.wait_for(VIP, 30)
    return a, Director(a, config(100)), partner


def entry(director: Director) -> dict:
    return next(iter(director.status("vrrp").get("instances", [])), {})


def test_the_member_of_a_vrf_hears_and_serves(pair) -> None:
    a, ours, partner = pair
    a.ip("link add blue type vrf table 10", "link set blue up", "link set eth0 master blue")
    ours.start("-P")
    heard = eventually(lambda: (entry(ours).get("master") or {}).get("priority") == 150, 15)
    assert heard is not None, ours.log()
    assert (entry(ours)["state"], entry(ours)["troubles"]) == ("BACKUP", [])
    partner.stop()
    ours.wait_for(VIP, 15)


@pytest.mark.parametrize("ours_at, theirs_at, vip", [
    ("10.9.0.1", "10.9.0.2", "10.9.0.200"), ("fd00:9::1", "fd00:9::2", "fd00:9::200")])
def test_unicast_without_an_interface_inside_a_vrf(pair, ours_at: str, theirs_at: str,
                                                   vip: str) -> None:
    """The main table has no way to the peer, and the VRF's members hear what it sends."""
    a, ours, partner = pair
    b = partner.machine
    a.ip("link add blue type vrf table 10", "link set blue up", "link set eth0 master blue")
    if ":" in vip:
        for machine, address in ((a, ours_at), (b, theirs_at)):
            machine.sysctl(ipv6__conf__eth0__disable_ipv6=0, ipv6__conf__all__disable_ipv6=0)
            machine.ip(f"addr add {address}/64 dev eth0 nodad")

    def routed(priority: int, source: str, peer: str, vrf: str) -> str:
        return (f"vrrp_instance VI_1 {{\n state BACKUP\n virtual_router_id 51\n version 3\n"
                f" priority {priority}\n advert_int 0.5\n {vrf}\n unicast_src_ip {source}\n"
                f" unicast_peer {{\n {peer}\n }}\n"
                f" virtual_ipaddress {{\n {vip} dev eth0\n }}\n}}\n")

    partner.write_config(routed(150, theirs_at, ours_at, ""))
    partner.ctl("reload", check=True)
    partner.wait_for(vip, 30)
    ours.write_config(routed(100, ours_at, theirs_at, "vrf blue"))
    ours.start("-P")
    heard = eventually(lambda: (entry(ours).get("master") or {}).get("priority") == 150, 15)
    assert heard is not None, ours.log()
    assert (entry(ours)["state"], entry(ours)["interface"]) == ("BACKUP", "blue")
    partner.stop()
    ours.wait_for(vip, 15)
    partner.start("-P")
    back = eventually(lambda: entry(ours).get("state") == "BACKUP", 20)
    assert back is not None, "our adverts reach the peer, and its own take over again"


def test_a_part_of_a_bond_hears_nothing_and_it_is_said(pair) -> None:
    a, ours, partner = pair
    try:
        a.ip("link add bond0 type bond mode active-backup", "link set eth0 down",
             "link set eth0 master bond0", "link set bond0 up")
    except LabError as why:
        pytest.skip(f"no bond here: {why}")
    ours.start("-P")
    assert eventually(lambda: entry(ours).get("state") == "MASTER", 20) is not None, ours.log()
    assert "interface eth0 is a part of bond bond0" in entry(ours)["troubles"][0]
    assert partner.holds(VIP), "both are master"
    a.ip("addr flush dev eth0", "addr add 10.9.0.1/24 dev bond0")
    ours.write_config(config(100, "bond0"))
    ours.ctl("reload", check=True)
    assert eventually(lambda: entry(ours).get("state") == "BACKUP", 20) is not None, ours.log()
    assert entry(ours)["troubles"] == []
