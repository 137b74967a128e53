"""What people copy must work: sample configurations, and the examples and links of the
documentation."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.lint.tree import ROOT, files

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(conf|toml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
CHAPTER = "docs/configuration.md"

SAMPLES = files(".conf", below=("etc",))


def examples() -> list[tuple[str, str, str]]:
    """(heading: line, syntax, text) of every complete configuration in the chapter."""
    page = (ROOT / CHAPTER).read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(page):
        heading = [one[1] for one in HEADING.finditer(page, 0, match.start())][-1]
        line = page.count("\n", 0, match.start()) + 1
        found.append((f"{heading}: {line}", match[1], match[2]))
    return found


EXAMPLES = examples()


def check(holdfast: Path, path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([holdfast.parent / "holdfastctl", "check", *options, path],
                          capture_output=True, text=True, check=False)


def model(holdfast: Path, path: Path) -> dict:
    done = check(holdfast, path, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["model"]


def says_nothing_of_interest(findings: str) -> list[str]:
    """Warnings beyond those about words that Holdfast does nothing with yet."""
    return [line for line in findings.splitlines()
            if ": warning: " in line and not re.search(r"without effect|Holdfast does not", line)]


@pytest.mark.parametrize("path", [*SAMPLES, *files(".toml", below=("etc",))], ids=str)
def test_sample_configuration_passes_the_check(path: Path, holdfast: Path) -> None:
    done = check(holdfast, ROOT / path)
    findings = done.stdout + done.stderr
    assert done.returncode == 0, findings
    assert not says_nothing_of_interest(findings), findings
    if "warning: " in findings:
        head = (ROOT / path.with_suffix(".conf")).read_text(encoding="utf-8").split("\n\n")[0]
        assert "Holdfast does not" in head, "the head of the file says what has no effect yet"


@pytest.mark.parametrize("path", SAMPLES, ids=str)
def test_sample_configuration_means_the_same_in_toml(path: Path, holdfast: Path) -> None:
    assert model(holdfast, ROOT / path) == model(holdfast, ROOT / path.with_suffix(".toml"))


@pytest.mark.parametrize("one", ["pair-dr.conf pair-dr-backup.conf",
                                 "dual-master-a.conf dual-master-b.conf"])
def test_both_directors_of_a_sample_pair_agree(one: str, holdfast: Path) -> None:
    first, second = (ROOT / "etc" / name for name in one.split())
    done = check(holdfast, first, str(second))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not says_nothing_of_interest(done.stdout + done.stderr), done.stdout + done.stderr


@pytest.mark.parametrize(("place", "syntax", "text"), EXAMPLES, ids=[one[0] for one in EXAMPLES])
def test_examples_of_the_chapter_pass_the_check(place: str, syntax: str, text: str, holdfast: Path,
                                                tmp_path: Path) -> None:
    path = tmp_path / f"example.{syntax}"
    path.write_text(text, encoding="utf-8")
    done = check(holdfast, path)
    findings = done.stdout + done.stderr
    assert done.returncode == 0, f"{CHAPTER}: {place}\n{findings}"
    assert not says_nothing_of_interest(findings), f"{CHAPTER}: {place}\n{findings}"


def test_one_file_for_two_directors(holdfast: Path, tmp_path: Path) -> None:
    """The example of @NAME, by -i and by the host's own name."""
    text = next(text for _, syntax, text in EXAMPLES if "@lb1" in text)
    path = tmp_path / "holdfast.conf"
    path.write_text(text, encoding="utf-8")
    told = {}
    for name in ("lb1", "lb2"):
        done = check(holdfast, path, "--json", "-i", name)
        told[name] = json.loads(done.stdout)["model"]["vrrp_instance"][0]["priority"]
    assert told == {"lb1": 150, "lb2": 100}

    host = platform.node().partition(".")[0]
    path.write_text(text.replace("@lb1", f"@{host}"), encoding="utf-8")
    assert model(holdfast, path)["vrrp_instance"][0]["priority"] == 150


def test_the_mistake_of_the_chapter_is_shown_as_it_says(holdfast: Path, tmp_path: Path) -> None:
    """The first example with one wrong word, and what the chapter prints about it."""
    path = tmp_path / "holdfast.conf"
    wrong = EXAMPLES[0][2].replace("virtual_router_id", "virtual_router_ip")
    path.write_text(wrong, encoding="utf-8")
    done = subprocess.run([holdfast.parent / "holdfastctl", "check", path.name], cwd=tmp_path,
                          capture_output=True, text=True, check=False)
    *findings, _ = (done.stdout + done.stderr).splitlines()
    page = (ROOT / CHAPTER).read_text(encoding="utf-8")
    assert "```\n" + "\n".join(findings) + "\n```" in page, findings


@pytest.mark.parametrize("at", [at for at, (one, other) in enumerate(zip(EXAMPLES, EXAMPLES[1:]))
                                if (one[1], other[1]) == ("conf", "toml")])
def test_examples_side_by_side_mean_the_same(at: int, holdfast: Path, tmp_path: Path) -> None:
    models = []
    for place, syntax, text in EXAMPLES[at:at + 2]:
        path = tmp_path / f"example.{syntax}"
        path.write_text(text, encoding="utf-8")
        models.append(model(holdfast, path))
    assert models[0] == models[1], place


def test_there_are_sample_configurations_and_examples() -> None:
    names = {path.name for path in SAMPLES}
    assert {"pair-dr.conf", "pair-nat.conf", "pair-tun.conf", "dual-master-a.conf", "haproxy.conf",
            "cloud-unicast.conf", "ipv6.conf"} <= names
    assert {path.with_suffix(".toml") for path in SAMPLES} == set(files(".toml", below=("etc",)))
    assert len(EXAMPLES) > 20
    listed = (ROOT / "README.md").read_text(encoding="utf-8")
    unlisted = {name for name in names if name not in listed}
    assert not unlisted, f"README.md does not name {unlisted}"


def test_links_in_the_documentation_resolve() -> None:
    broken = []
    for page in files(".md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
        for match in LINK.finditer(text):
            target = match[1] or match[2]
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            goal = ROOT / page.parent / unquote(path) if path else ROOT / page
            if not goal.exists() or (anchor and anchor not in anchors(goal)):
                broken.append(f"{page}: {target}")
    assert not broken, "\n" + "\n".join(broken)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = HEADING.findall(re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"),
                                      flags=re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
