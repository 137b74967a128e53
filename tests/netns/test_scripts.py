"""The operator's scripts: nothing that they do, or that becomes of their accounts, costs an advert
or the word to another script."""

from __future__ import annotations

import os
import re
import signal
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tests.lab.crowd import crowd_cables, crowd_captures, crowd_config
from tests.lab.director import Director
from tests.lab.netns import Lab, eventually

from .test_checkers_probes import CONNECT, SERVER, Checkers, service
from .test_vrrp_director import VIP, Scene, advert, config, packet, send

SOMEBODY = 61234  # an account that only these tests have


@pytest.fixture
def scene(lab: Lab) -> Scene:
    return Scene(lab)


def script(scene_or_directory, name: str, body: str) -> Path:
    directory = getattr(scene_or_directory, "director", None)
    path = (directory.directory if directory else scene_or_directory) / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="ascii")
    path.chmod(0o755)
    return path


def text(path: Path) -> str:
    return path.read_text(encoding="ascii") if path.exists() else ""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1][1] != "Z"
    except OSError:
        return False


@pytest.fixture
def open_place():
    """A directory that other accounts than root can reach."""
    with tempfile.TemporaryDirectory() as made:
        os.chmod(made, 0o755)
        yield Path(made)


class Rival:
    """Adverts of a stronger master until it is stopped."""

    def __init__(self, scene: Scene, priority: int = 200):
        self._scene, self._priority = scene, priority
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        scene.machine.lab.closers.append(self.stop)

    def _run(self) -> None:
        while not self._over.wait(0.5):
            send(self._scene.peer, packet(advert(priority=self._priority)))

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def test_a_script_that_never_ends_does_not_keep_the_next_state_s_back(scene: Scene) -> None:
    out = scene.director.directory / "out"
    pid_file = scene.director.directory / "pid"
    master = script(scene, "master",
                    f"trap '' TERM\necho $$ > {pid_file}\nwhile :; do sleep 1; done")
    backup = script(scene, "backup", f"date +%s.%N >> {out}")
    fault = script(scene, "fault", "true")
    scene.start(config(extra=f'notify_master "{master}"\nnotify_backup "{backup}"\n'
                             f'notify_fault "{fault}"'))
    scene.becomes("MASTER")
    assert eventually(lambda: text(pid_file), 5) is not None
    pid = int(text(pid_file))
    before = text(out)
    assert eventually(lambda: "still runs after" in scene.director.log(), 8) is not None

    began = time.time()
    Rival(scene)
    scene.becomes("BACKUP")

    assert eventually(lambda: text(out) != before, 5) is not None, scene.director.log()
    assert float(text(out).split()[-1]) - began < 3.5
    assert not is_alive(pid)
    assert "was ended by signal 9, because a newer state came" in scene.director.log()
    assert eventually(lambda: scene.instance()["scripts"]["running"] == 0, 5) is not None
    scripts = scene.instance()["scripts"]
    assert scripts["ended"] == 1, scripts
    assert scripts["last"]["what"] == "notify_backup" and scripts["last"]["succeeded"], scripts


def test_a_state_without_a_script_ends_the_one_before_it(scene: Scene) -> None:
    pid_file = scene.director.directory / "pid"
    master = script(scene, "master", f"echo $$ > {pid_file}\nexec sleep 1000")
    scene.start(config(extra=f'notify_master "{master}"'))
    scene.becomes("MASTER")
    assert eventually(lambda: text(pid_file), 5) is not None
    pid = int(text(pid_file))
    assert scene.director.stop() == 0
    assert eventually(lambda: not is_alive(pid), 3) is not None


def test_a_slow_script_of_the_stop_is_waited_for(scene: Scene) -> None:
    out = scene.director.directory / "out"
    stop = script(scene, "stop", f"sleep 3\necho stopped >> {out}")
    scene.start(config(extra=f'notify_stop "{stop}"'))
    scene.becomes("MASTER")
    assert scene.director.stop() == 0
    assert text(out) == "stopped\n"


def test_scripts_of_a_killed_process_go_on_and_its_successor_s_newer_state_ends_them(
        scene: Scene) -> None:
    out = scene.director.directory / "out"
    pid_file = scene.director.directory / "pid"
    master = script(scene, "master", f"echo $$ > {pid_file}\nexec sleep 1000")
    backup = script(scene, "backup", f"echo backup >> {out}")
    scene.start(config(extra=f'notify_master "{master}"\nnotify_backup "{backup}"'))
    scene.becomes("MASTER")
    assert eventually(lambda: text(pid_file), 5) is not None
    pid, before = int(text(pid_file)), text(out)
    killed = scene.director.role_pid("vrrp")
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: scene.director.status("vrrp").get("pid", killed) != killed,
                      5) is not None
    scene.becomes("MASTER")
    assert is_alive(pid)

    Rival(scene)
    scene.becomes("BACKUP")
    assert eventually(lambda: text(out) != before, 5) is not None
    assert eventually(lambda: not is_alive(pid), 3) is not None


