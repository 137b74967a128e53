"""The checkers process against real servers: nginx, raw sockets, nftables, routes.

Without ip_vs the verdicts are read from the status socket, which is how this machine's kernel is
served anyway."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from tests.lab.director import BIN
from tests.lab.netns import Lab, Namespace, Process, eventually

PAGE = b"the page of the real server\n"
DIGEST = hashlib.md5(PAGE, usedforsecurity=False).hexdigest()
SERVER = "10.77.0.2"

PACE = "delay_loop 1\n warmup 0\n"
CONNECT = "connect_timeout 2\n retry 1\n delay_before_retry 1\n"


def service(number: int, servers: str, extra: str = "") -> str:
    return (f"virtual_server 10.77.9.{number} 80 {{\n {PACE} lb_algo rr\n lb_kind NAT\n"
            f" protocol TCP\n{extra}\n{servers}}}\n")


def tcp_server(address: str, port: int, extra: str = "") -> str:
    return f" real_server {address} {port} {{\n  TCP_CHECK {{\n {CONNECT} {extra} }}\n }}\n"


def http_server(address: str, port: int, url: str, extra: str = "") -> str:
    return f" real_server {address} {port} {{\n  HTTP_GET {{\n {url}\n {CONNECT} {extra} }}\n }}\n"


class Checkers:
    """One director that runs nothing but checkers."""

    def __init__(self, machine: Namespace, config: str):
        self.machine = machine
        self.directory = machine.lab.directory / "run"
        self.file = machine.lab.directory / "checkers.conf"
        self.write(config)
        self.process: Process | None = None

    def write(self, config: str) -> None:
        self.file.write_text(config, encoding="utf-8")

    def start(self, *extra: str) -> None:
        program = os.environ.get("HOLDFAST_PROGRAM", str(BIN / "holdfast"))
        self.process = self.machine.spawn(program, "-n", "-l", "-D", "-C", "-f", self.file,
                                          "--run-dir", self.directory, *extra, log="holdfast")
        assert eventually(self.services, 10) is not None, self.process.output()

    def status(self) -> dict:
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(5)
            control.connect(str(self.directory / "checkers.sock"))
            control.sendall(b'{"command":"status"}\n')
            with control.makefile("r", encoding="utf-8") as answer:
                return json.loads(answer.readline())

    def services(self) -> list[dict]:
        try:
            return self.status()["services"]
        except (OSError, ValueError, KeyError):
            return []

    def server(self, service_number: int, index: int = 0) -> dict:
        for one in self.services():
            if one["address"] == f"10.77.9.{service_number}":
                return one["servers"][index]
        return {"state": None, "checks": []}

    def wait(self, number: int, state: str, timeout: float, index: int = 0) -> float:
        took = eventually(lambda: self.server(number, index)["state"] == state, timeout)
        assert took is not None, (state, self.server(number, index), self.process.output())
        return took

    def reason(self, number: int, index: int = 0) -> str:
        return self.server(number, index)["checks"][0]["reason"] or ""


class Listener:
    """A raw TCP server: accepts, perhaps says something, ends each connection in its own way."""

    def __init__(self, machine: Namespace, port: int, behaviour: str, payload: bytes = b""):
        with machine.inside():
            self.socket = socket.create_server(("0.0.0.0", port), backlog=64)
        self.behaviour, self.payload = behaviour, payload
        self.open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()
        machine.lab.closers.append(self.close)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            if self.behaviour == "reset":
                connection.recv(4096)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
            elif self.behaviour == "silent":
                self.open.append(connection)
            else:  # "say": byte by byte, the hardest split
                connection.recv(4096)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    for byte in self.payload:
                        connection.send(bytes([byte]))
                except OSError:
                    pass
                connection.close()

    def close(self) -> None:
        self.socket.close()
        for connection in self.open:
            connection.close()


@pytest.fixture
def pair(lab: Lab) -> tuple[Namespace, Namespace]:
    """A director 10.77.0.1 and a machine of real servers 10.77.0.2 on one switch."""
    switch = lab.switch("switch")
    director, servers = lab.machine("director"), lab.machine("servers")
    lab.cable(director, switch, "10.77.0.1/24")
    lab.cable(servers, switch, f"{SERVER}/24")
    return director, servers


def start_nginx(machine: Namespace, port: int = 8080) -> Process:
    root = machine.lab.directory / "www"
    root.mkdir(exist_ok=True)
    (root / "index.html").write_bytes(PAGE)
    config = machine.lab.directory / "nginx.conf"
    config.write_text(f"""
        daemon off; worker_processes 1; pid {root}/nginx.pid; error_log {root}/error.log; user root;
        events {{ worker_connections 64; }}
        http {{ access_log {root}/access.log; default_type text/plain;
          server {{ listen {port} default_server; root {root};
            location = /gone {{ return 404; }}
            location = /moved {{ return 302 /; }} }}
          server {{ listen {port}; server_name good.example.com;
            location / {{ return 200 "virtual"; }} }} }}
    """, encoding="ascii")
    nginx = machine.spawn("nginx", "-c", config, log="nginx")

    def answers() -> bool:
        with machine.inside(), socket.socket() as probe:
            return probe.connect_ex((SERVER, port)) == 0

    assert eventually(answers, 10) is not None, nginx.output()
    return nginx


def test_every_way_to_fail_has_its_reason(pair):
    director, servers = pair
    start_nginx(servers)
    Listener(servers, 7001, "reset")
    Listener(servers, 7002, "silent")
    Listener(servers, 7003, "say", b"220 mail.example.com ESMTP\r\n")
    Listener(servers, 7004, "say", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort")
    Listener(servers, 7005, "say", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole")
    servers.run("nft", "add table inet t")
    servers.run("nft", "add chain inet t in { type filter hook input priority 0 ; }")
    servers.run("nft", "add rule inet t in tcp dport 7009 drop")
    director.ip("route add unreachable 10.98.0.0/16")
    cases = [
        # (server lines, state, part of the reason)
        (tcp_server(SERVER, 8080), "up", "connected"),
        (tcp_server(SERVER, 7008), "down", "connection refused"),
        (tcp_server(SERVER, 7009), "down", "no connection within 2000 ms"),
        (tcp_server("10.98.0.1", 80), "down", "host unreachable"),
        (tcp_server("10.99.0.1", 80), "down", "network unreachable"),
        (http_server(SERVER, 7001, "url { path / }"), "down", "connection reset"),
        (http_server(SERVER, 7002, "url { path / }"), "down", "no complete answer within 2000 ms"),
        (http_server(SERVER, 7003, "url { path / }"), "down", "not an HTTP reply"),
        (http_server(SERVER, 7004, "url { path / }"), "down", "in the middle of its body"),
        (http_server(SERVER, 7005, "url { path / }"), "up", "status 200"),
        (http_server(SERVER, 8080, f"url {{ path /\n digest {DIGEST.upper()}\n }}"),
         "up", "status 200"),
        (http_server(SERVER, 8080, "url { path /\n digest " + "0" * 32 + "\n }"),
         "down", f"digest {DIGEST} instead"),
        (http_server(SERVER, 8080, "url { path /gone }"), "down", "status 404 instead of 200-299"),
        (http_server(SERVER, 8080, "url { path /gone\n status_code 404\n }"), "up", "status 404"),
        (http_server(SERVER, 8080, "url { path / }\n url { path /gone }"),
         "down", "/gone: status 404"),
        (http_server(SERVER, 8080, "url { path /x\n virtualhost good.example.com\n }"),
         "up", "status 200"),
        (tcp_server(SERVER, 1, "connect_port 8080"), "up", "connected"),
        (tcp_server("10.99.0.9", 80, f"connect_ip {SERVER}\n connect_port 8080"),
         "up", "connected"),
        (tcp_server(SERVER, 8080, "bindto 10.77.0.1"), "up", "connected"),
    ]
    def one_per_line(text: str) -> str:  # the short form above is not the language's
        return text.replace("{ path", "{\n path").replace(" }", "\n }")
    config = "".join(one_per_line(service(n + 1, lines)) for n, (lines, _, _) in enumerate(cases))
    checkers = Checkers(director, config)
    checkers.start()

    for number, (lines, state, reason) in enumerate(cases, start=1):
        checkers.wait(number, state, 10)
        assert reason in checkers.reason(number), (lines, checkers.server(number))
        check = checkers.server(number)["checks"][0]
        assert check["took_ms"] >= 0 and check["last_at"].endswith("Z")
    for number in (3, 7):  # the two time limits
        assert 2000 <= checkers.server(number)["checks"][0]["took_ms"] < 3000


def test_a_source_address_that_is_not_here_blames_no_server(pair):
    director, servers = pair
    start_nginx(servers)
    checkers = Checkers(director, service(1, tcp_server(SERVER, 8080, "bindto 10.77.0.200")))
    checkers.start()
    assert eventually(lambda: "the director cannot bind" in checkers.reason(1), 5) is not None
    assert checkers.server(1)["state"] == "unknown"
    director.ip("addr add 10.77.0.200/24 dev eth0")
    checkers.wait(1, "up", 5)


def test_a_stopped_server_goes_down_after_its_retries_and_comes_back(pair):
    director, servers = pair
    nginx = start_nginx(servers)
    checkers = Checkers(director, service(1, tcp_server(SERVER, 8080)))
    checkers.start()
    checkers.wait(1, "up", 5)
    stopped = time.monotonic()
    nginx.stop()
    checkers.wait(1, "down", 10)
    took = time.monotonic() - stopped
    # delay_loop + retry x delay + timeout; at least one retry delay
    assert 1.0 <= took <= 1 + 1 + 2 + 0.5
    assert checkers.server(1)["checks"][0]["failures_in_row"] >= 2
    start_nginx(servers)
    assert checkers.wait(1, "up", 5) <= 1.5


def test_each_failure_is_logged_where_it_is_wanted_and_their_number_is_bounded(pair):
    """As keepalived's log_all_failures: while the check is up, its retries included."""
    director, servers = pair
    listener = Listener(servers, 7001, "silent")
    pace = "retry 3\n delay_before_retry 0.3\n delay_loop 1\n"

    crowd = "".join(f" real_server {SERVER} {port} {{\n  TCP_CHECK {{\n {pace} }}\n }}\n"
                    for port in range(7100, 7140))
    # Another source: a check of its own, not the same one twice.
    quiet = " log_all_failures no\n bindto 10.77.0.1\n"
    checkers = Checkers(director, "global_defs {\n checker_log_all_failures on\n}\n"
                        + service(1, tcp_server(SERVER, 7001, pace))
                        + service(2, tcp_server(SERVER, 7001, pace + quiet)) + service(3, crowd))
    checkers.start()
    checkers.wait(1, "up", 5)
    checkers.wait(2, "up", 5)
    checkers.wait(3, "down", 10, 39)
    listener.close()
    checkers.wait(1, "down", 10)
    log = checkers.process.output()
    lines = [line for line in log.splitlines() if "checkers-check-failure" in line]
    mine = [line for line in lines if f"{SERVER}:7001" in line]
    assert len(lines) <= 60
    assert [line.split("failure ")[1][:1] for line in mine] == ["1", "2", "3"], log
    assert all("10.77.9.1" in line for line in mine)
    # A connection that waited to be accepted is reset.
    assert ("refused" in mine[0] or "reset" in mine[0]) and "3 retries granted" in mine[0]


