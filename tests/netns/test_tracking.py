"""Tracked interfaces and scripts: beside real keepalived where both can be compared, on the wire
and with the scripts' own diaries otherwise."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.wire import Capture

VIP = "10.72.0.200"
OURS, THEIRS = "10.72.0.1", "10.72.0.2"
INTERFACES = ("t1", "t2", "t3", "t4")


def config(vrid: int, body: str, scripts: str = "", priority: int = 100, vip: str = VIP) -> str:
    return ("global_defs {\n script_user root\n}\n"
            f"{scripts}\n"
            f"vrrp_instance VI_1 {{\n interface eth0\n virtual_router_id {vrid}\n"
            f" priority {priority}\n advert_int 1\n{body}\n"
            f" virtual_ipaddress {{\n  {vip}/24\n }}\n}}\n")


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="ascii")
    path.chmod(0o755)
    return path


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").splitlines() if path.exists() else []


class Bench:
    """Two machines on one switch, with interfaces that can be tracked."""

    def __init__(self, lab: Lab):
        self.switch = lab.switch("sw")
        self.a, self.b = lab.machines("a", "b")
        lab.cables(self.switch, (self.a, "eth0", f"{OURS}/24"), (self.b, "eth0", f"{THEIRS}/24"))
        for machine in (self.a, self.b):
            machine.ip(*(f"link add {name} type veth peer name {name}p" for name in INTERFACES),
                       *(f"link set {name}{end} up" for name in INTERFACES for end in ("", "p")))
        self.capture = Capture(self.switch)
        self.shared = lab.directory / "shared"  # scripts and what they look at
        self.shared.mkdir()
        self.ours: Director | None = None

    def start(self, text: str, machine: Namespace | None = None,
              program: str = "holdfast") -> Director:
        director = Director(machine or self.a, text, program)
        director.start("-P", *([] if program == "keepalived" else ["-D"]))
        if program == "holdfast":
            self.ours = director
        return director

    def reload(self, text: str) -> None:
        before = self.ours.status("watchdog")["generation"]
        self.ours.write_config(text)
        self.ours.process.send(signal.SIGHUP)
        assert eventually(
            lambda: self.ours.status("watchdog").get("generation", 0) > before, 5) is not None

    def instance(self) -> dict:
        return (self.ours.status("vrrp").get("instances") or [{}])[0]

    def becomes(self, state: str, timeout: float = 8) -> float:
        took = eventually(lambda: self.instance().get("state") == state, timeout, 0.02)
        assert took is not None, (state, self.instance(), self.ours.log())
        return took

    def waits(self, condition: Callable[[], object], timeout: float = 5) -> None:
        assert eventually(condition, timeout, 0.02) is not None, self.ours.log()

    def last_priority(self, source: str, since: float) -> int | None:
        """Of the last advert; None: silent."""
        adverts = self.capture.adverts(since, source)
        return adverts[-1].priority if adverts else None


@pytest.fixture
def bench(lab: Lab) -> Bench:
    return Bench(lab)


def test_states_and_priorities_are_those_of_keepalived(bench: Bench) -> None:
    """One file, two programs, each alone with its VRID; the same things happen to both."""
    flag = bench.shared / "flag"
    flag.touch()
    check = script(bench.shared / "check", f"test -e {flag}")
    body = (" track_interface {\n  t1 weight -20\n  t2 weight 10\n  t3\n  t4\n }\n"
            " track_script {\n  chk\n  rev weight 15 reverse\n }\n")
    scripts = (f"vrrp_script chk {{\n script {check}\n interval 1\n weight -30\n fall 2\n}}\n"
               f"vrrp_script rev {{\n script {check}\n interval 1\n}}")
    machines = {OURS: bench.a, THEIRS: bench.b}
    directors = {
        OURS: bench.start(config(61, body, scripts)),
        THEIRS: bench.start(config(62, body, scripts, vip="10.72.0.201"), bench.b, "keepalived"),
    }

    def everywhere(line: str) -> None:
        for machine in machines.values():
            machine.ip(line)

    def seen() -> dict[str, tuple[str, int | None]]:
        since = time.time() - 1.3
        return {name: (director.state("VI_1"), bench.last_priority(name, since))
                for name, director in directors.items()}

    def both(state: str, priority: int | None, timeout: float = 9) -> None:
        wanted = {name: (state, priority) for name in directors}
        assert eventually(lambda: seen() == wanted, timeout, 0.2) is not None, (
            wanted, seen(), directors[OURS].log()[-3000:], directors[THEIRS].log()[-3000:])

    both("MASTER", 95)  # + 10 (t2 is up) - 15 (rev succeeds)
    everywhere("link set t1 down")
    both("MASTER", 75)
    flag.unlink()
    both("MASTER", 60)  # - 30 (chk fails), and rev counts no more
    everywhere("link set t2 down")
    both("MASTER", 50)
    everywhere("link set t3 down")
    everywhere("link set t4 down")
    both("FAULT", None)
    everywhere("link set t3 up")
    flag.touch()
    time.sleep(2.5)
    both("FAULT", None)  # t4 is still down
    everywhere("link set t4 up")
    both("MASTER", 65)
    explained = directors[OURS].ctl("explain", "VI_1").stdout
    assert ("65: 100 - 20 (t1 is down or has no carrier) - 15 (rev succeeds) = 65"
            in explained), explained
    assert "t2 is down or has no carrier" in explained and "chk succeeds" in explained


def test_nobody_is_told_anything_before_the_first_result(bench: Bench) -> None:
    flag, told = bench.shared / "flag", bench.shared / "told"
    flag.touch()
    begun = bench.shared / "begun"
    check = script(bench.shared / "check",  # slow for the first time
                   f"test -e {begun} || {{ touch {begun}; sleep 4; }}\ntest -e {flag}")
    notify = script(bench.shared / "notify", f"echo $3 >> {told}")
    bench.start(config(61, f" track_script {{\n  chk\n }}\n notify {notify}",
                       f"vrrp_script chk {{\n script {check}\n interval 1\n timeout 9\n}}"))
    bench.becomes("INIT", 3)
    time.sleep(0.7)
    assert bench.instance()["state"] == "INIT" and lines(told) == []
    explained = bench.ours.ctl("explain", "VI_1").stdout
    assert "begins when it is known of chk whether it succeeds" in explained
    bench.becomes("BACKUP", 8)
    flag.unlink()
    bench.becomes("FAULT", 12)
    assert bench.instance()["faults"] == ["chk fails"]
    bench.waits(lambda: lines(told) == ["BACKUP", "FAULT"])
    assert "vrrp_script chk fails: " in bench.ours.log()


def test_a_new_priority_is_on_the_wire_when_the_script_ends(bench: Bench) -> None:
    flag, ended = bench.shared / "flag", bench.shared / "ended"
    flag.touch()
    check = script(bench.shared / "check",
                   f"test -e {flag} && exit 0\ndate +%s.%N >> {ended}\nexit 3")
    scripts = f"vrrp_script chk {{\n script {check}\n interval 0.3\n weight WEIGHT\n}}"
    body = " track_script {\n  chk\n }"
    bench.start(config(61, body, scripts.replace("WEIGHT", "-40")))
    bench.becomes("MASTER")
    waits = []
    for _ in range(3):
        ended.unlink(missing_ok=True)
        began = time.time()
        flag.unlink()
        bench.waits(lambda: bench.last_priority(OURS, began) == 60)
        first = next(one.at for one in bench.capture.adverts(began, OURS) if one.priority == 60)
        waits.append(first - float(lines(ended)[0]))
        began = time.time()
        flag.touch()
        bench.waits(lambda: bench.last_priority(OURS, began) == 100)
        time.sleep(0.6)  # the next change is no second one of an interval
    assert min(waits) < 0.02 and sorted(waits)[1] < 0.1, waits

    flag.unlink()
    bench.waits(lambda: bench.instance()["effective_priority"] == 60)
    began = time.time()
    bench.reload(config(61, body, scripts.replace("WEIGHT", "-70")))
    bench.waits(lambda: bench.last_priority(OURS, began) == 30)
    bench.reload(config(61, body, scripts.replace("WEIGHT", "0")))
    bench.becomes("FAULT", 1)
    assert {one.priority for one in bench.capture.adverts(began, OURS)} - {60} == {30, 0}
    assert "100 - 70 (chk fails) = 30" in bench.ours.log()


def test_a_script_that_hangs_is_ended_and_never_runs_twice(bench: Bench) -> None:
    hang, diary = bench.shared / "hang", bench.shared / "diary"
    check = script(bench.shared / "check",
                   f"exec 9> {bench.shared}/lock\nflock -n 9 || echo twice >> {diary}\n"
                   f"test -e {hang} && {{ trap '' TERM; echo $$ >> {diary};"
                   " while :; do sleep 0.1; done; }\ntrue")
    bench.start(config(61, " track_script {\n  chk\n }",
                       f"vrrp_script chk {{\n script {check}\n interval 0.5\n timeout 0.7\n}}"))
    bench.becomes("MASTER")
    began = time.time()
    hang.touch()
    bench.becomes("FAULT", 4)
    assert time.time() - began < 0.5 + 0.7 + 0.3 + 0.5
    assert "has not ended within 0.700 s" in bench.ours.log()
    pid = int(lines(diary)[0])
    bench.waits(lambda: not Path(f"/proc/{pid}").exists(), 3)
    hang.unlink()
    bench.waits(lambda: bench.instance()["state"] != "FAULT", 6)
    assert "twice" not in lines(diary)


def test_a_script_that_cannot_run_is_said_once_and_fails(bench: Bench) -> None:
    bench.start(config(61, " track_script {\n  chk\n }",
                       "vrrp_script chk {\n script /nowhere/check\n interval 0.2\n}"))
    bench.becomes("FAULT", 4)
    time.sleep(1)
    log = bench.ours.log()
    assert log.count("vrrp_script chk fails") == 1 and "/nowhere/check" in log, log
    told = script(bench.shared / "check", "true")
    bench.reload(config(61, " track_script {\n  chk\n }",
                        f"vrrp_script chk {{\n script {told}\n interval 0.2\n}}"))
    bench.becomes("BACKUP", 2)


def test_a_failing_script_hands_the_addresses_to_keepalived_and_back(bench: Bench) -> None:
    flag = bench.shared / "flag"
    flag.touch()
    check = script(bench.shared / "check", f"test -e {flag}")
    theirs = bench.start(config(61, "", priority=120), bench.b, "keepalived")
    bench.start(config(61, " track_script {\n  chk\n }",
                       f"vrrp_script chk {{\n script {check}\n interval 0.5\n weight 50\n}}"))
    bench.becomes("MASTER", 10)  # with 150
    assert "150 (100 configured)" in bench.ours.ctl("status").stdout
    assert "tracks: chk succeeds (+50)" in bench.ours.ctl("status").stdout
    flag.unlink()
    bench.waits(lambda: theirs.holds(VIP) and not bench.ours.holds(VIP), 7)
    assert bench.instance()["state"] == "BACKUP"
    flag.touch()
    bench.waits(lambda: bench.ours.holds(VIP) and not theirs.holds(VIP), 7)


def test_a_killed_child_goes_on_with_the_same_priority(bench: Bench) -> None:
    check = script(bench.shared / "check", "sleep 0.5")
    bench.start(config(61, " track_script {\n  chk\n }",
                       f"vrrp_script chk {{\n script {check}\n interval 2\n weight 20\n}}"))
    bench.becomes("MASTER")
    bench.waits(lambda: bench.last_priority(OURS, 0) == 120)
    began = time.time()
    os.kill(bench.ours.role_pid("vrrp"), signal.SIGKILL)
    bench.waits(lambda: "resumed after a restart" in bench.ours.log())
    time.sleep(2.5)
    adverts = bench.capture.adverts(began, OURS)
    assert {one.priority for one in adverts} == {120}, bench.ours.log()
    assert len(adverts) >= 2 and bench.instance()["trackers"][0]["good"] is True
