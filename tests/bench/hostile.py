#!/usr/bin/python3
"""A hostile world: Holdfast beside Debian's keepalived, in the same run, in namespaces.

Each trial is a module `hostile_NAME.py` beside this file with a function `measure()` that returns
its rows (`figures.Figure`). This file only plays them and prints one table.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import figures  # noqa: E402
from tests.bench.figures import Figure  # noqa: E402
from tests.lab.netns import why_unavailable  # noqa: E402

PREFIX = "hostile_"
TRIALS = sorted(path.stem.removeprefix(PREFIX)
                for path in Path(__file__).parent.glob(f"{PREFIX}*.py"))


def play(trial: str) -> list[Figure]:
    print(f"{trial} …", file=sys.stderr, flush=True)
    return importlib.import_module(f"tests.bench.{PREFIX}{trial}").measure()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trials", nargs="*", metavar="TRIAL",
                        help=f"of {', '.join(TRIALS)} (default: all of them)")
    parser.add_argument("--json", type=Path,
                        help="where the numbers go (default: build/bench-hostile.json)")
    options = parser.parse_args()
    if unknown := set(options.trials) - set(TRIALS):
        parser.error(f"there is no trial {', '.join(sorted(unknown))}")
    if reason := why_unavailable():
        print(f"skipped: {reason}")
        return 0
    rows = [row for trial in options.trials or TRIALS for row in play(trial)]
    figures.print_table(rows)
    print(f"\n{figures.write('hostile', rows, options.json)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
