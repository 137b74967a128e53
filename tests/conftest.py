"""Shared by every Python test: where the binaries are, and machines that are taken down again."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# A system call that is not on a process's list ends it, with the name of the call in its log.
os.environ.setdefault("HOLDFAST_SYSCALL_FILTER", "loud")

from tests.lab.director import BIN  # noqa: E402
from tests.lab.netns import Lab  # noqa: E402


# Seconds. The longest test takes two minutes, on a busy machine some more; those that play for an
# hour on demand have two.
WHOLE = {"HOLDFAST_CHAOS_SECONDS", "HOLDFAST_STRANGER_SECONDS", "HOLDFAST_REHEARSALS",
         "HOLDFAST_HOSTILE", "HOLDFAST_INTEROP", "HOLDFAST_ORDINARY"}
PATIENCE = 7200 if WHOLE & os.environ.keys() else 600


@pytest.fixture(autouse=True)
def _no_test_waits_for_ever():
    """One that hangs fails and tells where; the others still run."""
    def give_up(*_) -> None:
        pytest.fail(f"the test was not done after {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def _a_second_run_is_on_record(request: pytest.FixtureRequest, record_property):
    """pytest-rerunfailures numbers the runs of a test; tests.lab.results tells of the second."""
    if getattr(request.node, "execution_count", 1) > 1:
        record_property("run", "second")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What the first run said would be lost otherwise."""
    if report.outcome == "rerun":
        path = ROOT / "build" / "test-logs" / "first-runs.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.write(f"=== {report.nodeid}\n{report.longreprtext}\n{report.capstdout}\n")


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
