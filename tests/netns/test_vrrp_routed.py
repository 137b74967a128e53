"""Unicast instances without `interface`: the kernel's routes decide, a router lies between.

keepalived 2.2.7 refuses such a file itself ("Unknown interface!"): it is the peer, with one.
"""

from __future__ import annotations

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.peers import Peer

# Family: source of a, source of b, virtual address.
PLACES = {4: ("192.0.2.1", "198.51.100.2", "203.0.113.10"),
          6: ("2001:db8:a::1", "2001:db8:b::2", "2001:db8:c::10")}


def config(source: str, peer: str, vip: str, priority: int, interface: str = "",
           extra: str = "", device: str = "lo") -> str:
    written = f"unicast_src_ip {source}" if source else ""
    return (
        "vrrp_instance VI_1 {\n state BACKUP\n virtual_router_id 51\n version 3\n"
        f" priority {priority}\n advert_int 0.2\n {written}\n"
        + (f" interface {interface}\n" if interface else "")
        + f" unicast_peer {{\n {peer}\n }}\n {extra}\n"
        f" virtual_ipaddress {{\n {vip} dev {device}\n }}\n}}\n"
    )


@pytest.fixture
def sides(lab: Lab) -> tuple[Namespace, Namespace, Namespace]:
    """a with two ways to the router, and b behind it."""
    a, r, b = lab.machines("a", "r", "b")
    for machine in (a, r, b):
        machine.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__default__disable_ipv6=0,
                       ipv6__conf__default__accept_dad=0, ipv4__conf__all__rp_filter=0,
                       ipv4__conf__default__rp_filter=0)
    for name, machine in (("eth0", a), ("eth1", a), ("eth0", b)):
        lab.ip(f"link add name {name} netns {machine.name} type veth "
               f"peer name {machine.short}{name} netns {r.name}")
    r.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
    a.ip("addr add 192.0.2.1/32 dev lo", "addr add 2001:db8:a::1/128 dev lo nodad",
         "addr add 10.0.0.1/24 dev eth0", "addr add 10.0.1.1/24 dev eth1",
         "addr add fd00::1/64 dev eth0 nodad", "addr add fd00:1::1/64 dev eth1 nodad",
         "link set eth0 up", "link set eth1 up")
    b.ip("addr add 198.51.100.2/24 dev eth0", "addr add 2001:db8:b::2/64 dev eth0 nodad",
         "link set eth0 up")
    r.ip("addr add 10.0.0.254/24 dev aeth0", "addr add 10.0.1.254/24 dev aeth1",
         "addr add fd00::fe/64 dev aeth0 nodad", "addr add fd00:1::fe/64 dev aeth1 nodad",
         "addr add 198.51.100.254/24 dev beth0", "addr add 2001:db8:b::fe/64 dev beth0 nodad",
         "link set aeth0 up", "link set aeth1 up", "link set beth0 up",
         "route add 192.0.2.1/32 via 10.0.0.1", "route add 2001:db8:a::1/128 via fd00::1")
    a.ip("route add default via 10.0.0.254", "route add ::/0 via fd00::fe")
    b.ip("route add default via 198.51.100.254", "route add ::/0 via 2001:db8:b::fe")
    return a, r, b


def turn_away(a: Namespace, r: Namespace) -> None:
    """What b sends goes by the other interface, what a sends stays: no interface has both."""
    r.ip("route replace 192.0.2.1/32 via 10.0.1.1",
         "route replace 2001:db8:a::1/128 via fd00:1::1")


def is_master(one: Director, other: Director, vip: str, timeout: float = 8) -> None:
    assert eventually(lambda: one.holds(vip) and not other.holds(vip), timeout) is not None, (
        one.log() + other.log())


def entry(director: Director) -> dict:
    return next(iter(director.status("vrrp").get("instances", [])), {})


@pytest.mark.parametrize("family", PLACES)
def test_both_roles_beside_keepalived_behind_a_router(sides, family: int) -> None:
    a, r, b = sides
    source, peer, vip = PLACES[family]
    ours = Director(a, config(source, peer, vip, 150))
    theirs = Director(b, config(peer, source, vip, 100, "eth0"), "keepalived")
    theirs.start("-P")
    is_master(theirs, ours, vip)
    ours.start("-P")
    is_master(ours, theirs, vip)
    assert theirs.state("VI_1") == "BACKUP"
    ours.stop()
    is_master(theirs, ours, vip)

    ours.write_config(config(source, peer, vip, 50))
    turn_away(a, r)
    ours.start("-P")
    assert eventually(lambda: (entry(ours).get("master") or {}).get("address") == peer, 5), (
        "adverts come in by another interface than ours leave by\n" + ours.log())
    assert (entry(ours)["interface"], entry(ours)["source"]) == ("", source)
    assert entry(ours)["state"] == "BACKUP"
    theirs.stop()
    is_master(ours, theirs, vip)
    assert entry(ours)["counters"]["errors"]["bad_destination"] == 0

    # Without the address to send from there is nothing to elect with, until it is back.
    a.ip(f"addr del {source}/{32 if family == 4 else 128} dev lo")
    assert eventually(lambda: entry(ours).get("state") == "FAULT", 3) is not None
    assert entry(ours)["faults"] == [f"no interface has the address {source} to send from"]
    a.ip(f"addr add {source}/{32 if family == 4 else 128} dev lo")
    is_master(ours, theirs, vip)
    explained = ours.ctl("explain", "VI_1").stdout
    assert "no interface: the kernel's routes decide" in explained
    assert "(routes)" in ours.ctl("status").stdout


