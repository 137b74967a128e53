"""Servers of Debian as real servers of a laboratory machine: minimal configurations, one address,
nothing outside of the laboratory's directory."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from tests.lab.mail_servers import root_of
from tests.lab.netns import SYSTEM_PATH, Namespace, Process, eventually

ZONE = "lab.example"
ZONE_FILE = f"""$ORIGIN {ZONE}.
$TTL 60
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
@ IN MX 10 mail
ns IN A 10.77.0.2
ns IN AAAA fd00:77::2
mail IN A 10.77.0.2
www IN CNAME ns
m IN A 10.77.0.2
@ IN TXT "short"
""" + "".join(f'big IN TXT "{number:03} {"x" * 200}"\n' for number in range(20))


def why_missing(program: str) -> str | None:
    """The reason why a server cannot be started here, or None."""
    return None if shutil.which(program, path=SYSTEM_PATH) else f"{program} is not installed"


def is_bound(machine: Namespace, port: int, udp: bool = False) -> bool:
    return f":{port} " in machine.run("ss", "-Hln", "-u" if udp else "-t").stdout


class Server:
    """One running server. `freeze` and `thaw` stop all of its processes."""

    def __init__(self, machine: Namespace, process: Process):
        self.machine, self.process = machine, process

    def pids(self) -> list[int]:
        """The process that was started and all its descendants."""
        parents = {}
        for pid in self.machine.pids():
            try:
                stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
                parents[pid] = int(stat.rsplit(")", 1)[1].split()[1])
            except OSError:  # it ended meanwhile
                pass
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def send(self, number: int) -> None:
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def freeze(self) -> None:
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    def stop(self) -> None:
        self.send(signal.SIGKILL)
        self.process.wait()


def _start(machine: Namespace, name: str, port: int, udp: bool, *argv: str | Path) -> Server:
    process = machine.spawn(*argv, log=name)
    bound = eventually(lambda: is_bound(machine, port, udp), 20)
    assert bound is not None, process.output()
    return Server(machine, process)


def _directory(machine: Namespace, name: str) -> Path:
    directory = machine.lab.directory / name
    directory.mkdir(exist_ok=True)
    for one in (directory, *directory.parents):  # servers drop their privileges
        if one.stat().st_uid == os.geteuid() and one != Path("/"):
            one.chmod(one.stat().st_mode | 0o055)
    return directory


def nsd(machine: Namespace, address: str, port: int) -> Server:
    """Authoritative for ZONE."""
    here = _directory(machine, "nsd")
    (here / "zone").write_text(ZONE_FILE, encoding="ascii")
    (here / "nsd.conf").write_text(f"""
server:
  ip-address: {address}@{port}
  username: ""
  chroot: ""
  zonesdir: "{here}"
  database: ""
  pidfile: "{here}/pid"
  xfrdfile: "{here}/xfrd"
  zonelistfile: "{here}/zones"
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: {ZONE}
  zonefile: zone
""", encoding="ascii")
    return _start(machine, "nsd", port, True, "nsd", "-d", "-c", here / "nsd.conf")


def knotd(machine: Namespace, address: str, port: int) -> Server:
    """Knot, authoritative for ZONE."""
    here = _directory(machine, "knot")
    (here / "zone").write_text(ZONE_FILE, encoding="ascii")
    (here / "knot.conf").write_text(f"""
server:
  rundir: "{here}"
  listen: {address}@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "{here}"
zone:
  - domain: {ZONE}
    storage: "{here}"
    file: zone
""", encoding="ascii")
    return _start(machine, "knot", port, True, "knotd", "-c", here / "knot.conf")


def named(machine: Namespace, address: str, port: int) -> Server:
    """bind, authoritative for ZONE."""
    here = _directory(machine, "named")
    (here / "zone").write_text(ZONE_FILE, encoding="ascii")
    (here / "named.conf").write_text(f"""
options {{ directory "{here}"; listen-on port {port} {{ {address}; }}; listen-on-v6 {{ none; }};
  pid-file "{here}/pid"; session-keyfile "{here}/key"; recursion no; dnssec-validation no; }};
controls {{ }};
zone "{ZONE}" {{ type primary; file "{here}/zone"; }};
""", encoding="ascii")
    return _start(machine, "named", port, True, "named", "-g", "-c", here / "named.conf")


def unbound(machine: Namespace, address: str, port: int) -> Server:
    """Answers ZONE from its own data, and refuses strangers."""
    here = _directory(machine, "unbound")
    (here / "unbound.conf").write_text(f"""
