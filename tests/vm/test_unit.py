"""The unit under a real systemd: what `systemctl` does to a director, and what it leaves alone.

Runs in a machine whose process 1 is systemd (conftest.py). The director is installed there as an
operator would, in the machine's own network; its peer lives in a namespace.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.lab.director import ROOT, Director
from tests.lab.netns import Lab, eventually

VIP = "192.0.2.100"
UNIT = "holdfast.service"
# Nobody has it between the advert that ends one master and the address of the next: under
# emulation that takes some milliseconds. Who waits for a master's silence waits three seconds.
ALLOWANCE = 0.3
PAUSE = 0.05  # seconds: ten times as long as two looks are apart
CONFIG = Path("/etc/keepalived/keepalived.conf")
OUT = Path("/run/told")
NOTIFY = Path("/usr/local/bin/told")
# Says what it is given; a stop takes its time; the first master state leaves something behind.
SCRIPT = f"""#!/bin/sh
case $1-$3 in
  *-STOP) sleep 3 ;;
  *-MASTER)
    [ -e /run/left ] || {{ sleep 1000 & echo $! >/run/left; }}
    grep -E '^(Cap|NoNew)' /proc/self/status >/run/rights
    env >/run/environment
    ;;
esac
echo "$3" >>{OUT}
"""


def text(priority: int, interface: str, notify: str) -> str:
    return f"""
