"""`holdfastctl plan` beside a running pair of directors: what it foretells, and that it comes true.

The second director is master of VI_1, the first of VI_2.
"""

from __future__ import annotations

import json
import os
import re
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

    def reigns(self) -> list[int]:
        return [one["counters"]["became_master"]
                for one in self.first.status("vrrp")["instances"]]

    def gaps(self, source: str, vrid: int, since: float) -> list[float]:
        times = [one.at for one in map(read_advert, self.capture.frames(since))
                 if one and one.source == source and one.vrid == vrid]
        return [later - earlier for earlier, later in zip(times, times[1:])]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with Lab(tmp_path_factory.mktemp("plan"), prefix=f"p{os.getpid() % 100000}") as lab:
        yield Pair(lab)


# The edit of the first director's file, and a line that it must give; None: nothing changes.
FORETOLD = {
    "nothing": (config(), None),
    "layout": ("# a comment\n\n" + config(), None),
    "stronger than the master": (
        config(first=160), r"after \d\.\d s +VI_1: places 10\.9\.0\.200/32 dev eth0"),
    "stronger, but not enough": (
        config(first=149), "rehearsed with today's state: nothing is sent, moved or run"),
    "a stronger master": (
        config(second=250), r"after \d\.\d s +VI_2: sends an advert of priority 250"),
    "a weaker master": (
        config(second=90), r"after \d\.\d s +VI_2: sends an advert of priority 90"),
    "a backup's address": (
        config(addresses="10.9.0.200\n10.9.0.210"),
        r"after \d\.\d s +VI_1: a problem with 10.9.0.2: advertises other addresses than ours"),
    "a master's new address": (
        config(VI_2=router("VI_2", 52, 200, "10.9.0.201\n10.9.0.202\n10.9.0.203")),
        "at once +VI_2: places 10.9.0.203/32 dev eth0"),
    "a master's old address": (
        config(VI_2=router("VI_2", 52, 200, "10.9.0.201")),
        "at once +VI_2: takes off 10.9.0.202/32 dev eth0"),
    "a master removed": (config(VI_2=""), "at once +VI_2: resigns: sends an advert of priority 0"),
    "a backup removed": (
        config().partition("vrrp_instance VI_2")[1] + config().partition("vrrp_instance VI_2")[2],
        "at once +VI_1: is gone"),
    "another router id": (
        config(VI_2=router("VI_2", 62, 200, "10.9.0.201")), "at once +VI_2: becomes BACKUP"),
    "another interval": (
        config(VI_2=router("VI_2", 52, 200, "10.9.0.201\n10.9.0.202", "advert_int 2")),
        "after .* s +VI_2: sends an advert of priority 200"),
    "a new instance": (
        config() + router("VI_3", 53, 100, "10.9.0.230"),
        "after 3.6 s +VI_3: places 10.9.0.230/32 dev eth0"),
}


@pytest.mark.parametrize("edit", FORETOLD)
def test_an_edit_is_told_with_what_is_done(pair: Pair, edit: str) -> None:
    text, line = FORETOLD[edit]
    before = pair.reigns()

    plain = pair.plan(text)
    as_json = json.loads(pair.plan(text, "--json").stdout)

    assert plain.returncode == (3 if line else 0), plain
    assert as_json["changes"] is bool(line)
    assert as_json["from"].startswith("generation ")
    assert pair.reigns() == before, "a rehearsal has no effect"
    if line is None:
        assert plain.stdout.endswith("nothing changes\n") and as_json["differences"] == []
        return
    assert re.search(f"^{line}", plain.stdout, re.MULTILINE), plain.stdout
    assert f"{len(as_json['differences'])} change" in plain.stdout
    assert as_json["rehearsed"]["vrrp"]["looked_ahead_ms"] >= 15000


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
        *pair.first.ctl("version").args[:1], "--run-dir", "/nonexistent", "plan",
        "--offline", str(pair.first.config), str(other), check=False)
    alone = pair.first.machine.run(
        *pair.first.ctl("version").args[:1], "--run-dir", "/nonexistent", "plan", check=False)

    assert named.returncode == 3 and "priority 100 → 120" in named.stdout
    assert two.returncode == 3
    assert two.stdout.endswith("vrrp_instance VI_1: priority 100 → 120\n1 change\n"), two.stdout
    assert alone.returncode == 2 and "holdfast is not running" in alone.stderr


# What is supposed, and lines of the chain that it must give.
SUPPOSED = {
    ("eth0", "down"): ["at once +VI_1: becomes FAULT", "at once +VI_2: becomes FAULT",
                       "at once +VI_2: takes off 10.9.0.201/32 dev eth0, 10.9.0.202/32 dev eth0"],
    ("interface", "eth0", "up"): ["nothing happens within 15.0 s"],
    ("peer", PEER, "silent"): [r"after [23]\.\d s +VI_1: becomes MASTER: 10.9.0.2 was silent for",
                               r"after [23]\.\d s +VI_1: places 10.9.0.200/32 dev eth0"],
    ("priority", "VI_1", "160"): [r"after [23]\.\d s +VI_1: becomes MASTER",
                                  r"after [23]\.\d s +VI_1: 10.9.0.2 becomes BACKUP"],
    ("priority", "VI_1", "110"): ["nothing happens within 15.0 s"],
}


@pytest.mark.parametrize("words", SUPPOSED, ids=" ".join)
def test_what_if_tells_the_chain_and_changes_nothing(pair: Pair, words: tuple[str, ...]) -> None:
    pair.first.write_config(config())

    plain = pair.first.ctl("what-if", *words)
    as_json = json.loads(pair.first.ctl("what-if", *words, "--json").stdout)

    assert plain.returncode == 0, plain
    for line in SUPPOSED[words]:
        assert re.search(f"^{line}", plain.stdout, re.MULTILINE), plain.stdout
    seen = [one for one in as_json["actions"] if one["text"]]
    assert bool(seen) is ("nothing happens" not in plain.stdout)
    assert pair.first.state("VI_1") == "BACKUP" and pair.first.state("VI_2") == "MASTER"


@pytest.mark.parametrize(("words", "said"), {
    ("eth9", "down"): "no interface that a vrrp_instance uses, called 'eth9'; did you mean 'eth0'?",
    ("peer", "10.9.0.3", "silent"): "called '10.9.0.3'; did you mean '10.9.0.2'?",
    ("priority", "VI1", "80"): "there is no vrrp_instance 'VI1'; did you mean 'VI_1'?",
    ("priority", "VI_1", "300"): "a priority is a number from 1 to 255, not '300'",
    ("priority", "VI_1"): "what-if takes one of",
    ("eth0", "gone"): "an interface can be up or down, not 'gone'",
}.items(), ids=lambda each: " ".join(each) if isinstance(each, tuple) else "")
def test_what_cannot_be_supposed_is_named(pair: Pair, words: tuple[str, ...], said: str) -> None:
    answer = pair.first.ctl("what-if", *words)

    assert answer.returncode == 1 and answer.stdout == "" and said in answer.stderr, answer


def test_what_was_foretold_comes_true_and_others_lose_no_advert(pair: Pair) -> None:
    began = time.time()
    time.sleep(1.2)
    foretold = pair.plan(config(first=160)).stdout
    assert "VI_1: 10.9.0.2 becomes BACKUP: 10.9.0.1 advertises priority 160" in foretold

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
