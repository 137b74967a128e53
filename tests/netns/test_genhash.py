"""`holdfastctl genhash` beside keepalived's own genhash: the same digests, over HTTP and TLS."""

from __future__ import annotations

import hashlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.lab.director import BIN
from tests.lab.submission_servers import NAME, make_certificates

CTL = BIN / "holdfastctl"
BODY = b"<html>hello</html>\n"
LARGE = bytes(range(256)) * 12_000  # 3 MB
OK = b"HTTP/1.1 200 OK\r\n"


def with_length(body: bytes) -> bytes:
    return OK + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def chunked(body: bytes) -> bytes:
    pieces = [body[at:at + 7] for at in range(0, len(body), 7)]
    return (OK + b"Transfer-Encoding: chunked\r\n\r\n"
            + b"".join(f"{len(one):x}\r\n".encode() + one + b"\r\n" for one in pieces)
            + b"0\r\n\r\n")


REPLIES = {
    "with a length": with_length(BODY),
    "ended by the close": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    "large": with_length(LARGE),
    "empty": with_length(b""),
    "an error page": b"HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\ngone",
}


class Server:
    """Answers every request with one reply, then closes; `keeps` leaves it open for a while."""

    def __init__(self, reply: bytes, context: ssl.SSLContext | None = None, keeps: float = 0):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.requests: list[bytes] = []
        self.names: list[str | None] = []
        self.reply, self.context, self.keeps = reply, context, keeps
        if context:
            context.sni_callback = lambda _, name, __: self.names.append(name)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self.socket.accept()
                one = self.context.wrap_socket(raw, server_side=True) if self.context else raw
                self.requests.append(one.recv(4096))
                one.sendall(self.reply)
                time.sleep(self.keeps)
                one.unwrap() if isinstance(one, ssl.SSLSocket) else None
                one.close()
            except OSError:
                if self.socket.fileno() < 0:
                    return

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)  # an accept that waits would take one more
        self.socket.close()


def both(server: Server, *words: str) -> tuple[subprocess.CompletedProcess, str]:
    """What ours answers, and what keepalived's prints."""
    options = ("-s", "127.0.0.1", "-p", str(server.port), "-u", "/page", *words)
    ours = subprocess.run([CTL, "genhash", *options], capture_output=True, text=True, check=False)
    theirs = subprocess.run(["genhash", *options], capture_output=True, text=True, check=False)
    return ours, theirs.stdout


needs_keepalived = pytest.mark.skipif(not shutil.which("genhash"),
                                      reason="there is no genhash of keepalived to compare with")


@needs_keepalived
@pytest.mark.parametrize("kind", REPLIES)
@pytest.mark.parametrize("words", [(), ("-P", "1.1"), ("-V", "www.example"), ("-P", "1.0c")])
def test_digests_are_those_of_keepalived(kind: str, words: tuple[str, ...]) -> None:
    with Server(REPLIES[kind]) as server:
        ours, theirs = both(server, *words)
        body = REPLIES[kind].partition(b"\r\n\r\n")[2]
        assert ours.stdout == theirs or not body  # of nothing it says that nothing came
        assert ours.stdout == hashlib.md5(body).hexdigest() + "\n", ours.stderr
        first, second = server.requests
        assert sorted(first.splitlines()) == sorted(second.splitlines())


@needs_keepalived
def test_over_tls_too_with_a_name_in_the_hello(tmp_path: Path) -> None:
    make_certificates(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    with Server(with_length(LARGE), context) as server:
        for words, name in ((("-S",), None), (("-S", "-I", "-V", NAME), NAME)):
            ours, theirs = both(server, *words)
            assert ours.stdout == theirs == hashlib.md5(LARGE).hexdigest() + "\n", ours.stderr
            assert server.names[-2:] == [name, name]
        # As SSL_GET says it, which asks for no option and leaves the port out.
        for host, name in ((NAME, NAME), (f"{NAME}:8443", NAME), ("127.0.0.1", None)):
            ours, _ = both(server, "-S", "-V", host)
            assert not ours.stderr and server.names[-2] == name


@needs_keepalived
def test_a_reply_on_a_connection_that_stays_open_is_not_waited_for() -> None:
    with Server(with_length(BODY), keeps=1.5) as server:
        began = time.time()
        ours, theirs = both(server)
        assert ours.stdout == theirs == hashlib.md5(BODY).hexdigest() + "\n"
        assert time.time() - began < 3.5  # keepalived's waits for the close, ours does not


@needs_keepalived
def test_chunk_heads_are_no_part_of_our_digest() -> None:
    """As in HTTP_GET, which keepalived reads with them: docs/compatibility.md."""
    with Server(chunked(BODY)) as server:
        ours, theirs = both(server)
        assert ours.stdout == hashlib.md5(BODY).hexdigest() + "\n"
        assert theirs == hashlib.md5(chunked(BODY).partition(b"\r\n\r\n")[2]).hexdigest() + "\n"


def test_under_the_name_genhash_and_what_is_wrong(tmp_path: Path) -> None:
    name = tmp_path / "genhash"
    name.symlink_to(CTL)

    def run(*words: str) -> subprocess.CompletedProcess:
        return subprocess.run([name, *words], capture_output=True, text=True, check=False)

    with Server(with_length(BODY)) as server:
        done = run("-s", "127.0.0.1", "-p", str(server.port), "-u", "/", "-v")
        assert done.stdout.startswith(hashlib.md5(BODY).hexdigest() + "\n")
        assert "status 200" in done.stdout
        port = server.port
    wrong: list[tuple[tuple[str, ...], str]] = [
        (("-s", "127.0.0.1", "-p", str(port), "-u", "/"), "Connection refused"),
        (("-s", "localhost", "-p", "80", "-u", "/"), "it is no address"),
        (("-s", "127.0.0.1", "-p", "80"), "--url is required"),
    ]
    for words, sentence in wrong:
        done = run(*words)
        assert done.returncode == 1 and sentence in done.stderr and not done.stdout, done
    with Server(b"garbage") as server:
        done = run("-s", "127.0.0.1", "-p", str(server.port), "-u", "/")
        assert done.returncode == 1 and "not an HTTP reply" in done.stderr
