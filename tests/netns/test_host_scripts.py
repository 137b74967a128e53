"""What scripts are told, those at the start and the stop of the director, and settings of the host
that go with an instance; beside keepalived where it has the word."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, eventually

from .test_pipes import Reader, pipe_config
from .test_scripts import is_alive, script, text
from .test_vrrp_director import VIP, Scene, config

BOTH = pytest.mark.parametrize("program", ["holdfast", "keepalived"])


@pytest.fixture
def scene(lab: Lab) -> Scene:
    return Scene(lab)


def quick(extra: str = "") -> str:
    return config(extra="version 3\n advert_int 0.2\n" + extra).replace(" advert_int 1\n", "")


@BOTH
def test_a_script_at_the_start_and_one_at_the_very_end(scene: Scene, program: str) -> None:
    out = scene.director.directory / "out"
    held = f"ip -o address show | grep -c ' {VIP}/'"
    start = script(scene, "start", f'echo "start $# $({held})" >> {out}; sleep 0.6; exit 3')
    stop = script(scene, "stop", f'echo "stop $1 $({held})" >> {out}')
    hook = script(scene, "hook", f'echo "$3" >> {out}')
    globals_ = (f'global_defs {{\n script_user root\n startup_script {start}\n'
                f' shutdown_script "{stop} word"\n}}\n')
    director = Director(scene.machine, globals_ + quick(f"notify {hook}\n"), program)
    began = time.monotonic()
    director.start("-P")
    director.wait_for(VIP)
    assert time.monotonic() - began > 1.2  # the script, then three intervals

    assert director.stop() == 0
    assert text(out).split("\n")[:-1] == ["start 0 0", "BACKUP", "MASTER", "STOP", "stop word 0"]
    if program == "holdfast":
        assert "startup_script exited with code 3" in director.log()
        assert "shutdown_script has ended well" in director.log()


@BOTH
def test_scripts_of_start_and_stop_have_their_time(scene: Scene, program: str) -> None:
    out = scene.director.directory / "out"
    slow = script(scene, "slow", f"echo $$ >> {out}; sleep 60")
    globals_ = (f"global_defs {{\n script_user root\n startup_script {slow}\n"
                f" startup_script_timeout 1\n shutdown_script {slow}\n"
                " shutdown_script_timeout 1\n}\n")
    director = Director(scene.machine, globals_ + quick(), program)
    director.start("-P")
    assert director.wait_for(VIP) < 4
    began = time.monotonic()
    assert director.stop() == 0
    assert time.monotonic() - began < 6
    pids = [int(word) for word in text(out).split()]
    assert len(pids) == 2 and eventually(lambda: not any(map(is_alive, pids)), 3) is not None


def test_a_stop_does_not_wait_for_the_script_of_the_start(scene: Scene) -> None:
    slow = script(scene, "slow", "exec sleep 60")
    director = Director(scene.machine, f"global_defs {{\n startup_script {slow}\n"
                        " startup_script_timeout 50\n}\n" + quick())
    director.start("-P")
    assert eventually(lambda: "watchdog-reading" in director.log(), 5) is not None
    time.sleep(0.3)
    began = time.monotonic()
    assert director.stop() == 0
    assert time.monotonic() - began < 5 and not scene.director.holds(VIP)


def told(path: Path) -> list[dict[str, str]]:
    """Variables of ours, of each run that has written all of them."""
    runs = text(path).split("--\n")[:-1]
    return [dict(line.split("=", 1) for line in run.splitlines()) for run in runs]


def test_scripts_are_told_why(scene: Scene) -> None:
    out, group = (scene.director.directory / name for name in ("out", "group"))
    body = "(env | grep ^HOLDFAST_ | grep -v SYSCALL | sort; echo --) >> "
    hook, of_group = script(scene, "hook", body + str(out)), script(scene, "g", body + str(group))
    scene.start(f"vrrp_sync_group G {{\n group {{\n  VI_1\n }}\n notify_master {of_group}\n}}\n"
                + quick(f"notify_backup {hook}\n notify_master {hook}\n notify_fault {hook}\n"))
    scene.becomes("MASTER")
    scene.machine.ip("link set eth0 down")
    assert eventually(lambda: len(told(out)) == 3 and told(group), 5) is not None

    backup, master, fault = told(out)
    assert backup["HOLDFAST_STATE"] == "BACKUP" and backup["HOLDFAST_PREVIOUS_STATE"] == "INIT"
    assert master == {
        "HOLDFAST_KIND": "INSTANCE", "HOLDFAST_NAME": "VI_1", "HOLDFAST_STATE": "MASTER",
        "HOLDFAST_PREVIOUS_STATE": "BACKUP", "HOLDFAST_REASON": "no master was heard",
        "HOLDFAST_PRIORITY": "100", "HOLDFAST_INTERFACE": "eth0", "HOLDFAST_VRID": "51",
        "HOLDFAST_ADDRESSES": f"{VIP}/32"}
    assert fault["HOLDFAST_PREVIOUS_STATE"] == "MASTER" and "eth0" in fault["HOLDFAST_REASON"]
    assert told(group)[-1] == {
        "HOLDFAST_KIND": "GROUP", "HOLDFAST_NAME": "G", "HOLDFAST_STATE": "MASTER",
        "HOLDFAST_PREVIOUS_STATE": "BACKUP",
        "HOLDFAST_REASON": "all members may be master", "HOLDFAST_INSTANCES": "VI_1"}


@BOTH
def test_a_group_s_word_has_new_priorities_of_its_members_told(scene: Scene, program: str) -> None:
    path, value = (scene.director.directory / name for name in ("fifo", "value"))
    value.write_text("0\n", encoding="utf-8")
    group = ("vrrp_sync_group G {\n group {\n  VI_1\n }\n sync_group_tracking_weight\n"
             " notify_priority_changes on\n}\n")
    tracked = f"track_file value {{\n file {value}\n}}\n"
    director = Director(scene.machine, pipe_config(path) + tracked + group + quick(
        "track_file {\n  value weight 1\n }\n"), program)
    director.start("-P")
    assert eventually(path.exists, 5) is not None
    reader = Reader(path)
    director.wait_for(VIP)
    value.write_text("7\n", encoding="utf-8")

    line = 'INSTANCE "VI_1" MASTER_PRIORITY 107'
    assert eventually(lambda: line in reader.lines, 5) is not None, reader.lines
    assert not any("GROUP" in each and "PRIORITY" in each for each in reader.lines)


@BOTH
def test_other_addresses_outlive_the_first_one_while_the_director_runs(scene: Scene,
                                                                      program: str) -> None:
    setting = Path("/proc/sys/net/ipv4/conf/eth0/promote_secondaries")

    def value() -> str:
        with scene.machine.inside():
            return setting.read_text(encoding="ascii").strip()

    scene.machine.sysctl(**{"ipv4__conf__eth0__promote_secondaries": 0})
    director = Director(scene.machine, quick("promote_secondaries\n"), program)
    director.start("-P")
    director.wait_for(VIP)
    assert value() == "1"
    director.stop()
    assert value() == "0"
