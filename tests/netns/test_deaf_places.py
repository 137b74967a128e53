"""Interfaces of this host on which nothing is heard, because another interface takes the frames: it
is said, and the cure that is named helps."""

from __future__ import annotations

import json

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually

VIP = "10.9.0.200"
VIRTUAL_MAC = "00:00:5e:00:01:33"


def config(priority: int, interface: str = "eth0", extra: str = "") -> str:
    return (
        f"vrrp_instance VI_1 {{\n state BACKUP\n interface {interface}\n virtual_router_id 51\n"
        f" version 3\n priority {priority}\n advert_int 0.2\n {extra}\n"
        f" virtual_ipaddress {{\n {VIP}\n }}\n}}\n"
    )


@pytest.fixture
def machines(lab: Lab) -> tuple[Namespace, Namespace]:
    switch = lab.switch("sw")
    a, b = lab.machines("a", "b")
    lab.cables(switch, (a, "eth0", "10.9.0.1/24"), (b, "eth0", "10.9.0.2/24"))
    return a, b


def entry(director: Director) -> dict:
    return next(iter(director.status("vrrp").get("instances", [])), {})


def is_said(director: Director, words: str) -> bool:
    """By status, explain, doctor and `check --online` alike."""
    trouble = "".join(entry(director)["troubles"])
    explained = director.ctl("explain", "VI_1").stdout
    findings = json.loads(director.ctl("doctor", "vrrp", "--seconds", "1", "--json").stdout)
    doctor = "".join(each["what"] for each in findings["findings"])
    checked = director.ctl("check", "--online", str(director.config))
    said = [words in text for text in
            (trouble, " ".join(explained.split()), doctor, checked.stdout + checked.stderr)]
    assert len(set(said)) == 1, (said, trouble, explained, doctor, checked.stdout)
    return said[0]


def begin(a: Namespace, b: Namespace, ours: str, theirs: str) -> Director:
    """The stronger one is master first; ours becomes one, too, where it is deaf."""
    partner = Director(b, theirs)
    partner.start("-P")
    partner.wait_for(VIP)
    director = Director(a, ours)
    director.start("-P")
    assert eventually(lambda: entry(director).get("state") == "MASTER", 5) is not None
    assert partner.holds(VIP)
    return director


def test_the_port_of_a_bridge_hears_nothing_and_its_bridge_does(machines) -> None:
    a, b = machines
    a.ip("link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
         "link set eth0 master br0", "link set br0 up")
    director = begin(a, b, config(100), config(150))
    assert is_said(director, "interface eth0 is a port of the bridge br0")

    a.ip("addr flush dev eth0", "addr add 10.9.0.1/24 dev br0")
    director.write_config(config(100, "br0"))
    director.ctl("reload", check=True)
    assert eventually(lambda: entry(director).get("state") == "BACKUP", 5) is not None
    assert eventually(lambda: (entry(director).get("master") or {}).get("priority") == 150, 3)
    assert not is_said(director, "a port of the bridge")


def test_a_private_macvlan_with_the_virtual_mac_takes_the_partners_adverts(machines) -> None:
    a, b = machines
    a.ip(f"link add left.51 link eth0 address {VIRTUAL_MAC} type macvlan mode private",
         "link set left.51 up")
    director = begin(a, b, config(100), config(150, extra="use_vmac"))
    assert is_said(director, "the macvlan left.51 of this host, in mode private")

    a.ip("link set left.51 type macvlan mode vepa")
    assert eventually(lambda: entry(director).get("state") == "BACKUP", 5) is not None
    assert not is_said(director, "left.51")
    a.ip("link set left.51 type macvlan mode private")  # seen while it happens
    assert eventually(lambda: entry(director).get("troubles"), 3) is not None
    a.ip("link del left.51")
    assert eventually(lambda: not entry(director).get("troubles"), 3) is not None


def test_a_macvlan_in_mode_passthru_takes_what_peers_send(machines) -> None:
    a, b = machines
    a.ip("link add guest0 link eth0 type macvlan mode passthru", "link set guest0 up")
    peers = [f"unicast_src_ip 10.9.0.{us}\n unicast_peer {{\n  10.9.0.{them}\n }}"
             for us, them in ((1, 2), (2, 1))]
    director = begin(a, b, config(100, extra=peers[0]), config(150, extra=peers[1]))
    assert is_said(director, "the macvlan guest0 of this host, in mode passthru")

    a.ip("link del guest0")
    assert eventually(lambda: entry(director).get("state") == "BACKUP", 5) is not None
    assert "guest0" not in "".join(entry(director)["troubles"])


def test_a_macvlan_in_mode_passthru_lets_groups_pass(machines) -> None:
    a, b = machines
    a.ip("link add guest0 link eth0 type macvlan mode passthru", "link set guest0 up")
    partner = Director(b, config(150))
    partner.start("-P")
    partner.wait_for(VIP)
    director = Director(a, config(100))
    director.start("-P")
    assert eventually(lambda: (entry(director).get("master") or {}).get("priority") == 150, 3)
    assert not is_said(director, "passthru")
