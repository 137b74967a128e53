"""Clients of the virtual service: one request, and steady traffic that notices every gap."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass

from .netns import LabError, Namespace


def fetch(machine: Namespace, address: str, port: int = 8099, timeout: float = 1.0,
          path: str = "/") -> str:
    """The body of one HTTP answer, fetched from `machine` over a connection of its own.

    Raises OSError (refused, timed out, reset …) when there is none.
    """
    v6 = ":" in address
    with machine.inside():
        connection = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM)
    with connection:
        connection.settimeout(timeout)
        connection.connect((address, port))
        host = f"[{address}]" if v6 else address
        request = f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n"
        connection.sendall(request.encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise OSError(f"HTTP answer: {head.splitlines()[:1]}")
    return body.decode().strip()


def answers(machine: Namespace, address: str, count: int, **options) -> list[str]:
    """`count` answers in a row; a failed request counts as its error text."""
    found = []
    for _ in range(count):
        try:
            found.append(fetch(machine, address, **options))
        except OSError as error:
            found.append(f"error: {error}")
    return found


@dataclass(frozen=True)
class Request:
    """One request of `Traffic`. Times are monotonic seconds."""

    started: float
    ended: float
    answer: str | None
    error: str | None


class Traffic:
    """A client that asks again and again, each time over a new connection, until stopped."""

    def __init__(self, machine: Namespace, address: str, port: int = 8099, pause: float = 0.05,
                 timeout: float = 0.5):
        self._machine, self._address, self._port = machine, address, port
        self._pause, self._timeout = pause, timeout
        self._requests: list[Request] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        machine.lab.closers.append(self.stop)

    def _ask(self) -> None:
        try:
            self._ask_until_stopped()
        except BaseException as trouble:  # shown by stop(): a client that died is not a quiet one
            self._trouble = trouble

    def _ask_until_stopped(self) -> None:
        while not self._stopping.is_set():
            started = time.monotonic()
            answer = error = None
            try:
                answer = fetch(self._machine, self._address, self._port, self._timeout)
            except OSError as problem:
                error = str(problem) or type(problem).__name__
            with self._lock:
                self._requests.append(Request(started, time.monotonic(), answer, error))
            self._stopping.wait(self._pause)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        if self._trouble:
            raise LabError(f"the client itself failed: {self._trouble!r}")

    def requests(self, since: float = 0, until: float = float("inf")) -> list[Request]:
        """Requests that were started in this span."""
        with self._lock:
            return [one for one in self._requests if since <= one.started <= until]

    def errors(self, since: float = 0, until: float = float("inf")) -> list[Request]:
        return [one for one in self.requests(since, until) if one.error]

    def outage(self, since: float) -> float | None:
        """Seconds from `since` to the end of the first answer after the first failure.

        0 when nothing failed, None while it lasts.
        """
        failed = False
        for one in self.requests(since):
            if one.error:
                failed = True
            elif failed:
                return one.ended - since
        return None if failed else 0.0
