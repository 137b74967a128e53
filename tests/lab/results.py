"""Adds up what the test stages left behind (JUnit files) and prints the total as the last line.

A ctest entry is a doctest program: its own count of test cases is taken from what it printed.
With CI set, a stage in which everything was skipped counts as a failure: a green run that tested
nothing of, say, the virtual machine would be a lie.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

DOCTEST = re.compile(
    r"\[doctest\] test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed\s*\|\s*(\d+) skipped"
)


MESSAGE = 400  # characters that a failed test may say in the list at the end


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Count) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def count_case(case: ElementTree.Element) -> Count:
    """One entry of a JUnit file; a doctest program stands for its test cases."""
    failed = case.find("failure") is not None or case.find("error") is not None
    failed = failed or case.get("status") == "fail"
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        return Count(skipped=1)
    said = DOCTEST.search(case.findtext("system-out") or "")
    if said:
        # Cases that doctest skips were left out by their own decorator: not run, so not counted.
        count = Count(passed=int(said[2]), failed=int(said[3]))
        if failed and not count.failed:
            count.failed = 1
        return count
    return Count(failed=1) if failed else Count(passed=1)


def what_failed(case: ElementTree.Element) -> str:
    """One line for a failed entry: its name and the beginning of what it said."""
    said = case.find("failure")
    said = said if said is not None else case.find("error")
    message = " ".join((said.get("message") or "").split()) if said is not None else ""
    name = f"{case.get('classname', '').replace('.', '/')}: {case.get('name', '')}"
    return f"{name}: {message}"[:MESSAGE] if message else name


def needed_a_second_run(case: ElementTree.Element) -> bool:
    """See tests/conftest.py."""
    return case.find("properties/property[@name='run'][@value='second']") is not None


@dataclass
class File:
    """What a JUnit file adds up to, and a line for each entry to look at."""

    total: Count
    failed: list[str]
    second: list[str]  # passed at the second run only


def count_file(path: Path) -> File:
    file = File(Count(), [], [])
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        count = count_case(case)
        if count.failed:
            file.failed.append(what_failed(case))
        elif needed_a_second_run(case):
            file.second.append(what_failed(case))
        file.total.add(count)
    return file


def tell(title: str, lines: list[str]) -> None:
    if lines:
        print(f"\n{title}:", *lines, sep="\n  ")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tests.lab.results", description=__doc__)
    parser.add_argument("--failed-stages", type=int, default=0)
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args()
    total = Count()
    failed: list[str] = []
    second: list[str] = []
    unsaid = options.failed_stages  # stages that failed without a failed test to show for it
    for path in options.files:
        if not path.is_file():
            continue
        file = count_file(path)
        count = file.total
        failed += file.failed
        second += file.second
        print(f"  {path.stem:<32} {count}")
        if os.environ.get("CI") and count.skipped and not count.passed and not count.failed:
            print(f"  {path.stem}: everything was skipped, which counts as a failure here")
            count.failed += 1
        elif count.failed:
            unsaid -= 1
        total.add(count)
    if unsaid > 0:
        total.failed += unsaid
    if not total.passed:
        total.failed = max(total.failed, 1)
    tell("Passed at the second run only (first-runs.log says why)", second)
    tell("Failed", failed)
    print()
    print(total)
    return 1 if total.failed or options.failed_stages else 0


if __name__ == "__main__":
    sys.exit(main())
