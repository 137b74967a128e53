"""The watchdog and its real children under blows, beside real keepalived that would take over.

test_watchdog.py drives the watchdog with scripted children; here the vrrp and checkers processes
are the real ones, and what counts is what the segment sees.
"""

from __future__ import annotations

import os
import re
import signal
import time

import pytest

from tests.lab.director import BIN, Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.wire import Capture

VIP = "10.9.0.200"
OURS, PEER = "10.9.0.1", "10.9.0.2"
PEER_SKEW = (256 - 50) / 256
ROLES = ("vrrp", "checkers")

VRRP = f"""
vrrp_instance VI_1 {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority %d
    advert_int 1
    virtual_ipaddress {{
        {VIP}
    }}
}}
"""
SERVICE = f"""
virtual_server {VIP} 80 {{
    delay_loop 2
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 10.9.0.10 80 {{
        TCP_CHECK {{
            connect_timeout 1
        }}
    }}
}}
"""
GOOD = "global_defs {\n router_id test\n}\n" + VRRP % 100 + SERVICE


class Suite:
    """Our director (watchdog, vrrp, checkers) and keepalived as its backup, on one switch."""

    def __init__(self, lab: Lab):
        self.switch = lab.switch("sw")
        machine, other = lab.machines("a", "b")
        lab.cables(self.switch, (machine, "eth0", f"{OURS}/24"), (other, "eth0", f"{PEER}/24"))
        self.ours = Director(machine, GOOD)
        peers = "global_defs {\n router_id peer\n}\n" + VRRP % 50
        self.peer = Director(other, peers, "keepalived")
        self.capture = Capture(self.switch)

    @property
    def machine(self) -> Namespace:
        return self.ours.machine

    def start(self, peer: bool = True) -> None:
        self.ours.start("-D", "-G")
        self.ours.wait_for(VIP)
        begun = eventually(lambda: self.ours.status("checkers").get("generation") == 1, 10)
        assert begun is not None, self.ours.log()
        if peer:
            self.peer.start("-P", "-G")
            assert eventually(lambda: self.peer.state("VI_1") == "BACKUP", 10) is not None

    def child(self, role: str) -> dict:
        return next(one for one in self.ours.status("watchdog")["children"] if one["role"] == role)

    def pids(self) -> dict[str, int]:
        return {role: self.ours.role_pid(role) for role in ("watchdog", *ROLES)}

    def replaced(self, role: str, old: int) -> bool:
        return self.ours.status(role).get("pid") not in (None, old)

    def holders(self) -> set[str]:
        return {name for name, one in (("ours", self.ours), ("peer", self.peer)) if one.holds(VIP)}

    def grid(self, since: float, until: float) -> list[float]:
        """Moments of our adverts: one second apart, not one missing, not one extra."""
        adverts = [one for one in self.capture.adverts(since, OURS) if one.at <= until]
        assert {one.priority for one in adverts} == {100}
        times = [one.at for one in adverts]
        gaps = [later - earlier for earlier, later in zip(times, times[1:])]
        assert gaps and min(gaps) > 0.95 and max(gaps) < 1.05, gaps
        assert len(times) == round(times[-1] - times[0]) + 1
        assert times[0] - since < 1.05 and until - times[-1] < 1.05
        return times


@pytest.fixture
def suite(lab: Lab) -> Suite:
    return Suite(lab)


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


# ---- a child hangs, a child dies ----------------------------------------------------------------


def test_a_vrrp_child_that_stands_still_is_replaced_and_the_director_ends_up_master(
    suite: Suite,
) -> None:
    suite.start()
    before = suite.pids()
    began, began_at = time.monotonic(), time.time()

    os.kill(before["vrrp"], signal.SIGSTOP)

    assert eventually(lambda: suite.replaced("vrrp", before["vrrp"]), 10) is not None
    took = time.monotonic() - began
    assert 1.6 <= took < 4, f"just before its peers wake: {took:.1f} s"
    assert not is_alive(before["vrrp"])
    assert re.search(r"the vrrp process \(generation 1\) (is stopped, and a peer takes over unless|"
                     r"gave no sign of life for 3)", suite.ours.log())
    assert eventually(lambda: suite.holders() == {"ours"}, 10) is not None
    assert eventually(lambda: suite.ours.state("VI_1") == "MASTER", 2) is not None
    time.sleep(2)
    assert suite.holders() == {"ours"}
    assert suite.peer.state("VI_1") == "BACKUP"
    # Whatever the peer told the segment meanwhile, the last word about the address is ours.
    arps = [one for one in suite.capture.arps(began_at, VIP) if one.gratuitous]
    ours = {one.mac for one in suite.capture.adverts(0, OURS)}
    assert not arps or {arps[-1].mac} == ours, [(one.at - began_at, one.mac) for one in arps]
    assert suite.child("vrrp")["restarts"] == 1
    assert suite.ours.role_pid("checkers") == before["checkers"]


