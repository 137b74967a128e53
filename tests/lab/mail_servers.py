"""Mail relays for the directors of the laboratory: Postfix, OpenSMTPD, and one that plays a part.

Postfix is this host's package, with files of its own. OpenSMTPD and Exim are unpacked below
build/peers, as they cannot be installed beside it: `python3 -m tests.lab.mail_servers` fetches
them.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

from .netns import Namespace
from .peers import cache_directory

KEEPER = 4903  # who owns the mailboxes


# What cannot be installed beside Postfix, and what it needs.
UNPACKED = {"opensmtpd": ("opensmtpd",), "exim": ("exim4-daemon-light", "libidn12")}


def root_of(name: str) -> Path:
    return cache_directory() / name


def fetch() -> None:
    for name, packages in UNPACKED.items():
        root_of(name).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as made:
            subprocess.run(["apt-get", "-q", "download", *packages], cwd=made, check=True)
            for package in Path(made).glob("*.deb"):
                subprocess.run(["dpkg-deb", "-x", package, root_of(name)], check=True)


def _read(files: list[Path]) -> list[EmailMessage]:
    return [email.message_from_bytes(one.read_bytes(), policy=email.policy.default)
            for one in sorted(files, key=lambda file: file.stat().st_mtime_ns)]


class _Installed:
    """A real relay with two mailboxes, night@example.org and day@example.org."""

    def __init__(self, machine: Namespace):
        self.machine = machine
        # Its own accounts must get there, which they cannot below a test's folder.
        self.directory = Path(tempfile.mkdtemp(prefix="holdfast-mail-"))
        self.directory.chmod(0o755)
        machine.lab.closers.append(lambda: shutil.rmtree(self.directory, ignore_errors=True))
        (self.directory / "mail").mkdir()
        os.chown(self.directory / "mail", KEEPER, KEEPER)

    def listens(self) -> bool:
        """Port 25 is open."""
        return ":0019 00000000:0000 0A" in self.machine.read("tcp")

    def letters(self) -> list[EmailMessage]:
        return _read([one for one in (self.directory / "mail").rglob("new/*") if one.is_file()])

    def log(self) -> str:
        return (self.directory / "log").read_text(encoding="utf-8", errors="replace")


class Postfix(_Installed):
    @staticmethod
    def why_missing() -> str | None:
        has_it = Path("/usr/sbin/postfix").exists()
        return None if has_it else "/usr/sbin/postfix is missing (Debian package postfix)"

    def start(self) -> None:
        at = self.directory
        for name in ("etc", "spool", "data"):
            (at / name).mkdir()
        os.chown(at / "data", pwd.getpwnam("postfix").pw_uid, -1)
        (at / "etc/main.cf").write_text(
            f"compatibility_level = 3.6\nqueue_directory = {at}/spool\ndata_directory = {at}/data\n"
            "command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\n"
            f"mail_owner = postfix\nsetgid_group = postdrop\nmaillog_file = {at}/log\n"
            "maillog_file_prefixes = /tmp\nmyhostname = relay.example.org\nmydestination =\n"
            "virtual_mailbox_domains = example.org\nvirtual_mailbox_base = "
            f"{at}/mail\nvirtual_mailbox_maps = "
            "inline:{ night@example.org=night/, day@example.org=day/ }\n"
            f"virtual_uid_maps = static:{KEEPER}\nvirtual_gid_maps = static:{KEEPER}\n"
            "virtual_alias_maps =\nalias_maps =\nmynetworks = 0.0.0.0/0\n"
            "smtpd_peername_lookup = no\n" + self.further_settings(), encoding="ascii")
        services = Path("/usr/share/postfix/master.cf.dist").read_text(encoding="ascii")
        chrooted = [line.split() for line in services.splitlines()
                    if line[:1].isalnum() and len(line.split()) >= 8]
        (at / "etc/master.cf").write_text(
            "".join(" ".join([*words[:4], "n", *words[5:]]) + "\n" for words in chrooted)
            + self.further_services(), encoding="ascii")
        self.machine.spawn("/usr/sbin/postfix", "-c", at / "etc", "start-fg", log="postfix")
        self.machine.lab.closers.append(self.stop)

    def further_settings(self) -> str:
        return ""

    def further_services(self) -> str:
        return ""

    def stop(self) -> None:
        self.machine.run("/usr/sbin/postfix", "-c", str(self.directory / "etc"), "abort",
                         check=False)


class OpenSmtpd(_Installed):
    @staticmethod
    def root() -> Path:
        return root_of("opensmtpd")

    @classmethod
    def why_missing(cls) -> str | None:
        if (cls.root() / "usr/sbin/smtpd").exists():
            return None
        return f"OpenSMTPD is not below {cls.root()} (python3 -m tests.lab.mail_servers fetches it)"

    def start(self) -> None:
        at = self.directory
        for name, lines in (
            ("passwd", [f"{name}:x:{number}:{number}::{at}/mail:/bin/sh\n" for name, number in
                        (("opensmtpd", 4901), ("opensmtpq", 4902), ("keeper", KEEPER))]),
            ("group", [f"{name}:x:{number}:\n" for name, number in
                       (("opensmtpd", 4901), ("opensmtpq", 4902), ("keeper", KEEPER))]),
        ):
            known = Path("/etc", name).read_text(encoding="utf-8")
            (at / name).write_text(known + "".join(lines), encoding="utf-8")
        (at / "smtpd.conf").write_text(
            f"{self.listens_on()}\n"
            'table people { "night@example.org" = "keeper", "day@example.org" = "keeper" }\n'
            f'action "keep" maildir "{at}/mail/box" virtual <people>\n'
            f'match {self.who()} from any for domain "example.org" action "keep"\n',
            encoding="ascii")
        self._run()

    def listens_on(self) -> str:
        return "listen on 0.0.0.0 port 25"

    def who(self) -> str:
        return ""

    def _run(self) -> None:
        at = self.directory
        mounts = " && ".join([
            "mount --make-rprivate /",
            *(f"mount --bind {at}/{name} /etc/{name}" for name in ("passwd", "group")),
            "mount -t tmpfs libexec /usr/libexec",
            f"cp -r {self.root()}/usr/libexec/opensmtpd /usr/libexec/",
            *(f"mount -t tmpfs none {where}" for where in ("/var/spool", "/var/lib")),
            "mkdir -m 711 /var/spool/smtpd", "mkdir -p /var/lib/opensmtpd/empty",
            f"exec {self.root()}/usr/sbin/smtpd -d -f {at}/smtpd.conf > {at}/log 2>&1",
        ])
        self.machine.spawn("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
                           mounts, log="opensmtpd")


Answer = Callable[[str], "bytes | None"]


def polite(command: str) -> bytes:
    return {"greeting": b"220 here\r\n", "DATA": b"354 go on\r\n",
            "QUIT": b"221 bye\r\n"}.get(command, b"250 fine\r\n")


class PlayedRelay:
    """A relay that answers as it is told. `answer` gets "greeting", the first word of a command or
    "text" (the end of a letter); None closes the connection."""

    def __init__(self, machine: Namespace, answer: Answer = polite, port: int = 25):
        self.answer = answer
        self.received: list[tuple[list[str], EmailMessage]] = []
        self.helo: list[str] = []
        self.connections = 0
        with machine.inside():
            self.socket = socket.create_server(("0.0.0.0", port), backlog=64)
        self._open: list[socket.socket] = []
        machine.lab.closers.append(self.close)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in (self.socket, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def letters(self) -> list[EmailMessage]:
        return [letter for _, letter in self.received]

    def subjects(self) -> list[str]:
        return [letter["Subject"] for letter in self.letters()]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _say(self, connection: socket.socket, stage: str) -> bytes | None:
        said = self.answer(stage)
        if said is None:
            connection.close()
            return None
        connection.sendall(said)
        return said

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
            receivers: list[str] = []
            if self._say(connection, "greeting") is None:
                return
            for raw in lines:
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                word = line.split(" ")[0].upper()
                if word in ("EHLO", "HELO"):
                    self.helo.append(line)
                if word == "MAIL":
                    receivers = []
                said = self._say(connection, word)
                if said is None or word == "QUIT":
                    return
                if word == "RCPT" and said.startswith(b"2"):
                    receivers.append(line.partition("<")[2].rstrip(">"))
                if word == "DATA" and said.startswith(b"354"):
                    text = b""
                    for piece in lines:
                        if piece == b".\r\n":
                            break
                        text += piece[1:] if piece.startswith(b".") else piece
                    said = self._say(connection, "text")
                    if said is None:
                        return
                    if said.startswith(b"2"):
                        self.received.append((receivers, email.message_from_bytes(
                            text, policy=email.policy.default)))


# What a relay of ill will does, at each stage of a talk.
def silent(_: str) -> bytes:
    time.sleep(3600)
    return b""


HOSTILE: dict[str, Callable[[], bytes | None]] = {
    "closes": lambda: None,
    "is silent": lambda: silent(""),
    "talks nonsense": lambda: b"\x00\xff" * 4096,
    "talks for ever": lambda: b"250-and so on\r\n" * 20_000,
    "refuses for now": lambda: b"451 not now\r\n",
    "refuses": lambda: b"550 never\r\n",
    "leaves": lambda: b"421 I leave\r\n",
}


if __name__ == "__main__":
    sys.exit(fetch())
