"""The pace of gratuitous ARP and neighbour advertisements on the wire, beside keepalived's."""

from __future__ import annotations

import time

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.wire import Capture

VIPS = ["10.9.0.200", "10.9.0.201", "10.9.0.202"]
VIPS6 = ["fe80::200", "2001:db8::201", "2001:db8::202"]
STEP = 0.2
NEARLY = STEP - 0.005  # of two clocks: when it was sent, when it was seen


def instance(vrid: int, vips: list[str], interface: str = "eth0", extra: str = "") -> str:
    lines = "".join(f"  {vip}/{64 if ':' in vip else 24}\n" for vip in vips)
    return (f"vrrp_instance VI_{vrid} {{\n interface {interface}\n virtual_router_id {vrid}\n"
            f" priority 150\n {extra}\n virtual_ipaddress {{\n{lines} }}\n}}\n")


def defaults(words: str) -> str:
    return (f"global_defs {{\n router_id test\n {words}\n vrrp_garp_master_repeat 2\n"
            " vrrp_garp_master_delay 4\n}\n")


def play(lab: Lab, text: str, program: str = "holdfast",
         interfaces: tuple[str, ...] = ("eth0",)) -> tuple[Director, Namespace, Capture]:
    switch = lab.switch("sw")
    [machine] = lab.machines("a")
    ports = [lab.cables(switch, (machine, interface, f"10.{9 + at}.0.1/24"))[0]
             for at, interface in enumerate(interfaces)]
    for interface in interfaces:
        machine.sysctl(**{f"ipv6__conf__{interface}__disable_ipv6": 0})
        machine.ip(f"addr add fe80::1/64 dev {interface} nodad")
    assert ports
    capture = Capture(switch, "br0")
    director = Director(machine, text, program)
    director.start("-P")
    return director, switch, capture


def distances(moments: list[float]) -> list[float]:
    return [after - before for before, after in zip(moments, moments[1:])]


def garps(capture: Capture, of: list[str]) -> list[tuple[float, str]]:
    return [(one.at, one.sender) for one in capture.arps() if one.gratuitous and one.sender in of]


@pytest.mark.parametrize("program", ["holdfast", "keepalived"])
def test_gratuitous_arps_keep_their_distance(lab: Lab, program: str) -> None:
    """keepalived drops the repetitions of what still waits; ours come, at the same distance."""
    director, _, capture = play(lab, defaults(f"vrrp_garp_interval {STEP}") + instance(51, VIPS),
                                program)
    director.wait_for(VIPS[0])
    time.sleep(2)

    seen = garps(capture, VIPS)
    assert {address for _, address in seen} == set(VIPS)
    assert all(NEARLY <= one < STEP + 0.1 for one in distances([at for at, _ in seen])), seen
    if program == "holdfast":
        assert [address for _, address in seen] == VIPS * 2


def test_without_an_interval_a_burst_is_one(lab: Lab) -> None:
    director, _, capture = play(lab, defaults("") + instance(51, VIPS))
    director.wait_for(VIPS[0])
    time.sleep(1)

    seen = garps(capture, VIPS)
    assert [address for _, address in seen] == VIPS * 2
    assert seen[-1][0] - seen[0][0] < 0.05


def test_neighbour_advertisements_have_a_pace_of_their_own(lab: Lab) -> None:
    text = (defaults(f"vrrp_gna_interval {STEP}") + instance(51, VIPS)
            + instance(52, VIPS6, extra="version 3"))
    director, _, capture = play(lab, text)
    director.wait_for(VIPS6[0])
    time.sleep(2)

    seen = [(one.at, one.target) for one in capture.neighbour_adverts() if one.target in VIPS6]
    assert [address for _, address in seen] == VIPS6 * 2
    assert all(NEARLY <= one < STEP + 0.1 for one in distances([at for at, _ in seen])), seen
    quick = garps(capture, VIPS)
    assert quick[-1][0] - quick[0][0] < 0.05, "ARP has no limit here"


def test_a_garp_group_shares_one_pace(lab: Lab) -> None:
    group = f"garp_group {{\n garp_interval {STEP}\n interfaces {{\n  eth0 eth1\n }}\n}}\n"
    text = (defaults("") + group + instance(51, VIPS[:1])
            + instance(52, ["10.10.0.200"], "eth1"))
    director, _, capture = play(lab, text, interfaces=("eth0", "eth1"))
    director.wait_for("10.10.0.200")
    time.sleep(1.5)

    seen = garps(capture, [VIPS[0], "10.10.0.200"])
    assert sorted(address for _, address in seen) == ["10.10.0.200"] * 2 + [VIPS[0]] * 2
    assert all(NEARLY <= one < STEP + 0.1 for one in distances([at for at, _ in seen])), seen


def test_what_was_given_up_is_not_announced_any_more(lab: Lab) -> None:
    """The interface of the addresses stays up, and most of a long burst still waits."""
    director, _, capture = play(lab, defaults(f"vrrp_garp_interval {STEP}") + instance(51, VIPS))
    director.wait_for(VIPS[0])
    assert eventually(lambda: garps(capture, VIPS), 2) is not None
    director.write_config(defaults("") + instance(51, ["10.9.0.203"]))
    assert director.ctl("reload").returncode == 0, director.log()
    assert eventually(lambda: not director.holds(VIPS[0]), 3) is not None

    gone = time.time()
    time.sleep(1.5)
    assert not [one for one in garps(capture, VIPS) if one[0] > gone + 0.02]
    assert garps(capture, ["10.9.0.203"])