def test_reload_and_kill_keep_the_verdicts(pair):
    director, servers = pair
    start_nginx(servers)
    config = service(1, tcp_server(SERVER, 8080) + tcp_server(SERVER, 7008))
    checkers = Checkers(director, config)
    checkers.start()
    checkers.wait(1, "up", 5)
    checkers.wait(1, "down", 5, index=1)
    before = checkers.status()
    since = [one["since_at"][:19] for one in before["services"][0]["servers"]]

    checkers.write(config + service(2, tcp_server(SERVER, 8080)))
    os.kill(checkers.process.pid, signal.SIGHUP)
    both = eventually(lambda: len(checkers.services()) == 2, 10)
    assert both is not None, checkers.process.output()
    after = checkers.status()
    assert after["pid"] == before["pid"]
    assert [one["since_at"][:19] for one in after["services"][0]["servers"]] == since
    assert after["probes"] == before["probes"]  # the new service shares the probe

    os.kill(after["pid"], signal.SIGKILL)
    assert eventually(
        lambda: checkers.services() and checkers.status()["pid"] != after["pid"], 10
    ) is not None
    resumed = checkers.status()["services"][0]["servers"]
    assert [one["state"] for one in resumed] == ["up", "down"]
    assert [one["since_at"][:19] for one in resumed] == since
    time.sleep(3)
    assert [one["state"] for one in checkers.status()["services"][0]["servers"]] == ["up", "down"]
    assert "checkers-resumed" in checkers.process.output()


