"""What the articles' pair must be seen doing, told step by step.

Each chapter builds its machines, lets things happen, measures, and judges. The demo prints the
steps; the tests under tests/vm assert the same ones. Which director program plays is a parameter.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import topology
from .client import Traffic, answers
from .director import Director
from .netns import Lab, LabError, eventually
from .topology import NAT_VIP, PORT, SERVERS, VIP, VIP2, Topology
from .wire import Capture

# A program under emulation starts and reacts late; on real hardware a tenth of this is plenty.
IN_VM = bool(os.environ.get("HOLDFAST_IN_VM"))
TOLERANCE = 0.30 if IN_VM else 0.10
STARTING_UP = 8.0 if IN_VM else 1.0
_EMULATED = " under emulation" if IN_VM else ""


def master_down_interval(priority: int, interval: float = 1.0) -> float:
    """How long a backup waits for its master's adverts, in seconds. RFC 3768 §6.1."""
    return 3 * interval + (256 - priority) / 256


# The article's TCP_CHECK: delay_loop 6, nb_get_retry 3, delay_before_retry 3, connect_timeout 3. A
# server that refuses is noticed at the next check and given up after the retries.
LEAVES_WITHIN = 6 + 3 * 3 + 3
LEAVES_NOT_BEFORE = 3 * 3
RETURNS_WITHIN = 6 + 3


@dataclass
class Step:
    """One thing that is shown: what, why it matters, what was allowed and what was measured."""

    title: str
    why: str = ""
    bound: float | None = None
    measured: float | None = None
    allowances: list[tuple[float, str]] = field(default_factory=list)  # on the bound, and why
    took: float = 0.0
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.problems

    def note(self, text: str) -> None:
        self.notes.append(text)

    def check(self, condition: object, sentence: str) -> None:
        """A claim that must hold; `sentence` says what is wrong when it does not."""
        if not condition:
            self.problems.append(sentence)

    def measure(self, seconds: float | None, what: str, extra: float = 0.0) -> None:
        """Compares with the step's bound; `extra` on top of it is for starting programs."""
        self.allowances = [(TOLERANCE, "for reacting" + _EMULATED)]
        if extra:
            self.allowances.append((extra, "for starting" + _EMULATED))
        if seconds is None:
            self.problems.append(f"{what}: did not happen")
            return
        self.measured = seconds
        if self.bound is not None and seconds > self.limit:
            self.problems.append(f"{what}: {seconds:.3f} s, allowed {self.bound_in_words}")

    @property
    def limit(self) -> float:
        return (self.bound or 0) + sum(seconds for seconds, _ in self.allowances)

    @property
    def bound_in_words(self) -> str:
        """The bound with everything that is allowed on top of it, by name."""
        return " + ".join([f"{self.bound:.3f} s",
                           *(f"{seconds:.2f} s {why}" for seconds, why in self.allowances)])