def test_a_backup_whose_vrrp_child_stands_still_is_mended_and_does_not_usurp(suite: Suite) -> None:
    suite.peer.write_config(suite.peer.config.read_text().replace("priority 50", "priority 150"))
    suite.start()
    assert eventually(lambda: suite.holders() == {"peer"}, 10) is not None
    assert eventually(lambda: suite.ours.state("VI_1") == "BACKUP", 5) is not None
    old, began_at = suite.ours.role_pid("vrrp"), time.time()

    os.kill(old, signal.SIGSTOP)

    assert eventually(lambda: suite.replaced("vrrp", old), 10) is not None
    time.sleep(5)
    assert suite.capture.adverts(began_at, OURS) == []
    assert suite.holders() == {"peer"}
    instance = suite.ours.status("vrrp")["instances"][0]
    assert (instance["state"], instance["master"]["address"]) == ("BACKUP", PEER)


def test_a_killed_checkers_child_returns_at_once_then_after_1_and_2_seconds(suite: Suite) -> None:
    suite.start()
    time.sleep(1)
    vrrp, began = suite.ours.role_pid("vrrp"), time.time()
    pauses = []
    for _ in range(3):
        old = suite.ours.role_pid("checkers")
        os.kill(old, signal.SIGKILL)
        pauses.append(eventually(lambda one=old: suite.replaced("checkers", one), 10))
        assert pauses[-1] is not None, suite.ours.log()

    assert pauses[0] < 0.8 and 0.9 < pauses[1] < 1.8 and 1.9 < pauses[2] < 2.8, pauses
    child = suite.child("checkers")
    assert child["restarts"] == 3
    assert "signal 9" in child["last_exit"]
    assert suite.ours.log().count("the checkers process was killed by signal 9 (Killed)") == 3
    assert "no sign of life" not in suite.ours.log()
    assert suite.ours.role_pid("vrrp") == vrrp, "the other child is none of this"
    suite.grid(began, time.time())
    assert suite.holders() == {"ours"}


def test_a_vrrp_child_in_a_crash_loop_gives_the_addresses_to_the_peer(suite: Suite) -> None:
    suite.start()
    checkers = suite.ours.role_pid("checkers")
    began, deaths, old = time.monotonic(), 0, 0
    while suite.ours.process.running() and time.monotonic() < began + 30:
        pid = suite.ours.status("vrrp").get("pid")
        if pid not in (None, old):
            os.kill(pid, signal.SIGKILL)
            deaths, old = deaths + 1, pid
        time.sleep(0.02)

    assert suite.ours.process.wait(1) == 1
    assert deaths == 6, "five, and the process that would have handed over after the second"
    # The second successor resumes within the budget, and so begins at once.
    assert time.monotonic() - began >= 6, "0 + 0 + 2 + 4 s between the starts"
    assert "5 deaths in a row: giving up so that a peer takes over" in suite.ours.log()
    assert not suite.ours.holds(VIP)
    assert not is_alive(checkers)
    assert eventually(lambda: suite.holders() == {"peer"}, 5) is not None
    # The process that takes the addresses off writes where the director was told to log.
    assert "info watchdog-addresses-released: " in suite.ours.log()
    said = rf"Z release\[\d+\] warning netlink-left-over: taking off {VIP}"
    assert re.search(said, suite.ours.log())
    assert not suite.machine.pids(), "nobody stays behind"


def test_a_killed_watchdog_takes_both_children_with_it_in_order(suite: Suite) -> None:
    suite.start()
    pids, killed_at = suite.pids(), time.time()

    os.kill(pids["watchdog"], signal.SIGKILL)

    assert eventually(lambda: not any(is_alive(pids[role]) for role in ROLES), 3) is not None
    assert not suite.ours.holds(VIP)
    priorities = [one.priority for one in suite.capture.adverts(killed_at, OURS)]
    assert priorities[-1] == 0 and priorities.count(0) == 1
    assert eventually(lambda: suite.holders() == {"peer"}, 3) is not None
    resigned = suite.capture.adverts(killed_at, OURS)[-1].at
    assert eventually(lambda: suite.capture.adverts(killed_at, PEER), 3) is not None
    taken = suite.capture.adverts(killed_at, PEER)[0].at
    assert taken - resigned == pytest.approx(PEER_SKEW, abs=0.1)
    assert not suite.machine.pids()


