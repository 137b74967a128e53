"""Virtual MACs: an interface of the virtual router's own, alone and in a pair with keepalived, and
what becomes of it when somebody, or a crash, gets in the way."""

from __future__ import annotations

import json
import os
import re
import signal
import time

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, LabError, Namespace, eventually
from tests.lab.wire import Capture

VIP, VIP6 = "10.9.0.200", "2001:db8:9::200"
MAC, MAC6 = "00:00:5e:00:01:33", "00:00:5e:00:02:33"
DEVICE = "vrrp.51"
BELOW = ("arp_ignore", "arp_filter", "arp_announce")  # settings of the interface below


def text_of(priority: int, extra: str = "use_vmac", addresses: str = f"{VIP}/24") -> str:
    return ("global_defs {\n router_id test\n}\nvrrp_instance VI_51 {\n interface eth0\n"
            f" virtual_router_id 51\n priority {priority}\n {extra}\n"
            f" virtual_ipaddress {{\n  {addresses}\n }}\n}}\n")


class Network:
    """Two directors and a client on one switch."""

    def __init__(self, lab: Lab):
        self.switch = lab.switch("sw")
        self.a, self.b, self.client = lab.machines("a", "b", "c")
        ends = [(machine, "eth0", f"10.9.0.{number}/24")
                for number, machine in enumerate((self.a, self.b, self.client), start=1)]
        self.ports = lab.cables(self.switch, *ends)

    def mac_seen_by_client(self, address: str = VIP) -> str:
        """After a ping; the MAC address of its neighbour entry."""
        self.client.run("ping", "-c1", "-W2", address)
        words = self.client.run("ip", "neigh", "show", address).stdout.split()
        return words[words.index("lladdr") + 1]

    def port_of(self, mac: str) -> str:
        """Where the switch's table has this address; empty: nowhere."""
        found = json.loads(self.switch.run("bridge", "-j", "fdb", "show", "br", "br0").stdout)
        ports = [each["ifname"] for each in found if each["mac"] == mac]
        return ports[0] if ports else ""


@pytest.fixture
def network(lab: Lab) -> Network:
    return Network(lab)


def link(machine: Namespace, name: str = DEVICE) -> dict | None:
    done = machine.run("ip", "-j", "-d", "link", "show", "dev", name, check=False)
    return json.loads(done.stdout)[0] if done.returncode == 0 else None


def setting(machine: Namespace, name: str, interface: str = "eth0", family: int = 4) -> str:
    return machine.run("cat", f"/proc/sys/net/ipv{family}/conf/{interface}/{name}").stdout.strip()


def instance(director: Director) -> dict:
    return next(iter(director.status("vrrp").get("instances", [])), {})


def become_master(director: Director, vip: str = VIP) -> None:
    director.wait_for(vip)
    assert eventually(lambda: director.state("VI_51") == "MASTER", 5)


def test_an_interface_of_its_own_answers_for_the_address(network: Network) -> None:
    director = Director(network.a, text_of(150))
    wire = Capture(network.switch)
    director.start("-P")
    become_master(director)
    made = link(network.a)
    assert made and made["address"] == MAC and made["link"] == "eth0"
    assert made["linkinfo"]["info_kind"] == "macvlan"
    assert network.a.addresses(DEVICE) == [f"{VIP}/24"]
    assert network.a.addresses("eth0") == ["10.9.0.1/24"]
    assert network.mac_seen_by_client() == MAC
    answers = network.client.run("arping", "-c3", "-w4", "-I", "eth0", VIP).stdout
    assert len(re.findall(r"\[?" + MAC, answers, re.IGNORECASE)) >= 3, answers
    real = link(network.a, "eth0")["address"]
    assert real not in answers.lower(), answers
    assert network.mac_seen_by_client("10.9.0.1") == real
    assert {each.mac for each in wire.adverts(source="10.9.0.1")} == {MAC}
    announced = [each for each in wire.arps(sender=VIP) if each.gratuitous]
    assert {(each.mac, each.sender_mac) for each in announced} == {(MAC, MAC)}
    assert network.port_of(MAC) == network.ports[0]
    assert [setting(network.a, name) for name in BELOW] == ["1", "1", "2"]
    names = ("arp_ignore", "rp_filter", "accept_local")
    assert [setting(network.a, name, DEVICE) for name in names] == ["1", "0", "1"]
    device = instance(director)["device"]
    assert (device["name"], device["mac"], device["ours"]) == (DEVICE, MAC, True)

    assert director.stop() == 0

    assert link(network.a) is None
    assert [setting(network.a, name) for name in BELOW] == ["0", "0", "0"]


def test_strict_reverse_path_filters_do_not_drop_the_service(network: Network) -> None:
    network.a.sysctl(ipv4__conf__all__rp_filter=1)
    director = Director(network.a, text_of(150))
    director.start("-P")
    become_master(director)

    assert network.mac_seen_by_client() == MAC


