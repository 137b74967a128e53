"""SSL_GET against real servers: nginx, and openssl's own with what is old or strict."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from pathlib import Path

from tests.lab.keepalived_checks import KeepalivedChecks
from tests.lab.netns import Namespace, Process, eventually

from .test_checkers_probes import (CONNECT, PAGE, SERVER, Checkers, Listener, pair,  # noqa: F401
                                   service)

DIGEST = hashlib.md5(PAGE, usedforsecurity=False).hexdigest()
NGINX = """
daemon off; worker_processes 1; pid {root}/nginx.pid; error_log {root}/error.log; user root;
events {{ worker_connections 64; }}
http {{ access_log {root}/access.log;
  ssl_certificate {root}/tls.crt; ssl_certificate_key {root}/tls.key;
  server {{ listen 8443 ssl; root {root}; location = /gone {{ return 404; }} }}
  server {{ listen 8444 ssl default_server; ssl_reject_handshake on; }}
  server {{ listen 8444 ssl; server_name www.example; root {root}; }}
  server {{ listen 8445 ssl; root {root};
    ssl_verify_client on; ssl_client_certificate {root}/tls.crt; }}
  server {{ listen 8080; root {root}; }} }}
"""


def start_servers(machine: Namespace) -> Process:
    root = machine.lab.directory / "www"
    root.mkdir()
    (root / "index.html").write_bytes(PAGE)
    machine.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-subj", "/CN=www.example", "-days", "2",
                "-keyout", str(root / "tls.key"), "-out", str(root / "tls.crt"))
    # A key that nobody would accept today, for a server of yesterday.
    machine.run("openssl", "req", "-x509", "-newkey", "rsa:1024", "-sha1", "-nodes", "-subj",
                "/CN=old", "-days", "2", "-keyout", str(root / "old.key"), "-out",
                str(root / "old.crt"))
    config = root / "nginx.conf"
    config.write_text(NGINX.format(root=root), encoding="ascii")
    nginx = machine.spawn("nginx", "-c", config, log="nginx")
    machine.spawn("openssl", "s_server", "-accept", "7010", "-www", "-tls1", "-cipher",
                  "ALL:@SECLEVEL=0", "-key", str(root / "old.key"), "-cert", str(root / "old.crt"),
                  log="old")
    for port in (7010, 8080, 8443, 8444, 8445):
        assert eventually(lambda: f":{port} " in machine.run("ss", "-Hltn").stdout, 10), port
    return nginx


def tls_server(port: int, url: str, extra: str = "") -> str:
    return (f" real_server {SERVER} {port} {{\n  SSL_GET {{\n   url {{\n    {url}\n   }}\n"
            f"   {CONNECT}   {extra}\n  }}\n }}\n")


def test_every_way_to_fail_has_its_reason(pair):  # noqa: F811
    director, servers = pair
    nginx = start_servers(servers)
    Listener(servers, 7001, "reset")
    Listener(servers, 7002, "silent")
    Listener(servers, 7003, "say", b"220 mail.example.com ESMTP\r\n")
    no_name = "no server name was sent; 'virtualhost' or 'sni_name' gives one"
    cases = [
        (tls_server(8443, "path /"), "up", "status 200"),
        (tls_server(8443, f"path /\n digest {DIGEST}"), "up", "status 200"),
        (tls_server(8443, "path /gone"), "down", "status 404 instead of 200-299"),
        (tls_server(8443, "path /", "http_protocol 1.1\n tls_compliant"), "up", "status 200"),
        (tls_server(8444, "path /"), "down", no_name),
        (tls_server(8444, "path /\n virtualhost www.example"), "up", "status 200"),
        (tls_server(8444, "path /", "sni_name www.example"), "up", "status 200"),
        (tls_server(8445, "path /"), "down", "status 400"),
        (tls_server(8080, "path /"), "down", "wrong version number"),
        (tls_server(7010, "path /"), "up", "status 200"),
        (tls_server(7001, "path /"), "down", "connection reset"),
        (tls_server(7002, "path /"), "down", "no complete answer within 2000 ms"),
        (tls_server(7003, "path /"), "down", "wrong version number"),
        (tls_server(7009, "path /"), "down", "connection refused"),
    ]
    config = "".join(service(n + 1, lines) for n, (lines, _, _) in enumerate(cases))
    checkers = Checkers(director, config)
    checkers.start()

    for number, (lines, state, reason) in enumerate(cases, start=1):
        checkers.wait(number, state, 10)
        assert reason in checkers.reason(number), (lines, checkers.server(number))
    assert checkers.server(1)["checks"][0]["type"] == "SSL_GET", checkers.server(1)
    nginx.stop()
    checkers.wait(1, "down", 10)


def start_servers_with_locked_key(servers: Namespace) -> Path:
    """Where its certificate is, and its key, which needs a password."""
    start_servers(servers)
    root = servers.lab.directory / "www"
    servers.run("openssl", "ec", "-aes256", "-passout", "pass:Key-Word-9", "-in",
                str(root / "tls.key"), "-out", str(root / "locked.key"))
    return root


def shown(root: Path, password: str = "", **files: str) -> str:
    words = {"certificate": root / "tls.crt", "key": root / "locked.key", **files}
    lines = "".join(f" {word} {value}\n" for word, value in words.items())
    return f"SSL {{\n{lines} password {password}\n}}\n" if password else f"SSL {{\n{lines}}}\n"


def test_a_certificate_is_shown_to_a_server_that_asks_for_it(pair):  # noqa: F811
    director, servers = pair
    root = start_servers_with_locked_key(servers)
    asks = service(1, tls_server(8445, "path /")) + service(2, tls_server(8443, "path /"))
    checkers = Checkers(director, asks)
    checkers.start()
    checkers.wait(1, "down", 10)
    assert "status 400" in checkers.reason(1)

    def reload(text: str, until: str = "in use") -> str:
        before = len(checkers.process.output())
        checkers.write(text)
        checkers.process.send(signal.SIGHUP)
        assert eventually(lambda: until in checkers.process.output()[before:], 5) is not None
        return checkers.process.output()[before:]

    reload(shown(root, "Key-Word-9", ca=str(root / "old.crt")) + asks)
    checkers.wait(1, "up", 10)
    checkers.wait(2, "up", 10)  # who does not ask gets none
    assert "status 200" in checkers.reason(1)

    foreign = root / "foreign.key"  # the reader may read all files, the checkers may not
    shutil.copy(root / "tls.key", foreign)
    foreign.chmod(0o400)
    os.chown(foreign, 1234, 1234)
    for text, sentence in (
        (shown(root, key=str(foreign)), f"cannot read {foreign}"),
        (shown(root, "Wrong-Word-1"), "the key cannot be read with this password"),
        (shown(root, key=str(root / "old.key")), "the key does not belong to the certificate"),
        (shown(root, certificate="/nowhere.pem"), "'certificate' of SSL: cannot read /nowhere.pem"),
    ):
        said = reload(text + asks, until="take the SSL block away")
        warning = next(line for line in said.splitlines() if sentence in line)
        assert "checkers.conf:1:1: warning" in warning, warning
        assert "SSL_GET is never tried" in said and "Word" not in said
        # Our own trouble is no fault of the server's: it keeps what it has.
        assert eventually(lambda want=sentence: want in checkers.reason(1), 5) is not None
        assert checkers.server(1)["state"] == "up"


def test_keepalived_shows_the_same_certificate(pair):  # noqa: F811
    director, servers = pair
    root = start_servers_with_locked_key(servers)
    asks = "".join(service(number, tls_server(8445, "path /")) for number in (1, 2))
    bare, file = (director.lab.directory / name for name in ("bare.conf", "shown.conf"))
    bare.write_text(asks, encoding="ascii")
    # An authority that has nothing to do with it does no harm: nobody is verified.
    file.write_text(shown(root, "Key-Word-9", ca=str(root / "old.crt")) + asks, encoding="ascii")
    log = root / "access.log"

    theirs = KeepalivedChecks(director, bare)
    assert eventually(lambda: theirs.state("10.77.9.1") == "down", 10) is not None
    assert '" 200 ' not in log.read_text(encoding="ascii")
    theirs.process.stop()
    removed = theirs.process.output().count("Removing")
    theirs = KeepalivedChecks(director, file)
    assert eventually(lambda: log.read_text(encoding="ascii").count('" 200 ') >= 4, 10) is not None
    assert theirs.process.output().count("Removing") == removed, theirs.process.output()
