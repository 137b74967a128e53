"""Virtual MACs beyond one instance: of single addresses, beside keepalived; their names and what is
on them over reloads; directors that share a network; many of them at a stop."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import dataclass, field

import pytest

from tests.lab.director import BIN, Director
from tests.lab.netns import Lab, Namespace, Process, eventually
from tests.lab.wire import Capture

from .test_vmac import BELOW, link, setting, text_of


@dataclass
class Host:
    """A machine on two networks of its own."""

    lab: Lab
    name: str = "a"
    captures: dict[str, Capture] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.machine = self.lab.machine(self.name)
        for at, interface in enumerate(("eth0", "eth1")):
            switch = self.lab.switch(f"{self.name}{at}")
            self.lab.cables(switch, (self.machine, interface, f"10.{9 + at}.0.1/24"))
            self.machine.sysctl(**{f"ipv6__conf__{interface}__disable_ipv6": 0})
            self.captures[interface] = Capture(switch)

    def announced(self) -> set[tuple]:
        return {(name, each.mac, each.sender) for name, wire in self.captures.items()
                for each in wire.arps() if each.gratuitous}


def devices_of(machine: Namespace) -> dict[str, tuple]:
    """Virtual interfaces: name → what is below, MAC address, addresses but link-local ones."""
    found = {}
    for one in json.loads(machine.run("ip", "-j", "addr").stdout):
        if one["ifname"].startswith(("vrrp", "own")):
            held = sorted(f"{each['local']}/{each['prefixlen']}" for each in one["addr_info"]
                          if not each["local"].startswith("fe80"))
            found[one["ifname"]] = (one["link"], one["address"], held)
    return found


ELSEWHERE = {
    "use_vmac_addr beside use_vmac": (
        "use_vmac\n use_vmac_addr", "10.9.0.200/24\n 10.10.0.200/24 dev eth1\n"
        " 10.10.0.201/24 dev eth1", "2001:db8::5/64 dev eth1"),
    "use_vmac behind addresses": (
        "", "10.9.0.200/24 use_vmac\n 10.10.0.200/24 dev eth1 use_vmac",
        "2001:db8::5/64 dev eth1 use_vmac"),
    "a MAC address of the operator's": (
        "use_vmac own0 02:00:00:00:00:77\n use_vmac_addr",
        "10.9.0.200/24\n 10.10.0.200/24 dev eth1", ""),
}


def test_addresses_on_other_interfaces_have_the_virtual_mac_as_in_keepalived(lab: Lab) -> None:
    played = []
    for at, (extra, addresses, excluded) in enumerate(ELSEWHERE.values()):
        text = text_of(150, extra, addresses)
        if excluded:
            text = text[:-2] + f" virtual_ipaddress_excluded {{\n  {excluded}\n }}\n}}\n"
        for program in ("holdfast", "keepalived"):
            host = Host(lab, f"{program[0]}{at}")
            director = Director(host.machine, text, program)
            director.start("-P")
            played.append((host, director))
    for _, director in played:
        director.wait_for("10.10.0.200")
    time.sleep(0.7)  # announcements
    seen = [(devices_of(host.machine), host.announced()) for host, _ in played]
    ours = played[0][0].machine
    assert setting(ours, "arp_ignore", "eth1") == "1"
    for _, director in played:
        director.process.send(signal.SIGTERM)  # all of them hand over for some seconds
    for host, director in played:
        assert director.stop() == 0
        assert devices_of(host.machine) == {}
    assert setting(ours, "arp_ignore", "eth1") == "0"
    for at, what in enumerate(ELSEWHERE):
        assert seen[2 * at] == seen[2 * at + 1], what


def both_sides(first: str, interval: int = 1, words: str = "use_vmac") -> str:
    """Instances of one VRID whose devices no line names; `first`: A, B or both, in order."""
    text = "global_defs {\n router_id test\n}\n"
    for name in first:
        at = "AB".index(name)
        text += (f"vrrp_instance {name} {{\n interface eth{at}\n virtual_router_id 51\n"
                 f" priority 255\n advert_int {interval}\n {words}\n virtual_ipaddress {{\n"
                 f"  10.{9 + at}.0.200/24\n }}\n}}\n")
    return text


EXTRA = {"garp_extra_if 1": {"10.10.0.201"},
         "vmac_garp_intvl all 1": {"10.10.0.200", "10.10.0.201"},
         "vmac_xmit_base\n garp_extra_if 1": {"10.9.0.200", "10.10.0.201"}}


def test_macs_that_no_advert_shows_are_announced_again_as_by_keepalived(lab: Lab) -> None:
    played = []
    for at, (extra, again) in enumerate(EXTRA.items()):
        text = text_of(150, f"use_vmac\n garp_master_repeat 1\n garp_master_delay 0\n {extra}",
                       "10.9.0.200/24\n 10.10.0.200/24 dev eth1\n 10.10.0.201/24 dev eth1 use_vmac")
        for program in ("holdfast", "keepalived"):
            host = Host(lab, f"{program[0]}{at}")
            director = Director(host.machine, text, program)
            director.start("-P")
            played.append((program, extra, again, host, director))
    for *_, director in played:
        director.wait_for("10.10.0.201")
    time.sleep(3.5)
    for program, extra, again, host, _ in played:
        seen = [each.sender for wire in host.captures.values()
                for each in wire.arps() if each.gratuitous]
        often = {each for each in seen if seen.count(each) >= 3}
        assert often == again, (program, extra, seen)
        assert {seen.count(each) for each in set(seen) - again} <= {1}, (program, extra, seen)


def test_a_reload_renames_no_device_and_deletes_none_with_addresses(lab: Lab) -> None:
    host = Host(lab)
    machine, captures = host.machine, host.captures
    director = Director(machine, both_sides("AB", 5, "use_vmac group 7"))
    director.start("-P")
    director.wait_for("10.9.0.200", 20)
    director.wait_for("10.10.0.200")
    index, group = (link(machine, "vrrp1.51")[word] for word in ("ifindex", "group"))
    assert group == "7"

    director.write_config(both_sides("BA", 5))
    assert "vrrp1.51" not in director.ctl("plan", str(director.config)).stdout
    assert director.ctl("reload").returncode == 0
    assert set(devices_of(machine)) == {"vrrp.51", "vrrp1.51"}
    assert link(machine, "vrrp1.51")["group"] == "default"  # the new file names none
    director.write_config(both_sides("B", 5))
    assert director.ctl("reload").returncode == 0
    began = time.monotonic()
    # A hands over: its address stays for five seconds and the skew of the weakest peer.
    assert eventually(lambda: "vrrp.51" not in devices_of(machine), 12) is not None
    took = time.monotonic() - began
    told = [each for each in captures["eth0"].adverts() if each.priority == 0]
    assert took > 5.5 and told, (took, told)

    assert devices_of(machine)["vrrp1.51"][2] == ["10.10.0.200/24"]
    assert link(machine, "vrrp1.51")["ifindex"] == index


def test_who_shared_a_named_device_keeps_it_when_its_line_has_gone(lab: Lab) -> None:
    host = Host(lab)
    machine = host.machine

    def text(second: str) -> str:
        one = ("vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n priority 255\n"
               " garp_master_delay 0\n virtual_ipaddress {\n  10.9.0.200/24\n"
               "  10.10.0.200/24 dev eth1 use_vmac\n"
               " }\n}\n")
        two = ("vrrp_instance VI_2 {\n interface eth1\n virtual_router_id 51\n priority 255\n"
               f" use_vmac {second}\n virtual_ipaddress {{\n  10.10.0.201/24\n }}\n}}\n")
        return one + (two if second else "")

    director = Director(machine, text("own51"))
    director.start("-P")
    director.wait_for("10.10.0.200")
    director.wait_for("10.10.0.201")
    index = link(machine, "own51")["ifindex"]

    director.write_config(text(""))
    assert director.ctl("reload").returncode == 0
    assert eventually(lambda: devices_of(machine)["own51"][2] == ["10.10.0.200/24"], 8) is not None
    assert set(devices_of(machine)) == {"own51"}
    assert link(machine, "own51")["ifindex"] == index
    assert "UP" in link(machine, "own51")["flags"]

    def announcements() -> int:
        return sum(each.gratuitous and each.sender == "10.10.0.200"
                   for each in host.captures["eth1"].arps())

    time.sleep(0.3)
    before = announcements()
    director.write_config(text("own52"))  # a line has another name for it
    assert director.ctl("reload").returncode == 0
    assert eventually(lambda: set(devices_of(machine)) == {"own52"}, 8) is not None
    assert eventually(lambda: "UP" in link(machine, "own52")["flags"], 3) is not None
    assert eventually(lambda: announcements() > before, 2) is not None, "it was down until now"
    assert "own52 waits for own51, which has its MAC address" in director.log()
    assert "FAULT" not in director.log()


def test_directors_of_two_containers_leave_each_others_devices_alone(lab: Lab) -> None:
    """Both call their run directory by one name, and share the network."""
    machine = Host(lab).machine
    place = lab.directory / "run"
    place.mkdir()
    pair = []
    for number in (51, 52):
        if pair:  # a neighbour of an older version, which wrote no number
            machine.ip("link add left0 link eth1 type macvlan",
                       f'link set left0 alias "holdfast {place}"')
        config = lab.directory / f"{number}.conf"
        config.write_text(text_of(255, "use_vmac", f"10.9.0.{number}/24").replace(
            "virtual_router_id 51", f"virtual_router_id {number}"), encoding="ascii")
        pair.append(machine.spawn(
            "unshare", "--mount", "sh", "-ec", f'mount -t tmpfs run {place}; exec "$@"', "sh",
            str(BIN / "holdfast"), "-n", "-l", "-P", "-f", str(config), "--run-dir", str(place),
            log=f"holdfast-{number}"))
        assert eventually(lambda n=number: devices_of(machine).get(
            f"vrrp.{n}", ("", "", []))[2] == [f"10.9.0.{n}/24"], 10) is not None, (
                [each.output() for each in pair])
    assert set(devices_of(machine)) == {"vrrp.51", "vrrp.52"}
    assert link(machine, "left0")
    assert pair[1].stop() == 0
    assert link(machine, "left0")
    machine.ip("link del left0")
    assert set(devices_of(machine)) == {"vrrp.51"}
    assert "device-repaired" not in pair[0].output()

    machine.kill_everything()  # and its container is made anew
    assert eventually(lambda: "holdfast.addresses" not in machine.run(
        "cat", "/proc/net/unix").stdout, 3) is not None
    pair[0] = machine.spawn(
        "unshare", "--mount", "sh", "-ec", f'mount -t tmpfs run {place}; exec "$@"', "sh",
        str(BIN / "holdfast"), "-n", "-l", "-P", "-f", str(lab.directory / "52.conf"),
        "--run-dir", str(place), log="holdfast-53")
    assert eventually(lambda: set(devices_of(machine)) == {"vrrp.52"}, 10) is not None, (
        pair[0].output())


WATCHER = """
import time
seen, until = set(), time.monotonic() + 3
while time.monotonic() < until:
    seen.add(tuple(open(f"/proc/sys/net/ipv4/conf/eth0/{each}").read().strip()
                   for each in ("arp_ignore", "arp_filter", "arp_announce")))
