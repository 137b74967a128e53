"""The matrix of peers: every dialect × every program that speaks it, both roles, and the moments of
both against the RFC's formulas (printed). `HOLDFAST_INTEROP=whole` adds newer releases, whose roots
`./dev peers` fetches.

All cells are played at the same time. What is late is judged beside what the machine itself was
late by, and is tried again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.dialects import DIALECTS, Dialect
from tests.lab.matrix import LOOSE, OURS, Cell, Moment
from tests.lab.measure import Processors
from tests.lab.netns import Lab
from tests.lab.peers import NEWER, THIS, Peer

PEERS = THIS + (NEWER if os.environ.get("HOLDFAST_INTEROP") == "whole" else ())
CELLS = [(dialect, peer) for peer in PEERS for dialect in DIALECTS
         if peer.package == "keepalived" or dialect.suits_frr()]
FRR_EARLY = 0.01  # it cuts the skew to centiseconds


@dataclass
class Played:
    cell: Cell
    trouble: Exception | None = None


Results = dict[tuple[str, str], Played]


def why_not(dialect: Dialect, peer: Peer) -> str | None:
    """The reason why a pair cannot be played here, or None."""
    if dialect.is_six and not Path("/proc/sys/net/ipv6").exists():
        return "this kernel has no IPv6"
    return peer.why_missing()


def play(cell: Cell) -> Played:
    try:
        cell.play()
    except Exception as trouble:  # pylint: disable=broad-except  # it is this cell's result
        return Played(cell, trouble)
    return Played(cell)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    """This host's programs together, then each newer one."""
    results: Results = {}
    columns = [[one for one in CELLS if one[1] in THIS],
               *([one for one in CELLS if one[1] == peer] for peer in PEERS if peer not in THIS)]
    for column in columns:
        with Lab(tmp_path_factory.mktemp("interop"), prefix=f"hi{os.getpid()}") as lab:
            processors = Processors(lab.machine("cpu"))
            cells = [Cell(lab, number, dialect, peer, processors, ours_higher=number % 2 == 1)
                     for number, (dialect, peer) in enumerate(column) if not why_not(dialect, peer)]
            with ThreadPoolExecutor(max(1, len(cells))) as threads:
                for done in threads.map(play, cells):
                    results[done.cell.peer.name, done.cell.dialect.name] = done
    yield results


def table(results: Results) -> str:
    lines = ["", f"{'':44} formula    off"]
    for (peer, dialect), done in results.items():
        for moment in done.cell.moments:
            who = "ours" if moment.side == OURS else peer
            lines.append(f"{dialect:20} {who:22} {moment}")
    return "\n".join(lines)


def judge(moment: Moment, peer: Peer, dialect: Dialect) -> str:
    early, late = 0.02, LOOSE + moment.excuse
    if peer.package == "frr":
        early += FRR_EARLY
        if dialect.is_six:  # its first advert of a reign is lost, the next is the first
            late += dialect.interval
    return "" if -early <= moment.off <= late else str(moment)


@pytest.mark.parametrize("dialect, peer", CELLS,
                         ids=[f"{peer.name}: {dialect.name}" for dialect, peer in CELLS])
def test_a_pair(played: Results, dialect: Dialect, peer: Peer) -> None:
    if missing := why_not(dialect, peer):
        pytest.skip(missing)
    done = played[peer.name, dialect.name]
    if done.trouble:
        raise done.trouble
    for what in ("resigned", "crashed"):
        tries = [one for one in done.cell.moments if one.what == what and one.side == OURS]
        assert any(one.is_close() for one in tries), "\n".join(map(str, tries))
        assert min(one.off for one in tries) > -0.002, "never early"
        [theirs] = [one for one in done.cell.moments if one.what == what and one.side != OURS]
        assert not judge(theirs, peer, dialect)


def test_the_table(played: Results, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(table(played))
    assert played
