"""An hour of a pair, recorded and played again. No test_ in its name: `./dev test --all` runs it.

HOLDFAST_RECORD_SECONDS makes it shorter.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.netns.test_vrrp_record import Pair, config, live, pair, record, replays

__all__ = ["pair"]  # the fixture


def test_a_recorded_hour_of_a_pair_plays_to_the_same_decisions(pair: Pair, tmp_path: Path) -> None:
    seconds = float(os.environ.get("HOLDFAST_RECORD_SECONDS", "3600"))
    files = {"a": tmp_path / "a.txt", "b": tmp_path / "b.txt"}
    record(pair.a, files["a"])
    record(pair.b, files["b"])
    ends = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < ends:
        live(pair, 60)
        pair.b.write_config(config(100))
        assert pair.b.ctl("reload").returncode == 0
        pair.is_master(pair.a)
        pair.is_in(pair.b, "BACKUP")
        rounds += 1

    for name, director in (("a", pair.a), ("b", pair.b)):
        assert director.ctl("record", "stop").returncode == 0
        trace = replays(files[name])
        assert trace.count("a process begins or is joined") == 1 + rounds
        assert trace.count("MASTER -> FAULT") >= rounds
