"""Names of metrics: what alerts, dashboard and documentation name is told, and the other way round.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache

import pytest

from tests.lint.tree import ROOT

PROMETHEUS = ROOT / "etc/prometheus"
NAME = re.compile(r"\b((?:holdfast|keepalived)_[a-z_]+)")


@cache
def told() -> frozenset[str]:
    """Families of the source, without the endings of counters."""
    text = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("ctl/metrics*.cpp"))
    return frozenset(re.findall(r'"((?:holdfast|keepalived)_[a-z_]+)"', text))


def family(name: str) -> str:
    return re.sub(r"_(total|info)$", "", name)


def expressions() -> list[str]:
    rules = (PROMETHEUS / "holdfast.rules.yml").read_text(encoding="utf-8")
    dashboard = json.loads((PROMETHEUS / "holdfast-dashboard.json").read_text(encoding="utf-8"))
    asked = [each["expr"] for panel in dashboard["panels"] for each in panel["targets"]]
    asked += [each["query"] for each in dashboard["templating"]["list"]]
    return asked + re.findall(r"expr: (.*)", rules)


def test_alerts_and_dashboard_ask_for_what_is_told() -> None:
    assert len(told()) > 70 and len(expressions()) > 20
    asked = {name for each in expressions() for name in NAME.findall(each)}
    assert {name for name in asked if family(name) not in told()} == set()


def test_the_page_of_names_is_complete() -> None:
    text = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| `(\w+)` \| (?:`(\w+)` \|)?", text, re.MULTILINE)
    rows = {name for pair in cells for name in pair if name}
    assert {family(name) for name in rows} == told()


@pytest.mark.parametrize("words", [("check", "rules", "holdfast.rules.yml"),
                                   ("test", "rules", "holdfast.rules.test.yml")])
def test_prometheus_takes_the_rules(words: tuple[str, ...]) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("there is no promtool here (package prometheus)")
    done = subprocess.run(["promtool", *words], cwd=PROMETHEUS, text=True, capture_output=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
