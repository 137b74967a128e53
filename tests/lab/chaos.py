"""A pair of directors under everything that may happen to one of them, one thing at a time.

  python3 -m tests.lab.chaos [--partner keepalived] [--seconds 100] [--seed N]

A seed chooses what happens. Each step disturbs one director while the other is well, waits until
the pair is quiet again, and is judged by what a client, the wire and the kernels saw meanwhile:
no outage beyond what the step costs by the RFC, nobody beside the rightful holder for longer than
a handover, no more changes of the master than needed.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import chaos_actions
from .chaos_actions import Bound
from .chaos_pair import NOISE, Pair
from .measure import Outage
from .netns import Lab

SETTLES_WITHIN = 30.0
#: Both hold the address while the successor's is put in place and announced (docs/vrrp.md).
HANDOVER = 0.2
#: Memory is compared from here on: until then a process is still loading its pages.
WARM_AFTER = 60.0


@dataclass
class Step:
    """What was done and what was seen."""

    number: int
    title: str
    began: float
    took: float = 0.0
    allowed: float = 0.0
    outage: float = 0.0
    asked: float = 0.0  # the longest time without an answer to a request
    shared: float = 0.0
    changes: int = 0
    problems: list[str] = field(default_factory=list)


class Story:
    """One pair's life."""

    def __init__(self, lab: Lab, partner: str, seed: int, say: Callable[[str], None] = print):
        self.random = random.Random(seed)
        self.pair = Pair(lab, partner)
        self.seed, self.partner = seed, partner
        self.steps: list[Step] = []
        self.footprints: dict[tuple[str, str], list[tuple[float, object]]] = defaultdict(list)
        self._say = say
        self._began = 0.0

    def play(self, seconds: float) -> None:
        self.pair.start()
        self._began = time.time()
        while time.time() < self._began + seconds:
            self._do(chaos_actions.choose(self.pair, self.random))
        self._end()

    # --- a step -----------------------------------------------------------------------------------

    def _do(self, action: chaos_actions.Action) -> None:
        began = time.time()
        step = Step(len(self.steps) + 1, action.title, began)
        self.steps.append(step)
        bound = action.run()
        if not self.pair.settle(SETTLES_WITHIN, bound.quiet):
            step.problems.append(f"after {SETTLES_WITHIN:.0f} s {self.pair.describe()}")
        time.sleep(2 * NOISE)  # answers of the last requests
        self._judge(step, bound, began - 0.05, time.time() - 2 * NOISE)
        step.took = time.time() - began
        self._note_footprints()
        self._say(f"{step.number:4d} {step.took:5.1f} s  {step.title}: outage {step.outage:.2f} "
                  f"(allowed {step.allowed:.2f}), both {step.shared:.2f}, {step.changes} changes"
                  + "".join(f"\n     WRONG: {one}" for one in step.problems))

    def _judge(self, step: Step, bound: Bound, since: float, until: float) -> None:
        pair = self.pair
        outages = sorted(pair.pings.outages(since, until), key=lambda one: -one.length)
        asked = [one.length for one in pair.requests.outages(since, until)]
        late = pair.lateness(since, until)
        step.allowed = bound.outage
        step.outage = max((one.length for one in outages), default=0.0)
        step.asked = max(asked, default=0.0)
        for place, one in enumerate(outages):
            # What may cost something costs it once; every other gap is one of a few packets.
            allowed = bound.outage if place < bound.times else 0.0
            if one.length > allowed + self._noise(one):
                step.problems.append(f"no answer for {one.length:.3f} s, {allowed:.2f} are "
                                     f"allowed: {self._what_happened(step, one)}")
        # A connection that falls into a change waits for its time limit and begins again.
        if step.asked > bound.outage + 2 * pair.requests.patience + 2 * NOISE + late:
            step.problems.append(f"no service for {step.asked:.3f} s")
        self._judge_holders(step, bound, since, until)
        self._judge_adverts(step, bound, since)

    def _judge_holders(self, step: Step, bound: Bound, since: float, until: float) -> None:
        excused = bound.shared_until or since
        shared = [one for one in self.pair.holders.shared(since, until)
                  if one.began + one.length > excused]
        step.shared = max((one.length for one in shared), default=0.0)
        for one in shared:
            if one.length > HANDOVER + self._noise(one):
                step.problems.append(f"both hold the address for {one.length:.3f} s: "
                                     f"{self._what_happened(step, one)}")

    def _noise(self, span: Outage) -> float:
        """What the machine itself, not the director, may have added."""
        return NOISE + self.pair.lateness(span.began - 1, span.began + span.length + 0.5)

    def _what_happened(self, step: Step, span: Outage) -> str:
        """Holders and adverts around a span, in seconds from the beginning of the step."""
        since, until = span.began - 1.2, span.began + span.length + 0.5
        events = [(began, f"held by {'+'.join(sorted(holders)) or 'nobody'}")
                  for began, _, holders in self.pair.holders.history(since, until)]
        events += [(one.at, f"advert {one.source} {one.priority}")
                   for one in self.pair.capture.adverts(since) if one.at < until]
        events += [(span.began, "it begins"), (span.began + span.length, "it ends")]
        late = self.pair.lateness(since, until)
        return f"the machine was late by {late:.3f}; " + ", ".join(
            f"{at - step.began:.3f} {what}" for at, what in sorted(events))

    def _judge_adverts(self, step: Step, bound: Bound, since: float) -> None:
        adverts = [one for one in self.pair.capture.adverts(since - 1.5) if one.priority]
        masters = [one.source for one in adverts]
        step.changes = sum(1 for one, other in zip(masters, masters[1:]) if one != other)
        if step.changes > bound.changes:
            order = [(round(one.at - step.began, 3), one.source, one.priority) for one in adverts]
            step.problems.append(f"{step.changes} changes of the master, {bound.changes} are "
                                 f"allowed: {order}")
        self.pair.capture.forget(time.time() - 5)

    # --- processes --------------------------------------------------------------------------------

    def _note_footprints(self) -> None:
        for name, role, found in self.pair.footprints():
            self.footprints[name, role].append((time.time() - self._began, found))

    def _judge_footprints(self) -> list[str]:
        problems = []
        for (name, role), seen in self.footprints.items():
            warm = [found for at, found in seen if at > WARM_AFTER]
            if len(warm) < 8:
                continue
            # A process that is young has fewer pages: the most of each half, not single figures.
            half = len(warm) // 2
            for what, slack in (("descriptors", 2), ("own_kb", 256)):
                early = max(getattr(one, what) for one in warm[:half])
                late = max(getattr(one, what) for one in warm[half:])
                allowed = early + slack if what == "descriptors" else max(early * 1.1,
                                                                          early + slack)
                if late > allowed:
                    problems.append(f"{name}, {role}: {what} grew from {early} to {late}")
        return problems

    # --- the end ----------------------------------------------------------------------------------

    def _end(self) -> None:
        step = Step(len(self.steps) + 1, "everything is stopped in order", time.time())
        self.steps.append(step)
        step.problems += self._judge_footprints()
        step.problems += self.pair.stop()

    def problems(self) -> list[str]:
        return [f"step {step.number} ({step.title}): {problem}"
                for step in self.steps for problem in step.problems]

    def report(self) -> dict:
        by_title: dict[str, list[Step]] = defaultdict(list)
        for step in self.steps:
            by_title[step.title.split(":")[0]].append(step)
        return {
            "partner": self.partner, "seed": self.seed, "steps": len(self.steps),
            "worst": {
                title: {"times": len(steps), "outage": round(max(one.outage for one in steps), 3),
                        "allowed": round(max(one.allowed for one in steps), 3),
                        "shared": round(max(one.shared for one in steps), 3)}
                for title, steps in sorted(by_title.items())
            },
            "processes": {
                f"{name} {role}": [asdict(found) for _, found in (seen[len(seen) // 4], seen[-1])]
                for (name, role), seen in sorted(self.footprints.items())
            },
            "problems": self.problems(),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partner", choices=("holdfast", "keepalived"), default="holdfast")
    parser.add_argument("--seconds", type=float, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1_000_000))
    parser.add_argument("--directory", type=Path, help="where logs and report.json go")
    options = parser.parse_args()
    directory = options.directory or Path(tempfile.mkdtemp(prefix="holdfast-chaos-"))
    print(f"seed {options.seed}, partner {options.partner}, logs in {directory}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the machines are taken down
    with Lab(directory) as lab:
        story = Story(lab, options.partner, options.seed, lambda text: print(text, flush=True))
        story.play(options.seconds)
    report = story.report()
    text = json.dumps(report, indent=1)
    (directory / "report.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 1 if report["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