global_defs {{
    script_user root
}}
vrrp_instance VI_1 {{
    interface {interface}
    virtual_router_id 51
    priority {priority}
    advert_int 1
    garp_master_delay 0
    {notify}
    virtual_ipaddress {{
        {VIP}/24
    }}
}}
"""


def systemctl(*words: str, check: bool = True) -> str:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, timeout=100,
                          check=False)
    assert done.returncode == 0 or not check, (done.stderr, journal())
    return done.stdout.strip()


def unit(word: str) -> str:
    return systemctl("show", "--value", "-p", word, UNIT)


def journal() -> str:
    return subprocess.run(["journalctl", "-o", "short-monotonic", "-u", UNIT, "--no-pager", "-n",
                           "60"], capture_output=True, text=True, check=False).stdout


def main_pid() -> int:
    return int(unit("MainPID"))


def status(process: str) -> dict:
    done = subprocess.run(["holdfastctl", "--run-dir", "/run/holdfast", "status", "--json"],
                          capture_output=True, text=True, check=False)
    with contextlib.suppress(json.JSONDecodeError):
        part = json.loads(done.stdout).get(process)
        return part if isinstance(part, dict) and "error" not in part else {}
    return {}


def told() -> list[str]:
    return OUT.read_text(encoding="ascii").split() if OUT.exists() else []


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return False


class Holders:
    """Who has the address, every few milliseconds: a socket can be bound to it there."""

    def __init__(self, peer):
        self.peer = peer
        self.seen: list[tuple[float, bool, bool]] = []  # when, here, there
        self.running = True
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    @staticmethod
    def can_bind() -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((VIP, 0))
            except OSError:
                return False
            return True

    def look(self) -> None:
        while self.running:
            here = self.can_bind()
            with self.peer.inside():
                there = self.can_bind()
            self.seen.append((time.monotonic(), here, there))
            time.sleep(0.005)

    def stop(self) -> None:
        self.running = False
        self.thread.join()

    def longest(self, here: bool, there: bool) -> float:
        """For how long at most it was held so: what was seen of it. Between two looks that lie far
        apart the emulator stood still, and nobody in it could have done anything."""
        longest, held_so, before = 0.0, 0.0, None
        for moment, *held in self.seen:
            if held != [here, there]:
                held_so, before = 0.0, None
                continue
            held_so += min(moment - before, PAUSE) if before is not None else 0.0
            longest, before = max(longest, held_so), moment
        return longest

    def changes(self) -> str:
        """Each change of hands, in seconds since the first look, and the longest pause."""
        lines, last = [], None
        for moment, *held in self.seen:
            if held != last:
                lines.append(f"{moment - self.seen[0][0]:.3f} here {held[0]} there {held[1]}")
                last = held
        pause = max((b[0] - a[0] for a, b in itertools.pairwise(self.seen)), default=0.0)
        return "\n".join([*lines, f"longest pause {pause:.3f}"])


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    """Another director, which takes over when ours leaves."""
    built = ROOT / "build"
    subprocess.run(["cmake", "--install", built, "--prefix", "/usr", "--strip"], check=True,
                   capture_output=True)
    systemctl("daemon-reload")
    NOTIFY.write_text(SCRIPT, encoding="ascii")
    NOTIFY.chmod(0o755)
    CONFIG.parent.mkdir(exist_ok=True)
    with Lab(tmp_path_factory.mktemp("peer")) as lab:
        machine = lab.machine("peer")
        lab.ip(f"link add name hf0 type veth peer name eth0 netns {machine.name}",
               "addr add 192.0.2.1/24 dev hf0", "link set hf0 up")
        machine.bring_up("eth0", "192.0.2.2/24")
        director = Director(machine, text(100, "eth0", ""))
        director.start()
        yield machine
        systemctl("stop", UNIT, check=False)


@pytest.fixture
def holders(peer):
    """Our director runs as the unit and is master."""
    CONFIG.write_text(text(150, "hf0", f"notify {NOTIFY}"), encoding="ascii")
    systemctl("reset-failed", UNIT, check=False)
    systemctl("start", UNIT)
    watching = Holders(peer)
    settled = eventually(lambda: watching.seen[-1:] and watching.seen[-1][1:] == (True, False), 20)
    watching.seen.clear()
    try:
        assert settled is not None, journal()
        yield watching
    finally:
        watching.stop()


def test_start_returns_when_it_serves_and_only_the_parent_speaks_to_systemd(holders):
    parent = main_pid()

    assert unit("Type") == "notify" and unit("NotifyAccess") == "main"
    assert int(Path("/run/holdfast/holdfast.pid").read_text(encoding="ascii")) == parent
    assert status("watchdog")["pid"] == parent
    assert systemctl("is-active", UNIT) == "active"
    child = status("vrrp")["pid"]
    assert b"NOTIFY_SOCKET" not in Path(f"/proc/{child}/environ").read_bytes()
    assert eventually(lambda: "MASTER" in told(), 10), journal()
    environment = Path("/run/environment").read_text(encoding="utf-8")
    assert "PATH=" in environment and "NOTIFY_SOCKET" not in environment
    assert "WATCHDOG" not in environment


def test_the_journal_has_fields_to_filter_by(holders):
    def told(*words: str) -> list[dict]:
        done = subprocess.run(["journalctl", "-o", "json", "-u", UNIT, "--no-pager", *words],
                              capture_output=True, text=True, check=False)
        return [json.loads(line) for line in done.stdout.splitlines()]

    assert eventually(lambda: told("HOLDFAST_EVENT=vrrp-state"), 10), journal()
    lines = told("HOLDFAST_EVENT=vrrp-state", "HOLDFAST_PROCESS=vrrp")
    assert all(line["SYSLOG_IDENTIFIER"] == "holdfast-vrrp" for line in lines)
    assert {line["PRIORITY"] for line in lines} == {"6"} and "MASTER" in lines[-1]["MESSAGE"]
    assert lines[-1]["MESSAGE"].startswith("vrrp-state: VI_1: ")


def test_scripts_have_what_systemd_gives_and_the_vrrp_process_only_its_own(holders):
    def rights(lines: str) -> dict[str, int]:
        return {name: int(value, 16) for name, value in
                (line.split(":") for line in lines.splitlines()
                 if line.startswith(("Cap", "NoNew")))}

    assert eventually(lambda: "MASTER" in told(), 10), journal()
    everything = rights(Path("/proc/1/status").read_text(encoding="ascii"))
    script = rights(Path("/run/rights").read_text(encoding="ascii"))
    assert script["CapEff"] == script["CapBnd"] == everything["CapBnd"]
    assert script["NoNewPrivs"] == 0
    vrrp = rights(Path(f"/proc/{status('vrrp')['pid']}/status").read_text(encoding="ascii"))
    assert vrrp["CapEff"] & ~((1 << 10) | (1 << 12) | (1 << 13) | (1 << 14) | (1 << 23)) == 0
    assert vrrp["NoNewPrivs"] == 1


def test_reload_keeps_every_process_and_the_address(holders):
    before = {role: status(role)["pid"] for role in ("watchdog", "vrrp")}
    generation = status("watchdog")["generation"]
    CONFIG.write_text(CONFIG.read_text(encoding="ascii").replace("priority 150", "priority 151"),
                      encoding="ascii")

    systemctl("reload", UNIT)

    assert eventually(lambda: status("watchdog").get("generation", 0) > generation, 15), journal()
    assert eventually(lambda: unit("ActiveState") == "active", 10), journal()
    assert before == {role: status(role)["pid"] for role in before}
    assert status("vrrp")["instances"][0]["effective_priority"] == 151
    assert {held[1:] for held in holders.seen} == {(True, False)}


def test_a_reload_with_errors_leaves_the_unit_active(holders):
    generation = status("watchdog")["generation"]
    CONFIG.write_text("vrrp_instance VI_1 {\n", encoding="ascii")

    systemctl("reload", UNIT)

    assert eventually(lambda: status("watchdog")["last_reload"]["ok"] is False, 15)
    assert eventually(lambda: unit("ActiveState") == "active", 10), journal()
    assert status("watchdog")["generation"] == generation
    assert {held[1:] for held in holders.seen} == {(True, False)}


def test_a_restart_hands_over_before_it_withdraws_and_its_scripts_end(holders):
    parent, left = main_pid(), int(Path("/run/left").read_text(encoding="ascii"))
    OUT.write_text("", encoding="ascii")

    systemctl("restart", UNIT)

    assert main_pid() != parent
    assert told()[:1] == ["STOP"], told()  # it takes three seconds, and the restart waited for it
    assert is_alive(left), "what a script has started belongs to the operator"
    assert eventually(lambda: holders.seen[-1][1:] == (True, False), 20), journal()
    assert any(held[1:] == (False, True) for held in holders.seen), "the peer has taken over"
    assert holders.longest(False, False) < ALLOWANCE, holders.changes() + "\n" + journal()
    assert unit("NRestarts") == "0"


def test_a_stop_ends_every_process_but_what_scripts_have_started(holders):
    pids = [status("watchdog")[word] for word in ("pid", "scripts_pid")] + [status("vrrp")["pid"]]
    OUT.write_text("", encoding="ascii")

    systemctl("stop", UNIT)

    assert told() == ["STOP"], journal()
    assert not [pid for pid in pids if is_alive(pid)]
    assert is_alive(int(Path("/run/left").read_text(encoding="ascii")))
    assert unit("Result") == "success" and unit("ActiveState") == "inactive"
    assert holders.longest(False, False) < ALLOWANCE, holders.changes() + "\n" + journal()
    assert holders.seen[-1][1:] == (False, True)


def test_a_killed_parent_is_started_again_and_its_children_hand_over(holders):
    parent = main_pid()
    restarts = int(unit("NRestarts"))

    os.kill(parent, signal.SIGKILL)

    assert eventually(lambda: main_pid() not in (0, parent), 30), journal()
    assert eventually(lambda: unit("ActiveState") == "active", 20), journal()
    assert eventually(lambda: holders.seen[-1][1:] == (True, False), 20), journal()
    assert int(unit("NRestarts")) == restarts + 1
    assert holders.longest(False, False) < ALLOWANCE, holders.changes() + "\n" + journal()
    named = [Path(path, "comm").read_text(encoding="ascii").strip()
             for path in Path("/proc").glob("[0-9]*") if Path(path, "comm").exists()]
    assert named.count("holdfast-vrrp") == 2, named  # ours and the peer's


def test_a_killed_child_is_no_matter_for_systemd(holders):
    parent, vrrp = main_pid(), status("vrrp")["pid"]

    os.kill(vrrp, signal.SIGKILL)

    assert eventually(lambda: status("vrrp").get("pid") not in (None, vrrp), 20), journal()
    assert main_pid() == parent and unit("ActiveState") == "active"


def test_a_parent_that_hangs_is_replaced_after_the_watchdogs_time(holders):
    parent = main_pid()
    limit = int(unit("WatchdogUSec").removesuffix("s"))

    os.kill(parent, signal.SIGSTOP)
    began = time.monotonic()

    assert eventually(lambda: main_pid() not in (0, parent), limit + 30), journal()
    assert time.monotonic() - began > limit / 2
    assert eventually(lambda: holders.seen[-1][1:] == (True, False), 20), journal()
    assert holders.longest(False, False) < ALLOWANCE, holders.changes() + "\n" + journal()


def test_a_start_with_errors_fails_once(peer):
    systemctl("stop", UNIT)
    CONFIG.write_text("vrrp_instance VI_1 {\n", encoding="ascii")

    systemctl("start", UNIT, check=False)
    time.sleep(3)  # longer than RestartSec

    assert unit("ActiveState") == "failed"
    assert unit("ExecMainStatus") == "2" and unit("NRestarts") == "0"
    systemctl("reset-failed", UNIT)
