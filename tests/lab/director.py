"""A director process in a namespace: Holdfast, or keepalived for comparison, from one file.

Which program runs is a parameter, so that every scene of the laboratory can be played by either.
"""

from __future__ import annotations

import datetime
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from .netns import LabError, Namespace, Process, eventually

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("HOLDFAST_BIN", ROOT / "build" / "bin"))


@dataclass(frozen=True)
class TableServer:
    """A real server as the kernel's table shows it."""

    forward: str  # Route (DR), Masq (NAT), Tunnel (TUN), Local
    weight: int
    active: int
    inactive: int


@dataclass(frozen=True)
class TableService:
    scheduler: str
    servers: dict[str, TableServer]


def read_table(machine: Namespace) -> dict[str, TableService]:
    """The kernel's IPVS table, read from /proc/net/ip_vs: "TCP 192.168.1.200:8099" → service."""

    def endpoint(word: str) -> str:
        address, port = word.split(":")
        return ".".join(str(byte) for byte in bytes.fromhex(address)) + f":{int(port, 16)}"

    table: dict[str, TableService] = {}
    for line in machine.read("ip_vs").splitlines()[3:]:
        words = line.split()
        if words[0] in ("TCP", "UDP"):
            service = TableService(words[2], {})
            table[f"{words[0]} {endpoint(words[1])}"] = service
        elif words[0] == "->":
            service.servers[endpoint(words[1])] = TableServer(
                words[2], int(words[3]), int(words[4]), int(words[5])
            )
    return table


class Director:
    """One director machine: its program, its file, and what an operator would ask it."""

    def __init__(self, machine: Namespace, config: str, program: str = "holdfast"):
        self.machine = machine
        self.program = program
        self.directory = machine.lab.directory / machine.short
        self.directory.mkdir(exist_ok=True)
        self.config = self.directory / "keepalived.conf"
        self.write_config(config)
        self.process: Process | None = None

    def write_config(self, text: str) -> None:
        self.config.write_text(text, encoding="utf-8")

    # --- life -----------------------------------------------------------------------------------

    def command(self, *extra: str) -> list[str]:
        """How the program is started in the foreground, logging to the console."""
        if self.program == "keepalived":
            pids = [f"--{name}={self.directory / name}.pid" for name in ("pid", "vrrp_pid")]
            pids.append(f"--checkers_pid={self.directory / 'checkers.pid'}")
            return ["keepalived", "-n", "-l", "-D", "-f", str(self.config), *pids, *extra]
        return [str(BIN / "holdfast"), "-n", "-l", "-f", str(self.config),
                "--run-dir", str(self.directory), *extra]

    def start(self, *extra: str) -> Process:
        self.process = self.machine.spawn(*self.command(*extra), log=self.program)
        return self.process

    def log(self) -> str:
        return self.process.output() if self.process else ""

    def stop(self, timeout: float = 15) -> int:
        """An orderly stop (SIGTERM); returns the exit code."""
        assert self.process
        return self.process.stop(timeout=timeout)

    def kill_everything(self) -> None:
        """Of its machine, see Namespace."""
        self.machine.kill_everything()
        if self.process:
            self.process.wait(5)

    def forget_everything(self, own_addresses: set[str]) -> None:
        """What a reboot does to the kernel's state: no virtual addresses, no IPVS table."""
        for address in self.machine.addresses():
            if address not in own_addresses and not address.startswith("127."):
                interface = self._interface_of(address)
                self.machine.ip(f"addr del {address} dev {interface}")
        self.machine.run("ipvsadm", "-C", check=False)

    def _interface_of(self, address: str) -> str:
        found = self.machine.run("ip", "-o", "-4", "addr", "show").stdout
        for line in found.splitlines():
            words = line.split()
            if words[3] == address:
                return words[1]
        raise LabError(f"{self.machine.short} does not hold {address}")

    def role_pid(self, role: str) -> int:
        """Process id of a child: "vrrp", "checkers", or "watchdog" for the parent."""
        if self.program == "keepalived":
            name = {"watchdog": "pid", "vrrp": "vrrp_pid", "checkers": "checkers"}[role]
            return int((self.directory / f"{name}.pid").read_text(encoding="ascii"))
        status = self.status(role)
        if "pid" not in status:
            raise LabError(f"{self.machine.short}: no {role} process answers: {self.log()[-2000:]}")
        return int(status["pid"])

    # --- questions ------------------------------------------------------------------------------

    def holds(self, address: str) -> bool:
        """Whether the kernel of this machine has this virtual address now."""
        held = self.machine.addresses(family=6 if ":" in address else 4)
        return any(one.split("/")[0] == address for one in held)

    def table(self) -> dict[str, TableService]:
        return read_table(self.machine)

    def in_table(self, service: str, server: str, weight: int | None = None) -> bool:
        """Whether `server` takes new connections of `service` (TCP, "address:port") here."""
        found = self.table().get(f"TCP {service}")
        entry = found.servers.get(server) if found else None
        return entry is not None and (entry.weight > 0 if weight is None else
                                      entry.weight == weight)

    def ipvsadm(self) -> str:
        """The table in ipvsadm's own words (`ipvsadm -Sn`)."""
        return self.machine.run("ipvsadm", "-Sn").stdout

    def ctl(self, *words: str, check: bool = False):
        return self.machine.run(str(BIN / "holdfastctl"), "--run-dir", str(self.directory), *words,
                                check=check)

    def status(self, process: str | None = None) -> dict:
        """`holdfastctl status --json`, or the part of one process ({} while it does not answer)."""
        answer = self.ctl("status", "--json")
        try:
            whole = json.loads(answer.stdout)
        except json.JSONDecodeError:
            return {}
        if process is None:
            return whole
        part = whole.get(process)
        return part if isinstance(part, dict) and "error" not in part else {}

    def state(self, instance: str) -> str:
        """State of a VRRP instance as the program tells it (keepalived: from its log)."""
        if self.program == "keepalived":
            words = re.findall(rf"\({instance}\) Entering (\w+) STATE", self.log())
            return words[-1] if words else "INIT"
        for entry in self.status("vrrp").get("instances", []):
            if entry["name"] == instance:
                return entry["state"]
        return "INIT"

    def election_began(self, address: str) -> float | None:
        """Calendar time at which the instance of this address last entered its first election, as
        the program's log tells it; None when it does not (keepalived: no fractions of a second)."""
        for entry in self.status("vrrp").get("instances", []):
            if any(one["address"].split("/")[0] == address for one in entry["addresses"]):
                stamps = re.findall(
                    rf"^(\S+)Z vrrp\[\d+\] \w+ vrrp-state: {re.escape(entry['name'])}: INIT → ",
                    self.log(), re.MULTILINE,
                )
                if stamps:
                    moment = datetime.datetime.fromisoformat(stamps[-1])
                    return moment.replace(tzinfo=datetime.timezone.utc).timestamp()
        return None

    def wait_for(self, address: str, timeout: float = 15) -> float:
        """Waits until this machine holds a virtual address; returns how long it took."""
        took = eventually(lambda: self.holds(address), timeout)
        if took is None:
            raise LabError(
                f"{self.machine.short} does not hold {address} after {timeout} s; its log ends:\n"
                + self.log()[-3000:]
            )
        return took