def test_notifications_run_in_order(pair):
    director, servers = pair
    nginx = start_nginx(servers)
    log: Path = director.lab.directory / "notified"
    script = director.lab.directory / "note"
    script.write_text(f'#!/bin/sh\necho "$1" >> {log}\n', encoding="ascii")
    script.chmod(0o755)
    server = (f" real_server {SERVER} 8080 {{\n"
              f'  notify_up "{script} up"\n  notify_down "{script} down"\n'
              f"  TCP_CHECK {{\n {CONNECT} }}\n }}\n")
    quorum = f' quorum_up "{script} gained"\n quorum_down "{script} lost"\n'
    checkers = Checkers(director, service(1, server, quorum))
    checkers.start()
    checkers.wait(1, "up", 5)
    nginx.stop()
    checkers.wait(1, "down", 10)
    start_nginx(servers)
    checkers.wait(1, "up", 10)

    def told(*words: str) -> list[str]:
        return [word for word in log.read_text(encoding="ascii").split() if word in words]

    # In order for the service, and for the server; the two run side by side.
    in_order = eventually(lambda: told("gained", "lost") == ["gained", "lost", "gained"]
                          and told("up", "down") == ["down", "up"], 5)
    assert in_order is not None, log.read_text()


def test_without_ip_vs_there_is_one_clear_error_and_probes_go_on(pair):
    director, servers = pair
    if Path("/proc/net/ip_vs").exists():
        pytest.skip("this kernel has ip_vs: what happens without it cannot be seen here")
    start_nginx(servers)
    checkers = Checkers(director, service(1, tcp_server(SERVER, 8080)))
    checkers.start()
    checkers.wait(1, "up", 5)
    ipvs = checkers.status()["ipvs"]
    assert ipvs["available"] is False and "ip_vs" in ipvs["error"]
    time.sleep(6)
    assert checkers.process.output().count("checkers-ipvs-unavailable") == 1


