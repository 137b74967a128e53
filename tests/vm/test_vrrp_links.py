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
