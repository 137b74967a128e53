"""What the processes of a director occupy, as the kernel counts it, without asking the processes.

A question to a process (`holdfastctl status`) changes what is to be measured: its answer needs
memory, too. So they are found by their pid files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .director import Director

PID_FILES = {
    "holdfast": {"vrrp": "vrrp.pid", "checkers": "checkers.pid"},
    "keepalived": {"vrrp": "vrrp_pid.pid", "checkers": "checkers.pid"},
}


@dataclass(frozen=True)
class Memory:
    """KiB."""

    private: int  # pages that no other process shares: what this process costs
    rss: int  # all pages in memory, those of shared libraries included


def read_memory(pid: int) -> Memory:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")

    def value(name: str) -> int:
        found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
        assert found, text
        return int(found[1])

    return Memory(value("Private_Clean") + value("Private_Dirty"), value("Rss"))


def processes(director: Director) -> dict[str, int]:
    """Process ids of the director's living processes: "watchdog" is the parent."""
    assert director.process
    found = {"watchdog": director.process.pid}
    for role, name in PID_FILES[director.program].items():
        path = director.directory / name
        pid = path.read_text(encoding="ascii").strip() if path.exists() else ""
        if pid and Path("/proc", pid).exists():
            found[role] = int(pid)
    return found


def memory_of(director: Director) -> dict[str, Memory]:
    return {role: read_memory(pid) for role, pid in processes(director).items()}