def test_probes_are_counted_by_what_became_of_them(pair):
    director, servers = pair
    start_nginx(servers)
    refused = tcp_server(SERVER, 9)  # nobody listens there
    checkers = Checkers(director, service(1, tcp_server(SERVER, 8080) + refused))
    checkers.start()
    checkers.wait(1, "up", 5)

    def counted() -> bool:
        counters = checkers.status()["counters"]
        ended = [counters[f"probes_{name}"] for name in ("passed", "failed", "not_tried")]
        return (ended[0] >= 3 and ended[1] >= 3 and ended[2] == 0
                and counters["probes_started"] - sum(ended) in (0, 1, 2))

    assert eventually(counted, 15) is not None, checkers.status()["counters"]


def test_a_paused_process_blames_nobody(pair):
    director, servers = pair
    start_nginx(servers)
    checkers = Checkers(director, service(1, http_server(SERVER, 8080, "url {\n path /\n }")))
    checkers.start()
    checkers.wait(1, "up", 5)
    pid = checkers.status()["pid"]
    os.kill(pid, signal.SIGSTOP)
    time.sleep(2.5)  # longer than the probe's limit, shorter than the watchdog's patience
    os.kill(pid, signal.SIGCONT)
    time.sleep(2)
    server = checkers.server(1)
    assert server["state"] == "up" and server["checks"][0]["failures_in_row"] == 0
    assert checkers.status()["counters"]["server_transitions"] == 0


def test_an_orderly_stop_ends_everything(pair):
    director, servers = pair
    start_nginx(servers)
    checkers = Checkers(director, service(1, tcp_server(SERVER, 8080)))
    checkers.start()
    checkers.wait(1, "up", 5)
    assert checkers.process.stop() == 0
    assert not (checkers.directory / "checkers.sock").exists()
    assert director.pids() == []
