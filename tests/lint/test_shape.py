"""Sizes, line lengths, formatting."""

from __future__ import annotations

import shutil
import subprocess

from tests.lint.tree import ROOT, all_cpp, files, lines, sources

MAX_COLUMNS = 100
# Most files should be far smaller (90-200 lines); beyond these a file holds more than one thought.
MAX_SOURCE_LINES = 600
MAX_TEST_LINES = 900


def test_lines_fit_into_100_columns() -> None:
    scripts = [*files(".py", below=("tests",)), *[one for one in files("dev") if str(one) == "dev"]]
    too_long = [
        f"{path}:{number}: {len(line)} columns"
        for path in [*all_cpp(), *scripts]
        for number, line in enumerate(lines(path), 1) if len(line) > MAX_COLUMNS
    ]
    assert not too_long, "\n" + "\n".join(too_long)


def test_files_stay_small() -> None:
    rooms = set(sources())
    too_big = [
        f"{path}: {len(lines(path))} lines"
        for path in all_cpp()
        if len(lines(path)) > (MAX_SOURCE_LINES if path in rooms else MAX_TEST_LINES)
    ]
    assert not too_big, "\n" + "\n".join(too_big)


def test_cpp_is_formatted() -> None:
    formatter = shutil.which("clang-format")
    assert formatter, "clang-format is not installed"
    done = subprocess.run([formatter, "--dry-run", "--Werror", *map(str, all_cpp())], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    places = [line for line in done.stderr.splitlines() if "error:" in line]
    assert done.returncode == 0, "\n" + "\n".join(places[:40])


def test_no_tabs_and_no_trailing_blanks() -> None:
    found = [
        f"{path}:{number}"
        for path in [*all_cpp(), *files(".py", "CMakeLists.txt", ".cmake")]
        for number, line in enumerate(lines(path), 1) if "\t" in line or line != line.rstrip()
    ]
    assert not found, found


def test_shell_scripts_parse() -> None:
    for script in ["dev", ".ci/run"]:
        assert (ROOT / script).stat().st_mode & 0o111, f"{script} is not executable"
        subprocess.run(["bash", "-n", ROOT / script], check=True)
