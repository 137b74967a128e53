"""Other people's VRRP: keepalived and FRR of this release and, in cached roots, of newer ones.

A root holds the packages of another Debian release, fetched by apt from the mirror that this host
uses anyway (its own lists and keys, nothing is installed) and unpacked below build/peers. Programs
run in it by chroot, in a mount namespace of their own, with the laboratory's files where they are.

    python3 -m tests.lab.peers            makes the roots that are not there yet, and says which
"""

from __future__ import annotations

import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEYRINGS = Path("/usr/share/keyrings")


class PeerError(Exception):
    """A root cannot be made; the text says why."""


@dataclass(frozen=True)
class Peer:
    """A program of a release. `suite`: "" is this host's own."""

    package: str
    suite: str = ""

    @property
    def name(self) -> str:
        return f"{self.package} of {self.suite}" if self.suite else self.package

    @property
    def root(self) -> Path:
        return cache_directory() / f"{self.package}-{self.suite}" if self.suite else Path("/")

    @property
    def program(self) -> str:
        return {"keepalived": "/usr/sbin/keepalived", "frr": "/usr/lib/frr/vrrpd"}[self.package]

    def why_missing(self) -> str | None:
        """The reason why it cannot be played with here, or None."""
        if self.suite and not (self.root / "complete").exists():
            refused = self.root.with_suffix(".refused")
            said = f": {refused.read_text('utf-8')}" if refused.exists() else ""
            return f"{self.name} is not below {cache_directory()}{said} (./dev peers fetches it)"
        if not (self.root / self.program.lstrip("/")).exists():
            return f"{self.root}{self.program} is missing (Debian package {self.package})"
        return None

    def version(self) -> str:
        """As the program says it: "2.3.4", "10.7.1"."""
        said = subprocess.run(self.inside(self.program, "--version"), capture_output=True,
                              text=True, check=False)
        found = re.search(r"(?:v|version )(\d+(?:\.\d+)+)", said.stdout + said.stderr)
        return found[1] if found else "?"

    def inside(self, *argv: str, shared: Path | None = None) -> list[str]:
        """The command that runs a program with this peer's files. `shared`: a folder of ours that
        it sees, too. Needs root where the peer has a root of its own."""
        if not self.suite:
            return list(argv)
        seen = ["/proc", "/sys", "/dev", *([str(shared)] if shared else [])]
        mounts = [f"mkdir -p {self.root}{one} && mount --rbind {one} {self.root}{one}"
                  for one in seen]
        # of its own: keepalived 2.3 locks files there whose names no option changes
        mounts.append(f"mount -t tmpfs run {self.root}/run && mkdir {self.root}/run/frr")
        enter = f"exec chroot {self.root} {shlex.join(argv)}"
        return ["unshare", "--mount", "sh", "-c", " && ".join([*mounts, enter])]


THIS = (Peer("keepalived"), Peer("frr"))
NEWER = (Peer("keepalived", "trixie"), Peer("keepalived", "forky"), Peer("keepalived", "sid"),
         Peer("frr", "sid"))


def cache_directory() -> Path:
    """Where roots are kept: ~/.cache/holdfast if it exists, else build/peers."""
    shared = Path.home() / ".cache" / "holdfast"
    return shared / "peers" if shared.is_dir() else ROOT / "build" / "peers"


# --- making roots ---------------------------------------------------------------------------------


def _run(*argv: str | Path, directory: Path | None = None) -> str:
    words = [str(word) for word in argv]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=directory)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise PeerError(f"{words[0]}: {said[-1] if said else 'failed'}")
    return done.stdout


def mirror() -> str:
    """Where this host's own Debian packages come from."""
    for line in _run("apt-get", "indextargets", "--format", "$(ORIGIN) $(SITE) $(CODENAME)",
                     "Created-By: Packages").splitlines():
        origin, site, codename = line.split()
        if origin == "Debian" and "-" not in codename:
            return site
    raise PeerError("apt knows no mirror of Debian: run `apt-get update` (as root), then try again")


