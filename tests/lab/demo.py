"""`./dev demo`: the article's pair of directors, seen working.

Runs the chapters of story*.py one after the other and says what is shown, why it matters, what was
allowed and what was measured. Ends with a non-zero exit code when one step fails. Where this kernel
has no ip_vs, everything that needs it happens inside one virtual machine.

    ./dev demo [--program holdfast|keepalived] [chapter …]
    chapters: dr nat tun two-masters haproxy ipv6
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from . import netns, vm
from .story import CHAPTERS as OF_ARTICLES, IN_VM, Narrator, Step
from .story_haproxy import chapter_haproxy
from .story_ipv6 import chapter_ipv6

CHAPTERS = OF_ARTICLES | {"haproxy": chapter_haproxy, "ipv6": chapter_ipv6}
WITHOUT_IPVS = {"haproxy"}

ROOT = Path(__file__).resolve().parents[2]


class Printer(Narrator):
    """Tells the story on a terminal, or plainly into a file."""

    def __init__(self, colour: bool):
        super().__init__()
        self._colour = colour
        self._began = time.monotonic()

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour else text

    def say(self, text: str = "") -> None:
        print(text, flush=True)

    def chapter(self, title: str, text: str) -> None:
        self.say()
        self.say(self._paint("1", f"── {title} " + "─" * max(0, 74 - len(title))))
        for line in text.splitlines():
            self.say(f"   {line}")
        self.say()

    def begin(self, step: Step) -> None:
        at = time.monotonic() - self._began
        self.say(f" {at:5.0f} s  {step.title}")
        if step.why:
            self.say(self._paint("2", f"          {step.why}"))

    def end(self, step: Step) -> None:
        mark = self._paint("32", "✔") if step.passed else self._paint("31", "✘ FAILED")
        line = f"        {mark} "
        if step.measured is not None:
            line += f"measured {step.measured:.3f} s"
            if step.bound is not None:
                line += f", bound {step.bound_in_words}"
        else:
            line += f"took {step.took:.1f} s"
        self.say(line)
        for note in step.notes:
            self.say(f"          {note}")
        for problem in step.problems:
            self.say(self._paint("31", f"          {problem}"))


def perform(chapters: list[str], program: str, directory: Path, colour: bool) -> int:
    printer = Printer(colour)
    where = "inside the virtual machine" if IN_VM else "on this kernel"
    printer.say(f"Director program: {program}. Running {where}.\n"
                "What is allowed on top of a bound is named beside it.")
    # Sockets cannot live on the share that carries results out of the machine: play elsewhere, keep
    # the files.
    stage = Path(tempfile.mkdtemp(prefix="holdfast-demo-"))
    for name in chapters:
        try:
            CHAPTERS[name](printer, stage / name, program)
        except Exception:  # the laboratory itself failed: report, and count it as a failed step
            with printer.step(f"chapter {name} could not be played to its end") as step:
                step.problems.append(traceback.format_exc())
        keep_files(stage / name, directory / name)
    failed = printer.failed()
    took = time.monotonic() - printer._began
    printer.say()
    printer.say(f"{len(printer.steps) - len(failed)} of {len(printer.steps)} steps passed "
                f"in {took:.0f} s.")
    for step in failed:
        printer.say(f"  failed: {step.title}")
    printer.say(f"Logs and packets of the directors: {shown_directory(directory)}")
    return 1 if failed or not printer.steps else 0


def keep_files(played: Path, kept: Path) -> None:
    """Copies logs, packets and configurations; sockets and pipes are left behind."""
    for path in played.rglob("*"):
        if path.is_file():
            target = kept / path.relative_to(played)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def shown_directory(directory: Path) -> str:
    """The results directory under the name that it has outside the machine."""
    return os.environ.get("HOLDFAST_RESULTS_OUTSIDE", str(directory))


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", metavar="chapter",
                        help=f"only these: {' '.join(CHAPTERS)}")
    parser.add_argument("--program", choices=["holdfast", "keepalived"], default="holdfast")
    parser.add_argument("--results", type=Path, default=ROOT / "build" / "demo")
    options = parser.parse_args()
    chapters = options.chapters or list(CHAPTERS)
    unknown = [name for name in chapters if name not in CHAPTERS]
    if unknown:
        parser.error(f"no chapter {unknown[0]}; there are: {' '.join(CHAPTERS)}")
    # Inside the machine standard output is always a serial line: only the outside knows.
    colour = bool(os.environ.get("HOLDFAST_COLOUR")) if IN_VM else sys.stdout.isatty()

    if IN_VM or vm.host_has_ipvs() or set(chapters) <= WITHOUT_IPVS:
        reason = netns.why_unavailable()
        if reason:
            print(f"demo: {reason}; run it as root (sudo ./dev demo)", file=sys.stderr)
            return 2
        return perform(chapters, options.program, options.results, colour)
    print("This kernel has no ip_vs: the demo runs inside a virtual machine "
          "(QEMU, emulated processor; no rights needed).\nStarting it takes about 15 seconds …",
          flush=True)
    options.results.mkdir(parents=True, exist_ok=True)
    environment = {"HOLDFAST_RESULTS_OUTSIDE": str(options.results)}
    if colour:
        environment["HOLDFAST_COLOUR"] = "1"
    command = ["/usr/bin/python3", "-m", "tests.lab.demo", "--program", options.program,
               "--results", vm.RESULTS_IN_GUEST, *chapters]
    try:
        return vm.run(command, results=options.results, timeout=600, environment=environment)
    except vm.VmError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
