"""A director in a box: mounts and processes of its own, so that `pgrep` sees the programs of its
machine only, and a script is where a file says."""

from __future__ import annotations

import re
from pathlib import Path

from .director import ROOT, Director
from .netns import Namespace


class Boxed(Director):
    """A director behind `unshare`; `first` is what the machine does before it."""

    def __init__(self, machine: Namespace, config: str, first: str, program: str = "holdfast"):
        super().__init__(machine, config, program)
        self.first = first

    def command(self, *extra: str) -> list[str]:
        return ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
                "sh", "-ec", f'{self.first}\nexec "$@"', "sh", *super().command(*extra)]

    def run_inside(self, *argv: str) -> str:
        """Beside the director; returns what it printed."""
        assert self.process
        first = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        box = first.read_text(encoding="ascii").split()[0]
        return self.machine.run("nsenter", "-t", box, "-p", "-m", *argv).stdout


def sample(name: str, priority: int | None = None) -> str:
    """A file of etc/, with another priority where its head asks for one on the other machine."""
    text = (ROOT / "etc" / f"{name}.conf").read_text(encoding="utf-8")
    if priority is None:
        return text
    changed, times = re.subn(r"^( +priority) \d+", rf"\1 {priority}", text, flags=re.MULTILINE)
    assert times == 1
    return changed
