"""The chapter about IPv6: the sample etc/ipv6.conf, version 3 with half a second between adverts,
IPVS by direct routing."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .boxed import sample
from .client import Traffic, answers
from .director import Director
from .netns import Lab, Namespace, eventually
from .story import STARTING_UP, TOLERANCE, Narrator, Step, master_down_interval
from .topology import NGINX, RealServer
from .wire import Capture

VIP, ROUTER = "2001:db8:1::200", "fe80::200"
SERVERS = ("2001:db8:1::67", "2001:db8:1::68")
DIRECTORS = ("2001:db8:1::179", "2001:db8:1::180")
FIRST, SECOND, INTERVAL = 150, 100, 0.5


def down_interval(priority: int) -> float:
    """RFC 9568 §6.1: in version 3 the skew is a part of the interval."""
    return 3 * INTERVAL + (256 - priority) / 256 * INTERVAL


class Server(RealServer):
    """nginx on port 80, over IPv6."""

    def __init__(self, machine: Namespace, address: str):
        super().__init__(machine, address)
        text = NGINX.format(directory=self.directory, name=address)
        self._config.write_text(text.replace("0.0.0.0:8099", "[::]:80"), encoding="utf-8")

    def answers(self) -> bool:
        return answers(self.machine, "::1", 1, port=80) == [self.address]


@dataclass
class Play:
    narrator: Narrator
    client: Namespace
    switch: Namespace
    ports: dict[str, str]
    directors: list[Director]
    capture: Capture

    def holder(self) -> str:
        return " ".join(one.machine.short for one in self.directors if one.holds(VIP))

    def ask(self, count: int) -> Counter:
        return Counter(answers(self.client, VIP, count, port=80, timeout=3))


def _build(lab: Lab, narrator: Narrator, program: str) -> Play:
    switch = lab.switch("switch")
    client, *directors, first, second = machines = lab.machines("client", "d1", "d2", "s1", "s2")
    for machine in machines:
        machine.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__default__disable_ipv6=0,
                       ipv6__conf__default__accept_dad=0)
    ports = lab.cables(switch, *((machine, "eth0", "") for machine in machines))
    for machine, address in zip(machines, ("2001:db8:1::66", *DIRECTORS, *SERVERS)):
        machine.ip(f"addr add {address}/64 dev eth0 nodad")
    for machine, address in ((first, SERVERS[0]), (second, SERVERS[1])):
        machine.ip(f"addr add {VIP}/128 dev lo nodad")
        Server(machine, address).start()
    other = sample("ipv6", SECOND).replace("state MASTER", "state BACKUP")
    pair = [Director(machine, text, program)
            for machine, text in zip(directors, (sample("ipv6"), other))]
    capture = Capture(switch)
    for director in pair:
        director.start()
    ports = dict(zip((one.short for one in machines), ports))
    return Play(narrator, client, switch, ports, pair, capture)


def chapter_ipv6(narrator: Narrator, directory: Path, program: str = "holdfast") -> None:
    narrator.chapter(
        "IPv6",
        "etc/ipv6.conf as it stands: VRRP version 3, an advert every half second, a link-local "
        "address beside\nthe service's; servers hold the address on lo and answer clients "
        "directly.",
    )
    with Lab(directory) as lab:
        play = _build(lab, narrator, program)
        _elects(play)
        _answers(play)
        _fails_over(play)
        _returns(play)


def _elects(play: Play) -> None:
    with play.narrator.step(
        f"the directors elect a master: d1 takes {VIP} and {ROUTER}",
        "with intervals below a second a pair is back within two",
        bound=down_interval(FIRST),
    ) as step:
        step.measure(eventually(lambda: play.holder() == "d1", STARTING_UP + 10, 0.02),
                     "address held", extra=STARTING_UP)
        step.check(play.directors[0].holds(ROUTER), f"d1 does not hold {ROUTER}")
        seen = eventually(lambda: play.client.run(
            "ping", "-6", "-c1", "-W2", "-q", f"{ROUTER}%eth0", check=False).returncode == 0, 10)
        step.check(seen is not None, f"{ROUTER} does not answer: no gateway")


def _answers(play: Play) -> None:
    with play.narrator.step(
        f"a client asks http://[{VIP}] 10 times: both servers answer",
        "the kernel's IPVS works over IPv6 as over IPv4",
    ) as step:
        eventually(lambda: set(play.ask(4)) == set(SERVERS), STARTING_UP + 15, 0.2)
        found = play.ask(10)
        step.note(str(dict(found)))
        step.check(set(found) == set(SERVERS), f"answers: {found}")


def _fails_over(play: Play) -> None:
    bound = down_interval(SECOND)
    d1, d2 = play.directors
    with play.narrator.step(
        "d1 loses its power: d2 answers",
        "Master_Down_Interval of version 3: 3 × 0.5 s + (256 - 100) / 256 × 0.5 s; with one second "
        f"between adverts it would be {master_down_interval(SECOND):.1f} s",
        bound=bound,
    ) as step:
        traffic = Traffic(play.client, VIP, port=80)
        time.sleep(0.5)
        since, killed_at = time.monotonic(), time.time()
        d1.kill_everything()
        play.switch.ip(f"link set {play.ports['d1']} down")
        step.check(eventually(lambda: d2.holds(VIP), bound + 10) is not None, "d2 does not hold it")
        time.sleep(1.5)
        traffic.stop()
        adverts = play.capture.adverts()
        last = [one.at for one in adverts if one.priority == FIRST and one.at < killed_at + 1]
        first = [one.at for one in adverts if one.priority == SECOND and one.at > killed_at]
        step.measure(first[0] - last[-1] if first and last else None,
                     "last advert of d1 to the first of d2")
        _judge(step, traffic, since, bound)


def _judge(step: Step, traffic: Traffic, since: float, bound: float) -> None:
    outage = traffic.outage(since)
    step.check(outage is not None, "clients got no answer again")
    if outage is not None:
        allowed = bound + 0.5 + 2 * TOLERANCE
        step.note(f"clients without an answer for {outage:.2f} s (allowed {allowed:.2f} s)")
        step.check(outage <= allowed, f"clients waited {outage:.2f} s")


def _returns(play: Play) -> None:
    d1, d2 = play.directors
    with play.narrator.step(
        "d1 comes back and takes the addresses again (preemption)",
        "the better machine should serve; the change must not cost clients more than a moment",
        bound=down_interval(FIRST),
    ) as step:
        traffic = Traffic(play.client, VIP, port=80, timeout=1.5)
        since = time.monotonic()
        for address in (f"{VIP}/64", f"{ROUTER}/64"):  # a machine that has booted has neither
            d1.machine.run("ip", "addr", "del", address, "dev", "eth0", check=False)
        play.switch.ip(f"link set {play.ports['d1']} up")
        d1.start()
        took = eventually(lambda: play.holder() == "d1", STARTING_UP + 10, 0.02)
        step.measure(None if took is None else time.monotonic() - since, "address held",
                     extra=STARTING_UP)
        time.sleep(1)
        traffic.stop()
        errors, asked = traffic.errors(since), traffic.requests(since)
        step.note(f"clients: {len(asked)} requests, {len(errors)} without an answer")
        step.check(len(errors) <= 2, f"{len(errors)} requests were not answered")
        step.check(not d2.holds(ROUTER), f"d2 still holds {ROUTER}")