class Newer(Director):
    """keepalived 2.3.3, which needs no interface, from a root of its own (`./dev peers`)."""

    peer = Peer("keepalived", "trixie")

    def command(self, *extra: str) -> list[str]:
        words = super().command(*extra)
        return self.peer.inside(self.peer.program, *words[1:], shared=self.machine.lab.directory)


@pytest.mark.parametrize("family", PLACES)
def test_both_roles_beside_a_keepalived_that_has_no_interface_either(sides, family: int) -> None:
    if reason := Newer.peer.why_missing():
        pytest.skip(reason)
    a, r, b = sides
    source, peer, vip = PLACES[family]
    ours = Director(a, config(source, peer, vip, 150))
    theirs = Newer(b, config(peer, source, vip, 100), "keepalived")
    theirs.start("-P")
    is_master(theirs, ours, vip)
    ours.start("-P")
    is_master(ours, theirs, vip)
    turn_away(a, r)
    ours.stop()
    is_master(theirs, ours, vip)


def test_the_route_chooses_the_source_where_none_is_written(sides) -> None:
    a, r, b = sides
    peer, vip = "198.51.100.2", "203.0.113.10"
    one = Director(a, config("", peer, vip, 150))
    other = Director(b, config("", "10.0.0.1", vip, 100))
    one.start("-P")
    other.start("-P")
    is_master(one, other, vip)
    assert entry(one)["source"] == "10.0.0.1", "as `ip route get` says"
    assert (entry(other)["master"] or {})["address"] == "10.0.0.1"

    a.ip("route del default via 10.0.0.254")
    assert eventually(lambda: entry(one).get("state") == "FAULT", 8) is not None, one.log()
    assert "no route of this host leads to a unicast peer" in entry(one)["faults"][0]
    is_master(other, one, vip)
    a.ip("route add default via 10.0.0.254")
    is_master(one, other, vip, 12)


def test_adverts_still_come_to_the_former_source_after_the_route_has_moved(sides) -> None:
    a, _, b = sides
    peer, vip = "198.51.100.2", "203.0.113.10"
    one = Director(a, config("", peer, vip, 50))
    other = Director(b, config("", "10.0.0.1", vip, 100))
    other.start("-P")
    one.start("-P")
    assert eventually(lambda: (entry(one).get("master") or {}).get("address") == peer, 5)
    a.ip("route replace default via 10.0.1.254", "addr add 10.0.0.9/32 dev lo")
    assert eventually(lambda: entry(one).get("source") == "10.0.1.1", 7), one.log()
    assert eventually(lambda: one.holds(vip), 1.5) is None, "two masters\n" + one.log()
    assert entry(one)["counters"]["errors"]["bad_destination"] == 0


@pytest.fixture
def alone(lab: Lab) -> Namespace:
    """One link, and a peer on it that says nothing."""
    a, b = lab.machines("a", "b")
    a.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__default__disable_ipv6=0,
             ipv6__conf__default__accept_dad=0)
    lab.ip(f"link add name eth0 netns {a.name} type veth peer name eth0 netns {b.name}")
    b.ip("link set eth0 up")
    a.ip("addr add 10.0.0.1/24 dev eth0", "addr add 2001:db8::1/64 dev eth0 nodad",
         "link set eth0 up", "route add default dev eth0")
    return a


@pytest.mark.parametrize(("peer", "vip", "own"), [
    ("10.7.0.2", "10.7.0.10/24", "10.0.0.1"),
    ("2001:db8::2", "2001:db8::10/64", "2001:db8::1")])
def test_a_virtual_address_that_the_kernel_prefers_is_no_source(
        alone: Namespace, peer: str, vip: str, own: str) -> None:
    one = Director(alone, config("", peer, vip, 100, device="eth0"))
    one.start("-P")
    address = vip.partition("/")[0]
    assert eventually(lambda: one.holds(address), 5) is not None, one.log()
    assert address in alone.run("ip", "route", "get", peer).stdout, "the kernel would send from it"
    assert eventually(lambda: entry(one)["state"] != "MASTER", 1.2) is None, one.log()
    assert entry(one)["source"] == own


def test_an_owner_sends_from_its_own_address(alone: Namespace) -> None:
    one = Director(alone, config("", "10.0.0.2", "10.0.0.1/24", 255, device="eth0"))
    one.start("-P")
    assert eventually(lambda: entry(one).get("state") == "MASTER", 3) is not None, one.log()
    assert entry(one)["source"] == "10.0.0.1"


def test_where_there_is_only_a_virtual_address_the_fault_says_so(alone: Namespace) -> None:
    one = Director(alone, config("", "10.0.0.2", "10.0.0.3/24", 100, device="eth0"))
    one.start("-P")
    assert eventually(lambda: one.holds("10.0.0.3"), 5) is not None, one.log()
    alone.ip("addr del 10.0.0.1/24 dev eth0", "addr del 127.0.0.1/8 dev lo")
    assert eventually(lambda: "is a virtual address: write unicast_src_ip" in one.log(), 3), (
        one.log())
