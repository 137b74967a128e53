"""The files that the lint tests look at."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "tls", "config", "runtime", "netlink_reflector", "ipvs_wrapper", "mail",
         "scripts", "vrrp", "checkers", "legacy", "watchdog", "ctl")


def files(*suffixes: str, below: tuple[str, ...] = ("",)) -> list[Path]:
    """Files of the project with one of these endings, as paths relative to its root."""
    found = []
    for place in below:
        for directory, names, entries in os.walk(ROOT / place):
            names[:] = [one for one in names if one not in ("build", "__pycache__")
                        and not one.startswith(".")]
            found += [Path(directory, one).relative_to(ROOT) for one in entries
                      if one.endswith(suffixes)]
    return sorted(found)


def sources() -> list[Path]:
    """C++ of the rooms (not of the tests)."""
    return files(".hpp", ".cpp", below=ROOMS)


def all_cpp() -> list[Path]:
    return files(".hpp", ".cpp", below=(*ROOMS, "tests"))


def lines(path: Path) -> list[str]:
    return (ROOT / path).read_text(encoding="utf-8").splitlines()