@pytest.mark.parametrize("xmit_base", ["", "vmac_xmit_base"])
@pytest.mark.parametrize("first", ["holdfast", "keepalived"])
def test_in_a_pair_with_keepalived_the_address_keeps_its_mac(network: Network, first: str,
                                                             xmit_base: str) -> None:
    other = "keepalived" if first == "holdfast" else "holdfast"
    extra = {"holdfast": f"use_vmac\n {xmit_base}", "keepalived": "use_vmac"}
    # keepalived leaves this to the operator; without it clients learn the MAC of the interface.
    for machine, program in ((network.a, first), (network.b, other)):
        machine.sysctl(ipv4__conf__eth0__arp_announce=2 if program == "keepalived" else 0)
    master = Director(network.a, text_of(150, extra[first]), first)
    backup = Director(network.b, text_of(100, extra[other]), other)
    wire = Capture(network.switch)
    master.start("-P")
    master.wait_for(VIP)
    backup.start("-P")
    time.sleep(5)  # more than its down interval: it hears the master
    assert not backup.holds(VIP), "a second master"
    assert network.mac_seen_by_client() == MAC
    assert eventually(lambda: network.port_of(MAC) == network.ports[0], 3)
    mac = link(network.a, "eth0")["address"] if first == "holdfast" and xmit_base else MAC
    assert {each.mac for each in wire.adverts(source="10.9.0.1")} == {mac}

    began = time.monotonic()
    assert master.stop() == 0
    backup.wait_for(VIP)
    took = time.monotonic() - began

    assert eventually(lambda: network.port_of(MAC) == network.ports[1], 3)
    entry = network.client.run("ip", "neigh", "show", VIP).stdout
    assert MAC in entry, entry
    network.client.run("ping", "-c1", "-W2", VIP)
    print(f"{first} → {other} {xmit_base}: taken over {took:.2f} s after the stop was asked for")
    assert link(network.a) is None


def test_who_deletes_it_or_takes_it_down_changes_nothing(network: Network) -> None:
    director = Director(network.a, text_of(150))
    director.start("-P")
    become_master(director)
    since = instance(director)["since_at"]
    wire = Capture(network.switch)
    for number, deed in enumerate((f"link del {DEVICE}", f"link set {DEVICE} down",
                                   f"link del {DEVICE}"), start=1):
        began = time.monotonic()
        network.a.ip(deed)
        assert eventually(lambda: (link(network.a) or {}).get("operstate") == "UP"
                          and network.a.addresses(DEVICE) == [f"{VIP}/24"], 3, every=0.01)
        print(f"{deed}: as it was after {(time.monotonic() - began) * 1000:.0f} ms")
        assert eventually(lambda n=number: instance(director)["device"]["repairs"] == n, 3)
        assert network.mac_seen_by_client() == MAC
        time.sleep(1.5)
    adverts = wire.adverts(source="10.9.0.1")
    assert {each.priority for each in adverts} == {150}, "it resigned"
    assert max(two.at - one.at for one, two in zip(adverts, adverts[1:])) < 1.5
    assert instance(director)["since_at"] == since
    assert director.log().count("netlink-device-repaired") == 3


def test_a_successor_of_a_killed_process_uses_what_is_there(network: Network) -> None:
    director = Director(network.a, text_of(150))
    director.start("-P")
    become_master(director)
    index = link(network.a)["ifindex"]
    wire = Capture(network.switch)
    os.kill(director.role_pid("vrrp"), signal.SIGKILL)
    time.sleep(3)
    adverts = wire.adverts(source="10.9.0.1")

    assert director.state("VI_51") == "MASTER"
    assert link(network.a)["ifindex"] == index
    assert instance(director)["device"]["ours"]
    assert {(each.priority, each.mac) for each in adverts} == {(150, MAC)}
    assert director.stop() == 0
    assert link(network.a) is None
    assert setting(network.a, "arp_ignore") == "0", "the record of the killed process was lost"


def test_a_stop_while_no_process_is_there_takes_it_along(network: Network) -> None:
    """The watchdog makes a pause between two starts of a process that dies again and again."""
    director = Director(network.a, text_of(150))
    director.start("-P")
    become_master(director)
    for _ in range(6):
        pid = director.role_pid("vrrp")
        os.kill(pid, signal.SIGKILL)
        if eventually(lambda: not director.holds(VIP), 1) is not None:
            break
        assert eventually(lambda old=pid: director.status("vrrp").get("pid", old) != old,
                          15) is not None, director.log()
    assert not director.holds(VIP), director.log()

    assert director.stop() == 0
    assert link(network.a) is None, director.log()
    assert setting(network.a, "arp_ignore") == "0"


def test_what_a_killed_director_left_goes_when_nobody_wants_it(network: Network) -> None:
    director = Director(network.a, text_of(150))
    director.start("-P")
    become_master(director)
    director.kill_everything()
    assert link(network.a)
    time.sleep(5)  # longer than its peers wait: no resuming

    director.write_config(text_of(150, ""))
    director.start("-P")
    become_master(director)

    assert eventually(lambda: link(network.a) is None, 8)
    assert network.a.addresses("eth0") == ["10.9.0.1/24", f"{VIP}/24"]
    assert setting(network.a, "arp_ignore") == "0"


