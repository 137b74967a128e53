"""What each process may still do once it works: capabilities, programs, system calls, all threads.

Every Python test runs with HOLDFAST_SYSCALL_FILTER=loud (tests/conftest.py): a call that is not on
the list ends the process that made it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.lab.netns import Lab, eventually
from tests.netns.hostile_host import NOBODY, SERVICE, VRRP, Host

CAPABILITIES = {"dac_override": 1, "dac_read_search": 2, "kill": 5, "setgid": 6, "setuid": 7,
                "setpcap": 8, "net_bind_service": 10, "net_admin": 12, "net_raw": 13,
                "ipc_lock": 14, "sys_admin": 21, "sys_nice": 23}


def threads(pid: int) -> dict[str, dict[str, str]]:
    """/proc's status of every thread, by name."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        text = (task / "status").read_text(encoding="ascii")
        words = dict(line.split(":", 1) for line in text.splitlines())
        words = {key: value.strip() for key, value in words.items()}
        found[f"{words['Name']}/{task.name}"] = words
    return found


def capabilities(mask: str) -> set[str]:
    bits = int(mask, 16)
    known = {name for name, bit in CAPABILITIES.items() if bits >> bit & 1}
    unknown = bits & ~sum(1 << bit for bit in CAPABILITIES.values())
    return known | ({hex(unknown)} if unknown else set())


@pytest.fixture
def host(lab: Lab) -> Host:
    return Host(lab)


def test_the_loader_reads_files_and_nothing_else(lab: Lab) -> None:
    many = "".join(f"""
virtual_server 10.8.{n // 250}.{n % 250 + 1} 80 {{
    real_server 10.7.0.10 80 {{
        TCP_CHECK {{
            connect_timeout 1
        }}
    }}
}}
""" for n in range(20000))
    host = Host(lab, VRRP % 255 + many)
    seen: list[dict[str, dict[str, str]]] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            for pid in host.machine.pids():
                try:
                    if Path(f"/proc/{pid}/comm").read_text(encoding="ascii") == "holdfast-load\n":
                        seen.append(threads(pid))
                except OSError:
                    pass

    looker = threading.Thread(target=look)
    looker.start()
    try:
        host.spawn("-l", "-P")
        host.director.wait_for("10.7.0.200", 30)
    finally:
        done.set()
        looker.join()

    assert seen
    (status,) = seen[-1].values()
    assert capabilities(status["CapPrm"]) == {"dac_read_search"}
    assert capabilities(status["CapBnd"]) == set()
    assert status["Uid"].split()[0] != "0"
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


@pytest.mark.parametrize("role", ["vrrp", "checkers"])
def test_a_child_has_the_network_in_its_loop_and_nothing_in_its_log_thread(
        host: Host, role: str) -> None:
    allowed = {"net_admin", "net_raw", "net_bind_service", "sys_nice", "ipc_lock"}
    host.start()

    found = threads(host.director.role_pid(role))

    assert len(found) >= 2
    for name, status in found.items():
        held = capabilities(status["CapPrm"])
        assert held == (set() if name.startswith(("log/", "control/")) else allowed), (name, held)
        assert capabilities(status["CapBnd"]) == set(), name
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), name