def test_the_death_of_the_process_that_runs_scripts_costs_no_advert_and_no_later_script(
        scene: Scene) -> None:
    out = scene.director.directory / "out"
    fault = script(scene, "fault", f"echo fault >> {out}")
    scene.start(config(extra=f'notify_fault "{fault}"'))
    scene.becomes("MASTER")
    since = time.time()
    for _ in range(3):
        pid = scene.director.status("watchdog")["scripts_pid"]
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: scene.director.status("watchdog")["scripts_pid"]
                          not in (None, pid), 5) is not None
    time.sleep(2)
    assert max(scene.gaps(since)) < 1.2
    scene.machine.ip("link set eth0 down")
    assert eventually(lambda: text(out) == "fault\n", 5) is not None, scene.director.log()


def test_a_process_for_scripts_that_hangs_is_replaced(scene: Scene) -> None:
    """Nobody else would notice: its socket takes what is sent, and nothing happens."""
    out = scene.director.directory / "out"
    fault = script(scene, "fault", f"echo fault >> {out}")
    scene.start(config(extra=f'notify_fault "{fault}"'))
    scene.becomes("MASTER")
    pid = scene.director.status("watchdog")["scripts_pid"]

    os.kill(pid, signal.SIGSTOP)
    scene.machine.ip("link set eth0 down")

    assert eventually(lambda: text(out) == "fault\n", 12) is not None, scene.director.log()
    assert scene.director.status("watchdog")["scripts_pid"] not in (None, pid)
    assert "watchdog-scripts-hang" in scene.director.log()


class Accounts:
    """/etc/passwd and /etc/group of the director alone: files that a test can change."""

    def __init__(self, scene: Scene):
        self.passwd = scene.director.directory / "passwd"
        self.group = scene.director.directory / "group"
        self._passwd = Path("/etc/passwd").read_text(encoding="utf-8")
        self._group = Path("/etc/group").read_text(encoding="utf-8")
        self.add()
        command = scene.director.command

        def inside(*extra: str) -> list[str]:
            mounts = "".join(f"mount --bind {ours} {theirs} && " for ours, theirs in
                             ((self.passwd, "/etc/passwd"), (self.group, "/etc/group")))
            return ["unshare", "-m", "sh", "-c", mounts + 'exec "$@"', "sh", *command(*extra)]

        scene.director.command = inside

    def add(self) -> None:
        line = f"somebody:x:{SOMEBODY}:{SOMEBODY}::/:/bin/sh\n"
        self.passwd.write_text(self._passwd + line, encoding="utf-8")
        self.group.write_text(
            self._group + f"somebody:x:{SOMEBODY}:\n" +
            "".join(f"further{n}:x:{n}:somebody\n" for n in (61300, 61301)), encoding="utf-8")

    def remove(self) -> None:
        self.passwd.write_text(self._passwd, encoding="utf-8")
        self.group.write_text(self._group, encoding="utf-8")


def test_a_script_has_all_groups_of_its_account(scene: Scene, open_place: Path) -> None:
    Accounts(scene)
    out = open_place / "out"
    out.write_text("", encoding="ascii")
    out.chmod(0o666)
    who = script(open_place, "who", f"echo $(id -u) $(id -G) >> {out}")
    scene.start("global_defs {\n script_user somebody\n}\n" + config(extra=f"notify {who}"))
    assert eventually(lambda: text(out), 5) is not None, scene.director.log()
    assert text(out).split() == [str(SOMEBODY), str(SOMEBODY), "61300", "61301"]


def test_without_supplementary_groups_a_script_has_its_first_group_only(
        scene: Scene, open_place: Path) -> None:
    Accounts(scene)
    out = open_place / "out"
    out.write_text("", encoding="ascii")
    out.chmod(0o666)
    who = script(open_place, "who", f"echo $(id -u) $(id -G) >> {out}")
    scene.start("global_defs {\n script_user somebody\n set_supplementary_groups false\n}\n"
                + config(extra=f"notify {who}"))
    assert eventually(lambda: text(out), 5) is not None, scene.director.log()
    assert text(out).split() == [str(SOMEBODY), str(SOMEBODY)]


