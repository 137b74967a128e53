"""Tests against a real ip_vs, and of the unit under a real systemd.

Where this kernel has no ip_vs, the whole selection runs inside one virtual machine: pytest runs
there, and every report comes back through a file and is shown here as if the test had run here.
What is about the unit always does, in a machine of its own whose process 1 is systemd.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from pathlib import Path

import pytest

from tests.lab import netns, vm

ROOT = Path(__file__).resolve().parents[2]
HERE = "tests/vm/"
IN_VM = bool(os.environ.get("HOLDFAST_IN_VM"))
REPORTS = "reports.jsonl"
SYSTEMD_FILES = ("test_unit.py",)
PASSED_ON = ("HOLDFAST_LAB_PROGRAM", "HOLDFAST_BIN", "HOLDFAST_SEED", "CI")

_guest_reports: dict[str, dict[str, list[dict]]] = {}  # of each machine, by its process 1
_guest_trouble = ""


def _init_for(path: Path) -> str:
    return "systemd" if path.name in SYSTEMD_FILES else "shell"


def _needs_machine(init: str) -> bool:
    return not IN_VM and (init == "systemd" or not vm.host_has_ipvs())


@functools.cache
def _why_not_at_all(init: str) -> str | None:
    if not _needs_machine(init):
        return netns.why_unavailable()
    if init == "systemd" and not Path("/lib/systemd/systemd").exists():
        return "systemd is not installed (Debian package systemd)"
    return vm.why_unavailable()


@pytest.fixture(autouse=True, scope="module")
def _real_machine(request: pytest.FixtureRequest) -> None:
    reason = _why_not_at_all(_init_for(request.path))
    if reason:
        pytest.skip(reason)


# --- inside the machine: every report goes to the results directory -------------------------------


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if not IN_VM:
        return
    data = _config.hook.pytest_report_to_serializable(config=_config, report=report)
    with open(Path(vm.RESULTS_IN_GUEST) / REPORTS, "a", encoding="utf-8") as out:
        out.write(json.dumps(data, default=str) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    global _config
    _config = config


# --- outside: one boot for the whole selection, then its reports ----------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    if not item.nodeid.startswith(HERE):
        return None
    init = _init_for(item.path)
    if not _needs_machine(init) or _why_not_at_all(init):
        return None
    if init not in _guest_reports:
        _guest_reports[init] = _run_in_guest(item.session, init)
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for data in _guest_reports[init].get(item.nodeid) or [_lost(item)]:
        report = item.config.hook.pytest_report_from_serializable(config=item.config, data=data)
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _run_in_guest(session: pytest.Session, init: str) -> dict[str, list[dict]]:
    global _guest_trouble
    results = ROOT / "build" / "vm-results"
    results.mkdir(parents=True, exist_ok=True)
    (results / REPORTS).unlink(missing_ok=True)
    chosen = [item.nodeid for item in session.items
              if item.nodeid.startswith(HERE) and _init_for(item.path) == init]
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    # As ./dev does outside: where nobody looks, what fails is tried once more and then told.
    again = ["--reruns", "1", "--reruns-delay", "3"] if environment.get("CI") else []
    command = ["/usr/bin/python3", "-m", "pytest", "-v", "--tb=short", "--durations=8", *again,
               *chosen]
    capture = session.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\nInside the virtual machine ({init}):", flush=True)
        try:
            vm.run(command, results=results, environment=environment, output=sys.stdout.buffer,
                   timeout=float(os.environ.get("HOLDFAST_VM_TIMEOUT", 1800)), init=init)
        except vm.VmError as error:
            _guest_trouble = str(error)
            print(f"vm: {error}", flush=True)
        print("\nOutside again, the same results:", flush=True)
    reports: dict[str, list[dict]] = {}
    if (results / REPORTS).exists():
        for line in (results / REPORTS).read_text(encoding="utf-8").splitlines():
            data = json.loads(line)
            reports.setdefault(data["nodeid"], []).append(data)
    return reports


def _lost(item: pytest.Item) -> dict:
    """The report of a test about which the machine said nothing: a failure."""
    why = _guest_trouble or "pytest inside the virtual machine ended before it came to this test"
    report = pytest.TestReport(
        nodeid=item.nodeid, location=item.location, keywords={}, outcome="failed", longrepr=why,
        when="call",
    )
    return item.config.hook.pytest_report_to_serializable(config=item.config, report=report)


@pytest.fixture(scope="session")
def program() -> str:
    """Who plays the director: keepalived can, to check the laboratory itself."""
    return os.environ.get("HOLDFAST_LAB_PROGRAM", "holdfast")
