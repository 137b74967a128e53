"""A running director must reload a file that is wrong: it says where, and nothing else happens.

What keepalived survives is a warning at its place; the rest is used.
"""

from __future__ import annotations

import json
import re
import subprocess
import time

import pytest

from tests.lab.director import BIN, Director
from tests.lab.netns import Lab, eventually
from tests.lab.wire import Capture

from .bad_configs import GOOD, REFUSED, SURVIVED, VIP, Mistake

OURS = "10.9.0.1"
PROCESSES = ("watchdog", "vrrp", "checkers")


class Scene:
    """A master with both children, and everything that it sends."""

    def __init__(self, lab: Lab):
        switch = lab.switch("sw")
        machine = lab.machine("a")
        lab.cables(switch, (machine, "eth0", f"{OURS}/24"))
        self.capture = Capture(switch)
        self.director = Director(machine, GOOD)
        self.director.start("-G")
        self.director.wait_for(VIP)
        time.sleep(6.5)  # the second burst of announcements is over

    def facts(self) -> dict:
        """All that must not change, from the processes themselves and from the kernel."""
        status = self.director.status()
        instance = status["vrrp"]["instances"][0]
        return {
            "generations": [status[name]["generation"] for name in PROCESSES],
            "pids": [status[name]["pid"] for name in PROCESSES],
            "restarts": [child["restarts"] for child in status["watchdog"]["children"]],
            "instance": [instance[name] for name in
                         ("state", "why", "effective_priority", "addresses", "faults")],
            "since": instance["since_at"][:19],
            "released": instance["counters"]["released_master"],
            "services": [[one[name] for name in ("address", "port", "scheduler", "forwarding")]
                         for one in status["checkers"]["services"]],
            "servers": [[server["address"], server["configured_weight"], server["state"]]
                        for one in status["checkers"]["services"] for server in one["servers"]],
            "held": sorted(self.director.machine.addresses()),
        }


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory):
    with Lab(tmp_path_factory.mktemp("bad-input"), prefix="tbad") as lab:
        made = Scene(lab)
        yield made
        print(made.director.log()[-4000:])


def settings(node, path: str = "") -> set[str]:
    """Every value of a JSON object with the way to it."""
    if isinstance(node, dict):
        return {one for key, value in node.items() for one in settings(value, f"{path}/{key}")}
    if isinstance(node, list):
        return {one for value in node for one in settings(value, path)}
    return {f"{path}={node}"}


def refuse(scene: Scene, change) -> str:
    """Applies `change` to the file, reloads, and returns what holdfastctl printed."""
    assert eventually(lambda: all(
        server["state"] != "unknown" for server in
        scene.director.status("checkers")["services"][0]["servers"]), 15) is not None
    before, began = scene.facts(), time.time()
    try:
        change()
        answer = scene.director.ctl("reload")
        assert answer.returncode == 1, answer
        # One advert later nothing has changed: neither who we are, nor what the segment sees.
        assert eventually(lambda: len(scene.capture.adverts(began, OURS)) >= 2, 5) is not None
    finally:
        if scene.director.config.is_dir():
            scene.director.config.rmdir()
        scene.director.write_config(GOOD)
    assert scene.facts() == before
    adverts = scene.capture.adverts(began - 2, OURS)
    assert {one.priority for one in adverts} == {100}
    gaps = [later.at - earlier.at for earlier, later in zip(adverts, adverts[1:])]
    assert min(gaps) > 0.9 and max(gaps) < 1.1, gaps
    assert not scene.capture.arps(began, VIP), "nobody was told anything"
    return answer.stdout + answer.stderr


@pytest.mark.parametrize("mistake", REFUSED, ids=lambda one: one.name)
def test_a_mistake_in_any_block_is_pointed_at_and_changes_nothing(
    scene: Scene, mistake: Mistake,
) -> None:
    said = refuse(scene, lambda: mistake.write(scene.director.config.parent))

    assert f"{mistake.place}: error: " in said, said
    assert mistake.says in said
    assert "^" in said, "the place in the line is shown"
    assert said.count(": error: ") == 1, f"one mistake, one error:\n{said}"