@pytest.mark.parametrize("made", [
    f"link add name {DEVICE} type bridge",
    f"link add link eth0 name {DEVICE} type macvlan mode bridge"])
def test_an_interface_of_others_with_that_name_is_left_alone(network: Network, made: str) -> None:
    network.a.ip(made)
    foreign = link(network.a)
    director = Director(network.a, text_of(150))
    director.start("-P")

    assert eventually(lambda: director.state("VI_51") == "FAULT", 5)
    assert any(DEVICE in fault and "not ours" in fault for fault in instance(director)["faults"])
    time.sleep(1)
    now = link(network.a)
    assert (now["ifindex"], now["address"], now["flags"]) == (
        foreign["ifindex"], foreign["address"], foreign["flags"])

    network.a.ip(f"link del {DEVICE}")
    become_master(director)
    assert network.mac_seen_by_client() == MAC
    assert director.stop() == 0


def test_one_that_fits_is_used_and_stays_for_its_owner(network: Network) -> None:
    network.a.ip(f"link add link eth0 name {DEVICE} address {MAC} type macvlan mode private")
    index = link(network.a)["ifindex"]
    director = Director(network.a, text_of(150))
    director.start("-P")
    become_master(director)

    assert instance(director)["device"]["ours"] is False
    assert network.mac_seen_by_client() == MAC
    assert director.stop() == 0
    assert link(network.a)["ifindex"] == index
    assert network.a.addresses(DEVICE) == []


def test_a_reload_moves_the_address_and_takes_the_interface_along(network: Network) -> None:
    director = Director(network.a, text_of(150, ""))
    director.start("-P")
    become_master(director)

    def reload(extra: str) -> None:
        director.write_config(text_of(150, extra))
        done = director.ctl("reload", check=True)
        assert done.returncode == 0, done.stdout

    reload("use_vmac")
    assert eventually(lambda: network.a.addresses(DEVICE) == [f"{VIP}/24"]
                      if link(network.a) else False, 5)
    assert eventually(lambda: network.a.addresses("eth0") == ["10.9.0.1/24"], 5)
    reload("use_vmac other0")
    assert eventually(lambda: network.a.addresses("other0") == [f"{VIP}/24"]
                      if link(network.a, "other0") else False, 8), director.log()[-2000:]
    assert eventually(lambda: link(network.a) is None, 8)
    assert network.mac_seen_by_client() == MAC
    reload("")
    assert eventually(lambda: network.a.addresses("eth0") == ["10.9.0.1/24", f"{VIP}/24"], 5)
    assert eventually(lambda: link(network.a, "other0") is None, 8)
    assert setting(network.a, "arp_ignore") == "0"
    assert director.state("VI_51") == "MASTER"


def test_over_ipv6_only_what_the_router_says_comes_from_its_mac(network: Network) -> None:
    for number, machine in enumerate((network.a, network.b, network.client), start=1):
        machine.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__default__disable_ipv6=0,
                       ipv6__conf__eth0__disable_ipv6=0)
        machine.ip(f"addr add fe80::{number}/64 dev eth0 nodad",
                   f"addr add 2001:db8:9::{number}/64 dev eth0 nodad")
    both = f"fe80::200/64\n  {VIP6}/64"
    master = Director(network.a, text_of(150, "use_vmac", both))
    backup = Director(network.b, text_of(100, "use_vmac", both), "keepalived")
    wire = Capture(network.switch)
    master.start("-P")
    become_master(master, VIP6)
    backup.start("-P")
    time.sleep(5)
    assert not backup.holds(VIP6), "a second master"
    assert network.mac_seen_by_client(VIP6) == MAC6
    adverts = wire.adverts(source="fe80::1")
    assert {each.mac for each in adverts} == {MAC6}
    told = [each for each in wire.neighbour_adverts() if each.target == VIP6]
    assert told and {each.mac for each in told} == {MAC6}
    assert sorted(network.a.addresses(DEVICE, family=6)) == sorted(
        [f"{VIP6}/64", "fe80::200/64"])
    assert setting(network.a, "accept_ra", DEVICE, 6) == "0"
    assert master.stop() == 0
    backup.wait_for(VIP6)
    assert link(network.a) is None


def test_an_ipvlan_holds_the_address_with_the_mac_of_its_interface(network: Network) -> None:
    try:
        network.b.ip("link add link eth0 name probe0 type ipvlan")
    except LabError as trouble:
        pytest.skip(f"this kernel has no ipvlan: {trouble}")
    director = Director(network.a, text_of(150, "use_ipvlan ipv51"))
    director.start("-P")
    become_master(director)

    assert network.a.addresses("ipv51") == [f"{VIP}/24"]
    assert network.mac_seen_by_client() == link(network.a, "eth0")["address"]
    assert director.stop() == 0
    assert link(network.a, "ipv51") is None
