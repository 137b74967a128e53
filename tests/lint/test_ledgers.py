"""The requirement ledgers of docs/rfc: every row is shown by tests that exist, or says why not.

Ids in names of tests, such as [RFC9568-5.2.8-1] or [RFC9568 erratum 8301], are rows of a ledger.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.lint.tree import ROOT

LEDGERS = {path.stem: path for path in sorted((ROOT / "docs/rfc").glob("*.md"))}
WITHOUT_TEST = ("the kernel's: ", "people's: ", "not built: ")


@cache
def rows(rfc: str) -> list[tuple[str, str, str, str]]:
    """(id, level, requirement, shown by)"""
    found = []
    for line in LEDGERS[rfc].read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 4 and re.match(r"\d", cells[0]):
            found.append(tuple(cells))
    return found


@cache
def unit_tests() -> tuple[str, ...]:
    """Names of the doctest cases."""
    names = []
    for path in (ROOT / "tests/unit").rglob("*.cpp"):
        text = path.read_text(encoding="utf-8")
        for case in re.finditer(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)', text):
            names.append("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', case[1])))
    return tuple(names)


def netns_test_exists(words: str) -> bool:
    name, _, function = words.partition("::")
    path = ROOT / "tests/netns" / name
    return path.is_file() and f"def {function or 'test_'}" in path.read_text(encoding="utf-8")


def is_shown(entry: str) -> bool:
    if entry == "sim":
        return True
    if entry.startswith("= "):
        return entry[2:] in {row[0] for row in rows("9568")}
    quoted = re.fullmatch(r"`([^`]+)`", entry)
    if quoted is None:
        return False
    if re.match(r"\w+\.py\b", quoted[1]):
        return netns_test_exists(quoted[1])
    return any(name.startswith(quoted[1]) for name in unit_tests())


@pytest.mark.parametrize("rfc", LEDGERS)
def test_every_requirement_is_shown_by_tests_that_exist(rfc: str) -> None:
    unknown = [f"{number}: {entry}" for number, _, _, shown in rows(rfc)
               if not shown.startswith(WITHOUT_TEST)
               for entry in shown.split("; ") if not is_shown(entry)]

    assert rows(rfc) and not unknown


@pytest.mark.parametrize("rfc", LEDGERS)
def test_rows_have_one_id_and_a_level(rfc: str) -> None:
    ids = [row[0] for row in rows(rfc)]

    assert sorted(set(ids)) == sorted(ids)
    assert {row[1] for row in rows(rfc)} <= {"M", "S"}


def test_ids_in_names_of_tests_are_rows_of_a_ledger() -> None:
    named = [(rfc, number) for name in unit_tests()
             for rfc, number in re.findall(r"RFC(\d+)(?:-| erratum )([\d.-]+)\]", name)]
    unknown = [(rfc, number) for rfc, number in named
               if rfc in LEDGERS and number not in {row[0] for row in rows(rfc)}]

    assert named and not unknown


def test_an_entry_that_nothing_shows_is_found() -> None:
    assert is_shown("`codec: our packets are byte for byte`") and is_shown("= 8301")
    assert not is_shown("`codec: our packets are golden`") and not is_shown("= 9.9-9")
    assert not is_shown("`test_vrrp_wire.py::test_nothing`") and not is_shown("codec: our packets")


def test_docs_name_every_ledger() -> None:
    vrrp = Path(ROOT / "docs/vrrp.md").read_text(encoding="utf-8")

    assert all(f"rfc/{rfc}.md" in vrrp for rfc in LEDGERS)
