"""Strangers, and strange things, at the names a director uses: locks, sockets, records."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.lab.director import BIN
from tests.lab.netns import Lab, eventually
from tests.netns.hostile_host import NOBODY, ROLES, VIP, Host, is_running

# Waits for a lock of every kind on every file that it may open, and keeps what it gets.
LOCKER = """
import ctypes, fcntl, os, struct, sys, time
held = []
while True:
    for path in sys.argv[1:]:
        for flags in (os.O_RDONLY, os.O_RDWR):
            try:
                fd = os.open(path, flags | os.O_NONBLOCK)
            except OSError:
                continue
            kind = fcntl.F_RDLCK if flags == os.O_RDONLY else fcntl.F_WRLCK
            whole = struct.pack("hhlli", kind, 0, 0, 0, 0)
            taken = 0
            for ask in (lambda: fcntl.fcntl(fd, 37, whole),   # F_OFD_SETLK
                        lambda: fcntl.fcntl(fd, fcntl.F_SETLK, whole),
                        lambda: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)):
                try:
                    ask()
                    taken += 1
                except OSError:
                    pass
            if taken and len(held) < 200:
                held.append(fd)
            else:
                os.close(fd)
    time.sleep(0.001)
"""
# Binds the name by which the keepers of addresses know of each other, as soon as it is free.
SQUATTER = """
import socket, sys, time
name = b"\\0" + sys.argv[1].encode()
one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
while True:
    try:
        one.bind(name[:108])
        print("taken", flush=True)
        time.sleep(3600)
    except OSError:
        time.sleep(0.0005)