# ---- reload -------------------------------------------------------------------------------------


def kill_watchdog_and_hold_vrrp(pids: dict[str, int]) -> None:
    """The VRRP process stands still before its farewell. It is stopped before the watchdog dies,
    and again until it stays so: the kernel wakes up who is stopped while its parent dies."""
    os.kill(pids["vrrp"], signal.SIGSTOP)
    os.kill(pids["watchdog"], signal.SIGKILL)
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        os.kill(pids["vrrp"], signal.SIGSTOP)
        time.sleep(0.01)


@pytest.mark.parametrize("restarted", [False, True])
def test_without_a_watchdog_the_table_outlives_a_vrrp_process_that_takes_its_time(
    suite: Suite, restarted: bool
) -> None:
    suite.start(peer=False)
    if restarted:
        former = suite.child("vrrp")["pid"]
        os.kill(former, signal.SIGKILL)
        assert eventually(lambda: suite.child("vrrp")["pid"] not in (0, former), 10) is not None
    pids = suite.pids()
    vrrp, checkers = pids["vrrp"], pids["checkers"]
    (suite.ours.directory / "vrrp.sock").unlink()  # a clean-up of the run directory

    kill_watchdog_and_hold_vrrp(pids)

    time.sleep(7)
    assert vrrp in suite.machine.pids()
    assert checkers in suite.machine.pids(), "the table went before the address"
    os.kill(vrrp, signal.SIGCONT)
    assert eventually(lambda: vrrp not in suite.machine.pids(), 5) is not None
    assert not suite.ours.holds(VIP)
    assert eventually(lambda: not suite.machine.pids(), 5) is not None


def test_without_a_watchdog_a_vrrp_process_that_hangs_is_not_waited_for_for_ever(
    suite: Suite,
) -> None:
    suite.start(peer=False)
    pids = suite.pids()
    vrrp, checkers = pids["vrrp"], pids["checkers"]

    kill_watchdog_and_hold_vrrp(pids)

    try:
        assert eventually(lambda: checkers not in suite.machine.pids(), 25) is not None
        assert suite.ours.log().count("checkers-vrrp-hangs") == 1
    finally:
        os.kill(vrrp, signal.SIGCONT)


def test_hup_with_the_unchanged_file_costs_not_one_advert_and_adds_none(suite: Suite) -> None:
    suite.start(peer=False)
    time.sleep(6.5)  # the second burst of announcements is over
    before, since = suite.pids(), suite.ours.status("vrrp")["instances"][0]["since_at"][:19]
    began = time.time()
    for wish in range(2, 7):
        suite.ours.process.send(signal.SIGHUP)
        done = eventually(lambda one=wish: suite.ours.status("watchdog")["generation"] == one, 5)
        assert done is not None, suite.ours.log()
        time.sleep(0.7)  # every reload meets the second at another place

    ended = time.time()
    assert eventually(lambda: len(suite.capture.adverts(ended, OURS)) >= 1, 3) is not None
    suite.grid(began, ended)
    assert not suite.capture.arps(began, VIP)
    assert suite.pids() == before
    status = suite.ours.status("vrrp")
    assert status["generation"] == 6
    assert status["instances"][0]["since_at"][:19] == since
    assert suite.ours.status("checkers")["generation"] == 6


def test_hup_with_a_broken_file_logs_the_place_and_nothing_else(suite: Suite) -> None:
    suite.start(peer=False)
    time.sleep(6.5)
    before, lines, began = suite.pids(), len(suite.ours.log().splitlines()), time.time()
    suite.ours.write_config(GOOD.replace("    interface eth0\n", "    interface\n"))

    suite.ours.process.send(signal.SIGHUP)

    assert eventually(lambda: "watchdog-reload-refused" in suite.ours.log(), 5) is not None
    time.sleep(2)
    new = suite.ours.log().splitlines()[lines:]
    ids = {match[1] for line in new if (match := re.search(r"Z \w+\[\d+\] \w+ ([a-z-]+): ", line))}
    checks = {"checkers-check-retry", "checkers-check-down"}
    assert ids - checks == {"watchdog-reading", "watchdog-reload-refused"}
    place = GOOD.splitlines().index("    interface eth0") + 1
    assert f"keepalived.conf:{place}:5: error: " in "\n".join(new)
    assert "interface" in "\n".join(new)
    assert suite.pids() == before
    assert suite.ours.status("watchdog")["generation"] == 1
    suite.grid(began, time.time())
    assert not suite.capture.arps(began, VIP)


