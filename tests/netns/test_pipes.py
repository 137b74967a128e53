"""Notification pipes: keepalived's lines, readers of every kind, reloads, and the stop."""

from __future__ import annotations

import os
import re
import signal
import stat
import threading
import time
from pathlib import Path

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, eventually

from .test_checkers_probes import CONNECT, SERVER, Checkers, Listener, service
from .test_scripts import Rival, is_alive, script, text
from .test_vrrp_director import Scene, config

# VyOS reads lines with this pattern.
PATTERN = re.compile(r'^(\w+) "([\w-]+)" (\w+) (\d+)$')


@pytest.fixture
def scene(lab: Lab) -> Scene:
    return Scene(lab)


class Reader:
    """`while read line` on a pipe: notes lines and the end of its input."""

    def __init__(self, path: Path):
        self.lines: list[str] = []
        self.ended = False
        self._path = path
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with open(self._path, encoding="utf-8") as pipe:
            for line in pipe:
                self.lines.append(line.rstrip("\n"))
        self.ended = True


def pipe_config(path: Path, extra: str = "") -> str:
    return f"global_defs {{\n vrrp_notify_fifo {path}\n{extra}\n}}\n"


def pipes(scene: Scene) -> list[dict]:
    return (scene.director.status("watchdog").get("notifications") or {}).get("pipes", [])


def test_a_reader_hears_every_state_over_reloads_and_the_end_at_the_stop(scene: Scene) -> None:
    path = scene.director.directory / "fifo"
    scene.start(pipe_config(path) + config())
    assert stat.S_ISFIFO(path.stat().st_mode) and path.stat().st_mode & 0o777 == 0o600
    reader = Reader(path)
    scene.becomes("MASTER")
    for priority in (101, 102, 103):
        scene.director.write_config(pipe_config(path) + config(priority))
        assert scene.director.ctl("reload").returncode == 0
    rival = Rival(scene)
    scene.becomes("BACKUP")
    rival.stop()
    scene.becomes("MASTER")
    assert not reader.ended
    assert scene.director.stop() == 0
    assert eventually(lambda: reader.ended, 3) is not None
    assert all(PATTERN.match(line) for line in reader.lines), reader.lines
    assert reader.lines == [
        'INSTANCE "VI_1" BACKUP 100', 'INSTANCE "VI_1" MASTER 100', 'INSTANCE "VI_1" BACKUP 103',
        'INSTANCE "VI_1" MASTER 103', 'INSTANCE "VI_1" STOP 103']
    assert not path.exists()


@pytest.mark.parametrize("program", ["holdfast", "keepalived"])
def test_new_priorities_are_lines_too_and_nothing_else(scene: Scene, program: str) -> None:
    directory = scene.director.directory
    path, value, told = directory / "fifo", directory / "value", directory / "told"
    os.mkfifo(path, 0o600)
    value.write_text("0\n", encoding="utf-8")
    hook = script(scene, "hook", f'echo "$3 $4" >> {told}')
    words = (f'notify_priority_changes\nnotify "{hook}"\n'
             "track_file {\n value weight 1\n}")
    tracked = f"vrrp_track_file value {{\n file {value}\n}}\n"
    director = Director(scene.machine, pipe_config(path) + tracked + config(extra=words), program)
    director.start("-P")
    reader = Reader(path)

    def becomes(line: str, number: int) -> None:
        fresh = directory / "fresh"
        fresh.write_text(f"{number}\n", encoding="utf-8")
        if fresh.read_text() != value.read_text():
            fresh.rename(value)  # never seen empty
        heard = eventually(lambda: reader.lines[-1:] == [f'INSTANCE "VI_1" {line}'], 8)
        assert heard is not None, reader.lines

    becomes("MASTER 100", 0)
    becomes("MASTER_PRIORITY 110", 10)
    becomes("MASTER_PRIORITY 100", 0)
    scene.machine.ip("link set eth0 down")
    becomes("FAULT 100", 0)
    becomes("BACKUP_PRIORITY 105", 5)
    scene.machine.ip("link set eth0 up")
    becomes("BACKUP 105", 5)
    becomes("BACKUP_PRIORITY 106", 6)
    becomes("MASTER 106", 6)
    assert len(reader.lines) == 9, reader.lines
    assert text(told).split("\n")[:-1] == ["BACKUP 100", "MASTER 100", "FAULT 100", "BACKUP 105",
                                          "MASTER 106"]


def test_states_are_repeated_after_a_reload_where_that_is_asked_for(scene: Scene) -> None:
    path = scene.director.directory / "fifo"
    words = "fifo_write_vrrp_states_on_reload"
    scene.start(pipe_config(path, words) + config())
    reader = Reader(path)
    scene.becomes("MASTER")
    scene.director.write_config(pipe_config(path, words) + config(120))
    assert scene.director.ctl("reload").returncode == 0
    assert eventually(lambda: reader.lines[-1:] == ['INSTANCE "VI_1" MASTER 120'], 5) is not None, (
        reader.lines)


def test_repeated_states_come_behind_those_that_the_reload_changed(scene: Scene) -> None:
    path = scene.director.directory / "fifo"
    head = pipe_config(path, "fifo_write_vrrp_states_on_reload") + config()
    other = config(interface="eth9").replace("VI_1", "VI_2").replace("_id 51", "_id 52")
    scene.start(head + other)
    reader = Reader(path)
    scene.becomes("MASTER")
    had = len(reader.lines)
    scene.director.write_config(head)
    assert scene.director.ctl("reload").returncode == 0
    assert eventually(lambda: len(reader.lines) >= had + 2, 5) is not None, reader.lines
    assert reader.lines[had:] == ['INSTANCE "VI_2" FAULT 100', 'INSTANCE "VI_1" MASTER 100']