class Apt:
    """apt-get for another release: own lists, an empty state, this host's mirror and keys."""

    def __init__(self, suite: str):
        self.directory = cache_directory() / f"apt-{suite}"
        for name in ("lists/partial", "archives/partial"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        keys = next((one for one in sorted(KEYRINGS.glob("debian-archive-keyring.*"))), None)
        if not keys:
            raise PeerError("Debian's keys are missing (package debian-archive-keyring)")
        source = f"deb [signed-by={keys}] {mirror()} {suite} main\n"
        (self.directory / "sources.list").write_text(source, encoding="utf-8")
        (self.directory / "status").touch()

    def _options(self) -> list[str]:
        at = self.directory
        return [word for option in (
            f"Dir::Etc::SourceList={at}/sources.list", "Dir::Etc::SourceParts=/dev/null",
            "Dir::Etc::Preferences=/dev/null", "Dir::Etc::PreferencesParts=/dev/null",
            f"Dir::State::Lists={at}/lists", f"Dir::State::Status={at}/status",
            f"Dir::Cache={at}", f"Dir::Cache::Archives={at}/archives",
            "APT::Install-Recommends=0", "APT::Get::AllowUnauthenticated=0",
            f"APT::Sandbox::User={pwd.getpwuid(os.geteuid()).pw_name}", "Debug::NoLocking=1",
        ) for word in ("-o", option)]

    def update(self) -> None:
        _run("apt-get", *self._options(), "-qq", "update")

    def candidate(self, package: str) -> str:
        said = _run("apt-cache", *self._options(), "policy", package)
        found = re.search(r"Candidate: (\d\S*)", said)
        if not found:
            raise PeerError(f"apt finds no package {package} there, or does not reach the mirror")
        return found[1]

    def fetch(self, package: str) -> list[Path]:
        """The package and all that it needs."""
        for old in (self.directory / "archives").glob("*.deb"):
            old.unlink()
        _run("apt-get", *self._options(), "-qq", "-y", "--download-only", "install", package,
             "dash", "netbase")  # keepalived asks `ip` for its version through a shell
        return sorted((self.directory / "archives").glob("*.deb"))


def _unpack(packages: list[Path], root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "sbin", "lib", "lib64"):  # base-files has these links, if it comes at all
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    for package in packages:
        # tar, because dpkg-deb replaces the links by folders where a package names these
        _run("sh", "-c", f"dpkg-deb --fsys-tarfile {package} | "
                         f"tar -x --keep-directory-symlink --no-same-owner -C {root}")
    for name in ("proc", "sys", "dev", "tmp", "run", "var/tmp", "etc"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etc/passwd").write_text("root:x:0:0::/:\nfrr:x:99:99::/:\n", encoding="ascii")
    (root / "etc/group").write_text("root:x:0:\nfrr:x:99:\nfrrvty:x:98:root\n", encoding="ascii")


def make(peer: Peer, known: set[str]) -> str:
    """Makes the root of a peer unless it is there; says what is there now. `known`: versions that
    another root has already."""
    mark = peer.root / "complete"
    if not mark.exists():
        peer.root.with_suffix(".refused").unlink(missing_ok=True)
        apt = Apt(peer.suite)
        try:
            apt.update()
            version = apt.candidate(peer.package)
            if f"{peer.package} {version}" in known:
                raise PeerError(f"it is the same as another release's, {version}")
            _unpack(apt.fetch(peer.package), peer.root)
            mark.write_text(f"{version}\n", encoding="utf-8")
        finally:
            shutil.rmtree(apt.directory)
    return mark.read_text(encoding="utf-8").strip()


def main() -> int:
    known: set[str] = set()
    cache_directory().mkdir(parents=True, exist_ok=True)
    for peer in NEWER:
        try:
            version = make(peer, known)
            known.add(f"{peer.package} {version}")
            print(f"{peer.name}: {version}", flush=True)
        except (PeerError, OSError) as trouble:
            print(f"{peer.name}: skipped, {trouble}", flush=True)
            peer.root.with_suffix(".refused").write_text(str(trouble), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
