"""Whatever state the host is in, and whoever has an account on it: the address is served.

Signals, descriptors and limits; files in the way are in test_hostile_files.py.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time

import pytest

from tests.lab.director import BIN
from tests.lab.netns import Lab, eventually
from tests.netns.hostile_host import ROLES, VIP, Host, is_running, open_files

HARMLESS = [signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO, signal.SIGPWR,
            signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD,
            *range(signal.SIGRTMIN, signal.SIGRTMAX + 1)]


@pytest.fixture
def host(lab: Lab) -> Host:
    lab.environment["TMPDIR"] = str(lab.directory)  # dumps go there
    return Host(lab)


# ---- signals ------------------------------------------------------------------------------------


def test_no_signal_of_habit_ends_a_process(host: Host) -> None:
    host.start()
    before = host.pids()

    for pid in before.values():
        for number in (*HARMLESS, *HARMLESS):
            os.kill(pid, number)
    for role in ROLES:
        os.kill(before[role], signal.SIGHUP)
    time.sleep(0.5)

    assert host.pids() == before, host.log()
    host.serves()
    assert host.log().count("runtime-signal-ignored: 35 (") == 3, host.log()
    names = {f"keepalived.{end}" for end in ("data", "stats", "json")}
    assert eventually(lambda: names <= set(os.listdir(host.machine.lab.directory)), 5) is not None
    assert "legacy-dump-failed" not in host.log()


def is_safe(pid: int) -> bool:
    """Nobody can protect the first process of all before its own first line; all others wait."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        words = dict(line.split(":\t", 1) for line in status.read().splitlines() if ":\t" in line)
    spared = int(words["SigIgn"], 16) | int(words["SigCgt"], 16)
    return words["Name"].startswith("holdfast") and bool(spared >> (signal.SIGRTMIN + 1) & 1)


def test_a_storm_of_signals_during_the_start_ends_nothing(host: Host) -> None:
    host.spawn("-l")
    watchdog = host.director.process.pid
    assert eventually(lambda: is_safe(watchdog), 5) is not None
    until = time.monotonic() + 1.5
    seen = set()
    while time.monotonic() < until:
        for pid in host.machine.pids():
            with contextlib.suppress(OSError):  # it ended meanwhile
                with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                    if not comm.read().startswith("holdfast"):
                        continue  # not yet one of ours
                for number in (signal.SIGALRM, signal.SIGUSR2, signal.SIGRTMIN + 2):
                    os.kill(pid, number)
                seen.add(pid)

    host.serves()
    assert len(seen) >= 3
    assert "watchdog-child-died" not in host.log()


def test_the_numbers_are_those_that_keepalived_gives() -> None:
    for name in ("STOP", "RELOAD", "DATA", "STATS", "STATS_CLEAR", "JSON"):
        ours = subprocess.run([BIN / "holdfast", f"--signum={name}"], capture_output=True,
                              text=True, timeout=10, check=True)
        theirs = subprocess.run(["keepalived", f"--signum={name}"], capture_output=True,
                                text=True, timeout=10, check=True)
        assert ours.stdout == theirs.stdout, name


# ---- descriptors --------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", ["0<&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_closed_standard_descriptors_are_not_given_to_anything_else(host: Host,
                                                                     closed: str) -> None:
    host.start(shell=closed)

    for role, pid in host.pids().items():
        files = open_files(pid)
        for standard in (0, 1, 2):
            assert files[standard] == "/dev/null" or f"{standard}" not in closed, (role, files)
    pid_file = (host.directory / "holdfast.pid").read_text(encoding="ascii")
    assert pid_file == f"{host.pids()['watchdog']}\n"


def test_it_goes_to_the_background_without_standard_descriptors(host: Host) -> None:
    command = [str(BIN / "holdfast"), "-f", str(host.director.config), "--run-dir",
               str(host.directory), "-G"]
    ended = host.machine.run("/bin/sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh", *command,
                             check=False)
    assert ended.returncode == 0
    host.serves()
    host.director.ctl("stop", check=True)


# ---- limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["--fsize=0:unlimited", "--fsize=512:unlimited",
                                   "--nofile=24:4096", "--nproc=1", "--core=0 --stack=262144"])
def test_small_limits_of_the_shell_do_not_matter(host: Host, limit: str) -> None:
    host.start(through=("prlimit", *limit.split()))
    before = host.pids()
    os.kill(before["vrrp"], signal.SIGKILL)
    host.reborn("vrrp", before["vrrp"])
    assert host.director.ctl("reload").returncode == 0, host.log()


def test_a_limit_on_files_that_cannot_be_lived_with_is_said_not_died_of(host: Host) -> None:
    """Where the hard limit may be raised it serves. (The log goes through a pipe: the limit holds
    for a file, too.)"""
    line = 'prlimit --fsize=0:0 "$@" 2>&1 | cat'
    host.spawn("-l", through=("bash", "-o", "pipefail", "-c", line, "bash"))
    process = host.director.process
    assert eventually(lambda: host.director.holds(VIP) or not process.running(), 15) is not None
    if process.running():
        return host.serves()
    assert process.wait() == 1
    assert "the limit of the size of files from 0" in host.log()
    assert "File too large" in host.log()


def test_a_limit_that_may_not_be_raised_is_named(host: Host) -> None:
    """A service manager that means it takes CAP_SYS_RESOURCE away."""
    without = ("setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource")
    host.spawn("-l", through=("prlimit", "--nofile=200", *without))
    host.serves()
    assert "cannot raise the limit of open files from 200 to 1024" in host.log()
    assert all(is_running(pid) for pid in host.pids().values())
    assert host.director.holds(VIP)