class Narrator:
    """Collects steps; the demo's narrator prints them too."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def chapter(self, title: str, text: str) -> None:
        """A new set-up begins."""

    def begin(self, step: Step) -> None:
        """A step begins."""

    def end(self, step: Step) -> None:
        """A step is over, judged."""

    def failed(self) -> list[Step]:
        return [step for step in self.steps if not step.passed]

    @contextlib.contextmanager
    def step(self, title: str, why: str = "", bound: float | None = None) -> Iterator[Step]:
        step = Step(title, why, bound)
        self.steps.append(step)
        self.begin(step)
        started = time.monotonic()
        try:
            yield step
        except LabError as error:
            step.problems.append(str(error))
        step.took = time.monotonic() - started
        self.end(step)


@dataclass
class Stage:
    """What a chapter plays on."""

    topology: Topology
    narrator: Narrator
    program: str
    capture: Capture

    @property
    def directors(self) -> list[Director]:
        return self.topology.directors


@contextlib.contextmanager
def stage(narrator: Narrator, directory: Path, kind: str, configs: tuple[str, ...], program: str,
          vips: tuple[str, ...] = (VIP,), prefix: str | None = None) -> Iterator[Stage]:
    """Machines, servers and directors of one chapter; logs and packets stay in `directory`."""
    with Lab(directory, prefix) as lab:
        built = Topology(lab, kind, vips)
        built.start_servers()
        capture = Capture(built.switch)
        built.start_directors(configs, program)
        try:
            yield Stage(built, narrator, program, capture)
        finally:
            capture.save(directory / "segment.pcap")


# --- scenes that several chapters share -----------------------------------------------------------


def elects_master(stage_: Stage, vip: str, master: int = 0, priority: int = 100) -> None:
    """Both directors have just been started: the first one takes the address."""
    began = time.time()
    director = stage_.directors[master]
    with stage_.narrator.step(
        f"the directors elect a master: {director.machine.short} takes {vip}",
        "two machines, one address: exactly one of them may hold it",
        bound=master_down_interval(priority),
    ) as step:
        held = eventually(lambda: director.holds(vip), STARTING_UP + 10)
        _measure_election(step, stage_, vip, master, began, held is not None)
        others = [one for one in stage_.directors if one is not director and one.holds(vip)]
        step.check(not others, f"{vip} is held by two directors")
        if held is None:
            step.note(director.log()[-1500:])


def _measure_election(step: Step, stage_: Stage, vip: str, index: int, began: float,
                      held: bool) -> None:
    """From the start of the election to the first advert; from `began` where it is not told.

    The director starts meanwhile, which under emulation takes longer than the election itself. The
    election may also have begun, and ended, while an earlier step was waiting.
    """
    director, source = stage_.directors[index], director_address(stage_, index)
    election = director.election_began(vip) if held else None
    since = began if election is None else election
    # The capture's own thread may lag behind: wait for what it recorded.
    eventually(lambda: _first_advert(stage_, vip, source, since), 2 if held else 0)
    first = _first_advert(stage_, vip, source, since)
    if not held or first is None:
        step.measure(None, "address held")
    elif election is not None:
        step.measure(first - election, "start of the election to the first advert")
        step.note(f"from the start of the election to the first advert; {vip} was seen held "
                  f"{time.time() - began:.1f} s after the step began")
    else:
        step.measure(first - began, "start of the program to the first advert", extra=STARTING_UP)


def _first_advert(stage_: Stage, vip: str, source: str, since: float) -> float | None:
    found = [one.at for one in stage_.capture.adverts(since=since, source=source)
             if vip in one.addresses and one.priority]
    return found[0] if found else None


def alternates(stage_: Stage, vip: str, count: int = 10) -> None:
    """Clients reach both servers in turn, as round robin does."""
    with stage_.narrator.step(
        f"a client asks http://{vip}:{PORT} {count} times: the servers answer in turn",
        "the kernel's IPVS spreads connections over the servers that the checks found healthy",
    ) as step:
        tabled = eventually(lambda: _all_in_tables(stage_, vip), STARTING_UP + 10)
        step.check(tabled is not None, _why_not_in_tables(stage_, vip))
        found = answers(stage_.topology.client, vip, count, timeout=3)
        step.note(" ".join(answer.rpartition(".")[2] if "error" not in answer else answer
                           for answer in found))
        step.check(set(found) == set(SERVERS), f"answers came from {Counter(found)}")
        step.check(all(one != two for one, two in zip(found, found[1:])),
                   f"answers do not alternate: {found}")


def _all_in_tables(stage_: Stage, vip: str) -> bool:
    return all(
        director.in_table(f"{vip}:{PORT}", f"{server}:{PORT}")
        for director in stage_.directors for server in SERVERS
    )


def _why_not_in_tables(stage_: Stage, vip: str) -> str:
    tables = [f"{one.machine.short}: {one.table()}" for one in stage_.directors]
    return f"not every server of {vip} is in the tables: " + "; ".join(tables)


def fails_over(
    stage_: Stage, vip: str, dead: int, priority: int, what: str = "whole master"
) -> None:
    """The machine that holds the address is gone; the other one answers for it."""
    topology_, survivor = stage_.topology, stage_.directors[1 - dead]
    victim = stage_.directors[dead]
    bound = master_down_interval(priority)
    with stage_.narrator.step(
        f"kill -9 of the {what} {victim.machine.short}, cable pulled: "
        f"{survivor.machine.short} answers",
        "the bound is the RFC's Master_Down_Interval: 3 × interval + (256 - priority) / 256",
        bound=bound,
    ) as step:
        traffic = Traffic(topology_.client, vip)
        time.sleep(0.5)
        killed_at, killed = time.time(), time.monotonic()
        topology_.power_off(victim)
        answered = eventually(lambda: traffic.outage(killed), bound + 10)
        traffic.stop()
        outage = traffic.outage(killed) if answered is not None else None
        source = director_address(stage_, dead)
        last = [one for one in stage_.capture.adverts(source=source) if
                vip in one.addresses and one.at < killed_at + 1]
        first = [one for one in stage_.capture.adverts(since=killed_at) if
                 vip in one.addresses and one.source != source]
        wire = first[0].at - last[-1].at if first and last else None
        step.measure(wire, "last advert of the old master to the first of the new one")
        step.check(outage is not None, "clients got no answer again")
        if outage is not None:
            # A client notices with the request after: its own time-out of 0.5 s comes on top.
            allowed = bound + 0.5 + TOLERANCE
            step.note(f"clients without an answer for {outage:.2f} s (allowed {allowed:.2f} s: the "
                      f"bound, their own time-out of 0.5 s, {TOLERANCE:.2f} s for reacting)")
            step.check(outage <= allowed, f"clients waited {outage:.2f} s, allowed {allowed:.2f} s")
        step.check(survivor.holds(vip), f"{survivor.machine.short} does not hold {vip}")


def director_address(stage_: Stage, index: int) -> str:
    addresses = topology.NAT_DIRECTORS if stage_.topology.kind == "nat" else topology.DIRECTORS
    return addresses[index]


def returns_and_preempts(stage_: Stage, vip: str, index: int, priority: int) -> None:
    """The old master boots again and takes its address back."""
    director, other = stage_.directors[index], stage_.directors[1 - index]
    bound = master_down_interval(priority)
    with stage_.narrator.step(
        f"{director.machine.short} comes back and takes {vip} again (preemption)",
        "the better machine should serve; the change must not cost clients more than a moment",
        bound=bound,
    ) as step:
        traffic = Traffic(stage_.topology.client, vip, timeout=1.5)
        began, began_at = time.monotonic(), time.time()
        stage_.topology.power_on(director)
        taken = eventually(lambda: director.holds(vip), bound + STARTING_UP + 10)
        _measure_election(step, stage_, vip, index, began_at, taken is not None)
        given = eventually(lambda: not other.holds(vip), 5)
        step.check(given is not None, f"{other.machine.short} still holds {vip}")
        time.sleep(1)
        traffic.stop()
        errors, asked = traffic.errors(began), traffic.requests(began)
        step.note(f"clients: {len(asked)} requests, {len(errors)} without an answer")


# --- chapters -------------------------------------------------------------------------------------


def chapter_dr(narrator: Narrator, directory: Path, program: str = "holdfast") -> None:
    config, path = topology.article("dr")
    narrator.chapter(
        "VS/DR: direct routing",
        f"The article's file ({_shown(path)}) on two directors; d2 reads it with state BACKUP and "
        "priority 50.\nServers hold the address on lo and answer clients directly.",
    )
    configs = (config, topology.as_backup(config))
    with stage(narrator, directory, "dr", configs, program) as play:
        elects_master(play, VIP)
        alternates(play, VIP)
        _server_stops(play)
        _server_returns(play)
        fails_over(play, VIP, dead=0, priority=50)
        returns_and_preempts(play, VIP, 0, priority=100)
        alternates(play, VIP)


def _wait_for_a_good_check(director: Director, address: str) -> None:
    """The very first check of a server decides without retries, in keepalived too. What is shown
    here are the retries, so the server must have been found good once."""
    if director.program == "keepalived":
        time.sleep(RETURNS_WITHIN)  # it does not tell
        return
    eventually(
        lambda: any(
            check["result"] == "up"
            for service in director.status("checkers").get("services", [])
            for one in service["servers"] if one["address"] == address
            for check in one["checks"]
        ),
        RETURNS_WITHIN,
    )


def _server_stops(play: Stage) -> None:
    server, rest = play.topology.servers
    director = play.directors[0]
    with play.narrator.step(
        f"nginx on {server.address} stops: its server leaves the table",
        "bound: delay_loop 6 + nb_get_retry 3 × delay_before_retry 3 + connect_timeout 3",
        bound=LEAVES_WITHIN,
    ) as step:
        _wait_for_a_good_check(director, server.address)
        server.stop()
        left = eventually(
            lambda: not director.in_table(f"{VIP}:{PORT}", server.endpoint), LEAVES_WITHIN + 10
        )
        step.measure(left, "server out of the table")
        if left is not None:
            step.check(left >= LEAVES_NOT_BEFORE, "it left before its retries were used up")
        found = answers(play.topology.client, VIP, 20)
        step.check(found == [rest.address] * 20,
                   f"clients still notice after that: {Counter(found)}")
        step.note("20 more requests: " + ("all answered" if len(set(found)) == 1 else "errors"))


def _server_returns(play: Stage) -> None:
    server = play.topology.servers[0]
    director = play.directors[0]
    with play.narrator.step(
        f"nginx on {server.address} starts: it returns to the table",
        "one good check is enough; bound: delay_loop 6 + connect_timeout 3",
        bound=RETURNS_WITHIN,
    ) as step:
        server.start()
        back = eventually(
            lambda: director.in_table(f"{VIP}:{PORT}", server.endpoint), RETURNS_WITHIN + 10
        )
        step.measure(back, "server back in the table")
        # One request may be with the old weights still; then both answer again.
        found = answers(play.topology.client, VIP, 10)
        step.check(set(found) == set(SERVERS), f"answers came from {Counter(found)}")


def chapter_nat(narrator: Narrator, directory: Path, program: str = "holdfast") -> None:
    config, path = topology.article("nat")
    narrator.chapter(
        "VS/NAT: two segments",
        f"The article's second file ({_shown(path)}); clients outside, servers inside with d1 as "
        "their gateway.\n(One fixed gateway has no stand-in: a pair needs a virtual address inside "
        "too, see docs/lab.md.)",
    )
    configs = (config, topology.as_backup(config))
    with stage(narrator, directory, "nat", configs, program, vips=(NAT_VIP,)) as play:
        elects_master(play, NAT_VIP)
        alternates(play, NAT_VIP)


def chapter_tun(narrator: Narrator, directory: Path, program: str = "holdfast") -> None:
    config, path = topology.article("dr")
    narrator.chapter(
        "VS/TUN: tunnels",
        f"The article's TUN set-up: {_shown(path)} with lb_kind TUN, wlc and weights 2 and 1;\n"
        "servers hold the address on tunl0 and unpack what the director wraps in IP-in-IP.",
    )
    config = topology.as_tunnel(config)
    configs = (config, topology.as_backup(config))
    with stage(narrator, directory, "tun", configs, program) as play:
        elects_master(play, VIP)
        _tunnelled(play)


def _tunnelled(play: Stage) -> None:
    with play.narrator.step(
        f"a client asks http://{VIP}:{PORT} 12 times through the tunnels",
        "weights 2 and 1: the first server gets about twice as many connections",
    ) as step:
        ports = [play.topology.ports[server.machine.short] for server in play.topology.servers]
        taps = [Capture(play.topology.switch, port) for port in ports]
        tabled = eventually(lambda: _all_in_tables(play, VIP), STARTING_UP + 10)
        step.check(tabled is not None, _why_not_in_tables(play, VIP))
        found = Counter(answers(play.topology.client, VIP, 12, timeout=3))
        for tap in taps:
            tap.stop()
        first, second = (found[server] for server in SERVERS)
        step.note(f"{SERVERS[0]}: {first}, {SERVERS[1]}: {second}")
        step.check(first + second == 12, f"answers: {found}")
        step.check(first > second > 0, f"weights 2 and 1 are not visible: {found}")
        wrapped = [sum(frame.data[12:14] == b"\x08\x00" and frame.data[23] == 4
                       for frame in tap.frames()) for tap in taps]
        step.note(f"IP-in-IP packets to the servers: {wrapped[0]} and {wrapped[1]}")
        step.check(all(wrapped), "no IP-in-IP packet was seen at a server")


def chapter_two_masters(narrator: Narrator, directory: Path, program: str = "holdfast") -> None:
    narrator.chapter(
        "Two masters",
        f"Two instances: d1 is master of {VIP}, d2 of {VIP2}; each is the other's backup, "
        "so that neither idles.",
    )
    configs = (topology.two_masters(1), topology.two_masters(2))
    with stage(narrator, directory, "dr", configs, program, vips=(VIP, VIP2)) as play:
        elects_master(play, VIP, master=0)
        elects_master(play, VIP2, master=1)
        alternates(play, VIP, 6)
        alternates(play, VIP2, 6)
        fails_over(play, VIP, dead=0, priority=50, what="master of the first address,")
        _both_answer(play)
        returns_and_preempts(play, VIP, 0, priority=100)
        fails_over(play, VIP2, dead=1, priority=50, what="master of the second address,")
        _both_answer(play)


def _both_answer(play: Stage) -> None:
    with play.narrator.step("the survivor answers for both addresses") as step:
        for vip in (VIP, VIP2):
            found = answers(play.topology.client, vip, 4)
            step.check(set(found) == set(SERVERS), f"{vip}: {Counter(found)}")


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


CHAPTERS: dict[str, Callable[[Narrator, Path, str], None]] = {
    "dr": chapter_dr,
    "nat": chapter_nat,
    "tun": chapter_tun,
    "two-masters": chapter_two_masters,
}
