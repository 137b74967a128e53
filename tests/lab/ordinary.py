"""People's own files, started as they are: what a machine must have for one, and the same machine
twice, for Holdfast and for keepalived, which do not hear each other.

Each director runs in a box: mounts (the host's root below an overlay in memory, so that whatever a
file's scripts do is forgotten), processes and a host name of its own. Every program that a file
names, but shells, is a stand-in that writes down how it was called and ends as the test wants.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import shlex
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from .director import ROOT, Director
from .netns import Lab, Namespace, eventually
from .wire import Capture

WILD = ROOT.parent / "shared" / "corpus" / "wild"
SHELLS = {"sh", "bash", "dash"}
COMMANDS = re.compile(r"^\s*(script|notify\w*)\s+(.+)$", re.MULTILINE)
ADDRESS = r"(\d+\.\d+\.\d+\.\d+)"

BOX = r"""
set -e
umask 022
mount --make-rprivate /
mount -t tmpfs box {box}
mkdir {box}/upper {box}/work {box}/root
mount -t overlay box -o lowerdir=/,upperdir={box}/upper,workdir={box}/work {box}/root
for each in /proc /dev /sys /work; do
  if test -d $each; then mkdir -p {box}/root$each; mount --rbind $each {box}/root$each; fi
done
mount -t tmpfs box {box}/root/tmp
mount -t tmpfs box {box}/root/run
chmod 1777 {box}/root/tmp
mkdir -p {box}/root{root} {box}/root{lab}
mount --rbind {root} {box}/root{root}
mount --rbind {lab} {box}/root{lab}
hostname {host}
cat > {box}/root/furnish
exec chroot {box}/root sh -ec '. /furnish; exec "$@"' sh "$@"
"""

FURNISH = r"""
stand_in() {
  place=$1
  case $place in
    /*) ;;
    *) if test -e /usr/sbin/$1; then place=/usr/sbin/$1; else place=/usr/bin/$1; fi ;;
  esac
  mkdir -p "$(dirname "$place")"
  rm -f "$place"
  cp /stand-in "$place"
  chmod 755 /stand-in "$place"
}
# who asks for a name is told at once that nobody answers
rm -f /etc/resolv.conf
echo nameserver 127.0.0.1 > /etc/resolv.conf
"""

STAND_IN = """\
#!/bin/sh
echo "$0 $*" >> {diary}
exit {verdict}
"""


def ordinary_files() -> list[Path]:
    """The 88 of ordinary people, or none where they are not beside the checkout."""
    verdicts = WILD.parent / "wild-verdicts.tsv"
    if not verdicts.exists():
        return []
    rows = [line.split("\t") for line in verdicts.read_text(encoding="utf-8").splitlines()]
    return sorted(WILD / row[0] for row in rows if row[1] == "W")


@dataclass
class Needs:
    """What a file asks of its machine."""

    interfaces: dict[str, list[str]]  # name → addresses with a length
    commands: list[str]  # first words of commands, and scripts that an interpreter is given
    accounts: set[str]
    host: str
    longest_interval: float
    checks: set[str] = field(default_factory=set)  # of the commands, those of vrrp_script


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)[#!].*$", "", text)


def _words(command: str) -> list[str]:
    command = command.strip()
    if command.startswith('"'):
        command = command[1:].split('"')[0]
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def needs_of(text: str) -> Needs:
    bare = _without_comments(text)
    names = re.findall(r"\b(?:\w*interface|dev)\s+([\w.]+)", bare)
    for block in re.findall(r"track_interface\s*\{([^}]*)\}", bare):
        names += [line.split()[0] for line in block.splitlines() if line.split()]
    names = [name for name in dict.fromkeys(names) if name != "lo"] or ["eth0"]
    interfaces = {name: [f"10.99.{at}.1/24"] for at, name in enumerate(names)}
    for block in re.split(r"\bvrrp_instance\b", bare)[1:]:
        found = re.search(r"\binterface\s+(\S+)", block)
        for source in re.findall(rf"_src_ip\s+{ADDRESS}", block):
            if found and source.count(".") == 3:
                interfaces.setdefault(found[1], []).insert(0, f"{source}/24")
    for gateway in re.findall(rf"\bvia\s+{ADDRESS}", bare):
        near = ipaddress.ip_interface(f"{gateway}/24").network.network_address + 9
        interfaces[names[-1]].append(f"{near}/24")
    commands, checks = [], set()
    for kind, command in COMMANDS.findall(text):
        words = _words(command)
        if not words or words[0].startswith("<"):
            continue
        program = words[0]
        if Path(program).name in SHELLS:
            program = words[1] if len(words) > 1 else ""
        if not program or program.startswith("-"):
            continue  # `sh -c …` runs as it stands
        commands.append(program)
        if kind == "script":
            checks.add(program)
    accounts = {word for line in re.findall(r"(?m)^\s*(?:script_user|user)\s+(.+)$", bare)
                for word in line.split()}
    hosts = re.findall(r"(?m)^\s*@(\w+)", bare)
    intervals = [float(one) for one in re.findall(r"advert_int\s+([\d.]+)", bare)]
    return Needs(interfaces, list(dict.fromkeys(commands)), accounts, hosts[0] if hosts else "box",
                 max(intervals, default=1.0), checks)


@dataclass
class Seen:
    """What became of a file after its start."""

    runs: bool
    instances: dict[str, tuple[str, int]]  # name → state and effective priority
    addresses: list[tuple]
    routes: list[str]
    rules: list[str]
    checks: set[str]  # calls of tracked scripts, each once
    notified: list[str]  # the other calls, in no order
    wire: set[tuple]  # what the adverts say


class Inhabitant(Director):
    """One program with one of these files, in its box."""

    def __init__(self, lab: Lab, name: str, path: Path, program: str, verdict: int):
        self.text = path.read_text(encoding="utf-8", errors="surrogateescape")
        self.needs = needs_of(self.text)
        machine = lab.machine(name)
        super().__init__(machine, "", program)
        # On a kernel without ip_vs keepalived ends when it is to start the sync daemon.
        self.config.write_bytes(re.sub(rb"(?m)^\s*lvs_sync_daemon.*$", b"", path.read_bytes()))
        self.box = lab.directory / f"{name}-box"
        self.box.mkdir()
        self.diary = self.directory / "diary"
        self.diary.touch()
        self.diary.chmod(0o666)
        for parent in (self.directory, lab.directory, *lab.directory.parents):
            with contextlib.suppress(PermissionError):
                parent.chmod(parent.stat().st_mode | 0o011)
        self.verdict = verdict
        self.captures = self._wire(machine)

    def _wire(self, machine: Namespace) -> list[Capture]:
        machine.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__default__disable_ipv6=0,
                       ipv6__conf__default__accept_dad=0,
                       ipv6__conf__default__router_solicitations=0)
        lines = []
        for at, (name, addresses) in enumerate(self.needs.interfaces.items()):
            mac = f"02:00:00:00:07:{at:02x}"
            lines += [f"link add {name} address {mac} type veth peer name far{at}",
                      f"link set far{at} up", f"link set {name} up",
                      *(f"addr add {one} dev {name}" for one in dict.fromkeys(addresses))]
        first = next(iter(self.needs.interfaces))
        machine.ip(*lines, f"route add default via 10.99.0.254 dev {first}")
        return [Capture(machine, f"far{at}") for at in range(len(self.needs.interfaces))]

    def furnish(self) -> str:
        """A script that runs in the box as its root."""
        script = STAND_IN.format(diary=self.diary, verdict=self.verdict)
        lines = [FURNISH, f"echo 127.0.0.1 localhost {self.needs.host} > /etc/hosts",
                 f"cat > /stand-in <<'END'\n{script}END"]
        for account in sorted(self.needs.accounts - {"root"}):
            lines += [f"getent group {account} >/dev/null || groupadd {account}",
                      f"getent passwd {account} >/dev/null || useradd -M -g {account} {account}"]
        for command in self.needs.commands:
            lines.append(f"stand_in {shlex.quote(command)}")
        return "\n".join(lines) + "\n"

    def command(self, *extra: str) -> list[str]:
        script = self.directory / "box.sh"
        furnish = self.directory / "furnish.sh"
        furnish.write_text(self.furnish(), encoding="utf-8", errors="surrogateescape")
        script.write_text(BOX.format(box=self.box, root=ROOT, lab=self.machine.lab.directory,
                                     host=self.needs.host), encoding="utf-8")
        return ["unshare", "--mount", "--pid", "--uts", "--fork", "--mount-proc", "--kill-child",
                "sh", "-c", f'exec sh {script} "$@" < {furnish}', "sh",
                *super().command("-P", *extra)]

    # --- what it does ---------------------------------------------------------------------------

    def pid(self) -> int | None:
        """Of the program's first process; None: it has ended."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with contextlib.suppress(OSError, IndexError):
            return int(path.read_text(encoding="ascii").split()[0])
        return None

    def _dump(self) -> str:
        """keepalived writes what it knows when it gets SIGUSR1."""
        pid = self.pid()
        if pid is None:
            return ""
        path = Path(f"/proc/{pid}/root/tmp/keepalived.data")
        path.unlink(missing_ok=True)
        os.kill(pid, signal.SIGUSR1)

        def whole() -> str:
            with contextlib.suppress(OSError):
                return path.read_text(encoding="utf-8", errors="replace")
            return ""

        eventually(lambda: "VRRP Topology" in whole() and whole().endswith("\n"), 2)
        return whole()

    def instances(self) -> dict[str, tuple[str, int]]:
        if self.program != "keepalived":
            return {one["name"]: (one["state"], one["effective_priority"])
                    for one in self.status("vrrp").get("instances", [])}
        found = {}
        for block in self._dump().split(" VRRP Instance = ")[1:]:
            state = re.search(r"^   State = (\w+)", block, re.MULTILINE)
            priority = re.search(r"^   Effective priority = (\d+)", block, re.MULTILINE)
            if state and priority:
                found[block.splitlines()[0]] = (state[1], int(priority[1]))
        return found

    def _addresses(self) -> list[tuple]:
        links = json.loads(self.machine.run("ip", "-j", "addr").stdout)
        return sorted((link["ifname"], one["local"], one["prefixlen"], one.get("label"),
                       one["scope"], one.get("broadcast"), bool(one.get("deprecated")))
                      for link in links if not link["ifname"].startswith("far")
                      for one in link["addr_info"])

    def _lines(self, *words: str) -> list[str]:
        found = []
        for family in ("-4", "-6"):
            lines = self.machine.run("ip", family, *words, check=False).stdout.splitlines()
            found += [" ".join(line.split()) for line in lines
                      if "proto kernel" not in line and " far" not in line]
        return sorted(found)

    def seen(self) -> Seen:
        # keepalived calls what a link leads to: /usr/bin/ping for /bin/ping.
        calls = [re.sub(r"^/usr/(s?bin/)", r"/\1", call) for call in
                 self.diary.read_text(encoding="utf-8", errors="replace").splitlines()]
        names = {Path(one).name for one in self.needs.checks}

        def is_check(call: str) -> bool:
            return Path(call.split(" ")[0]).name in names

        adverts = [advert for capture in self.captures for advert in capture.adverts()]
        last: dict[tuple, tuple] = {}
        for advert in adverts:
            last[advert.source, advert.vrid, advert.destination] = (
                advert.version, advert.priority, advert.interval_s, advert.auth_type,
                advert.auth_data, advert.addresses, advert.ttl, advert.mac)
        return Seen(
            runs=self.process.running(), instances=self.instances(), addresses=self._addresses(),
            routes=self._lines("route", "show", "table", "all"), rules=self._lines("rule"),
            checks={call for call in calls if is_check(call)},
            notified=sorted(call for call in calls if not is_check(call)),
            wire={(*key, *value) for key, value in last.items()})


def settled(boxes: list[Inhabitant], patience: float, elects: bool = True) -> None:
    """Waits until each has been as it is for a while, an election behind it."""
    calm: dict[str, tuple[object, float]] = {}
    began = time.monotonic()

    def done() -> bool:
        now = time.monotonic()
        for one in boxes:
            looks = (one.machine.run("ip", "-o", "addr").stdout, one.diary.stat().st_size
                     if not one.needs.checks else 0)
            before, since = calm.get(one.machine.short, (None, now))
            calm[one.machine.short] = (looks, since if looks == before else now)
        return all(now - began > (one.needs.longest_interval * 3 + 2.5 if elects else 0)
                   and now - calm[one.machine.short][1] > 1.2 for one in boxes)

    eventually(done, patience, every=0.4)


def differences(ours: Seen, theirs: Seen) -> list[str]:
    """Sentences; none where Holdfast did what keepalived did."""
    if ours.runs != theirs.runs:
        return [f"runs: {ours.runs}, keepalived: {theirs.runs}"]
    told = []
    for name in sorted(ours.instances.keys() | theirs.instances.keys()):
        pair = ours.instances.get(name), theirs.instances.get(name)
        if pair[0] != pair[1]:
            told.append(f"instance {name}: {pair[0]}, keepalived: {pair[1]}")
    for what in ("addresses", "routes", "rules", "checks", "notified", "wire"):
        left, right = list(getattr(ours, what)), list(getattr(theirs, what))
        for each in list(left):
            if each in right:
                left.remove(each)
                right.remove(each)
        told += [f"{what}: only Holdfast: {each}" for each in sorted(left, key=str)]
        told += [f"{what}: only keepalived: {each}" for each in sorted(right, key=str)]
    return told


def run_in_neither(ours: Seen, theirs: Seen) -> bool:
    """Then nothing was compared: "the same" says little."""
    return not ours.runs and not theirs.runs


def link_of_the_first(boxes: list[Inhabitant], state: str) -> None:
    """Somebody pulls the cable of each one's first interface, or puts it back."""
    for one in boxes:
        one.machine.ip(f"link set far0 {state}")


def stop_all(boxes: list[Inhabitant]) -> None:
    """All at once: who hands over takes some seconds."""
    ends = []
    for one in boxes:
        pid = one.pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            ends.append(one)
    for one in ends:
        one.process.wait(60)