server:
  interface: {address}@{port}
  access-control: 10.77.0.1/32 allow
  access-control: 0.0.0.0/0 refuse
  username: ""
  chroot: ""
  directory: "{here}"
  pidfile: "{here}/pid"
  do-daemonize: no
  use-syslog: no
  module-config: "iterator"
  local-zone: "{ZONE}." static
  local-data: "{ZONE}. SOA ns.{ZONE}. hostmaster.{ZONE}. 1 3600 600 86400 60"
  local-data: "ns.{ZONE}. A {address}"
""", encoding="ascii")
    return _start(machine, "unbound", port, True, "unbound", "-d", "-c", here / "unbound.conf")


def dnsmasq(machine: Namespace, address: str, port: int) -> Server:
    """Knows one name and has no upstream."""
    here = _directory(machine, "dnsmasq")
    return _start(machine, "dnsmasq", port, True, "dnsmasq", "-k", "-C", "/dev/null", "-p",
                  str(port), "-a", address, "-z", "-R", "-h", "-u", "root", "-x", here / "pid",
                  f"--address=/ns.{ZONE}/{address}")


def postfix(machine: Namespace, address: str, port: int) -> Server:
    """A mail server that takes no mail."""
    here = _directory(machine, "postfix")
    for name in ("etc", "queue", "data"):
        (here / name).mkdir(exist_ok=True)
    shutil.chown(here / "data", "postfix")
    (here / "etc" / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {here}/queue
data_directory = {here}/data
myhostname = mail.{ZONE}
mydestination =
inet_interfaces = {address}
inet_protocols = ipv4
smtpd_peername_lookup = no
maillog_file = {here}/log
maillog_file_prefixes = {here}
""", encoding="ascii")
    (here / "etc" / "master.cf").write_text(f"""
{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
rewrite unix - - n - - trivial-rewrite
""", encoding="ascii")
    return _start(machine, "postfix", port, False, "postfix", "-c", here / "etc", "start-fg")


def exim_is_missing() -> str | None:
    """It cannot be installed beside Postfix: unpacked, see mail_servers."""
    if (root_of("exim") / "usr/sbin/exim4").exists():
        return None
    return "Exim is not unpacked (python3 -m tests.lab.mail_servers)"


def exim(machine: Namespace, address: str, port: int) -> Server:
    """A mail server that takes no mail. Its account is known to itself alone."""
    here = _directory(machine, "exim")
    here.chmod(0o777)
    (here / "exim.conf").write_text(f"""
exim_user = 4904
exim_group = 4904
primary_hostname = mail.{ZONE}
local_interfaces = {address}
daemon_smtp_ports = {port}
spool_directory = {here}
log_file_path = {here}/%slog
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts =
queue_only
never_users =
acl_smtp_rcpt = refuse
begin acl
refuse:
  deny
""", encoding="ascii")
    (here / "exim.conf").chmod(0o644)
    for name, line in (("passwd", "Debian-exim:x:4904:4904::/:/bin/sh\n"),
                       ("group", "Debian-exim:x:4904:\n")):
        known = Path("/etc", name).read_text(encoding="utf-8")
        (here / name).write_text(known + line, encoding="utf-8")
    mounts = " && ".join(["mount --make-rprivate /",
                          *(f"mount --bind {here}/{name} /etc/{name}"
                            for name in ("passwd", "group")),
                          f"exec {root_of('exim')}/usr/sbin/exim4 -C {here}/exim.conf -bdf"])
    library = f"LD_LIBRARY_PATH={root_of('exim')}/usr/lib/{os.uname().machine}-linux-gnu"
    return _start(machine, "exim", port, False, "env", library, "unshare", "--mount", "sh", "-c",
                  mounts)


DNS_SERVERS: dict[str, Callable[[Namespace, str, int], Server]] = {
    "nsd": nsd, "knotd": knotd, "named": named, "unbound": unbound, "dnsmasq": dnsmasq}


def answer_everybody(machine: Namespace, word: str) -> None:
    """HTTP on port 80 of every address of the machine, of both families: each page is `word`."""
    machine.spawn("python3", "-c", f"""
import http.server, socket
class Any(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{word}")
Any(("::", 80), Answer).serve_forever()
""")
