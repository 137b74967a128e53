"""Shared by every Python test: where the binaries are, and machines that are taken down again."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# A system call that is not on a process's list ends it, with the name of the call in its log.
os.environ.setdefault("HOLDFAST_SYSCALL_FILTER", "loud")

from tests.lab.director import BIN  # noqa: E402
from tests.lab.netns import Lab  # noqa: E402


def pytest_report_header() -> str:
    return f"holdfast: binaries from {BIN}"


@pytest.fixture(scope="session")
def holdfast() -> Path:
    """The program under test; a missing one is a failure, not a skip."""
    program = BIN / "holdfast"
    if not program.exists():
        pytest.fail(f"{program} is not built: run ./dev build", pytrace=False)
    return program


@pytest.fixture
def lab(tmp_path: Path, request: pytest.FixtureRequest):
    """Machines of this test. Their prefix carries the process id: tests may run side by side."""
    with Lab(tmp_path / "lab", prefix=f"t{os.getpid() % 100000}") as made:
        yield made
        # pytest shows what is printed here when the test fails.
        for log in sorted(made.directory.rglob("*.log")):
            text = log.read_text(encoding="utf-8", errors="replace")
            print(f"--- {re.sub(r'^.*/lab/', '', str(log))}\n{text[-4000:]}")
