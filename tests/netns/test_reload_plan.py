"""`holdfastctl plan` beside a running pair of directors: what it foretells, and that it comes true.

The second director is master of VI_1, the first of VI_2.
"""

from __future__ import annotations

import json
import os
import time

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, eventually
from tests.lab.wire import Capture, read_advert

OURS, PEER = "10.9.0.1", "10.9.0.2"


def router(
    name: str, vrid: int, priority: int, addresses: str, extra: str = "", interface: str = "eth0",
) -> str:
    return (
        f"vrrp_instance {name} {{\n state BACKUP\n interface {interface}\n"
        f" virtual_router_id {vrid}\n priority {priority}\n advert_int 1\n {extra}\n"
        f" virtual_ipaddress {{\n{addresses}\n }}\n}}\n"
    )


def config(first: int = 100, second: int = 200, **kwargs: str) -> str:
    return (router("VI_1", 51, first, kwargs.get("addresses", "10.9.0.200"),
                   kwargs.get("extra", ""))
            + kwargs.get("VI_2", router("VI_2", 52, second, "10.9.0.201\n10.9.0.202")))


class Pair:
    def __init__(self, lab: Lab):
        self.switch = lab.switch("sw")
        a, b = lab.machines("a", "b")
        lab.cables(self.switch, (a, "eth0", f"{OURS}/24"), (b, "eth0", f"{PEER}/24"))
        self.first = Director(a, config())
        self.second = Director(b, config(150, 100))
        self.capture = Capture(self.switch)
        for each in (self.second, self.first):
            each.start("-P", "-D")
        assert eventually(
            lambda: self.second.state("VI_1") == "MASTER" and self.first.state("VI_2") == "MASTER"
            and self.first.state("VI_1") == "BACKUP", 15) is not None, self.first.log()

    def plan(self, text: str, *words: str):
        self.first.write_config(text)
        return self.first.ctl("plan", *words)

    def gaps(self, source: str, vrid: int, since: float) -> list[float]:
        times = [one.at for one in map(read_advert, self.capture.frames(since))
                 if one and one.source == source and one.vrid == vrid]
        return [later - earlier for earlier, later in zip(times, times[1:])]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with Lab(tmp_path_factory.mktemp("plan"), prefix=f"p{os.getpid() % 100000}") as lab:
        yield Pair(lab)


# The edit of the first director's file, and the line that it must give.
FORETOLD = {
    "nothing": (config(), None),
    "layout": ("# a comment\n\n" + config(), None),
    "stronger than the master": (
        config(first=160), "~ VI_1: priority 100 → 160: will preempt 10.9.0.2"),
    "stronger, but not enough": (
        config(first=150), "  VI_1: priority 100 → 150: stays backup of 10.9.0.2 (priority 150)"),
    "a stronger master": (config(second=250), "  VI_2: priority 200 → 250: stays master"),
    "a weaker master": (
        config(second=90),
        "~ VI_2: priority 200 → 90: stays master only if no peer that may preempt is above 90"),
    "a backup's address": (
        config(addresses="10.9.0.200\n10.9.0.210"), ": holds 10.9.0.210 when it becomes master"),
    "a master's new address": (
        config(VI_2=router("VI_2", 52, 200, "10.9.0.201\n10.9.0.202\n10.9.0.203")),
        ": takes 10.9.0.203 and announces it"),
    "a master's old address": (
        config(VI_2=router("VI_2", 52, 200, "10.9.0.201")),
        ": releases 10.9.0.202, which nobody holds then"),
    "a master removed": (
        config(VI_2=""),
        "! VI_2: removed: releases 10.9.0.201 and 10.9.0.202, its peer takes over"),
    "a backup removed": (
        config().partition("vrrp_instance VI_2")[1] + config().partition("vrrp_instance VI_2")[2],
        "  VI_1: removed: nothing is released; 10.9.0.2 has one backup less"),
    "another router id": (
        config(VI_2=router("VI_2", 62, 200, "10.9.0.201")),
        "! VI_2: virtual_router_id 52 → 62: another virtual router for its peers"),
    "another interval": (
        config(VI_2=router("VI_2", 52, 200, "10.9.0.201\n10.9.0.202", "advert_int 2")),
        "~ VI_2: advert_int 1 → 2: peers with another interval"),
    "a new name": (
        config().replace("VI_2", "web"), "  web: name VI_2 → web: another name in messages"),
    "a new instance": (
        config() + router("VI_3", 53, 100, "10.9.0.230"),
        "  VI_3: added: begins as backup and takes 10.9.0.230 when no master is heard"),
}


