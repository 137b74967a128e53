"""What bash proposes, asked of bash: the scripts that the programs make of their own options."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

# compopt only works while readline completes.
ASK = """
compopt() { :; }
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
"_$1_"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def scripts(holdfast: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("completion")
    made = {}
    for program, words in (("holdfast", ["--completion", "bash"]),
                           ("holdfastctl", ["completion", "bash"])):
        done = subprocess.run([holdfast.parent / program, *words], capture_output=True, text=True,
                              check=True)
        made[program] = directory / program
        made[program].write_text(done.stdout)
    return made


def proposed(script: Path, line: str, directory: Path) -> list[str]:
    """For the last word of the line; a blank at its end begins a new one."""
    done = subprocess.run(["bash", "--norc", "-c", ASK, "bash", script, *line.split(" ")],
                          cwd=directory, capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr
    return sorted(done.stdout.split())


def test_every_verb_and_every_option_that_help_shows_is_proposed(
        scripts: dict[str, Path], holdfast: Path, tmp_path: Path) -> None:
    shown = subprocess.run([holdfast, "--help"], capture_output=True, text=True,
                           check=True).stdout
    options = {word.split("=")[0] for line in shown.splitlines() if line.startswith("  -")
               for word in line.split()[0].split(",")}
    assert len(options) > 40
    assert set(proposed(scripts["holdfast"], "holdfast -", tmp_path)) == options

    shown = subprocess.run([holdfast.parent / "holdfastctl", "--help"], capture_output=True,
                           text=True, check=True).stdout
    verbs = [line.split()[0] for line in shown.split("Subcommands:")[1].splitlines() if line]
    assert len(verbs) > 12
    offered = proposed(scripts["holdfastctl"], "holdfastctl ", tmp_path)
    assert set(verbs) <= set(offered)
    for verb in verbs:
        assert verb in proposed(scripts["holdfastctl"], f"holdfastctl {verb[:-1]}", tmp_path)
        help_of_verb = subprocess.run([holdfast.parent / "holdfastctl", verb, "--help"],
                                      capture_output=True, text=True, check=True).stdout
        own = {word for line in help_of_verb.splitlines() if line.startswith("  -")
               for word in line.split()[0].split(",")}
        assert own | {"--run-dir"} == set(
            proposed(scripts["holdfastctl"], f"holdfastctl {verb} -", tmp_path))


@pytest.mark.parametrize("line, expected", [
    ("holdfastctl conv", ["convert"]),
    ("holdfastctl convert --to ", ["keepalived", "toml"]),
    ("holdfastctl convert --to = k", ["keepalived"]),  # bash takes '=' for a word
    ("holdfastctl convert --to toml -o ", ["a.conf", "b.conf", "some"]),
    ("holdfastctl check b", ["b.conf"]),
    ("holdfastctl check a.conf b", ["b.conf"]),
    ("holdfastctl check a.conf --str", ["--strict"]),
    ("holdfastctl --run-dir ", ["some"]),
    ("holdfastctl --run-dir some rel", ["reload"]),
    ("holdfastctl --run-dir reload reload --for", ["--force"]),
    ("holdfastctl record ", ["--help", "--run-dir", "-h", "start", "stop"]),
    ("holdfastctl record sta", ["start"]),
    ("holdfastctl record start --l", ["--limit"]),
    ("holdfastctl record start --limit ", []),
    ("holdfastctl completion ", ["bash"]),
    ("holdfast --use", ["--use-file"]),
    ("holdfast -n -f ", ["a.conf", "b.conf", "some"]),
    ("holdfast -t -f a", ["a.conf"]),
    ("holdfast --run-dir s", ["some"]),
    ("holdfast -S ", []),
])
def test_what_is_proposed_behind_a_line(scripts: dict[str, Path], tmp_path: Path, line: str,
                                        expected: list[str]) -> None:
    for name in ("a.conf", "b.conf"):
        (tmp_path / name).write_text("")
    (tmp_path / "some").mkdir()
    assert proposed(scripts[line.split()[0]], line, tmp_path) == expected


def test_they_are_where_bash_looks_for_them(scripts: dict[str, Path], holdfast: Path,
                                            tmp_path: Path) -> None:
    done = subprocess.run(["cmake", "--install", holdfast.parent.parent, "--prefix", "/usr"],
                          env={"PATH": "/usr/bin:/bin", "DESTDIR": str(tmp_path)},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for program, script in scripts.items():
        there = tmp_path / "usr/share/bash-completion/completions" / program
        assert there.read_text() == script.read_text()