def test_the_umask_of_the_configuration_in_use_is_that_of_scripts(scene: Scene,
                                                                  open_place: Path) -> None:
    out = open_place / "out"
    mask = script(open_place, "mask", f"umask >> {out}")
    told = config(extra=f"notify {mask}")
    scene.start("global_defs {\n umask 0137\n}\n" + told)
    scene.becomes("MASTER")
    assert eventually(lambda: len(text(out).split()) == 2, 5) is not None, scene.director.log()
    assert set(text(out).split()) == {"0137"}
    assert out.stat().st_mode & 0o777 == 0o640

    out.unlink()
    scene.director.write_config("global_defs {\n umask IRWXO\n}\n" + told)
    assert scene.director.ctl("reload").returncode == 0, scene.director.log()
    rival = Rival(scene)
    assert eventually(lambda: text(out), 10) is not None, scene.director.log()
    rival.stop()
    assert set(text(out).split()) == {"0007"}


def test_an_account_that_disappears_costs_neither_a_child_s_rebirth_nor_a_reload(
        scene: Scene, open_place: Path) -> None:
    accounts = Accounts(scene)
    out = open_place / "out"
    out.write_text("", encoding="ascii")
    out.chmod(0o666)
    who = script(open_place, "who", f"echo $(id -u) $4 >> {out}")
    whole = "global_defs {\n script_user somebody\n}\n" + config(extra=f"notify {who}")
    scene.start(whole)
    scene.becomes("MASTER")
    accounts.remove()
    killed = scene.director.role_pid("vrrp")
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: scene.director.status("vrrp").get("pid", killed) != killed,
                      5) is not None
    scene.becomes("MASTER")

    # The numbers are known: the script still runs.
    before = text(out)
    scene.machine.ip("link set eth0 down")
    scene.becomes("FAULT")
    assert eventually(lambda: text(out) != before, 5) is not None, scene.director.log()
    scene.machine.ip("link set eth0 up")
    scene.becomes("MASTER")

    # A reload asks again: now the account is unknown, and its script is named and not run.
    scene.director.write_config(whole.replace("priority 100", "priority 101"))
    assert scene.director.ctl("reload").returncode == 0
    assert eventually(lambda: scene.instance()["priority"] == 101, 5) is not None
    before = text(out)
    scene.machine.ip("link set eth0 down")
    scene.becomes("FAULT")
    sentence = "is not run: there is no user 'somebody' on this host"
    assert eventually(lambda: sentence in scene.director.log(), 5) is not None
    assert text(out) == before
    assert scene.instance()["scripts"]["failed"] == 1


def test_a_directory_of_accounts_that_hangs_costs_its_scripts_and_not_the_start(
        scene: Scene, open_place: Path) -> None:
    """Whoever looks for groups waits for ever; the account of the other script is root's own."""
    out = scene.director.directory / "out"
    silent = open_place / "group"
    os.mkfifo(silent)
    command = scene.director.command
    scene.director.command = lambda *extra: [
        "unshare", "-m", "sh", "-c", f'mount --bind {silent} /etc/group && exec "$@"', "sh",
        *command(*extra)]
    master = script(scene, "master", f"echo master >> {out}")
    backup = script(scene, "backup", "true")
    began = time.monotonic()

    scene.director.write_config(config(
        extra=f'notify_master "{master}"\nnotify_backup "{backup}" nobody'))
    scene.director.start("-P", "-D")
    assert eventually(lambda: scene.state() == "MASTER", 25) is not None, scene.director.log()
    assert time.monotonic() - began > 4

    assert eventually(lambda: text(out) == "master\n", 5) is not None, scene.director.log()
    assert re.search("the user 'nobody' cannot be looked up: .*its scripts are not run",
                     scene.director.log())


def test_an_unknown_script_user_does_not_stop_the_start(scene: Scene) -> None:
    out = scene.director.directory / "out"
    own = script(scene, "own", f"echo own >> {out}")
    scene.start("global_defs {\n script_user nobody_here\n}\n" +
                config(extra=f'notify_master "{own}" root\nnotify /bin/true'))
    scene.becomes("MASTER")
    assert scene.director.holds(VIP)
    assert "there is no user 'nobody_here' on this host: its scripts are not run" in (
        scene.director.log())
    assert eventually(lambda: text(out) == "own\n", 5) is not None


