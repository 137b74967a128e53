"""The event recorder: what a pair was told and decided, played again; and explain."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.director import BIN, Director
from tests.lab.netns import Lab, Namespace, eventually

VIP = "10.9.0.200"
A, B = "10.9.0.1", "10.9.0.2"
PASSWORD = "geheim12"


def config(priority: int, extra: str = "", interval: float = 1, interface: str = "eth0") -> str:
    return (
        f"vrrp_instance VI_1 {{\n state BACKUP\n interface {interface}\n virtual_router_id 51\n"
        f" priority {priority}\n advert_int {interval}\n {extra}\n"
        f" authentication {{\n auth_type PASS\n auth_pass {PASSWORD}\n }}\n"
        f" virtual_ipaddress {{\n{VIP}\n }}\n}}\n"
    )


@dataclass
class Pair:
    a: Director
    b: Director
    switch: Namespace
    ports: list[str]

    def is_master(self, director: Director, timeout: float = 10) -> None:
        assert eventually(lambda: director.state("VI_1") == "MASTER", timeout) is not None, (
            director.log())

    def is_in(self, director: Director, state: str, timeout: float = 10) -> None:
        assert eventually(lambda: director.state("VI_1") == state, timeout) is not None, (
            director.log())


@pytest.fixture
def pair(lab: Lab) -> Pair:
    switch = lab.switch("sw")
    a, b = lab.machines("a", "b")
    ports = lab.cables(switch, (a, "eth0", f"{A}/24"), (b, "eth0", f"{B}/24"))
    both = Pair(Director(a, config(150)), Director(b, config(100)), switch, list(ports))
    for director in (both.a, both.b):
        director.start("-P", "-D")
    both.is_master(both.a)
    both.is_in(both.b, "BACKUP")
    return both


def replay(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(BIN / "holdfast"), "--replay", str(file)], text=True,
                          capture_output=True, timeout=60)


def replays(file: Path) -> str:
    """The decisions of a recording that must come out the same."""
    ended = replay(file)
    assert ended.returncode == 0, f"{file}\n{ended.stdout[-2000:]}{ended.stderr}"
    assert re.fullmatch(r"the same: \d+ decisions\n", ended.stderr), ended.stderr
    return ended.stdout


def record(director: Director, file: Path) -> None:
    answer = director.ctl("record", "start", str(file))
    assert answer.returncode == 0, answer.stderr


def kill_child(director: Director) -> None:
    pid = director.role_pid("vrrp")
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: director.status("vrrp").get("pid", pid) != pid, 10) is not None


def live(pair: Pair, seconds: float) -> None:
    """A failover, a reload, a link flap and a killed child, then quiet until the time is over."""
    ends = time.monotonic() + seconds
    pair.switch.ip(f"link set {pair.ports[0]} down")
    pair.is_master(pair.b)
    pair.is_in(pair.a, "FAULT")
    pair.switch.ip(f"link set {pair.ports[0]} up")
    pair.is_master(pair.a)
    pair.is_in(pair.b, "BACKUP")
    pair.b.write_config(config(200))
    assert pair.b.ctl("reload").returncode == 0, pair.b.log()
    pair.is_master(pair.b)
    pair.is_in(pair.a, "BACKUP")
    kill_child(pair.b)
    pair.is_master(pair.b)
    kill_child(pair.a)
    pair.is_in(pair.a, "BACKUP")
    pair.b.machine.ip("link set eth0 down")
    pair.is_in(pair.b, "FAULT")
    pair.is_master(pair.a)
    pair.b.machine.ip("link set eth0 up")
    pair.is_master(pair.b)
    time.sleep(max(0.0, ends - time.monotonic()))


def test_a_recorded_minute_plays_to_the_same_decisions(pair: Pair, tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.txt" for name in ("a", "b")}
    record(pair.a, files["a"])
    record(pair.b, files["b"])

    live(pair, 60)

    for name, director in (("a", pair.a), ("b", pair.b)):
        answer = director.ctl("record", "stop")
        assert answer.returncode == 0, answer.stderr
        text = files[name].read_text(encoding="ascii")
        assert text.splitlines()[0] == "holdfast-scenario 1"
        assert len(re.findall(r"^\S+ life", text, re.MULTILINE)) == 2, "joined, and born again"
        assert PASSWORD not in text and PASSWORD.encode().hex() not in text
        assert oct(files[name].stat().st_mode & 0o777) == "0o600"
        trace = replays(files[name])
        assert "VI_1: MASTER -> FAULT: interface eth0 is down or has no carrier" in trace
        assert trace.count("send advert priority") >= {"a": 6, "b": 40}[name], trace
    assert "VI_1: BACKUP -> MASTER: " in replays(files["b"])


def test_another_decision_is_told_with_its_line(pair: Pair, tmp_path: Path) -> None:
    file = tmp_path / "short.txt"
    record(pair.a, file)
    time.sleep(2.5)
    assert pair.a.ctl("record", "stop").returncode == 0
    lines = file.read_text(encoding="ascii").splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if line.startswith("=> VI_1 send advert"))
    lines[at] = "=> VI_1 withdraw\n"
    file.write_text("".join(lines), encoding="ascii")

    ended = replay(file)

    assert ended.returncode == 1
    assert ended.stderr == (f"{file}:{at + 1}: decided otherwise\n  expected => VI_1 withdraw\n"
                            "  got      => VI_1 send advert priority 150\n")
    file.write_text("holdfast-scenario 1\n1.000000 life\nnonsense\n", encoding="ascii")
    ended = replay(file)
    assert ended.returncode == 2
    assert ended.stderr == f"{file}:3: 'nonsense' stands here without its time\n"


def test_mastership_changes_and_crashes_leave_recordings_behind(pair: Pair) -> None:
    run_dir = pair.a.directory
    record_1 = run_dir / "vrrp.record.1"
    assert eventually(record_1.exists, 5) is not None, "the first mastership was not written"
    assert "VI_1: BACKUP -> MASTER: no master was heard" in replays(record_1)
    assert PASSWORD not in record_1.read_text(encoding="ascii")

    kill_child(pair.a)

    crash = run_dir / "vrrp.crash.1"
    assert eventually(crash.exists, 5) is not None, pair.a.log()
    trace = replays(crash)
    assert "BACKUP -> MASTER" in trace and trace.count("send advert priority 150") >= 1
    assert (run_dir / "vrrp.ring").exists() and not (run_dir / "vrrp.ring.crashed").exists()

    assert pair.a.stop() == 0
    assert not (run_dir / "vrrp.ring").exists(), "an orderly end is no crash"


def test_flapping_does_not_write_for_ever(pair: Pair) -> None:
    assert eventually((pair.a.directory / "vrrp.record.1").exists, 5) is not None
    seen = {(pair.a.directory / "vrrp.record.1").stat().st_mtime_ns}
    begin = time.monotonic()
    while time.monotonic() - begin < 18:
        pair.switch.ip(f"link set {pair.ports[0]} down")
        pair.is_in(pair.a, "FAULT")
        pair.switch.ip(f"link set {pair.ports[0]} up")
        pair.is_master(pair.a)
        seen.add((pair.a.directory / "vrrp.record.1").stat().st_mtime_ns)
    time.sleep(1)
    seen.add((pair.a.directory / "vrrp.record.1").stat().st_mtime_ns)

    assert 2 <= len(seen) <= 3, "at most one every ten seconds"
    assert "MASTER -> FAULT" in replays(pair.a.directory / "vrrp.record.1")


def test_record_refuses_with_a_sentence(pair: Pair, tmp_path: Path) -> None:
    there = tmp_path / "there.txt"
    there.write_text("precious", encoding="ascii")

    answer = pair.a.ctl("record", "start", str(there))
    assert answer.returncode == 1
    assert answer.stderr == f"holdfastctl: {there} is there already: name a new file\n"
    assert there.read_text(encoding="ascii") == "precious"
    answer = pair.a.ctl("record", "stop")
    assert (answer.returncode, answer.stderr) == (1, "holdfastctl: nothing is being recorded\n")
    answer = pair.a.ctl("record", "start", "/nowhere/at/all")
    assert answer.stderr == "holdfastctl: cannot make /nowhere/at/all: No such file or directory\n"
    record(pair.a, tmp_path / "first.txt")
    answer = pair.a.ctl("record", "start", str(tmp_path / "second.txt"))
    assert "first.txt is being recorded already" in answer.stderr


def test_a_full_disk_costs_the_recording_and_nothing_else(pair: Pair) -> None:
    machine = pair.a.machine
    disk = pair.a.directory / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(disk)], check=True)
    try:
        record(pair.a, disk / "all.txt")
        for priority in range(151, 250):  # each reload is a few hundred bytes
            pair.a.write_config(config(priority))
            assert pair.a.ctl("reload").returncode == 0
            if "No space left on device" in pair.a.log():
                break
        assert eventually(lambda: "the recording has ended" in pair.a.log(), 10) is not None
        assert pair.a.log().count("No space left on device") == 1
        replays(disk / "all.txt")
        assert pair.a.state("VI_1") == "MASTER"
        assert pair.a.ctl("record", "stop").returncode == 1, "nothing is recorded any more"
        assert VIP in {one.split("/")[0] for one in machine.addresses()}
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def explained(director: Director, word: str = "VI_1") -> dict:
    answer = director.ctl("explain", word, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_explain_tells_why_in_every_state(pair: Pair) -> None:
    master, backup = explained(pair.a), explained(pair.b)

    assert (master["state"], master["why"]) == ("MASTER", "no master was heard")
    assert master["heard"] is None
    assert master["timers"][0]["what"] == "sends its next advert"
    assert 0 <= master["timers"][0]["in_ms"] <= 1000
    assert "becomes backup when another router advertises a priority above 150" in master["changes"]
    assert [(one["from"], one["to"]) for one in master["history"]] == [
        ("BACKUP", "MASTER"), ("INIT", "BACKUP")]

    assert backup["state"] == "BACKUP"
    assert (backup["heard"]["address"], backup["heard"]["priority"]) == (A, 150)
    assert backup["heard"]["heard_ms"] < 1200
    assert backup["timers"][0]["what"].startswith("becomes master, unless")
    assert 2400 < backup["timers"][0]["in_ms"] <= 3610
    said = "\n".join(backup["changes"])
    assert re.search(rf"becomes master when {A} is silent for [23]\.\d s more", said), said
    assert f"becomes master 0.6 s after {A} resigns (priority 0)" in said
    assert "takes over within 3.6 s when a reload raises its priority above 150" in said

    pair.b.machine.ip("link set eth0 down")
    pair.is_in(pair.b, "FAULT")
    fault = explained(pair.b, "eth0/51")
    assert fault["faults"] == ["interface eth0 is down or has no carrier"]
    assert fault["changes"] == [
        "takes part again when this is over: interface eth0 is down or has no carrier"]
    text = pair.b.ctl("explain", "VI_1").stdout
    assert text.startswith("VI_1 (eth0, VRID 51) is FAULT since ")
    assert "  fault     interface eth0 is down or has no carrier\n" in text
    assert re.search(r"  before    \S+Z  BACKUP -> FAULT: interface eth0 is down", text), text


def test_explain_names_a_peer_whose_adverts_do_not_count(pair: Pair) -> None:
    pair.b.write_config(config(200).replace(PASSWORD, "anders34"))
    assert pair.b.ctl("reload").returncode == 0
    pair.is_master(pair.b)

    assert eventually(lambda: explained(pair.a)["rejected"], 5) is not None
    rejected = explained(pair.a)["rejected"][0]
    assert (rejected["source"], rejected["reason"]) == (B, "authentication_data")
    assert "  rejects   10.9.0.2 uses another password" in pair.a.ctl("explain", "VI_1").stdout


def test_what_explain_promises_comes_true(pair: Pair) -> None:
    promise = explained(pair.b)["timers"][0]["in_ms"] / 1000
    asked = time.monotonic()

    pair.switch.ip(f"link set {pair.ports[0]} down")  # at most one advert is on its way

    pair.is_master(pair.b)
    took = time.monotonic() - asked
    assert promise - 0.1 < took < promise + 1.3


def test_explain_of_words_that_are_messages(pair: Pair) -> None:
    pair.a.write_config(config(150).replace("VI_1", "vrrp-fault"))
    assert pair.a.ctl("reload").returncode == 0

    instance = pair.a.ctl("explain", "vrrp-fault")
    message = pair.a.ctl("explain", "message:vrrp-fault")

    assert instance.stdout.startswith("vrrp-fault (eth0, VRID 51) is MASTER")
    assert message.stdout.startswith("vrrp-fault (warning)\n")
    assert pair.b.ctl("explain", "vrrp-fault").stdout == message.stdout
    nobody = pair.b.ctl("explain", "VI_9")
    assert nobody.returncode == 1
    assert "there is no vrrp_instance 'VI_9'" in nobody.stderr