def test_a_reload_with_mistakes_that_are_survived_uses_the_rest(tmp_path) -> None:
    """One file with several of them; the running director takes over what is right in it."""
    text = GOOD.replace("priority 100", "priority high").replace("weight 1", "wieght 1", 1)
    text = text.replace("real_server 10.9.0.10 80", "real_server 10.9.0.1000 80")
    text = text.replace("real_server 10.9.0.11 80 {\n        weight 1",
                        "real_server 10.9.0.11 80 {\n        weight 7")
    with Lab(tmp_path, prefix="tbadw") as lab:
        machine = lab.machine("a")
        lab.cables(lab.switch("sw"), (machine, "eth0", f"{OURS}/24"))
        director = Director(machine, GOOD)
        director.start("-G")
        director.wait_for(VIP)
        before = director.status()
        director.write_config(text)

        answer = director.ctl("reload")

        assert answer.returncode == 0, answer
        after = director.status()
        instance, service = after["vrrp"]["instances"][0], after["checkers"]["services"][0]
        assert {after[name]["generation"] for name in PROCESSES} == {2}
        assert [after[name]["pid"] for name in PROCESSES] == [
            before[name]["pid"] for name in PROCESSES]
        assert instance["state"] == "MASTER" and instance["counters"]["released_master"] == 0
        assert instance["since_at"][:19] == before["vrrp"]["instances"][0]["since_at"][:19]
        assert [(one["address"], one["configured_weight"]) for one in service["servers"]] == [
            ("10.9.0.11", 7)]
        said = answer.stdout + answer.stderr + director.log()
        for word in ("'high'", "'wieght'", "'10.9.0.1000'"):
            assert word in said, said


def test_a_file_that_is_gone_changes_nothing(scene: Scene) -> None:
    said = refuse(scene, scene.director.config.unlink)

    assert str(scene.director.config) in said
    assert "No such file" in said


def test_a_directory_in_the_place_of_the_file_changes_nothing(scene: Scene) -> None:
    def swap() -> None:
        scene.director.config.unlink()
        scene.director.config.mkdir()

    said = refuse(scene, swap)

    assert str(scene.director.config) in said
    assert "directory" in said


def test_an_empty_file_changes_nothing(scene: Scene) -> None:
    """keepalived would drop every instance; an empty file is an accident rather than a wish."""
    said = refuse(scene, lambda: scene.director.write_config(""))

    assert "is empty" in said


@pytest.mark.parametrize("mistake", REFUSED, ids=lambda one: one.name)
def test_the_same_mistake_stops_a_start_before_anything_happens(
    tmp_path, mistake: Mistake,
) -> None:
    path = tmp_path / "keepalived.conf"
    mistake.write(tmp_path)

    for options, code in ((("-n", "-G", "--run-dir", str(tmp_path / "run")), 2), (("-t",), 5)):
        ended = subprocess.run(["unshare", "-n", str(BIN / "holdfast"), *options, "-f", str(path)],
                               text=True, capture_output=True, timeout=30)
        assert ended.returncode == code, ended
        assert f"{mistake.place}: error: " in ended.stderr
        assert mistake.says in ended.stderr
    assert not list((tmp_path / "run").glob("*")), "neither sockets nor pid files stay behind"


@pytest.mark.parametrize("mistake", SURVIVED, ids=lambda one: one.name)
def test_a_mistake_that_keepalived_survives_is_a_warning_at_its_place(
    tmp_path, mistake: Mistake,
) -> None:
    path = tmp_path / "keepalived.conf"
    mistake.write(tmp_path)

    for code, program, *verb in ((0, "holdfastctl", "check"), (5, "holdfast", "-t", "-f")):
        ended = subprocess.run([str(BIN / program), *verb, str(path)], text=True,
                               capture_output=True, timeout=30)

        said = ended.stdout + ended.stderr
        assert ended.returncode == code, said  # the test of keepalived fails for them, too
        assert f"{mistake.place}: warning: " in said, said
        assert mistake.says in said
        assert ": error: " not in said
        assert said.count(": warning: ") == 1 + mistake.also, f"one mistake, one finding:\n{said}"


@pytest.mark.parametrize("mistake", SURVIVED, ids=lambda one: one.name)
def test_the_rest_of_a_file_with_such_a_mistake_is_used(tmp_path, mistake: Mistake) -> None:
    """A line with a mistake costs itself, a header its block; everything else is in the model."""
    mistake.write(tmp_path)
    good = tmp_path / "good.conf"
    good.write_text(GOOD, encoding="utf-8")

    def loaded(path) -> set[str]:
        ended = subprocess.run([str(BIN / "holdfastctl"), "check", "--json", str(path)],
                               text=True, capture_output=True, timeout=30)
        assert ended.returncode == 0, ended
        return settings(json.loads(ended.stdout)["model"])

    lost = loaded(good) - loaded(tmp_path / "keepalived.conf")

    assert {one for one in lost if not re.search(mistake.costs, one)} == set()


def test_both_lists_of_mistakes_mean_something() -> None:
    assert len(REFUSED) >= 20 and len(SURVIVED) >= 20
    names = [one.name for one in REFUSED + SURVIVED]
    assert len(set(names)) == len(names)
