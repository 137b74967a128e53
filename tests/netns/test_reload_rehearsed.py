"""What `holdfastctl plan` rehearses is what a reload then does: random reloads of running pairs.

Both directors of a pair plan, record and reload. What is rehearsed for the moment of the reload is,
decision by decision, what the recording says that the VRRP process decided then. A reload that an
election overtook, between plan and reload, is left out. HOLDFAST_SEED=N plays pair N again,
HOLDFAST_REHEARSALS tells how many reloads.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.director import Director
from tests.lab.netns import Lab, eventually

from .random_pairs import DIRECTORS, Config, Maker
from .test_reload_pairs import Pair

RELOADS = int(os.environ.get("HOLDFAST_REHEARSALS") or 12)
PAIRS = 2


def rehearsed(director: Director) -> tuple[list[str], str]:
    """The decisions that the running director would make at once, and all that was printed."""
    answer = director.ctl("plan", "--json")
    assert answer.returncode in (0, 3), answer
    page = json.loads(answer.stdout)
    assert "vrrp" in page["rehearsed"], answer
    actions = page["rehearsed"]["vrrp"]["actions"]
    return ([f"{one['subject']} {one['decision']}" for one in actions
             if one["after_ms"] == 0 and "peer" not in one], answer.stdout)


def recorded(file: Path) -> tuple[list[str], list[str]] | None:
    """What was decided in the turn of the reload, and then because of what the kernel answered.

    What time and packets brought meanwhile is left out; the page of masters says nothing new. None:
    an instance changed its state between the rehearsal and the reload.
    """
    at_once: list[str] = []
    later: list[str] = []
    decided, events, has_reloaded, is_over = at_once, set(), False, True
    for line in file.read_text(encoding="ascii").splitlines():
        words = line.split()
        if line.startswith("=> "):
            if not has_reloaded and " -> " in line:
                return None
            if has_reloaded and not events & {"packet", "finish"} and " remember " not in line:
                decided += [line[3:]] if line != "=> nothing" else []
            is_over = True
        elif re.match(r"[0-9.]+$", words[0]):
            if is_over:
                events, is_over = set(), False
                decided = later if has_reloaded else at_once
            events |= set(words[1:2])
            has_reloaded = has_reloaded or words[1:3] == ["do", "reload"]
    assert has_reloaded, file.read_text(encoding="ascii")
    return at_once, later


def compare(director: Director, text: str, tag: str) -> int:
    """Plans, reloads and compares; returns how many decisions were the same.

    0: there were none, or the reload was overtaken by an election.
    """
    director.write_config(text)
    file = director.directory / f"rehearsal-{tag}.txt"
    assert director.ctl("record", "start", str(file)).returncode == 0
    expected, printed = rehearsed(director)
    answer = director.ctl("reload", "--force")
    assert answer.returncode == 0, answer
    time.sleep(0.3)  # for the kernel's answers
    assert director.ctl("record", "stop").returncode == 0
    decided = recorded(file)
    if decided is None:
        return 0
    at_once, later = decided
    told = f"rehearsed {expected}\ndecided   {at_once}\nand then  {later}\n{printed}\n{text}"
    assert expected[:len(at_once)] == at_once, told
    assert sorted(expected[len(at_once):]) == sorted(later), told  # the kernel has its own order
    return len(expected)


def play(lab: Lab, tag: str, seed: int) -> tuple[int, str]:
    """One pair's life: how many decisions were compared, and what went wrong."""
    maker = Maker(random.Random(seed))
    pair = Pair(lab, tag)
    now, step, compared = maker.first(), 0, 0
    try:
        pair.start(now)
        for step in range(RELOADS // PAIRS):
            # A file without any virtual router ends the process: then there is nothing to ask.
            while not (after := maker.step(now)).routers:
                pass
            texts = pair.texts(after)
            compared += sum(compare(pair.directors[one], texts[one], f"{step}-{one}")
                            for one in DIRECTORS)
            now = pair.config = after
            rest(pair, maker.rng)
    except Exception as trouble:  # told with the seed, beside the other pair's results
        logs = "".join(f"--- director {one}\n{pair.directors[one].log()[-3000:]}"
                       for one in DIRECTORS)
        return compared, f"HOLDFAST_SEED={seed}, step {step}: {trouble}\n{logs}"
    return compared, ""


def rest(pair: Pair, draw: random.Random) -> None:
    """Half of the reloads come into the middle of what the one before has begun."""
    if draw.random() < 0.5:
        return

    def is_quiet() -> bool:
        states = [{one["name"]: one["state"] for one in director.status("vrrp")["instances"]}
                  for director in pair.directors]
        return all(sorted(state.get(router.name, "") for state in states) == ["BACKUP", "MASTER"]
                   for router in pair.config.routers)

    eventually(is_quiet, 6)


def test_what_is_rehearsed_is_what_then_happens(lab: Lab, record_property) -> None:
    seed = int(os.environ.get("HOLDFAST_SEED") or random.randrange(1, 1_000_000))
    record_property("HOLDFAST_SEED", seed)
    print(f"HOLDFAST_SEED={seed}")
    seeds = [seed, *range(1, PAIRS)]

    with ThreadPoolExecutor(PAIRS) as pairs:
        lives = list(pairs.map(lambda one: play(lab, str(one), seeds[one]), range(PAIRS)))

    assert not any(trouble for _, trouble in lives), "\n".join(trouble for _, trouble in lives)
    assert sum(count for count, _ in lives) >= RELOADS, "too little happened to be told apart"
