"""What people copy must work: sample configurations, and the links of the documentation."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.lint.tree import ROOT, files

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("path", [one for one in files(".conf", below=("etc",))], ids=str)
def test_sample_configuration_passes_the_check(path: Path, holdfast: Path) -> None:
    done = subprocess.run([holdfast.parent / "holdfastctl", "check", ROOT / path],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_sample_configurations() -> None:
    names = {path.name for path in files(".conf", below=("etc",))}
    assert {"pair-dr.conf", "pair-nat.conf", "pair-tun.conf"} <= names


def test_links_in_the_documentation_resolve() -> None:
    broken = []
    for page in files(".md"):
        text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
        for match in LINK.finditer(text):
            target = match[1] or match[2]
            if re.match(r"[a-z]+:", target) or target.startswith("#"):
                continue
            if not (ROOT / page.parent / unquote(target.partition("#")[0])).exists():
                broken.append(f"{page}: {target}")
    assert not broken, "\n" + "\n".join(broken)
