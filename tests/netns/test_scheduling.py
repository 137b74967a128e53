"""Priority, memory and processors of the two children, as the words for them ask."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path

from tests.lab.netns import Lab, eventually
from tests.netns.hostile_host import SERVICE, VRRP, Host

GLOBALS = """
global_defs {
    vrrp_rt_priority 20
    vrrp_rlimit_rttime 1000
    vrrp_no_swap
    checker_priority -5
    checker_cpu_affinity 0
}
"""


def loop_of(pid: int) -> tuple[int, int, int]:
    """Policy, real-time priority and nice value of the thread with the loop."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return os.sched_getscheduler(pid) & ~0x40000000, int(fields[37]), int(fields[16])


def locked_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmLck:"):
            return int(line.split()[1])
    raise AssertionError("no VmLck")


def reload(host: Host, text: str) -> None:
    host.director.config.write_text(text, encoding="utf-8")
    host.director.ctl("reload")


def test_words_about_scheduling_act_and_end_with_a_reload(lab: Lab) -> None:
    host = Host(lab, VRRP % 255 + SERVICE)
    host.start()
    pids = host.pids()
    everywhere = os.sched_getaffinity(pids["checkers"])
    before = {role: loop_of(pid) for role, pid in pids.items()}
    assert before["vrrp"] == (os.SCHED_OTHER, 0, -10)
    assert before["checkers"] == (os.SCHED_OTHER, 0, 0)

    reload(host, GLOBALS + VRRP % 255 + SERVICE)
    assert loop_of(pids["vrrp"])[:2] == (os.SCHED_RR, 20)
    assert locked_kib(pids["vrrp"]) > 0
    assert loop_of(pids["checkers"]) == (os.SCHED_OTHER, 0, -5)
    for task in os.listdir(f"/proc/{pids['checkers']}/task"):
        assert os.sched_getaffinity(int(task)) == {0}
    limited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] != resource.RLIM_INFINITY
    assert ("to lock that as well takes an unlimited RLIMIT_MEMLOCK" if limited else
            "real-time priority 20, memory locked") in host.log()
    assert host.pids() == pids

    reload(host, VRRP % 255 + SERVICE)
    assert {role: loop_of(pid) for role, pid in pids.items()} == before
    assert locked_kib(pids["vrrp"]) == 0
    assert os.sched_getaffinity(pids["checkers"]) == everywhere
    assert host.pids() == pids


def test_late_wake_ups_raise_the_priority_step_by_step(lab: Lab) -> None:
    words = "global_defs {\n max_auto_priority 2\n min_auto_priority_delay 300000\n}\n"
    host = Host(lab, words + VRRP % 255 + SERVICE)
    host.start()
    pid = host.pids()["vrrp"]

    def wakes_late(raised: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1.3)  # beyond the next advert, and the delay
        os.kill(pid, signal.SIGCONT)
        assert eventually(lambda: loop_of(pid)[:2] == (os.SCHED_RR, raised), 5) is not None

    assert loop_of(pid)[:2] == (os.SCHED_OTHER, 0)
    wakes_late(1)
    wakes_late(2)
    wakes_late(2)
    assert host.log().count("runtime-priority-raised") == 2
    assert "real-time priority 2 from now on (of 2 at most)" in host.log()
    reload(host, VRRP % 255 + SERVICE)
    assert loop_of(pid) == (os.SCHED_OTHER, 0, -10)
    assert host.pids()["vrrp"] == pid


def test_work_beyond_the_limit_of_real_time_goes_on_at_normal_priority(lab: Lab) -> None:
    """The kernel's own answer would be the end of the process in the middle of a takeover."""
    many = "\n".join(f"        10.9.{n // 250}.{n % 250 + 1}" for n in range(2000))
    host = Host(lab, GLOBALS + VRRP % 255 + SERVICE)
    host.start()
    pid = host.pids()["vrrp"]

    more = (VRRP % 255).replace("10.7.0.200\n", f"10.7.0.200\n{many}\n")
    reload(host, GLOBALS + more + SERVICE)
    assert eventually(lambda: "without a pause" in host.log(), 30) is not None, host.log()
    assert eventually(lambda: loop_of(pid)[:2] == (os.SCHED_RR, 20), 60) is not None
    assert host.pids()["vrrp"] == pid
