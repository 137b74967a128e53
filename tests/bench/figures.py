#!/usr/bin/python3
"""The figures of the benches: each bench writes its own, and all of them fit into one table.

usage: tests/bench/figures.py NAME …     prints the table of build/bench-NAME.json …
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build"


@dataclass(frozen=True)
class Figure:
    title: str
    unit: str
    ours: float | None  # None: could not be measured here
    theirs: float | None
    better: str = "less"  # or "more"

    def times_better(self) -> float | None:
        """How many times better ours is; below 1 it is worse."""
        if self.ours is None or self.theirs is None:
            return None
        ours, theirs = max(self.ours, 1e-9), max(self.theirs, 1e-9)
        return theirs / ours if self.better == "less" else ours / theirs

    def line(self) -> str:
        def shown(value: float | None) -> str:
            if value is None:
                return "–"
            return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"

        times = self.times_better()
        if times is None:
            ratio = ""
        elif self.ours == 0 or self.theirs == 0:
            ratio = "equal" if self.ours == self.theirs else ""
        else:
            ratio = f"{times:,.0f} ×" if times >= 100 else f"{times:.2g} ×"
        return (f"{self.title:<58}{self.unit:>14}{shown(self.ours):>12}{shown(self.theirs):>12}"
                f"{ratio:>10}")


def print_table(figures: list[Figure]) -> None:
    print(f"{'':58}{'':14}{'holdfast':>12}{'keepalived':>12}{'better':>10}")
    for figure in figures:
        print(figure.line())


def write(name: str, figures: list[Figure], path: Path | None = None, **more: object) -> Path:
    """Writes build/bench-NAME.json, or `path`: the figures, and whatever else the bench knows."""
    path = path or BUILD / f"bench-{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {"bench": name, "figures": [asdict(one) for one in figures], **more}
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read(name: str) -> list[Figure]:
    report = json.loads((BUILD / f"bench-{name}.json").read_text(encoding="utf-8"))
    return [Figure(**one) for one in report["figures"]]


if __name__ == "__main__":
    print_table([figure for name in sys.argv[1:] for figure in read(name)])
