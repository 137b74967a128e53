"""The last line of `./dev test` is added up right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lint.tree import ROOT

DOCTEST = "[doctest] test cases:  7 |  {passed} passed | {failed} failed | 2 skipped"


def total(tmp_path: Path, *cases: str, failed_stages: int = 0, ci: bool = False):
    (tmp_path / "a.xml").write_text(f"<testsuite>{''.join(cases)}</testsuite>", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.lab.results", "--failed-stages", str(failed_stages),
         tmp_path / "a.xml"],
        cwd=ROOT, capture_output=True, text=True, check=False, env={"CI": "true"} if ci else {},
    )
    return done.stdout.splitlines()[-1], done.returncode


PASSED = "<testcase name='a'/>"
FAILED = "<testcase name='b'><failure message='x'/></testcase>"
SKIPPED = "<testcase name='c'><skipped/></testcase>"


def doctest(passed: int, failed: int, status: str = "run") -> str:
    said = DOCTEST.format(passed=passed, failed=failed)
    return f"<testcase name='d' status='{status}'><system-out>{said}</system-out></testcase>"


@pytest.mark.parametrize(("cases", "options", "expected"), [
    ([PASSED, PASSED], {}, ("2 passed, 0 failed, 0 skipped", 0)),
    ([PASSED, FAILED], {}, ("1 passed, 1 failed, 0 skipped", 1)),
    ([PASSED, SKIPPED], {"ci": True}, ("1 passed, 0 failed, 1 skipped", 0)),
    ([SKIPPED, PASSED], {}, ("1 passed, 0 failed, 1 skipped", 0)),
    ([SKIPPED], {"ci": True}, ("0 passed, 1 failed, 1 skipped", 1)),
    ([doctest(5, 0)], {}, ("5 passed, 0 failed, 0 skipped", 0)),
    ([doctest(4, 1, "fail")], {}, ("4 passed, 1 failed, 0 skipped", 1)),
    ([doctest(5, 0, "fail")], {}, ("5 passed, 1 failed, 0 skipped", 1)),  # crashed at its end
    ([PASSED], {"failed_stages": 1}, ("1 passed, 1 failed, 0 skipped", 1)),  # a broken build
    ([PASSED, FAILED], {"failed_stages": 1}, ("1 passed, 1 failed, 0 skipped", 1)),
    ([], {}, ("0 passed, 1 failed, 0 skipped", 1)),  # nothing ran
])
def test_total(tmp_path: Path, cases, options, expected) -> None:
    assert total(tmp_path, *cases, **options) == expected


def test_what_needed_a_second_run_is_named(tmp_path: Path) -> None:
    """As pytest-rerunfailures and tests/conftest.py leave it behind."""
    trial = tmp_path / "test_trial.py"
    trial.write_text(
        "from tests.conftest import _a_second_run_is_on_record\n"
        "runs = []\n"
        "def test_weather():\n    runs.append(1)\n    assert len(runs) > 1\n"
        "def test_sun():\n    pass\n", encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--reruns", "1", "-c", os.devnull,
         f"--junit-xml={tmp_path / 'a.xml'}", trial],
        cwd=ROOT, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    done = subprocess.run([sys.executable, "-m", "tests.lab.results", tmp_path / "a.xml"],
                          cwd=ROOT, check=True, capture_output=True, text=True)
    second = done.stdout.split("Passed at the second run only")[1]
    assert "test_weather" in second and "test_sun" not in second
    assert done.stdout.splitlines()[-1] == "2 passed, 0 failed, 0 skipped"
