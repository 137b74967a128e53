"""The package: what `./dev package` made, in a root of this release that has nothing else.

The root is made by debootstrap below build/roots and kept; where it cannot be had, the tests that
need it say why and are skipped.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lint.tree import ROOT

PACKAGES = ROOT / "build" / "packages"
EXAMPLES = "/usr/share/doc/holdfast/examples"


def release() -> str:
    fields = dict(line.split("=", 1) for line in
                  Path("/etc/os-release").read_text(encoding="utf-8").splitlines() if "=" in line)
    return fields["VERSION_CODENAME"]


class Root:
    """A system of its own to install into; a copy, so nothing of a test is left to the next."""

    def __init__(self, path: Path):
        self.path = path

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        enter = (f"mount -t proc proc {self.path}/proc && "
                 f"exec chroot {self.path} env DEBIAN_FRONTEND=noninteractive {shlex.join(argv)}")
        done = subprocess.run(["unshare", "--mount", "sh", "-c", enter], capture_output=True,
                              text=True, check=False)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def files(self) -> set[str]:
        """All that an administrator would find, but for caches, logs and dpkg's own books."""
        passing = ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/cache", "/var/log",
                   "/var/lib/dpkg", "/var/lib/apt")
        found = self.run("find", "/", "-xdev", "-not", "-type", "d").stdout.splitlines()
        return {one for one in found if not one.startswith(passing)}


@pytest.fixture(scope="module")
def package() -> Path:
    made = [one for one in PACKAGES.glob("holdfast_*.deb")]
    if not made:
        pytest.fail(f"there is no package in {PACKAGES}: run ./dev package", pytrace=False)
    return made[0]


@pytest.fixture(scope="module")
def pristine(package: Path) -> Path:
    if os.geteuid() != 0:
        pytest.skip("a root to install into needs root")
    root = ROOT / "build" / "roots" / release()
    if not (root / "complete").exists():
        shutil.rmtree(root, ignore_errors=True)
        root.parent.mkdir(parents=True, exist_ok=True)
        made = subprocess.run(["debootstrap", "--variant=minbase", release(), root],
                              capture_output=True, text=True, check=False)
        if made.returncode != 0:
            pytest.skip(f"debootstrap cannot make a root: {made.stdout[-300:]}{made.stderr[-300:]}")
        needed = subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True,
                                text=True, check=True).stdout
        names = [one.split()[0] for one in needed.split(",")]
        Root(root).run("apt-get", "install", "-y", "-q", "--no-install-recommends", *names)
        (root / "complete").touch()
    return root


@pytest.fixture
def root(pristine: Path, tmp_path: Path) -> Root:
    subprocess.run(["cp", "-a", pristine, tmp_path / "root"], check=True)
    return Root(tmp_path / "root")


def install(root: Root, package: Path) -> None:
    shutil.copy(package, root.path / "tmp" / package.name)
    root.run("dpkg", "-i", f"/tmp/{package.name}")


def newer(package: Path, tmp_path: Path) -> Path:
    """The same package with a higher version, for an upgrade."""
    tree, made = tmp_path / "tree", tmp_path / "holdfast_9_all.deb"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    lines = control.read_text(encoding="utf-8").splitlines()
    control.write_text("\n".join("Version: 9" if one.startswith("Version:") else one
                                 for one in lines) + "\n", encoding="utf-8")
    subprocess.run(["dpkg-deb", "-b", "--root-owner-group", "-Znone", tree, made], check=True,
                   capture_output=True)
    return made


def test_lintian_has_nothing_to_say(package: Path) -> None:
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", *PACKAGES.glob("*.changes")],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_installed_works_and_serves_nobody_unasked(root: Root, package: Path) -> None:
    install(root, package)

    assert root.run("getent", "passwd", "holdfast").stdout.endswith(":/usr/sbin/nologin\n")
    for example in sorted((root.path / EXAMPLES.lstrip("/")).iterdir()):
        assert root.run("holdfastctl", "check", f"{EXAMPLES}/{example.name}").returncode == 0
    assert root.run("holdfast", "--version").returncode == 0
    units = list(root.path.glob("**/systemd/system/holdfast.service"))
    assert units, "no unit"
    assert not list((root.path / "etc/systemd").glob("**/holdfast.service")), "it is enabled"


def test_an_upgrade_keeps_what_the_administrator_has_said(
        root: Root, package: Path, tmp_path: Path) -> None:
    install(root, package)
    for path in ("etc/keepalived/keepalived.conf", "etc/default/holdfast"):
        (root.path / path).parent.mkdir(exist_ok=True)
        (root.path / path).write_text("# mine\n", encoding="ascii")
    wanted = root.path / "etc/systemd/system/multi-user.target.wants"  # as `systemctl enable` does
    wanted.mkdir(parents=True, exist_ok=True)
    (wanted / "holdfast.service").symlink_to("/lib/systemd/system/holdfast.service")

    install(root, newer(package, tmp_path))

    said = root.run("dpkg-query", "-W", "-f=${Version} ${Status}", "holdfast").stdout
    assert said == "9 install ok installed"
    for path in ("etc/keepalived/keepalived.conf", "etc/default/holdfast"):
        assert (root.path / path).read_text(encoding="ascii") == "# mine\n"
    assert (wanted / "holdfast.service").is_symlink(), "not enabled any more"


def test_a_purge_leaves_nothing_but_the_user(root: Root, package: Path) -> None:
    before = root.files()
    install(root, package)
    assert root.files() > before

    root.run("dpkg", "--purge", "holdfast")

    left = {one for one in root.files() - before
            if not one.startswith(("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow",
                                   "/etc/.pwd.lock"))}
    assert left == set()
