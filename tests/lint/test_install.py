"""`cmake --install` puts everything that a director needs where the system looks for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lint.tree import ROOT, files

PAGES = {"holdfast.8": "docs/holdfast.8", "holdfastctl.1": "docs/holdfastctl.1",
         "holdfast.conf.5": "docs/holdfast.conf.5"}


@pytest.fixture(scope="module", params=["/usr", "/opt/holdfast"])
def installed(request: pytest.FixtureRequest, holdfast: Path,
              tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Where it is, and the prefix that it believes in."""
    destination = tmp_path_factory.mktemp("install")
    done = subprocess.run(["cmake", "--install", holdfast.parent.parent, "--prefix", request.param],
                          env=dict(os.environ, DESTDIR=str(destination)), capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return destination / request.param.lstrip("/"), request.param


def test_programs_start(installed: tuple[Path, str]) -> None:
    there, _ = installed
    for program, word in (("sbin/holdfast", "--version"), ("bin/holdfastctl", "version")):
        done = subprocess.run([there / program, word], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_what_dbus_needs_is_where_it_is_looked_for(installed: tuple[Path, str]) -> None:
    there, _ = installed
    assert os.access(there / "libexec/holdfast/holdfast-dbus", os.X_OK)
    assert (there / "share/dbus-1/system.d/org.keepalived.Vrrp1.conf").is_file()


def test_the_unit_starts_the_program_that_was_installed(installed: tuple[Path, str]) -> None:
    there, prefix = installed
    unit = (there / "lib/systemd/system/holdfast.service").read_text()
    assert f"ExecStart={prefix}/sbin/holdfast --dont-fork" in unit
    assert (there / "lib/sysusers.d/holdfast.conf").is_file()


@pytest.mark.parametrize("unit", ["holdfast.service", "holdfast-real-server@.service",
                                  "holdfast-ipvs.service"])
def test_systemd_understands_the_unit(installed: tuple[Path, str], tmp_path: Path,
                                      unit: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze here")
    there, prefix = installed
    text = (there / "lib/systemd/system" / unit).read_text()
    copy = tmp_path / unit.replace("@.", "@192.0.2.1.")
    # It looks whether the program is there.
    for directory in ("bin", "sbin"):
        text = text.replace(f"{prefix}/{directory}/", f"{there / directory}/")
    copy.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True,
                          text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "holdfast" in line]
    assert done.returncode == 0 and not ours, done.stderr


def test_the_unit_of_a_real_server_gives_back_what_it_took(installed: tuple[Path, str]) -> None:
    there, prefix = installed
    text = (there / "lib/systemd/system/holdfast-real-server@.service").read_text()
    assert f"ExecStart={prefix}/bin/holdfastctl real-server up %i " in text
    assert f"ExecStop={prefix}/bin/holdfastctl real-server down %i\n" in text


def test_the_unit_signals_the_parent_alone_and_takes_nothing_from_scripts(
        installed: tuple[Path, str]) -> None:
    """systemd would give every sandbox word to the operator's scripts as well."""
    there, _ = installed
    text = (there / "lib/systemd/system/holdfast.service").read_text()
    words = dict(line.split("=", 1) for line in text.splitlines()
                 if "=" in line and not line.startswith("#"))
    assert words["KillMode"] == "process"
    sandbox = ("CapabilityBoundingSet", "AmbientCapabilities", "NoNewPrivileges", "Private",
               "Protect", "ReadOnly", "SystemCall", "Inaccessible", "User", "Restrict")
    assert [word for word in words if word.startswith(sandbox)] == ["RestrictRealtime"]
    assert words["RestrictRealtime"] == "no"


@pytest.mark.parametrize("page", sorted(PAGES))
def test_manual_pages_are_formatted_without_a_warning(installed: tuple[Path, str],
                                                      page: str) -> None:
    there, _ = installed
    path = there / f"share/man/man{page[-1]}/{page}"
    assert path.read_text() == (ROOT / PAGES[page]).read_text()
    if shutil.which("groff") is None:
        pytest.skip("there is no groff here")
    done = subprocess.run(["groff", "-man", "-ww", "-K", "utf8", "-T", "utf8", path],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_every_option_is_in_the_manual_page(holdfast: Path) -> None:
    text = subprocess.run([holdfast, "--help"], capture_output=True, text=True, check=True).stdout
    page = (ROOT / PAGES["holdfast.8"]).read_text().replace("\\-", "-")
    words = [word.strip("().") for word in text.split()]
    offered = [word.split(",") for word in words if word.startswith("-") and len(word) > 1]
    assert len(offered) > 20
    # Either name is enough: the options without effect are listed by their short ones.
    assert not [names for names in offered if not any(name in page for name in names)]


def test_examples_are_installed(installed: tuple[Path, str]) -> None:
    there, _ = installed
    examples = {path.name for path in (there / "share/doc/holdfast/examples").iterdir()}
    assert examples == {path.name for path in files(".conf", ".toml", below=("etc",))}