"""
TRIES = 8  # for the stranger, who has the few milliseconds between two keepers


@pytest.fixture
def host(lab: Lab) -> Host:
    return Host(lab)


def let_in(directory: Path) -> None:
    """A stranger may look into the run directory, as into /run/holdfast."""
    for one in (directory, *directory.parents):
        if str(one).startswith("/tmp/"):
            one.chmod(0o755)


# ---- locks --------------------------------------------------------------------------------------


def test_a_stranger_who_locks_what_he_can_stops_no_successor(host: Host) -> None:
    host.start()
    let_in(host.directory)
    names = [host.directory / f"{role}.{kind}" for kind in ("pid", "lock", "pid.lock")
             for role in ("holdfast", *ROLES)]
    stranger = host.stranger("/usr/bin/python3", "-c", LOCKER, *names)
    try:
        time.sleep(0.5)
        assert stranger.poll() is None, stranger.communicate()
        for _ in range(2):
            for role in ROLES:
                pid = host.director.role_pid(role)
                os.kill(pid, signal.SIGKILL)
                host.reborn(role, pid)
        host.director.kill_everything()  # the stranger, too, lives there: he comes back
        assert stranger.wait(5) == -signal.SIGKILL
        stranger = host.stranger("/usr/bin/python3", "-c", LOCKER, *names)
        time.sleep(0.5)
        host.start()
    finally:
        stranger.kill()
        stranger.wait()
    assert "watchdog-crash-loop" not in host.log()


@contextlib.contextmanager
def squatter(host: Host):
    """A stranger takes the name by which keepers of addresses know of each other."""
    run_dir = os.stat(host.directory)
    name = f"holdfast.addresses.{run_dir.st_dev}.{run_dir.st_ino}.{host.directory}"
    assert f"@{name}"[:90] in host.machine.read("unix")
    stranger = host.stranger("/usr/bin/python3", "-c", SQUATTER, name)
    # He is to win the race on a busy machine, too.
    os.sched_setscheduler(stranger.pid, os.SCHED_FIFO, os.sched_param(1))
    try:
        time.sleep(0.3)
        yield lambda seconds: bool(select.select([stranger.stdout], [], [], seconds)[0])
        assert stranger.poll() is None, stranger.communicate()
    finally:
        stranger.kill()
        stranger.wait()


def test_a_stranger_who_takes_our_name_stops_no_successor(host: Host) -> None:
    host.start()
    with squatter(host) as has_it:
        for _ in range(TRIES):
            pid = host.director.role_pid("vrrp")
            os.kill(pid, signal.SIGKILL)
            host.reborn("vrrp", pid)
            if has_it(0):
                break
        assert has_it(0), f"the stranger lost {TRIES} races"
        pid = host.director.role_pid("vrrp")  # and one who finds him there
        os.kill(pid, signal.SIGKILL)
        host.reborn("vrrp", pid)
    assert host.director.holds(VIP)


def test_a_stranger_who_takes_our_name_keeps_no_address_on_the_host(host: Host) -> None:
    host.start("-R")
    with squatter(host) as has_it:
        os.kill(host.director.role_pid("vrrp"), signal.SIGKILL)  # with -R, that is the end
        assert host.director.process.wait(15) == 1
        assert has_it(5)
    assert not host.director.holds(VIP), host.log()


def test_a_second_copy_names_the_first(host: Host) -> None:
    host.start()
    for options in ((), ("-p", str(host.directory / "other.pid"))):
        second = host.machine.run(str(BIN / "holdfast"), "-n", "-f", str(host.director.config),
                                  "--run-dir", str(host.directory), *options, check=False)
        assert second.returncode == 1
        assert f"already running as process {host.director.process.pid}" in second.stderr
    elsewhere = host.directory / "elsewhere"
    second = host.machine.run(str(BIN / "holdfast"), "-n", "-f", str(host.director.config),
                              "--run-dir", str(elsewhere), "-p", str(host.directory / "x.pid"),
                              "-t", check=False)
    assert second.returncode == 0, second.stderr  # a test of a file needs no lock
    host.serves()


def test_two_directors_cannot_have_one_pid_file(host: Host) -> None:
    pid_file = host.directory / "shared.pid"
    host.start("-p", str(pid_file))
    second = host.machine.run(str(BIN / "holdfast"), "-n", "-f", str(host.director.config),
                              "--run-dir", str(host.directory / "elsewhere"), "-p", str(pid_file),
                              check=False)
    assert second.returncode == 1
    assert f"already running as process {host.director.process.pid}" in second.stderr
    assert pid_file.read_text(encoding="ascii") == f"{host.director.process.pid}\n"


def test_children_of_a_killed_parent_are_waited_for(host: Host) -> None:
    """The old VRRP process serves until it has handed over; the new one comes after it."""
    host.start()
    old = host.pids()
    os.kill(old["watchdog"], signal.SIGKILL)
    host.director.process.wait(5)
    host.spawn("-l")

    for role in ROLES:
        host.reborn(role, old[role])

    assert not is_running(old["vrrp"])
    assert "watchdog-child-died" not in host.log(), host.log()
    assert "already running" not in host.log()


# ---- files --------------------------------------------------------------------------------------


def put(kind: str, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
        (path / "precious").write_text("x", encoding="ascii")
    elif kind == "link":
        precious = path.parent / "precious"
        precious.write_text("precious\n", encoding="ascii")
        path.symlink_to(precious)
    elif kind == "device":
        os.mknod(path, 0o666 | 0o020000, os.makedev(1, 5))  # /dev/zero
    elif kind == "file":
        path.write_text("what somebody left\n", encoding="ascii")
    elif kind == "socket":
        import socket
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(os.path.relpath(path))


NAMES = ["holdfast.pid", "holdfast.pid.lock", "watchdog.sock", "vrrp.page",
         *(f"{role}.{kind}" for role in ROLES
           for kind in ("pid", "lock", "sock", "owned", "owned.new", "pid.new"))]


@pytest.mark.parametrize("kind", ["fifo", "directory", "link", "device", "file", "socket"])
def test_whatever_is_at_our_names_the_address_is_served(host: Host, kind: str) -> None:
    os.chdir(host.directory)
    for name in NAMES:
        put(kind, host.directory / name)

    host.spawn("-l")
    host.director.wait_for(VIP)
    used = lambda: host.log().count("generation 1 is in use") + host.log().count(
        "configuration 1 in use")
    assert eventually(lambda: used() == 2, 10) is not None, host.log()
    time.sleep(0.3)
    assert host.director.process.running()
    assert "watchdog-child-died" not in host.log()

    if kind == "directory":  # named, each of them
        for name in ("holdfast.pid", "vrrp.sock", "checkers.sock", "vrrp.owned"):
            assert str(host.directory / name) in host.log(), host.log()
    else:
        host.serves()
        assert (host.directory / "holdfast.pid").read_text(
            encoding="ascii") == f"{host.director.process.pid}\n"
    if kind == "link":
        assert (host.directory / "precious").read_text(encoding="ascii") == "precious\n"
    assert host.director.stop() == 0
    assert not host.director.holds(VIP)


def test_a_run_directory_of_another_account_works_and_is_said(host: Host) -> None:
    os.chown(host.directory, NOBODY, NOBODY)
    host.directory.chmod(0o755)

    host.start()
    pid = host.director.role_pid("vrrp")
    os.kill(pid, signal.SIGKILL)
    host.reborn("vrrp", pid)

    assert (host.directory / "vrrp.owned").exists()
    assert f"{host.directory} belongs to user {NOBODY}" in host.log()


def test_a_run_directory_that_is_none_is_named(host: Host) -> None:
    wrong = host.directory / "file"
    wrong.write_text("", encoding="ascii")
    ended = host.machine.run(str(BIN / "holdfast"), "-n", "-f", str(host.director.config),
                             "--run-dir", str(wrong), check=False)
    assert ended.returncode == 4
    assert f"cannot make the run directory {wrong}" in ended.stderr


@pytest.mark.parametrize("how", ["full", "no room for a file", "read only"])
def test_a_full_run_directory_costs_files_not_the_address(host: Host, how: str) -> None:
    """A tmpfs of a few pages: nothing of ours fits, or nothing at all may be made."""
    run = host.directory / "small"
    run.mkdir()
    options = {"full": "size=8k", "no room for a file": "nr_inodes=2", "read only": "size=8k,ro"}
    subprocess.run(["mount", "-t", "tmpfs", "-o", options[how], "tmpfs", run], check=True)
    try:
        if how == "full":
            with pytest.raises(OSError):
                (run / "filler").write_bytes(b"x" * 20000)
        if how == "no room for a file":
            (run / "filler").write_bytes(b"")
        host.director.directory = host.directory = run
        host.spawn("-l")
        host.director.wait_for(VIP)
        time.sleep(0.5)
        assert host.director.process.running()
        assert "watchdog-child-died" not in host.log(), host.log()
        assert "there is no pid file" in host.log()
        assert host.director.stop() == 0
        assert not host.director.holds(VIP)
    finally:
        subprocess.run(["umount", "-l", run], check=True)
        shutil.rmtree(run, ignore_errors=True)
