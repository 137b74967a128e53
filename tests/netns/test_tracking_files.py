"""Tracked files and processes: beside real keepalived, and on the wire."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, eventually

from .test_tracking import OURS, THEIRS, Bench, config


@pytest.fixture
def bench(lab: Lab) -> Bench:
    return Bench(lab)


def tracked(path: Path, more: str = "") -> str:
    return f"vrrp_track_file load {{\n file {path}\n{more}}}\n"


def replace(path: Path, text: str) -> None:
    path.with_suffix(".new").write_text(text, encoding="ascii")
    path.with_suffix(".new").rename(path)


@contextlib.contextmanager
def dead_mount(path: Path) -> Iterator[None]:
    """A FUSE mount whose server never answers: whoever calls into it waits until it is gone."""
    path.mkdir()
    try:
        server = os.open("/dev/fuse", os.O_RDWR)
    except OSError:
        pytest.skip("there is no FUSE here")
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={server},rootmode=40000,user_id=0,group_id=0".encode()
    if libc.mount(b"dead", str(path).encode(), b"fuse", 0, options) != 0:
        os.close(server)
        pytest.skip("FUSE cannot be mounted here")
    try:
        yield
    finally:
        os.close(server)  # ends what waits
        libc.umount2(str(path).encode(), 2)


class Both:
    """One file for both programs, each alone with its VRID."""

    def __init__(self, bench: Bench, body: str, blocks: str):
        self.bench = bench
        self.directors: dict[str, Director] = {
            OURS: bench.start(config(61, body, blocks)),
            THEIRS: bench.start(config(62, body, blocks, vip="10.72.0.201"), bench.b,
                                "keepalived"),
        }

    def seen(self) -> dict[str, tuple[str, int | None]]:
        since = time.time() - 1.3
        return {name: (director.state("VI_1"), self.bench.last_priority(name, since))
                for name, director in self.directors.items()}

    def are(self, state: str, priority: int | None, timeout: float = 9) -> None:
        wanted = {name: (state, priority) for name in self.directors}
        assert eventually(lambda: self.seen() == wanted, timeout, 0.2) is not None, (
            wanted, self.seen(), self.directors[OURS].log()[-3000:],
            self.directors[THEIRS].log()[-3000:])


def test_a_mount_that_never_answers_holds_nothing_up(bench: Bench) -> None:
    load, dead, link = (bench.shared / name for name in ("load", "dead", "link"))
    load.write_text("7\n", encoding="ascii")
    link.symlink_to(dead / "f")
    blocks = (tracked(load) + f"vrrp_track_file far {{\n file {dead}/f\n init_file 3\n}}\n"
              f"vrrp_track_file linked {{\n file {link}\n}}\n")
    body = " track_file {\n  load\n  far\n  linked\n }\n"
    with dead_mount(dead):
        bench.start(config(61, body, blocks))
        bench.becomes("MASTER")
        since = time.time()
        replace(load, "9\n")
        bench.waits(lambda: bench.last_priority(OURS, since) == 109)
        bench.reload(config(61, body, blocks + "# again\n"))
        assert "does not tell of changes" in bench.ours.log()
        assert bench.instance()["state"] == "MASTER"


def test_files_mean_what_they_mean_to_keepalived(bench: Bench) -> None:
    load, plain, inverse = (bench.shared / name for name in ("load", "plain", "inverse"))
    load.write_text("5\n", encoding="ascii")
    plain.write_text("0\n", encoding="ascii")
    blocks = (tracked(load, " weight 1\n") +
              f"vrrp_track_file plain {{\n file {plain}\n weight 0\n}}\n"
              f"vrrp_track_file inverse {{\n file {inverse}\n weight 2 reverse\n"
              " init_file 3\n}\n")
    both = Both(bench, " track_file {\n  load\n  plain\n  inverse\n }\n", blocks)
    both.are("MASTER", 99)  # + 5 - 2 × 3, which init_file has written
    assert inverse.read_text(encoding="ascii").strip() == "3"
    for text, priority in (("0x10\n", 110), ("  -20", 74), ("7 8", 101), ("nonsense", 94),
                           ("1000", 254)):
        load.write_text(text, encoding="ascii")
        both.are("MASTER", priority)
    load.unlink()
    both.are("MASTER", 94)
    replace(load, "-254\n")
    both.are("FAULT", None)
    plain.write_text("1\n", encoding="ascii")
    load.write_text("0\n", encoding="ascii")
    time.sleep(1)
    both.are("FAULT", None)
    plain.unlink()
    both.are("MASTER", 94)
    explained = both.directors[OURS].ctl("explain", "VI_1").stdout
    assert "94: 100 - 6 (inverse holds 3) = 94" in explained, explained


def test_a_written_file_is_on_the_wire_within_milliseconds(bench: Bench) -> None:
    load = bench.shared / "load"
    load.write_text("0\n", encoding="ascii")
    bench.start(config(61, " track_file {\n  load\n }\n", tracked(load)))
    bench.becomes("MASTER")
    waits = []
    for number in range(1, 12):
        time.sleep(0.6)  # at most two in an interval are told at once
        began = time.time()
        load.write_text(f"{number}\n", encoding="ascii")
        bench.waits(lambda: bench.last_priority(OURS, began) == 100 + number)
        waits.append(next(one.at for one in bench.capture.adverts(began, OURS)
                          if one.priority == 100 + number) - began)
    print("file to wire, ms:", sorted(round(1000 * one, 2) for one in waits))
    assert statistics.median(waits) < 0.005, waits


def test_numbers_outlive_a_reload_and_a_killed_child(bench: Bench) -> None:
    load = bench.shared / "load"
    blocks = tracked(load, " weight 1\n init_file 4 overwrite\n")
    body = " track_file {\n  load\n }\n"
    bench.start(config(61, body, blocks))
    bench.becomes("MASTER")
    bench.waits(lambda: bench.last_priority(OURS, 0) == 104)
    time.sleep(1.1)  # files have seconds here
    load.write_text("30\n", encoding="ascii")
    bench.waits(lambda: bench.instance()["effective_priority"] == 130)
    began = time.time()
    bench.reload(config(61, body, blocks, priority=101))
    bench.waits(lambda: bench.last_priority(OURS, began) == 131)
    os.kill(bench.ours.role_pid("vrrp"), signal.SIGKILL)
    bench.waits(lambda: "resumed after a restart" in bench.ours.log())
    time.sleep(1.5)
    assert {one.priority for one in bench.capture.adverts(began, OURS)} <= {130, 131}
    assert load.read_text(encoding="ascii") == "30\n"
    assert bench.instance()["trackers"][0]["number"] == 30

    load.write_text("words\n", encoding="ascii")
    bench.waits(lambda: bench.instance()["effective_priority"] == 101)
    load.write_text("more words\n", encoding="ascii")
    time.sleep(0.5)
    assert bench.ours.log().count("does not begin with a number") == 1


# ---- processes: the kernel tells of them in the first network namespace only, where keepalived
# looks, too; so the two are compared there in test_processes_are_counted_like_keepalived


class Sleepers:
    """Processes of a name of their own."""

    def __init__(self, directory: Path, name: str):
        self.program = directory / name
        shutil.copy("/usr/bin/sleep", self.program)
        self.running: list[subprocess.Popen] = []

    def start(self, *words: str) -> subprocess.Popen:
        self.running.append(subprocess.Popen([str(self.program), *(words or ("1000",))]))
        return self.running[-1]

    def end(self) -> None:
        one = self.running.pop()
        one.kill()
        one.wait()

    def end_all(self) -> None:
        while self.running:
            self.end()


def test_processes_are_counted_without_the_connector(bench: Bench) -> None:
    name = f"hf{os.getpid() % 100000}s"
    sleepers = Sleepers(bench.shared, name)
    blocks = (f"vrrp_track_process web {{\n process {name}\n weight 20\n}}\n"
              f"vrrp_track_process all {{\n process {sleepers.program} 77\n"
              " param_match initial\n quorum 2\n terminate_delay 1\n weight -30\n}\n")
    try:
        bench.start(config(61, " track_process {\n  web\n  all\n }\n", blocks))
        bench.becomes("MASTER")
        assert "processes are looked for in /proc every 0.5 s" in bench.ours.log()
        bench.waits(lambda: bench.last_priority(OURS, 0) == 70)
        sleepers.start("778")
        bench.waits(lambda: bench.instance()["effective_priority"] == 90)
        sleepers.start("779")
        bench.waits(lambda: bench.instance()["effective_priority"] == 120)
        explained = bench.ours.ctl("explain", "VI_1").stdout
        assert "120: 100 + 20 (web runs) = 120" in explained, explained
        time.sleep(0.6)  # at most two in an interval are told at once
        ended = time.time()
        sleepers.end()
        sleepers.end()
        bench.waits(lambda: bench.last_priority(OURS, ended) == 100, 1)  # by its pidfd
        bench.waits(lambda: bench.last_priority(OURS, ended) == 70)
        first = {priority: next(one.at for one in bench.capture.adverts(ended, OURS)
                                if one.priority == priority) - ended for priority in (100, 70)}
        assert first[100] < 0.1 and 1 <= first[70] < 1.2, first
    finally:
        sleepers.end_all()
