"""One director on a machine of its own, started by hands that mean no good."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.lab.director import BIN, Director
from tests.lab.netns import Lab, eventually

VIP = "10.7.0.200"
OURS = "10.7.0.1"
ROLES = ("vrrp", "checkers")
NOBODY = 65534

VRRP = f"""
vrrp_instance VI_1 {{
    state MASTER
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
    real_server 10.7.0.10 80 {{
        TCP_CHECK {{
            connect_timeout 1
        }}
    }}
}}
"""


class Host:
    """A director of one address (priority 255: master at once) and one service."""

    def __init__(self, lab: Lab, config: str = VRRP % 255 + SERVICE):
        self.switch = lab.switch("sw")
        self.machine = lab.machine("a")
        lab.cables(self.switch, (self.machine, "eth0", f"{OURS}/24"))
        self.director = Director(self.machine, config)
        self.directory = self.director.directory

    def spawn(self, *options: str, shell: str = "", through: tuple[str, ...] = ()) -> None:
        """Starts it with the options; `shell` is put behind the command in a shell's line
        (redirections), `through` before it."""
        command = [str(BIN / "holdfast"), "-n", "-f", str(self.director.config),
                   "--run-dir", str(self.directory), "-G", *options]
        if shell:
            command = ["/bin/sh", "-c", f'exec "$@" {shell}', "sh", *command]
        self.director.process = self.machine.spawn(*through, *command, log="holdfast")

    def start(self, *options: str, shell: str = "", through: tuple[str, ...] = ()) -> None:
        self.spawn("-l", *options, shell=shell, through=through)
        self.serves()

    def serves(self, timeout: float = 15) -> None:
        """Address held, both children at work."""
        self.director.wait_for(VIP, timeout)
        done = eventually(lambda: all(self.director.status(role).get("generation")
                                      for role in ROLES), timeout)
        assert done is not None, self.log()

    def log(self) -> str:
        return self.director.log()

    def pids(self) -> dict[str, int]:
        return {role: self.director.role_pid(role) for role in ("watchdog", *ROLES)}

    def reborn(self, role: str, old: int, timeout: float = 15) -> None:
        done = eventually(lambda: self.director.status(role).get("pid") not in (None, old),
                          timeout)
        assert done is not None, self.log()
        self.serves(timeout)

    def stranger(self, *argv: str | Path) -> subprocess.Popen:
        """A program of an account that may do nothing."""
        with self.machine.inside():
            return subprocess.Popen(
                ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                 "--inh-caps=-all", *map(str, argv)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True)


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def open_files(pid: int) -> dict[int, str]:
    directory = f"/proc/{pid}/fd"
    return {int(fd): os.readlink(f"{directory}/{fd}") for fd in os.listdir(directory)}