def test_nobody_who_reads_costs_an_advert_and_lost_lines_are_counted(scene: Scene) -> None:
    path = scene.director.directory / "fifo"
    scene.start(pipe_config(path) + config())
    scene.becomes("MASTER")
    began = time.time()
    # somebody else fills it up
    other = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(other, b"x" * 4096)
    except BlockingIOError:
        pass
    rival = Rival(scene)
    scene.becomes("BACKUP")
    rival.stop()
    scene.becomes("MASTER")
    assert eventually(lambda: pipes(scene) and pipes(scene)[0]["lost"] == 2, 5) is not None, (
        pipes(scene))
    settled = time.time()
    time.sleep(3)
    gaps = scene.gaps(settled)
    assert gaps and max(gaps) < 1.1, gaps
    assert "lines are lost" in scene.director.log()
    os.close(other)
    # one that comes and dies at once, then one that stays
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    reader = Reader(path)
    began = time.time()
    assert scene.director.stop() == 0 and time.time() - began < 8
    assert eventually(lambda: reader.ended, 3) is not None
    assert reader.lines[-1].endswith('INSTANCE "VI_1" STOP 100')


def test_the_reader_of_ours_gets_the_path_and_sigterm_at_the_stop(scene: Scene) -> None:
    path = scene.director.directory / "fifo"
    out = scene.director.directory / "out"
    pid_file = scene.director.directory / "pid"
    reader = script(scene, "reader",
                    f"echo $$ > {pid_file}\ntrap 'echo TERM >> {out}; exit 0' TERM\n"
                    f'exec 3< "$2"\nwhile read -r line <&3; do echo "$1: $line" >> {out}; done')
    scene.start(pipe_config(path, f'vrrp_notify_fifo_script "{reader} word"') + config())
    scene.becomes("MASTER")
    assert eventually(lambda: "MASTER" in text(out), 5) is not None, scene.director.log()
    pid = int(text(pid_file))
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: text(pid_file) and int(text(pid_file)) != pid, 5) is not None
    pid = int(text(pid_file))
    assert scene.director.stop() == 0
    assert eventually(lambda: not is_alive(pid), 3) is not None
    assert text(out).splitlines() == [
        'word: INSTANCE "VI_1" BACKUP 100', 'word: INSTANCE "VI_1" MASTER 100',
        'word: INSTANCE "VI_1" STOP 100', "TERM"]


def test_lines_are_not_lost_with_the_process_that_writes_them(scene: Scene) -> None:
    path = scene.director.directory / "fifo"
    scene.start(pipe_config(path) + config())
    scene.becomes("MASTER")
    reader = Reader(path)
    assert eventually(lambda: len(reader.lines) == 2, 5) is not None
    pid = scene.director.status("watchdog")["scripts_pid"]
    os.kill(pid, signal.SIGSTOP)  # whatever is told now, it does not take
    rival = Rival(scene)
    scene.becomes("BACKUP")
    rival.stop()
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: reader.ended, 5) is not None
    again = Reader(path)
    assert eventually(lambda: 'INSTANCE "VI_1" BACKUP 100' in again.lines, 8) is not None, (
        again.lines)


def test_a_refused_configuration_s_pipe_is_not_made_even_over_a_death(scene: Scene) -> None:
    path, other = (scene.director.directory / name for name in ("fifo", "refused"))
    scene.start(pipe_config(path) + config())
    scene.becomes("MASTER")
    pid = scene.director.status("watchdog")["scripts_pid"]
    os.kill(scene.director.role_pid("vrrp"), signal.SIGSTOP)  # it does not get to the preparation
    scene.director.write_config(pipe_config(other) + config())
    scene.director.process.send(signal.SIGHUP)
    time.sleep(0.6)
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: "watchdog-reload-refused" in scene.director.log(), 8) is not None
    time.sleep(0.8)
    assert scene.director.status("watchdog")["scripts_pid"] not in (None, pid)
    assert (path.exists(), other.exists()) == (True, False)
    assert [one["path"] for one in pipes(scene)] == [str(path)]


def test_servers_and_services_in_keepalived_s_order(lab: Lab) -> None:
    switch = lab.switch("sw")
    machine, other = lab.machines("a", "b")
    lab.cables(switch, (machine, "eth0", "10.77.0.1/24"), (other, "eth0", f"{SERVER}/24"))
    path = lab.directory / "lvs"
    checkers = Checkers(machine, f"global_defs {{\n lvs_notify_fifo {path}\n}}\n" + service(
        1, f" real_server {SERVER} 8001 {{\n  TCP_CHECK {{\n {CONNECT} }}\n }}\n"))
    listener = Listener(other, 8001, "close")
    checkers.start()
    reader = Reader(path)
    listener.close()
    checkers.wait(1, "down", 15)
    Listener(other, 8001, "close")
    checkers.wait(1, "up", 15)
    assert checkers.process.stop() == 0
    assert eventually(lambda: reader.ended, 5) is not None
    server = f"RS [{SERVER}]:tcp:8001 [10.77.9.1]:tcp:80"
    assert reader.lines == ["VS [10.77.9.1]:tcp:80 UP", f"{server} DOWN",
                            "VS [10.77.9.1]:tcp:80 DOWN", f"{server} UP",
                            "VS [10.77.9.1]:tcp:80 UP"]