print(sorted(seen))
"""


class Neighbours:
    """Directors in one network, each with a run directory and a virtual MAC above eth0."""

    def __init__(self, lab: Lab):
        self.lab = lab
        self.machine = Host(lab).machine

    def start(self, vrid: int) -> Process:
        place = self.lab.directory / f"run-{vrid}"
        place.mkdir(exist_ok=True)
        config = self.lab.directory / f"{vrid}.conf"
        config.write_text(text_of(255, "use_vmac", f"10.9.0.{vrid}/24").replace(
            "virtual_router_id 51", f"virtual_router_id {vrid}"), encoding="ascii")
        made = self.machine.spawn(str(BIN / "holdfast"), "-n", "-l", "-P", "-f", str(config),
                                  "--run-dir", str(place), log=f"holdfast-{vrid}")
        held = [f"10.9.0.{vrid}/24"]
        assert eventually(lambda: devices_of(self.machine).get(
            f"vrrp.{vrid}", ("", "", []))[2] == held, 10) is not None, made.output()
        return made

    def settings(self) -> list[str]:
        return [setting(self.machine, name) for name in BELOW]


OURS, BEFORE = ["1", "1", "2"], ["0", "0", "1"]


def test_the_last_of_two_directors_gives_the_settings_back(lab: Lab) -> None:
    first = 51  # who found them as they were
    both = Neighbours(lab)
    both.machine.sysctl(ipv4__conf__eth0__arp_announce=1)
    directors = {number: both.start(number) for number in (51, 52)}
    assert both.settings() == OURS
    for number in directors:  # the second one found them changed, and knows what they were
        record = (lab.directory / f"run-{number}" / "vrrp.settings").read_text(encoding="ascii")
        assert "ipv4/conf/eth0/arp_announce 1" in record, record
    watcher = both.machine.spawn("python3", "-c", WATCHER, log="watcher")
    time.sleep(0.3)
    os.kill(directors[first].pid, signal.SIGTERM)
    directors[first].wait(8)
    assert devices_of(both.machine).keys() == {f"vrrp.{103 - first}"}
    watcher.wait(8)
    assert watcher.output().strip() == str([tuple(OURS)]), "the other one was without them"

    os.kill(directors[103 - first].pid, signal.SIGTERM)
    directors[103 - first].wait(8)
    assert both.settings() == BEFORE
    assert not devices_of(both.machine)


def test_two_directors_that_end_together_leave_nothing_changed(lab: Lab) -> None:
    both = Neighbours(lab)
    both.machine.sysctl(ipv4__conf__eth0__arp_announce=1)
    directors = [both.start(number) for number in (51, 52)]
    for each in directors:
        os.kill(each.pid, signal.SIGTERM)
    for each in directors:
        each.wait(8)
    assert both.settings() == BEFORE


def test_what_a_stranger_with_a_virtual_mac_needs_stays(lab: Lab) -> None:
    """keepalived sets the first two itself, and never puts them back."""
    alone = Neighbours(lab)
    director = alone.start(51)
    alone.machine.ip("link add theirs link eth0 address 00:00:5e:00:01:63 type macvlan")
    os.kill(director.pid, signal.SIGTERM)
    director.wait(8)
    assert alone.settings() == OURS


def test_many_devices_go_in_one_piece_at_the_stop(lab: Lab) -> None:
    machine = Host(lab).machine
    text = "".join(
        f"vrrp_instance V{number} {{\n interface eth0\n virtual_router_id {number}\n"
        " priority 255\n use_vmac\n virtual_ipaddress {\n"
        f"  10.9.1.{number}/24\n }}\n}}\n" for number in range(1, 201))
    machine.ip("link add guest0 link eth1 type macvlan", "link set guest0 group 42")
    director = Director(machine, text)
    director.start("-P")
    assert eventually(lambda: len(devices_of(machine)) == 200, 30, 0.2) is not None
    for _ in range(2):  # the second time: at once
        os.kill(director.role_pid("watchdog"), signal.SIGTERM)
    began = time.monotonic()
    assert eventually(lambda: not devices_of(machine), 20, 0.02) is not None
    took = time.monotonic() - began
    print(f"200 devices were gone {took:.2f} s after the second SIGTERM")
    assert director.process.wait(10) == 0
    assert link(machine, "guest0")
    assert took < 2