# ---- starts that must not be ---------------------------------------------------------------------


def test_a_second_copy_is_refused_while_the_first_goes_on(suite: Suite) -> None:
    suite.start(peer=False)
    time.sleep(1)
    before, began = suite.pids(), time.time()

    for extra in ((), ("-P",), ("-C",)):
        ended = suite.machine.run(*suite.ours.command(*extra), check=False)
        assert ended.returncode == 1, ended
        assert f"already running as process {before['watchdog']}" in ended.stderr
        assert str(suite.ours.directory / "holdfast.pid") in ended.stderr

    time.sleep(2)
    assert suite.pids() == before
    suite.grid(began, time.time())
    assert suite.holders() == {"ours"}


def test_not_root_is_refused_with_one_sentence(suite: Suite) -> None:
    nobody = ["setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps=-all"]
    ended = suite.machine.run(*nobody, str(BIN / "holdfast"), "-n", "-G", "-f",
                              str(suite.ours.config), check=False)

    assert ended.returncode == 4
    assert len(ended.stderr.splitlines()) == 1
    assert "must be started by root" in ended.stderr


def test_root_without_rights_over_this_network_is_told_so_and_exit_4(suite: Suite) -> None:
    """Root of a user namespace: the capabilities look complete, the kernel says no all the same."""
    suite.ours.process = suite.machine.spawn(
        "unshare", "--user", "--map-root-user", *suite.ours.command("-P", "-G"), log="holdfast")

    assert suite.ours.process.wait(15) == 4
    log = suite.ours.log()
    assert "vrrp-cannot-start" in log and "CAP_NET_RAW" in log
    assert "the vrrp process ended with exit code 4 (a permission is missing)" in log
    assert "no sign of life" not in log


# ---- how a child ended is told truly ------------------------------------------------------------


def test_a_starter_that_ignores_sigchld_does_not_blind_the_watchdog(suite: Suite) -> None:
    """An ignored SIGCHLD outlives exec, and the kernel then forgets how children ended."""
    command = ["bash", "-c", "trap '' CHLD; exec \"$@\"", "start", *suite.ours.command("-G")]
    suite.ours.process = suite.machine.spawn(*command, log="holdfast")
    suite.ours.wait_for(VIP)
    old = suite.ours.role_pid("vrrp")

    os.kill(old, signal.SIGKILL)

    assert eventually(lambda: suite.replaced("vrrp", old), 1.5) is not None, suite.ours.log()
    assert "the vrrp process was killed by signal 9 (Killed)" in suite.ours.log()
    assert "no sign of life" not in suite.ours.log()
    assert suite.ours.stop() == 0


OWN_DEV = r"""
stage=$(mktemp -d)
mount -t tmpfs dev "$stage"
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom "$stage"
mount --move "$stage" /dev
rmdir "$stage"
exec "$@"
"""
STUCK_SYSLOG = r"""
import os, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("/dev/log")
filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
filler.connect("/dev/log")
filler.setblocking(False)
try:
    while True:
        filler.send(b"<30>full")
except BlockingIOError:
    pass
listener.set_inheritable(True)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def test_a_syslog_that_is_stuck_neither_hides_nor_delays_the_end_of_a_child(
    suite: Suite,
) -> None:
    script = suite.ours.directory / "stuck.py"
    script.write_text(STUCK_SYSLOG, encoding="ascii")
    # A child that cannot start: root of a user namespace has no rights over this network.
    command = ["unshare", "--user", "--map-root-user",
               *(word for word in suite.ours.command("-P") if word != "-l")]
    began = time.monotonic()
    ended = suite.machine.run("unshare", "-m", "bash", "-ec", OWN_DEV, "start", "/usr/bin/python3",
                              str(script), *command, check=False, timeout=60)
    took = time.monotonic() - began

    assert ended.returncode == 4, ended
    assert "the vrrp process ended with exit code 4" in ended.stderr, ended.stderr
    assert "no sign of life" not in ended.stderr
    assert took < 8, f"{took:.1f} s"