@pytest.mark.parametrize("edit", FORETOLD)
def test_an_edit_is_told_with_its_consequence(pair: Pair, edit: str) -> None:
    text, line = FORETOLD[edit]

    plain = pair.plan(text)
    as_json = json.loads(pair.plan(text, "--json").stdout)

    assert plain.returncode == (3 if line else 0), plain
    assert as_json["changes"] is bool(line)
    assert as_json["from"].startswith("generation ")
    if line is None:
        assert plain.stdout.endswith("nothing changes\n") and as_json["steps"] == []
        return
    assert any(line in one for one in plain.stdout.splitlines()), plain.stdout
    assert f"{len(as_json['steps'])} change" in plain.stdout
    first = as_json["steps"][0]
    assert first["object"] in ("VI_1", "VI_2", "VI_3", "web")
    assert first["change"] and first["consequence"]
    assert first["impact"] in ("harmless", "disturbs", "drops")


def test_a_file_that_cannot_be_used_is_no_plan(pair: Pair) -> None:
    answer = pair.plan(config().replace("virtual_router_id 51", "virtual_router_id 999"))

    assert answer.returncode == 1
    assert "error: " in answer.stderr and "cannot be taken into use" in answer.stderr
    assert answer.stdout == ""


def test_another_file_and_two_files_without_a_director(pair: Pair) -> None:
    pair.first.write_config(config())
    other = pair.first.directory / "other.conf"
    other.write_text(config(first=120), encoding="utf-8")

    named = pair.first.ctl("plan", str(other))
    two = pair.first.machine.run(
        *pair.first.ctl("version").args[:1], "--run-dir", "/nonexistent", "plan", "--from",
        str(pair.first.config), str(other), check=False)
    alone = pair.first.machine.run(
        *pair.first.ctl("version").args[:1], "--run-dir", "/nonexistent", "plan", check=False)

    assert named.returncode == 3 and "priority 100 → 120" in named.stdout
    assert two.returncode == 3
    assert "priority 100 → 120: will preempt a master below 120" in two.stdout
    assert alone.returncode == 2 and "holdfast is not running" in alone.stderr


def test_what_was_foretold_comes_true_and_others_lose_no_advert(pair: Pair) -> None:
    began = time.time()
    time.sleep(1.2)
    foretold = pair.plan(config(first=160)).stdout
    assert "VI_1: priority 100 → 160: will preempt 10.9.0.2" in foretold

    done = pair.first.ctl("reload")

    assert done.returncode == 0 and "VI_1: priority 100 → 160" in done.stdout, done
    assert eventually(lambda: pair.first.state("VI_1") == "MASTER", 8) is not None
    assert pair.first.holds("10.9.0.200")
    assert eventually(lambda: not pair.second.holds("10.9.0.200"), 3) is not None
    time.sleep(1.2)
    unchanged = pair.gaps(OURS, 52, began)
    assert len(unchanged) >= 3 and max(unchanged) < 1.5 and min(unchanged) > 0.5, unchanged


def test_a_trial_that_nobody_confirms_gives_the_master_back(pair: Pair) -> None:
    assert eventually(lambda: pair.first.state("VI_1") == "MASTER", 8) is not None
    began = time.time()
    pair.first.write_config(config(first=100))
    done = pair.first.ctl("reload", "--confirm-within", "7s")
    assert done.returncode == 0, done
    assert eventually(lambda: pair.second.state("VI_1") == "MASTER", 6) is not None

    assert eventually(lambda: pair.first.state("VI_1") == "MASTER", 15) is not None

    assert pair.first.holds("10.9.0.200")
    unchanged = pair.gaps(OURS, 52, began)
    assert max(unchanged) < 1.5 and min(unchanged) > 0.5, unchanged
