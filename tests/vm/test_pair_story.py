"""The article's pair, and that for IPv6, end to end: the same chapters that `./dev demo` shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.demo import CHAPTERS, WITHOUT_IPVS
from tests.lab.story import Narrator


@pytest.mark.parametrize("chapter", [name for name in CHAPTERS if name not in WITHOUT_IPVS])
def test_chapter(chapter: str, program: str, tmp_path: Path) -> None:
    narrator = Narrator()

    CHAPTERS[chapter](narrator, tmp_path, program)

    for step in narrator.steps:
        print(f"{'ok  ' if step.passed else 'FAIL'} {step.title}: measured {step.measured}, "
              f"bound {step.bound} {step.notes} {step.problems}")
    for log in sorted(tmp_path.glob("*.log")):
        print(f"--- {log.name}\n{log.read_text(errors='replace')[-4000:]}")
    assert narrator.steps
    assert not narrator.failed(), [
        f"{step.title}: {'; '.join(step.problems)}" for step in narrator.failed()
    ]