@pytest.mark.parametrize("secure", (True, False))
def test_root_runs_with_script_security_only_what_nobody_else_can_change(
        scene: Scene, secure: bool) -> None:
    out = scene.director.directory / "out"
    out.write_text("", encoding="ascii")
    out.chmod(0o666)
    good = script(scene, "good", f"echo good >> {out}")
    bad = script(scene, "open", f"echo open >> {out}")
    bad.chmod(0o777)
    way = Path(scene.director.directory)
    safe = True
    while str(way) != "/":
        status = way.stat()
        safe = safe and status.st_uid == 0 and (
            status.st_mode & 0o1000 or not status.st_mode & 0o022)
        way = way.parent
    assert safe, "the directory of the test has to be root's alone"
    words = "enable_script_security\n" if secure else ""
    scene.start(f"global_defs {{\n script_user root\n{words}}}\n" + config(
        extra=f'notify_backup "{bad}"\nnotify_master "{good}"\nnotify_fault "{bad}"'))
    scene.becomes("MASTER")
    assert eventually(lambda: "good\n" in text(out), 5) is not None, scene.director.log()
    scene.machine.ip("link set eth0 down")
    scene.becomes("FAULT")
    time.sleep(1)
    said = f"is not run: root would run what others can change: everybody may write to {bad}"
    assert scene.director.log().count(said) == (1 if secure else 0)
    assert text(out).split() == (["good"] if secure else ["open", "good", "open"])
    answer = scene.director.ctl("check", "--online", str(scene.director.config))
    assert (f"{bad} is not run, because root would run what others can change"
            in answer.stdout + answer.stderr) == secure


def test_a_root_script_has_all_powers_that_the_unit_leaves(scene: Scene) -> None:
    out = scene.director.directory / "out"
    status = script(scene, "status", f"cat /proc/self/status > {out}.new; mv {out}.new {out}")
    scene.start(config(extra=f'notify_backup "{status}"'))
    assert eventually(lambda: text(out), 5) is not None
    found = dict(re.findall(r"^(Cap\w+|NoNewPrivs|Seccomp):\s+(\w+)$", text(out), re.MULTILINE))
    own = dict(re.findall(r"^(Cap\w+):\s+(\w+)$",
                          Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE))
    assert found["CapEff"] == found["CapPrm"] == found["CapBnd"] == own["CapBnd"]
    assert found["NoNewPrivs"] == "0" and found["Seccomp"] == "0"


def test_a_hundred_servers_that_fail_together_are_all_told(lab: Lab) -> None:
    switch = lab.switch("sw")
    machine, servers = lab.machines("a", "s")
    lab.cables(switch, (machine, "eth0", "10.77.0.1/16"), (servers, "eth0", f"{SERVER}/16"))
    out = lab.directory / "out"
    down = script(lab.directory, "down", f"sleep 0.5\necho $1 >> {out}")
    ports = range(8000, 8100)
    checkers = Checkers(machine, service(1, "".join(
        f' real_server {SERVER} {port} {{\n  notify_down "{down} {port}"\n'
        f"  TCP_CHECK {{\n {CONNECT} }}\n }}\n" for port in ports)))
    checkers.start()
    assert eventually(lambda: len(text(out).split()) >= 100, 20) is not None, len(text(out).split())
    time.sleep(1)
    assert sorted(map(int, text(out).split())) == list(ports)
    told = checkers.services()[0]["servers"]
    assert all(one["scripts"]["ran"] == 1 and one["scripts"]["failed"] == 0 for one in told)


@pytest.mark.alone
def test_a_thousand_instances_with_scripts_take_over_in_rhythm(lab: Lab) -> None:
    """Each tells BACKUP at the start and MASTER when nobody is heard."""
    interfaces, vrids = 4, 250
    switch = lab.switch("sw")
    machine, = lab.machines("a")
    crowd_cables(lab, switch, [machine], interfaces)
    text_ = crowd_config(interfaces, vrids, 100).replace(
        " advert_int 1\n", " advert_int 1\n notify /bin/true\n")
    director = Director(machine, text_)
    captures = crowd_captures(switch, interfaces)
    director.start("-P")

    def told() -> int:
        instances = director.status("vrrp").get("instances", [])
        return sum(one.get("scripts", {}).get("ran", 0) for one in instances)

    def first() -> list[str]:
        return [one["state"] for one in director.status("vrrp").get("instances", [])][:1]

    assert eventually(lambda: first() == ["MASTER"], 60, every=1.0) is not None, director.log()
    assert eventually(lambda: told() >= interfaces * vrids, 60, every=1.0) is not None
    time.sleep(3)
    gaps = []
    for capture in captures:
        times: dict[int, list[float]] = {}
        for one in capture.adverts(0):
            times.setdefault(one.vrid, []).append(one.at)
        assert len(times) == vrids
        gaps += [later - earlier for each in times.values()
                 for earlier, later in zip(each, each[1:])]
    assert max(gaps) < 1.3, sorted(gaps)[-5:]
    assert director.status("vrrp")["pid"] == director.role_pid("vrrp")
    assert "watchdog-child-" not in director.log().replace("watchdog-child-started", "")
