#!/usr/bin/python3
"""Real servers of many kinds of ill will, a port each: they talk too much, too slowly, nonsense or
not at all. Nothing here is more than size, slowness or bytes in a wrong place.

usage: hostile_servers.py ADDRESS FIRST_PORT        serves KINDS on FIRST_PORT, FIRST_PORT + 1, …
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BLOCK = b"z" * 65536


@dataclass(frozen=True)
class Kind:
    name: str
    serve: Callable[[socket.socket], None]
    state: str = "down"
    reason: str = ""  # part of what the check says
    check: str = "HTTP_GET"
    digest: bool = False


def _request(client: socket.socket) -> None:
    client.recv(4096)


def _stay(client: socket.socket) -> None:
    """Until the director has had enough."""
    while client.recv(4096):
        pass


def _says(*parts: bytes, again: bytes = b"", every: float = 0, then_close: bool = False):
    """Says the parts, then `again` for ever."""
    def serve(client: socket.socket) -> None:
        _request(client)
        for part in parts:
            client.sendall(part)
            time.sleep(every)
        while again:
            client.sendall(again)
            time.sleep(every)
        if not then_close:
            _stay(client)
    return serve


def _bytewise(head: bytes, again: bytes, every: float):
    """One byte a segment."""
    def serve(client: socket.socket) -> None:
        _request(client)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in itertools.chain(head, itertools.cycle(again)):
            client.send(bytes([byte]))
            time.sleep(every)
    return serve


def _reset(client: socket.socket, after_request: bool = False) -> None:
    if after_request:
        _request(client)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _reset_later(client: socket.socket) -> None:
    time.sleep(0.5)
    _reset(client)


def _half_closed(client: socket.socket) -> None:
    _request(client)
    client.shutdown(socket.SHUT_WR)
    _stay(client)


def _urgent(client: socket.socket) -> None:
    _request(client)
    client.send(b"!", socket.MSG_OOB)
    _stay(client)


def _speaks_first(client: socket.socket) -> None:
    for _ in range(64):
        client.sendall(BLOCK)


NO_END = "no complete answer within"
NOT_HTTP = "not an HTTP reply"
TOO_LONG = "go on for more than 16384 bytes"

KINDS = [
    Kind("silent", _stay, reason=NO_END),
    Kind("closes at once", lambda client: None, reason="connection"),
    Kind("resets at once", _reset, reason="reset"),
    Kind("resets after the request", lambda client: _reset(client, True), reason="reset"),
    Kind("half closed, says nothing", _half_closed, reason="without a reply"),
    Kind("urgent data only", _urgent, reason=NO_END),
    Kind("speaks first, nonsense", _speaks_first, reason=NOT_HTTP),
    Kind("speaks first to a TCP check", _speaks_first, "up", "connected", "TCP_CHECK"),
    Kind("resets after a TCP check", _reset_later, "up", "connected", "TCP_CHECK"),
    Kind("endless reason phrase", _says(OK[:-2], again=BLOCK), reason=NOT_HTTP),
    Kind("endless header", _says(OK + b"X: ", again=BLOCK), reason=NOT_HTTP),
    Kind("endless headers", _says(OK, again=b"A: b\r\n" * 5000), reason=NOT_HTTP),
    Kind("endless folded header", _says(OK + b"X: y\r\n", again=b" z\r\n" * 5000),
         reason=NOT_HTTP),
    Kind("headers byte by byte", _bytewise(OK, b"A: b\r\n", 0.05), reason=NO_END),
    Kind("headers byte by byte, fast", _bytewise(OK, b"A: b\r\n", 0)),
    Kind("endless interim replies", _says(again=b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
         reason="too many interim replies"),
    Kind("endless body", _says(OK + b"\r\n", again=BLOCK), "up", "status 200"),
    Kind("endless body for a digest", _says(OK + b"\r\n", again=BLOCK),
         reason="too long for a digest", digest=True),
    Kind("body that never comes", _says(OK + b"Content-Length: 1152921504606846976\r\n\r\n"),
         reason=NO_END),
    Kind("body byte by byte", _bytewise(OK + b"\r\n", b"A", 0.05), reason=NO_END),
    Kind("body byte by byte, fast", _bytewise(OK + b"\r\n", b"A", 0), reason=NO_END),
    Kind("length beyond 64 bits", _says(OK + b"Content-Length: 99999999999999999999\r\n\r\n"),
         reason=NOT_HTTP),
    Kind("two lengths", _says(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
         reason=NOT_HTTP),
    Kind("length and chunks", _says(OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    b"0\r\n\r\n"), reason=NOT_HTTP),
    Kind("endless chunk extension", _says(CHUNKED + b"1;a=", again=BLOCK), reason=TOO_LONG),
    Kind("endless digits of a chunk", _says(CHUNKED, again=b"0" * 65536), reason=TOO_LONG),
    Kind("chunk beyond 64 bits", _says(CHUNKED + b"f" * 32 + b"\r\n"), reason=NOT_HTTP),
    Kind("chunk without its end", _says(CHUNKED + b"1\r\nab\r\n", b"0\r\n\r\n"), reason=NOT_HTTP),
    Kind("chunks of one byte", _says(CHUNKED, again=b"1\r\na\r\n" * 10_000), "up", "status 200"),
    Kind("chunks of one byte for a digest", _says(CHUNKED, again=b"1\r\na\r\n" * 10_000),
         reason="the body comes in crumbs", digest=True),
    Kind("endless trailers", _says(CHUNKED + b"0\r\n", again=b"A: b\r\n" * 5000),
         reason=TOO_LONG),
    Kind("last chunk that never ends", _says(CHUNKED + b"0\r\n"), reason=NO_END),
    Kind("cut within the body", _says(OK + b"Content-Length: 9\r\n\r\nhalf", then_close=True),
         reason="in the middle of its body"),
    Kind("status with letters", _says(b"HTTP/1.1 2x0 OK\r\n\r\n"), reason=NOT_HTTP),
    Kind("status of six digits", _says(b"HTTP/1.1 200200 OK\r\n\r\n"), reason=NOT_HTTP),
    Kind("HTTP/0.9", _says(b"<html>hello</html>", then_close=True), reason=NOT_HTTP),
    Kind("HTTP/2 frames", _says(bytes(3) + b"\x04" + bytes(5)), reason=NOT_HTTP),
    Kind("a TLS alert", _says(b"\x15\x03\x01\x00\x02\x02\x46", then_close=True), reason=NOT_HTTP),
    Kind("a mail server's greeting", _says(b"220 mail ESMTP\r\n"), reason=NOT_HTTP),
    Kind("zeros", _says(again=bytes(65536)), reason=NOT_HTTP),
    Kind("sixty kilobytes of headers, then well",
         _says(OK + b"X: " + b"y" * 60_000 + b"\r\nContent-Length: 0\r\n\r\n"), "up", "status 200"),
]


def _accept(listener: socket.socket, kind: Kind) -> None:
    def one(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            kind.serve(client)

    while True:
        client, _ = listener.accept()
        threading.Thread(target=one, args=(client,), daemon=True).start()


def main(address: str, first_port: str) -> None:
    for number, kind in enumerate(KINDS):
        listener = socket.create_server((address, int(first_port) + number), backlog=64)
        threading.Thread(target=_accept, args=(listener, kind), daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
