"""Sync groups: beside real keepalived in both roles, with the scripts' own diaries; reloads,
crashes and stops without a member that is master alone."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.wire import Capture

A, B = 1, 2  # the machines' last octets
VIPS = {"in": "10.81.0.200", "out": "10.82.0.200"}
INTERFACES = {"in": "eth0", "out": "eth1"}
VRIDS = {"in": 81, "out": 82}
NAMES = {"in": "VI_IN", "out": "VI_OUT"}


def diary(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").splitlines() if path.exists() else []


class Bench:
    """Two directors between two networks, as around NAT: inside and outside."""

    def __init__(self, lab: Lab):
        self.a, self.b = lab.machines("a", "b")
        self.captures = {}
        for number, side in enumerate(VIPS, start=81):
            switch = lab.switch(f"sw{number}")
            lab.cables(switch, *((machine, INTERFACES[side], f"10.{number}.0.{last}/24")
                                 for machine, last in ((self.a, A), (self.b, B))))
            self.captures[side] = Capture(switch)
        for machine in (self.a, self.b):
            machine.ip("link add t1 type veth peer name t1p", "link set t1 up", "link set t1p up")
        self.shared = lab.directory / "shared"
        self.shared.mkdir()
        hook = self.shared / "hook"
        hook.write_text('#!/bin/sh\nf=$1; shift\necho "$@" >> "$f"\n', encoding="ascii")
        hook.chmod(0o755)
        self.hook = hook

    def diary_of(self, machine: Namespace) -> Path:
        return self.shared / f"told-{machine.short}"

    def config(self, machine: Namespace, priority: int, group: str = "", members: str = "",
               sides: tuple[str, ...] = ("in", "out"), inside: str = "") -> str:
        told = self.diary_of(machine)
        notify = "\n".join(
            f' notify_{state} "{self.hook} {told} own {state.upper()}"'
            for state in ("master", "backup", "fault"))
        text = ("global_defs {\n script_user root\n}\n"
                "vrrp_sync_group G {\n group {\n"
                + "".join(f"  {NAMES[side]}\n" for side in sides)
                + f" }}\n{notify}\n notify \"{self.hook} {told}\"\n{group}\n}}\n")
        for side in sides:
            text += (f"vrrp_instance {NAMES[side]} {{\n interface {INTERFACES[side]}\n"
                     f" virtual_router_id {VRIDS[side]}\n priority {priority}\n advert_int 1\n"
                     f"{members}\n{inside if side == 'in' else ''}\n"
                     f" notify \"{self.hook} {told}\"\n"
                     f" virtual_ipaddress {{\n  {VIPS[side]}/24\n }}\n}}\n")
        return text

    def start(self, machine: Namespace, program: str, text: str) -> Director:
        director = Director(machine, text, program)
        director.start("-P", *([] if program == "keepalived" else ["-D"]))
        return director

    def holders(self, side: str) -> set[str]:
        return {machine.short for machine in (self.a, self.b)
                if f"{VIPS[side]}/24" in machine.addresses(INTERFACES[side])}

    def both_at(self, machine: Namespace, timeout: float = 12) -> float:
        wanted = [{machine.short}] * 2
        took = eventually(lambda: [self.holders(side) for side in VIPS] == wanted, timeout, 0.02)
        assert took is not None, ([self.holders(side) for side in VIPS], machine.short)
        return took

    def zeros(self, last: int, since: float) -> dict[str, int]:
        return {side: sum(advert.priority == 0 for advert in capture.adverts(
                    since, f"10.{81 + number}.0.{last}"))
                for number, (side, capture) in enumerate(self.captures.items())}


@pytest.fixture
def bench(lab: Lab) -> Bench:
    return Bench(lab)


@pytest.mark.parametrize("programs", [("holdfast", "keepalived"), ("keepalived", "holdfast")])
def test_all_members_move_together_beside_keepalived(bench: Bench,
                                                     programs: tuple[str, str]) -> None:
    """The same story with the programs in both roles: who plays which part makes no difference."""
    told = {machine.short: bench.diary_of(machine) for machine in (bench.a, bench.b)}
    first = bench.start(bench.a, programs[0], bench.config(bench.a, 150))
    bench.both_at(bench.a)
    bench.start(bench.b, programs[1], bench.config(bench.b, 100))
    time.sleep(4)

    began = time.time()
    bench.a.ip("link set eth1 down")  # the outside is gone: the inside moves, too
    took = bench.both_at(bench.b)
    assert took < 5
    assert bench.zeros(A, began)["in"] >= 1
    assert eventually(lambda: first.state("VI_IN") == "FAULT", 3) is not None

    began = time.time()
    bench.a.ip("link set eth1 up")
    bench.both_at(bench.a)
    assert bench.zeros(B, began) == {"in": 0, "out": 0}  # yielding is no resignation

    first.stop()
    bench.both_at(bench.b, 5)

    words = {"B": "BACKUP", "M": "MASTER", "F": "FAULT", "S": "STOP"}
    for machine, states in ((bench.a, "BMFBMS"), (bench.b, "BMBM")):
        wanted = [words[state] for state in states]
        beginnings = ["GROUP G ", *(f"INSTANCE {name} " for name in NAMES.values())]

        def told_of(beginning: str, machine: Namespace = machine) -> list[str]:
            return [line.removeprefix(beginning).split()[0]
                    for line in diary(told[machine.short]) if line.startswith(beginning)]

        for beginning in beginnings:
            assert eventually(lambda: told_of(beginning) == wanted, 5) is not None, (
                beginning, told_of(beginning), wanted)
        # The group's own scripts, once a change; `notify` has 0 for the group's priority.
        assert told_of("own ") == [word for word in wanted if word != "STOP"]
        assert f"GROUP G {wanted[-1]} 0" in diary(told[machine.short])


@pytest.mark.parametrize("programs", [("holdfast", "keepalived"), ("keepalived", "holdfast")])
def test_a_stronger_director_on_one_network_takes_both_or_none(
        bench: Bench, programs: tuple[str, str]) -> None:
    bench.start(bench.a, programs[0], bench.config(bench.a, 150))
    bench.both_at(bench.a)
    # Stronger inside, weaker outside: it may not become master inside.
    text = bench.config(bench.b, 100).replace("priority 100", "priority 200", 1)
    second = bench.start(bench.b, programs[1], text)
    time.sleep(6)
    assert [bench.holders(side) for side in VIPS] == [{"a"}, {"a"}]
    assert second.state("VI_IN") == "BACKUP"
    if programs[1] == "holdfast":
        group = second.status("vrrp")["sync_groups"][0]
        assert (group["name"], group["state"], group["waits_for"]) == ("G", "BACKUP", ["VI_OUT"])
        explained = second.ctl("explain", "VI_IN").stdout
        assert "these of its sync group G may be master, too: VI_OUT" in explained
        assert "the others could be master: it waits for VI_OUT" in second.ctl("status").stdout
        told = second.ctl("explain", "G").stdout
        assert told.startswith("sync group G is BACKUP since "), told
        [line] = [each for each in told.splitlines() if "the others wait for it" in each]
        assert "VI_OUT with priority 100 is BACKUP since" in line, told
        machine = json.loads(second.ctl("explain", "--json", "group:G").stdout)
        assert [(each["name"], each["is_waited_for"]) for each in machine["members"]] == [
            ("VI_IN", False), ("VI_OUT", True)]
        told = second.ctl("explain", "group:VI_IN").stderr
        assert "no vrrp_sync_group 'VI_IN'" in told and "no message" not in told


@pytest.mark.parametrize("weight", ["", " sync_group_tracking_weight"])
@pytest.mark.parametrize("program", ["holdfast", "keepalived"])
def test_a_tracker_of_the_group_moves_all_members(bench: Bench, program: str, weight: str) -> None:
    group = f" track_script {{\n  chk\n }}\n{weight}"
    flag = bench.shared / "flag"
    flag.touch()
    check = bench.shared / "check"
    check.write_text(f"#!/bin/sh\ntest -e {flag}\n", encoding="ascii")
    check.chmod(0o755)
    script = (f"vrrp_script chk {{\n script {check}\n interval 1\n"
              f" weight {-20 if weight else 0}\n}}\n")
    bench.start(bench.a, program, script + bench.config(bench.a, 150, group))
    bench.both_at(bench.a)
    began = time.time()
    flag.unlink()

    def last(side: str) -> int | None:
        source = f"10.{81 if side == 'in' else 82}.0.{A}"
        adverts = bench.captures[side].adverts(began, source)
        return adverts[-1].priority if adverts else None

    wanted = [130, 130] if weight else [0, 0]
    assert eventually(lambda: [last("in"), last("out")] == wanted, 6) is not None, (
        last("in"), last("out"))


def test_members_come_and_go_with_a_reload(bench: Bench) -> None:
    """Nobody else notices; a crash afterwards is no failover either."""
    ours = bench.start(bench.a, "holdfast", bench.config(bench.a, 150, sides=("in",)))
    assert eventually(lambda: ours.state("VI_IN") == "MASTER", 8) is not None
    began = time.time()

    def reload(text: str) -> None:
        before = ours.status("watchdog")["generation"]
        ours.write_config(text)
        ours.process.send(signal.SIGHUP)
        assert eventually(lambda: ours.status("watchdog").get("generation", 0) > before,
                          5) is not None, ours.log()

    reload(bench.config(bench.a, 150))
    assert eventually(lambda: ours.state("VI_OUT") == "MASTER", 1) is not None, ours.log()
    bench.both_at(bench.a, 2)
    os.kill(ours.role_pid("vrrp"), signal.SIGKILL)
    time.sleep(1.5)
    assert [bench.holders(side) for side in VIPS] == [{"a"}, {"a"}]
    assert [ours.state(name) for name in NAMES.values()] == ["MASTER", "MASTER"]
    reload(bench.config(bench.a, 150, sides=("in",)))
    assert eventually(lambda: bench.holders("out") == set(), 5) is not None
    assert bench.holders("in") == {"a"}
    adverts = bench.captures["in"].adverts(began, f"10.81.0.{A}")
    gaps = [later.at - former.at for former, later in zip(adverts, adverts[1:], strict=False)]
    assert max(gaps) < 1.5 and all(advert.priority == 150 for advert in adverts), gaps
    assert [line for line in diary(bench.diary_of(bench.a)) if line.startswith("GROUP")] == [
        "GROUP G BACKUP 0", "GROUP G MASTER 0"]


def test_what_would_happen_to_the_group_is_rehearsed(bench: Bench) -> None:
    ours = bench.start(bench.a, "holdfast", bench.config(bench.a, 150))
    bench.both_at(bench.a)
    answer = ours.ctl("what-if", "eth1", "down").stdout
    assert "sync group G: becomes FAULT: VI_OUT: interface eth1 is down" in answer, answer
    assert "VI_IN: becomes FAULT: VI_OUT of the sync group G is in FAULT" in answer, answer
    assert "GROUP G FAULT 0" in answer, answer
    assert [bench.holders(side) for side in VIPS] == [{"a"}, {"a"}]
