"""Ordinary people's files beside keepalived: each is started by both programs, in machines of their
own that are alike, and what comes of it is compared: states, priorities, addresses, routes, rules,
scripts, adverts.

`HOLDFAST_ORDINARY=whole` (in `./dev test --all`) takes all of them; else a dozen are played.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lab.director import ROOT
from tests.lab.netns import Lab
from tests.lab.ordinary import WILD, Inhabitant, differences, ordinary_files, settled

TELLING = (
    "imssyang+keepalived__14", "imssyang+keepalived__17", "imssyang+keepalived__18",
    "iphizic+haproxy-rebrain__1", "pecio+stretch-nfsv4-keepalived__1",
    "Yama-Tomo+using-keepalived-mysql-ha__1", "mehdy+keepalived-exporter__1", "alibaba+LVS__19",
    "loxilb-io+loxilb__4", "tony-yin+ceph_scripts__1", "kbarber+puppetlabs-lvs__1",
    "Glf9832+keepalived_redis_nginx__1",
)
AT_ONCE = 12

# What differs on purpose: words of the difference → words of the row of docs/compatibility.md.
EXPLAINED: dict[str, dict[str, str]] = {
    "lesaux+docker-keepalived__1": {"runs: True": "a list of names without its braces"},
}


def play(lab: Lab, files: list[Path], verdict: int) -> dict[str, list[str]]:
    pairs = []
    for at, path in enumerate(files):
        pairs.append([Inhabitant(lab, f"{letter}{at}", path, program, verdict)
                      for letter, program in (("h", "holdfast"), ("k", "keepalived"))])
    boxes = [box for pair in pairs for box in pair]
    for box in boxes:
        box.start()
    settled(boxes, 90)
    told = {}
    for path, pair in zip(files, pairs):
        ours, theirs = (box.seen() for box in pair)
        found = told[path.stem] = differences(ours, theirs)
        states = ", ".join(f"{name} {state} {priority}"
                           for name, (state, priority) in theirs.instances.items())
        print(f"{path.stem}: {states or ('no instance' if theirs.runs else 'refused')}"
              f"; {len(theirs.notified)} notified; {'differs' if found else 'the same'}")
        for each in found:
            print(f"    {each}")
        assert theirs.instances or path.stem not in TELLING, pair[1].log()
        if os.environ.get("HOLDFAST_ORDINARY_LOGS") and found:
            for box in pair:
                print(f"--- {path.stem} {box.program}\n{box.log()}")
    return told


def unexplained(name: str, told: list[str]) -> list[str]:
    known = EXPLAINED.get(name, {})
    return [each for each in told if not any(words in each for words in known)]


def batches(files: list[Path]) -> list[list[Path]]:
    return [files[at:at + AT_ONCE] for at in range(0, len(files), AT_ONCE)]


@pytest.mark.parametrize("verdict", [0, 1], ids=["scripts-succeed", "scripts-fail"])
def test_a_file_of_keepalived_does_what_it_did(tmp_path: Path, verdict: int) -> None:
    files = ordinary_files()
    if not files:
        pytest.skip(f"{WILD} is not beside the checkout")
    if os.environ.get("HOLDFAST_ORDINARY") != "whole":
        files = [path for path in files if path.stem in TELLING]
    told: dict[str, list[str]] = {}
    for number, batch in enumerate(batches(files)):
        with Lab(tmp_path / f"lab{number}", prefix=f"o{os.getpid() % 100000}") as lab:
            told |= play(lab, batch, verdict)
    wrong = {name: rest for name, found in told.items() if (rest := unexplained(name, found))}
    assert not wrong, f"{len(wrong)} of {len(told)} files are not as with keepalived: {wrong}"


def test_each_difference_is_in_the_list_of_differences() -> None:
    rows = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    for name, known in EXPLAINED.items():
        for row in known.values():
            assert row in rows, (name, row)
