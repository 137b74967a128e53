"""One cell of the matrix of peers: Holdfast and another program, one dialect, all that a pair goes
through. Each cell has its own switch and thread; who is master is judged from the wire.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from .dialects import Dialect
from .director import Director
from .measure import Processors
from .netns import Lab, LabError, Namespace, eventually
from .peers import Peer
from .speakers import speaker
from .wire import Advert, Capture, read_advert

OURS, THEIRS = 0, 1
CLOSE = 0.005  # of ours, beside what the machine was late by
EARLY = 0.001  # clocks are read at both ends of a cable
LOOSE = 0.1  # of others
ROUNDS = 3  # of a moment that was late


class Sent(Capture):
    """The adverts that come from the machine behind a port of a switch."""

    def __init__(self, switch: Namespace, port: str):
        self.adverts_sent: list[Advert] = []
        super().__init__(switch, port)

    def _take(self) -> None:
        super()._take()
        with self._lock:
            frame = self._frames.pop()
        if not frame.outgoing and (advert := read_advert(frame)):
            self.adverts_sent.append(advert)

    def since(self, moment: float) -> list[Advert]:
        return [one for one in self.adverts_sent if one.at >= moment]


@dataclass(frozen=True)
class Moment:
    """What one side was asked to be in time with. `excuse`: what the machine was late by then."""

    what: str
    side: int
    seconds: float
    formula: float
    excuse: float

    @property
    def off(self) -> float:
        return self.seconds - self.formula

    def is_close(self) -> bool:
        return -EARLY <= self.off <= CLOSE + self.excuse

    def __str__(self) -> str:
        late = f"  (machine {self.excuse * 1000:.1f})" if self.excuse else ""
        return f"{self.what:32} {self.formula * 1000:8.1f} {self.off * 1000:+7.1f} ms{late}"


class Cell:
    """`ours_higher`: who has the higher address of the two."""

    def __init__(self, lab: Lab, number: int, dialect: Dialect, peer: Peer, processors: Processors,
                 ours_higher: bool):
        if ours_higher:
            dialect = replace(dialect, sources=dialect.sources[::-1])
        self.dialect, self.peer, self.ours_higher = dialect, peer, ours_higher
        self.moments: list[Moment] = []
        self._processors = processors
        self.switch = lab.switch(f"w{number}")
        machines = lab.machines(f"o{number}", f"p{number}")
        order = (1, 0) if ours_higher else (0, 1)
        self.ports = lab.cables(self.switch, *(
            (machine, "eth0", f"10.9.0.{1 + one}/24") for machine, one in zip(machines, order)))
        for machine, one in zip(machines, order) if dialect.is_six else ():
            machine.ip("link set eth0 addrgenmode none")
            machine.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__default__disable_ipv6=0,
                           ipv6__conf__eth0__disable_ipv6=0)
            machine.ip(f"addr add fe80::{1 + one}/64 dev eth0 nodad",
                       f"addr add 2001:db8::{1 + one}/64 dev eth0 nodad")
        self.wires = [Sent(self.switch, port) for port in self.ports]
        self.ours = Director(machines[OURS], "")
        self.theirs = speaker(machines[THEIRS], peer, dialect)

    # --- what is seen -----------------------------------------------------------------------------

    def reigns(self, side: int) -> bool:
        """It advertises, and the other one has not for longer than an interval."""
        now, interval = time.time(), self.dialect.interval

        def speaks(one: int, within: float) -> bool:
            sent = self.wires[one].adverts_sent
            return bool(sent) and sent[-1].priority > 0 and now - sent[-1].at < within
        return speaks(side, 1.5 * interval + 0.3) and not speaks(1 - side, 1.2 * interval + 0.1)

    def becomes(self, side: int, crashed: bool = False) -> None:
        """`crashed`: ours, which so cannot take its addresses away."""
        name = ("ours", self.peer.name)[side]
        if eventually(lambda: self.reigns(side), 4 * self.dialect.interval + 8, 0.1) is None:
            raise LabError(f"{name} is not the only master\n--- ours\n{self.ours.log()[-4000:]}\n"
                           f"--- {self.peer.name}\n{self.theirs.log()[-4000:]}")
        wanted = side == OURS
        if not crashed and eventually(lambda: self._all_held(wanted), 3) is None:
            raise LabError(f"{name} is master, and our addresses are not {wanted}")

    def _all_held(self, wanted: bool) -> bool:
        return all(self.ours.holds(vip) == wanted for vip in self.dialect.vips)

    def first(self, side: int, since: float) -> Advert:
        """Adverts of priority 0 do not count."""
        def found() -> list[Advert]:
            return [one for one in self.wires[side].since(since) if one.priority]
        if eventually(found, 3 * self.dialect.interval + 8, 0.02) is None:
            raise LabError(f"no advert\n{self.ours.log()[-4000:]}\n{self.theirs.log()[-4000:]}")
        return found()[0]

    def expect(self, true: object, sentence: str) -> None:
        if not true:
            raise LabError(f"{sentence}\n{self.ours.log()[-4000:]}")

    def note(self, what: str, side: int, since: float, formula: float) -> Moment:
        """How long after `since` a side's first advert came."""
        seen = self.first(side, since + 0.0005).at
        due = since + formula
        excuse = (self._processors.lateness(since, since + 0.02)
                  + self._processors.lateness(min(due, seen), max(due, seen)))
        moment = Moment(what, side, seen - since, formula, excuse)
        self.moments.append(moment)
        return moment

    # --- what happens -----------------------------------------------------------------------------

    def start_ours(self, priority: int) -> None:
        """As soon as its backup has begun to listen."""
        self.ours.write_config(self.dialect.config(priority, OURS))
        began = len(self.ours.log())
        self.ours.start("-P", "-D")
        listening = eventually(lambda: "INIT → BACKUP" in self.ours.log()[began:], 10)
        self.expect(listening is not None, "ours does not start")

    def play(self) -> None:
        """Both in every role."""
        self.theirs.play(100)
        self.becomes(THEIRS)
        began = time.time()
        self.start_ours(150)
        self.becomes(OURS)
        self.speaks_well(self.first(OURS, began))
        self.yielded(THEIRS, self.first(OURS, began).at)
        self.ours_stops_and_crashes()
        began = time.time()
        self.start_ours(100)
        time.sleep(3 * self.dialect.interval)
        self.expect(not self.wires[OURS].since(began), "a backup speaks")
        self.status_is_right()
        for _ in range(ROUNDS):
            if all([self.theirs_stops(), self.theirs_crashes()]):
                break
            self.theirs.play(150)
            self.becomes(THEIRS)
        self.equals()
        self.ours.stop()
        self.theirs.stop()

    def speaks_well(self, advert: Advert) -> None:
        dialect = self.dialect
        self.expect(advert.checksum_good, "the checksum is wrong")
        seen = (advert.version, advert.ttl, advert.tos, advert.addresses, advert.destination)
        wanted = (dialect.version, 255, 0xC0, dialect.vips, dialect.destination(OURS))
        self.expect(seen == wanted, f"{seen} instead of {wanted}")

    def status_is_right(self) -> None:
        """Of a backup."""
        answers = eventually(lambda: self.ours.state("VI_1") == "BACKUP", 5)
        self.expect(answers is not None, "ours is no backup")
        [status] = self.ours.status("vrrp")["instances"]
        dialect, partner = self.dialect, self.wires[THEIRS].adverts_sent[-1].source
        forms = [(one["partner"], one["checksum"]) for one in status["partner_checksums"]]
        has_forms = dialect.version == 3 and not dialect.is_six
        seen = (status["state"], status["version"], status["unicast_peers"], forms,
                status["master"]["interval_ms"])
        wanted = ("BACKUP", dialect.version, [dialect.sources[1]] if dialect.peers else None,
                  [(partner, "with_pseudo_header")] if has_forms else [],
                  dialect.interval * 1000)
        self.expect(seen == wanted, f"status says {seen} instead of {wanted}")

    def yielded(self, side: int, to_first: float) -> None:
        """Whoever hears somebody better says nothing more, not even priority 0."""
        excuse = self._processors.lateness(to_first, to_first + self.dialect.interval)
        late = self.wires[side].since(to_first + 0.05 + excuse)
        self.expect(not late, f"it did not yield: {late[:2]}")

    def resigned(self, side: int, since: float) -> float:
        def found() -> list[Advert]:
            return [one for one in self.wires[side].since(since) if one.priority == 0]
        self.expect(eventually(found, 3, 0.02) is not None, "nobody resigned")
        return found()[0].at

    def ours_stops_and_crashes(self) -> None:
        stopped = time.time()
        self.expect(self.ours.stop() == 0, "ours did not end well")
        self.note("resigned", THEIRS, self.resigned(OURS, stopped), self.dialect.skew(100))
        self.becomes(THEIRS)
        self.start_ours(150)
        self.becomes(OURS)
        self.ours.kill_everything()
        time.sleep(0.1)
        last = self.wires[OURS].adverts_sent[-1].at
        self.note("crashed", THEIRS, last, self.dialect.down(100))
        self.becomes(THEIRS, crashed=True)

    def theirs_stops(self) -> bool:
        stopped = time.time()
        self.theirs.stop()
        moment = self.note("resigned", OURS, self.resigned(THEIRS, stopped), self.dialect.skew(100))
        self.becomes(OURS)
        began = time.time()
        self.theirs.play(150)
        self.becomes(THEIRS)
        self.yielded(OURS, self.first(THEIRS, began).at)
        return moment.is_close()

    def theirs_crashes(self) -> bool:
        self.theirs.crash()
        time.sleep(0.1)
        last = self.wires[THEIRS].adverts_sent[-1].at
        moment = self.note("crashed", OURS, last, self.dialect.down(100))
        self.becomes(OURS)
        return moment.is_close()

    def equals(self) -> None:
        """Of equal priority: the master stays until they are parted; the higher address wins."""
        began = time.time()
        self.theirs.play(100)
        time.sleep(self.dialect.down(100) + self.dialect.interval + 0.5)
        self.expect(not self.wires[THEIRS].since(began), "an equal one does not wait")
        self.switch.ip(f"link set {self.ports[THEIRS]} nomaster")
        self.first(THEIRS, began)
        time.sleep(2 * self.dialect.interval)
        healed = time.time()
        self.switch.ip(f"link set {self.ports[THEIRS]} master br0")
        winner = OURS if self.ours_higher else THEIRS
        self.becomes(winner)
        last = self.wires[1 - winner].adverts_sent[-1].at
        self.expect(last - healed < 2 * self.dialect.interval + LOOSE,
                    f"two masters for {last - healed:.3f} s after the split")
