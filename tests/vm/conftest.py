"""Tests against a real ip_vs.

Where this kernel has none, the whole selection runs inside one virtual machine: pytest runs there,
and every report comes back through a file and is shown here as if the test had run here.
"""

from __future__ import annotations

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
PASSED_ON = ("HOLDFAST_LAB_PROGRAM", "HOLDFAST_BIN", "HOLDFAST_SEED", "CI")

_guest_reports: dict[str, list[dict]] | None = None
_guest_trouble = ""


def _why_not_at_all() -> str | None:
    if IN_VM or vm.host_has_ipvs():
        return netns.why_unavailable()
    return vm.why_unavailable()


@pytest.fixture(autouse=True, scope="session")
def _real_ip_vs() -> None:
    reason = _why_not_at_all()
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
    if IN_VM or not item.nodeid.startswith(HERE) or vm.host_has_ipvs() or _why_not_at_all():
        return None
    global _guest_reports
    if _guest_reports is None:
        _guest_reports = _run_in_guest(item.session)
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for data in _guest_reports.get(item.nodeid) or [_lost(item)]:
        report = item.config.hook.pytest_report_from_serializable(config=item.config, data=data)
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _run_in_guest(session: pytest.Session) -> dict[str, list[dict]]:
    global _guest_trouble
    results = ROOT / "build" / "vm-results"
    results.mkdir(parents=True, exist_ok=True)
    (results / REPORTS).unlink(missing_ok=True)
    chosen = [item.nodeid for item in session.items if item.nodeid.startswith(HERE)]
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    command = ["/usr/bin/python3", "-m", "pytest", "-v", "--tb=short", "--durations=8", *chosen]
    capture = session.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\nInside the virtual machine:", flush=True)
        try:
            vm.run(command, results=results, environment=environment, output=sys.stdout.buffer,
                   timeout=float(os.environ.get("HOLDFAST_VM_TIMEOUT", 1800)))
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
