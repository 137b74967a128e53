"""VRRP's moments against the formulas of RFC 3768, to 5 ms, beside real keepalived in the same run.

Every moment is the kernel's stamp of a captured frame. Both programs get the same stimuli at the
same time, each on a switch of its own: a scripted master of higher priority that resigns, or falls
silent.

A virtual machine with two shared cores now and then runs nobody for 20 ms, and no program can be on
time then. So the scene is played again, up to ROUNDS times, and each quantity has to be within 5 ms
in one of them; a director that is wrong by design is wrong every time. All rounds are printed,
keepalived's beside ours.
"""

from __future__ import annotations

import socket
import statistics
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.wire import Advert, Capture

from .test_vrrp_director import advert

VIP = "10.9.0.200"
SUBJECT, MASTER = "10.9.0.1", "10.9.0.2"
PRIORITY = 100
CLOSE_ENOUGH = 0.005
ROUNDS = 5

SKEW = (256 - PRIORITY) / 256  # RFC 3768 §6.1, interval 1 s
EXPECTED = {
    "mean advert interval": 1.0,
    "takeover after priority 0": SKEW,
    "takeover after a crash": 3 + SKEW,
    "second ARP burst after the first": 5.0,
    "first ARP after the first advert": 0.0,
}
CONFIG = f"""
global_defs {{
    router_id test
}}
vrrp_instance VI_1 {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority {PRIORITY}
    advert_int 1
    virtual_ipaddress {{
        {VIP}
    }}
}}
"""


class ScriptedMaster:
    """Sends adverts when it is told to, from a real interface."""

    def __init__(self, machine: Namespace):
        with machine.inside():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        interface = struct.pack("4s4s", socket.inet_aton("224.0.0.18"), socket.inet_aton(MASTER))
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
        machine.lab.closers.append(self._socket.close)

    def send(self, priority: int) -> None:
        self._socket.sendto(advert(priority=priority, addresses=(VIP,)), ("224.0.0.18", 0))


@dataclass
class Segment:
    """One program under test, its master, and the wire between them."""

    director: Director
    master: ScriptedMaster
    capture: Capture

    def adverts(self, since: float, source: str = SUBJECT) -> list[Advert]:
        return self.capture.adverts(since=since, source=source)

    def first_advert(self, since: float) -> float | None:
        found = self.adverts(since)
        return found[0].at if found else None


def segment(lab: Lab, program: str, number: int) -> Segment:
    switch = lab.switch(f"sw{number}")
    subject, other = lab.machines(f"d{number}", f"m{number}")
    lab.cables(switch, (subject, "eth0", f"{SUBJECT}/24"), (other, "eth0", f"{MASTER}/24"))
    return Segment(Director(subject, CONFIG, program), ScriptedMaster(other), Capture(switch))


def wait_for_both(segments: list[Segment], condition: Callable[[Segment], object],
                  timeout: float) -> None:
    happened = eventually(lambda: all(condition(one) for one in segments), timeout)
    assert happened is not None, "\n".join(one.director.log()[-1500:] for one in segments)


def last_of_master(one: Segment) -> float:
    return one.adverts(0, MASTER)[-1].at


def play(segments: list[Segment]) -> list[dict[str, float]]:
    """One round: resign, six seconds of mastership, silence. The figures of each segment."""

    def reign() -> None:
        """The scripted master is heard twice, so that the subjects are backups."""
        for _ in range(2):
            for one in segments:
                one.master.send(200)
            time.sleep(0.5)

    time.sleep(5.5)  # keepalived does not drop the second burst of a mastership that has ended
    reign()
    began = time.time()
    for one in segments:
        one.master.send(0)
    wait_for_both(segments, lambda one: one.first_advert(began), 5)
    resigned = [last_of_master(one) for one in segments]
    time.sleep(6.4)
    figures = []
    for one, at in zip(segments, resigned):
        own = one.adverts(at)
        arps = [arp.at for arp in one.capture.arps(at, VIP) if arp.gratuitous]
        later = [at for at in arps if at > arps[0] + 1]
        gaps = [after.at - before.at for before, after in zip(own, own[1:])]
        figures.append({
            "mean advert interval": statistics.mean(gaps),
            "takeover after priority 0": own[0].at - at,
            "second ARP burst after the first": later[0] - arps[0],
            "first ARP after the first advert": arps[0] - own[0].at,
        })
    reign()
    heard = [last_of_master(one) for one in segments]
    wait_for_both(segments, lambda one: one.first_advert(last_of_master(one) + 0.01), 8)
    for one, at, figure in zip(segments, heard, figures):
        assert last_of_master(one) == at
        figure["takeover after a crash"] = one.adverts(at + 0.01)[0].at - at
    return figures


def table(rounds: list[list[dict[str, float]]]) -> str:
    lines = [f"\n{'milliseconds off the formula':36} {'ours':>34} {'keepalived':>34}"]
    for name, expected in EXPECTED.items():
        columns = [
            " ".join(f"{(played[who][name] - expected) * 1000:+.2f}" for played in rounds)
            for who in (0, 1)
        ]
        lines.append(f"{name + f' ({expected:.4f} s)':42} {columns[0]:>28} {columns[1]:>34}")
    return "\n".join(lines)


def test_moments_are_within_5_ms_of_the_formulas(
    lab: Lab, capsys: pytest.CaptureFixture[str],
) -> None:
    segments = [segment(lab, "holdfast", 1), segment(lab, "keepalived", 2)]
    segments[0].director.start("-P", "-G")
    segments[1].director.start("-P", "-G")
    wait_for_both(segments, lambda one: one.director.holds(VIP), 15)

    rounds: list[list[dict[str, float]]] = []
    best = dict.fromkeys(EXPECTED, float("inf"))
    while len(rounds) < ROUNDS and max(best.values()) > CLOSE_ENOUGH:
        rounds.append(play(segments))
        for name, expected in EXPECTED.items():
            best[name] = min(best[name], abs(rounds[-1][0][name] - expected))

    with capsys.disabled():
        print(table(rounds))
    late = {name: f"{off * 1000:.1f} ms" for name, off in best.items() if off > CLOSE_ENOUGH}
    assert not late, f"never within 5 ms in {ROUNDS} rounds: {late}{table(rounds)}"
