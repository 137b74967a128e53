"""`./dev bench`: the names it knows, and the table that all benches fit into. Measures nothing."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.bench.figures import Figure, read, write

ROOT = Path(__file__).resolve().parents[2]


def dev(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([ROOT / "dev", *words], capture_output=True, text=True, timeout=60,
                          check=False)


def test_the_help_names_every_bench() -> None:
    there = sorted(path.stem for path in (ROOT / "tests/bench").glob("*.py")
                   if "def main(" in path.read_text(encoding="utf-8"))
    named = re.search(r"names: ([a-z ]+);", dev("help").stdout)

    assert named and named[1].split() == there


def test_a_bench_that_is_not_there_is_refused_before_anything_is_built() -> None:
    refused = dev("bench", "nonsense")

    assert refused.returncode == 1
    names = "config hostile ipvs memory takeover tracking vrrp"
    assert f"nonsense is no bench ({names})" in refused.stderr
    assert dev("bench", "config", "vrrp", "--runs", "2").returncode == 1


def test_a_figure_says_how_many_times_better_it_is() -> None:
    assert Figure("pings lost", "", 10, 30).times_better() == 3
    assert Figure("adverts", "a CPU second", 10, 30, "more").times_better() == 1 / 3
    assert Figure("not here", "MB", 10, None).times_better() is None
    assert Figure("pings lost", "", 0, 210).line().split() == ["pings", "lost", "0", "210"]
    assert Figure("both", "", 0, 0).line().endswith("equal")
    assert Figure("memory", "MB", 1.64, 0.145).line().split()[2:] == ["1.64", "0.145", "0.088", "×"]


def test_figures_are_read_back_as_they_were_written(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tests.bench.figures.BUILD", tmp_path)
    rows = [Figure("one", "MB", 1.5, None), Figure("two", "", 3, 4, "more")]

    assert write("some", rows, None, rows=[{"more": 1}]) == tmp_path / "bench-some.json"
    assert read("some") == rows
