"""Ordinary people's files beside keepalived: each is started by both programs, in machines of their
own that are alike, a cable is pulled, they are stopped, and what comes of it is compared: states,
priorities, addresses, routes, rules, calls of scripts (once all succeed, once all fail), adverts.

`HOLDFAST_ORDINARY=whole` (in `./dev test --all`) takes all of them, and puts the cable back; else a
dozen are played.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lab.director import ROOT
from tests.lab.netns import Lab
from tests.lab.ordinary import (WILD, Inhabitant, differences, link_of_the_first, ordinary_files,
                                run_in_neither, settled, stop_all)

TELLING = (
    "imssyang+keepalived__14", "imssyang+keepalived__17", "imssyang+keepalived__18",
    "iphizic+haproxy-rebrain__1", "pecio+stretch-nfsv4-keepalived__1",
    "Yama-Tomo+using-keepalived-mysql-ha__1", "mehdy+keepalived-exporter__1", "alibaba+LVS__19",
    "loxilb-io+loxilb__4", "tony-yin+ceph_scripts__1", "kbarber+puppetlabs-lvs__1",
    "Glf9832+keepalived_redis_nginx__1",
)
AT_ONCE = 24
WHOLE = os.environ.get("HOLDFAST_ORDINARY") == "whole"

# What differs on purpose: words of the difference → words of the row of docs/compatibility.md.
EXPLAINED: dict[str, dict[str, str]] = {
    "lesaux+docker-keepalived__1": dict.fromkeys(
        ("runs: True", "stop: wire: only Holdfast"), "a list of names without its braces"),
    "kbarber+puppetlabs-lvs__1": {
        "stop: routes: only keepalived: 224.": "a static route whose link has no carrier"},
}


# Files that neither program takes, as people wrote them: of these nothing is compared.
IN_NEITHER = {"EngAhmedNazmy+HA_LoadBalancer__1"}


def play(lab: Lab, files: list[tuple[Path, int]],
         neither: set[str]) -> dict[tuple[str, int], list[str]]:
    """Each file with its scripts' exit code: the start, a cable that is pulled, and put back (when
    all are played), and the stop. Adds to `neither` what runs in neither program."""
    pairs = []
    for at, (path, verdict) in enumerate(files):
        pairs.append([Inhabitant(lab, f"{letter}{at}", path, program, verdict)
                      for letter, program in (("h", "holdfast"), ("k", "keepalived"))])
    boxes = [box for pair in pairs for box in pair]
    told: dict[tuple[str, int], list[str]] = {(path.stem, exit_): [] for path, exit_ in files}

    def compare(when: str) -> None:
        for (path, verdict), pair in zip(files, pairs):
            ours, theirs = (box.seen() for box in pair)
            found = differences(ours, theirs)
            told[path.stem, verdict] += [f"{when}: {each}" for each in found]
            states = ", ".join(f"{name} {state} {priority}"
                               for name, (state, priority) in theirs.instances.items())
            print(f"{when}: {path.stem}, scripts {'fail' if verdict else 'succeed'}: "
                  f"{states or ('no instance' if theirs.runs else 'does not run')}"
                  f"; {len(theirs.notified)} notified; {'differs' if found else 'the same'}")
            for each in found:
                print(f"    {each}")
            if when != "stop" and run_in_neither(ours, theirs):
                neither.add(path.stem)
            if when == "start":
                assert theirs.instances or path.stem not in TELLING, pair[1].log()

    for box in boxes:
        box.start()
    settled(boxes, 90)
    compare("start")
    link_of_the_first(boxes, "down")
    settled(boxes, 20, elects=False)
    compare("cable pulled")
    if WHOLE:
        link_of_the_first(boxes, "up")
        settled(boxes, 90)
        compare("cable back")
    stop_all(boxes)
    compare("stop")
    if os.environ.get("HOLDFAST_ORDINARY_LOGS"):
        for (path, verdict), pair in zip(files, pairs):
            for box in pair if told[path.stem, verdict] else []:
                print(f"--- {path.stem} {box.program}\n{box.log()}")
    return told


def unexplained(name: str, told: list[str]) -> list[str]:
    known = EXPLAINED.get(name, {})
    return [each for each in told if not any(words in each for words in known)]


def test_a_file_of_keepalived_does_what_it_did(tmp_path: Path) -> None:
    files = ordinary_files()
    if not files:
        pytest.skip(f"{WILD} is not beside the checkout")
    if not WHOLE:
        files = [path for path in files if path.stem in TELLING]
    plays = [(path, verdict) for path in files for verdict in (0, 1)]
    told: dict[tuple[str, int], list[str]] = {}
    neither: set[str] = set()
    for at in range(0, len(plays), AT_ONCE):
        with Lab(tmp_path / f"lab{at}", prefix=f"o{os.getpid() % 100000}") as lab:
            told |= play(lab, plays[at:at + AT_ONCE], neither)
    assert len(told) == 2 * len(files)
    wrong = {name: rest for name, found in told.items()
             if (rest := unexplained(name[0], found))}
    assert not wrong, f"{len(wrong)} of {len(told)} are not as with keepalived: {wrong}"
    print(f"run in neither program: {sorted(neither)}")
    assert neither <= IN_NEITHER, "nothing is compared of files that ran before"


def test_each_difference_is_in_the_list_of_differences() -> None:
    rows = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    for name, known in EXPLAINED.items():
        for row in known.values():
            assert row in rows, (name, row)
