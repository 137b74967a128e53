"""Other people's programs as one side of a pair: started, stopped and crashed in the same way."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from .dialects import VRID, Dialect
from .director import Director
from .netns import LabError, Namespace, Process, eventually
from .peers import Peer


class Keepalived(Director):
    """keepalived of any release."""

    def __init__(self, machine: Namespace, peer: Peer, dialect: Dialect):
        super().__init__(machine, "", "keepalived")
        self._peer, self._dialect = peer, dialect

    def command(self, *extra: str) -> list[str]:
        _, *words = super().command(*extra)
        return self._peer.inside(self._peer.program, *words, shared=self.machine.lab.directory)

    def play(self, priority: int) -> None:
        self.write_config(self._dialect.config(priority, 1))
        for left in self.directory.glob("*.pid"):
            left.unlink()  # of a crash: its number may be another process's, then it does not start
        self.start("-P")

    def crash(self) -> None:
        self.kill_everything()

    def serves(self) -> bool:
        return all(self.holds(vip) for vip in self._dialect.vips)


class Frr:
    """FRR's zebra and vrrpd, and the macvlan that they want to be there."""

    def __init__(self, machine: Namespace, peer: Peer, dialect: Dialect,
                 words: tuple[str, ...] = ()):
        """`words`: lines more for its interface."""
        self.machine = machine
        self._peer, self._dialect, self._words = peer, dialect, words
        self.directory = machine.lab.directory / machine.short
        self.directory.mkdir(exist_ok=True)
        self._zebra: Process | None = None
        self.process: Process | None = None

    def _macvlan(self) -> None:
        family = "02" if self._dialect.is_six else "01"
        self.machine.run("ip", "link", "del", "virtual", check=False)
        self.machine.ip("link add virtual link eth0 type macvlan mode bridge",
                        f"link set virtual address 00:00:5e:00:{family}:{VRID:02x}",
                        "link set virtual addrgenmode none")
        length = "64 nodad" if self._dialect.is_six else "24"
        self.machine.ip(*(f"addr add {vip}/{length} dev virtual" for vip in self._dialect.vips),
                        "link set virtual up")

    def _spawn(self, name: str) -> Process:
        at = self.directory
        program = self._peer.program.replace("vrrpd", name)
        words = self._peer.inside(
            program, "-u", "root", "-g", "root", "-f", str(at / "frr.conf"), "-i",
            str(at / f"{name}.pid"), "-z", str(at / "zserv"), "--vty_socket", str(at), "-P", "0",
            "--log", "stdout", shared=self.machine.lab.directory)
        if not self._peer.suite:  # root must be of the group that the package has made
            groups = re.sub(r"^(frrvty:.*:).*", r"\1root", Path("/etc/group").read_text("utf-8"),
                            flags=re.MULTILINE)
            (at / "group").write_text(groups, encoding="utf-8")
            words = ["unshare", "--mount", "sh", "-c",
                     f"mount --bind {at}/group /etc/group && exec {shlex.join(words)}"]
        return self.machine.spawn(*words, log=name)

    def play(self, priority: int) -> None:
        self._macvlan()
        (self.directory / "zserv").unlink(missing_ok=True)
        (self.directory / "frr.conf").write_text(
            self._dialect.config_of_frr(priority, *self._words), "utf-8")
        self._zebra = self._spawn("zebra")
        if eventually((self.directory / "zserv").exists, 10) is None:
            raise LabError(f"zebra does not start: {self._zebra.output()[-2000:]}")
        self.process = self._spawn("vrrpd")

    def stop(self) -> None:
        assert self.process and self._zebra
        self.process.stop()
        self._zebra.stop()

    def crash(self) -> None:
        self.machine.kill_everything()

    def log(self) -> str:
        return self.process.output() if self.process else ""


def speaker(machine: Namespace, peer: Peer, dialect: Dialect) -> Keepalived | Frr:
    kind = Keepalived if peer.package == "keepalived" else Frr
    return kind(machine, peer, dialect)
