"""The checks that are no TCP_CHECK, HTTP_GET or SSL_GET, each against real servers and against
servers that do wrong: up, stopped, frozen, refusing, answering something else."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.lab import servers as real
from tests.lab.keepalived_checks import KeepalivedChecks
from tests.lab.netns import Namespace, eventually
from tests.netns.test_checkers_probes import (SERVER, Checkers, Listener, pair, service,
                                              tcp_server)

assert pair  # a fixture
PACE = "delay_loop 1\n warmup 0\n retry 0\n delay_before_retry 1\n"


def checked(kind: str, port: int, words: str = "", address: str = SERVER, server: str = "") -> str:
    """A real server with one check of this kind."""
    return (f" real_server {address} {port} {{\n{server}  {kind} {{\n   connect_timeout 1\n"
            f"   retry 0\n   {words}\n  }}\n }}\n")


class Answering:
    """A UDP server that answers each datagram with what `answer` makes of it; None: not at all."""

    def __init__(self, machine: Namespace, port: int, answer):
        with machine.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((SERVER, port))
        self.heard: list[tuple[bytes, tuple[str, int]]] = []
        self.answer = answer
        threading.Thread(target=self._serve, daemon=True).start()
        machine.lab.closers.append(self.socket.close)

    def _serve(self) -> None:
        while True:
            try:
                asked, peer = self.socket.recvfrom(65536)
            except OSError:
                return
            self.heard.append((asked, peer))
            if (answer := self.answer(asked)) is not None:
                with contextlib.suppress(OSError):  # no way back to who asked
                    self.socket.sendto(answer, peer)


class Greeter:
    """A TCP server that greets and has an answer to some commands; what it heard is kept."""

    def __init__(self, machine: Namespace, port: int, greeting: bytes,
                 answers: dict[bytes, bytes]):
        with machine.inside():
            self.socket = socket.create_server(("0.0.0.0", port), backlog=64)
        self.greeting, self.answers, self.heard = greeting, answers, []
        threading.Thread(target=self._serve, daemon=True).start()
        machine.lab.closers.append(self.socket.close)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        heard = b""
        with connection:
            connection.settimeout(3)
            try:
                connection.sendall(self.greeting)
                while said := connection.recv(4096):
                    heard += said
                    connection.sendall(self.answers[said[:4]])
            except (OSError, KeyError):
                pass
        self.heard.append(heard)


Case = tuple[str, ...]


class Both:
    """Our checks, and keepalived's with the same configuration."""

    def __init__(self, director: Namespace, cases: list[Case]):
        """Each case: the lines of a server, its state, a part of the reason, and keepalived's
        state where it is another one."""
        config = "".join(service(n + 1, case[0]) for n, case in enumerate(cases))
        self.ours = Checkers(director, config)
        self.ours.start()
        self.theirs = KeepalivedChecks(director, self.ours.file)
        for number, (lines, state, reason, *other) in enumerate(cases, start=1):
            self.wait(number, state, *other)
            assert reason in self.ours.reason(number), (lines, self.ours.server(number))

    def wait(self, number: int, state: str, theirs: str | None = None) -> None:
        self.ours.wait(number, state, 15)
        self.theirs.wait(f"10.77.9.{number}", theirs or state, 15)

    def wait_for_reason(self, number: int, reason: str) -> None:
        told = eventually(lambda: reason in self.ours.reason(number), 5)
        assert told is not None, self.ours.server(number)

    def play_with(self, server: real.Server, number: int) -> None:
        """Freezes it, lets it go on, and ends it."""
        server.freeze()
        self.wait(number, "down")
        server.thaw()
        self.wait(number, "up")
        server.stop()
        self.wait(number, "down")


def swap_id(answer: bytes, asked: bytes) -> bytes:
    return asked[:2] + answer[2:]


def test_dns_servers_of_debian_and_answers_that_are_none(pair):  # noqa: F811
    director, servers = pair
    zone = f"name {real.ZONE}"
    cases = [
        (checked("DNS_CHECK", 5399), "down", "nobody listens"),
        (checked("DNS_CHECK", 53, address="10.98.0.1"), "down", "host unreachable"),
    ]
    director.ip("route add unreachable 10.98.0.0/16")
    running = {}
    expected = {
        "nsd": [("type SOA", zone, "up", "NOERROR, 1"), ("type MX", zone, "up", "NOERROR, 1"),
                ("type A", "name m.lab.example", "up", "NOERROR, 1", "down"),
                ("type TXT", "name big.lab.example", "up", "NOERROR, 20"),  # by TCP
                ("type A", "name absent.lab.example", "down", "NXDOMAIN"),
                ("", "", "down", ". SOA: REFUSED; who does not serve the root")],
        "knotd": [("type SOA", zone, "up", "NOERROR, 1"), ("type NS", zone, "up", "NOERROR, 1"),
                  ("type TXT", "name big.lab.example", "up", "NOERROR, 20"),
                  ("", "", "down", "REFUSED")],
        "named": [("type SOA", zone, "up", "NOERROR, 1"), ("type CNAME", f"name www.{real.ZONE}",
                                                           "up", "NOERROR"),
                  ("type TXT", "name big.lab.example", "up", "NOERROR, 20"),
                  ("", "", "down", "REFUSED")],
        "unbound": [("type SOA", zone, "up", "NOERROR, 1"),
                    ("type A", f"name ns.{real.ZONE}", "up", "NOERROR, 1")],
        "dnsmasq": [("type A", f"name ns.{real.ZONE}", "up", "NOERROR, 1"),
                    ("", "", "down", "REFUSED")],
    }
    for number, (name, rows) in enumerate(expected.items()):
        if real.why_missing(name):
            continue
        port = 5300 + number
        running[name] = (real.DNS_SERVERS[name](servers, SERVER, port), len(cases) + 1)
        cases += [(checked("DNS_CHECK", port, f"{kind}\n   {asked}"), *rest)
                  for kind, asked, *rest in rows]
    assert "nsd" in running, "Debian's nsd is needed (./dev setup)"
    header = bytes.fromhex("1234 8180 0000 0000 0000 0000".replace(" ", ""))
    Answering(servers, 5350, lambda asked: asked)
    Answering(servers, 5351, lambda asked: asked[:2] + b"\x81")
    Answering(servers, 5352, lambda asked: b"xx" + header[2:])
    Answering(servers, 5353, lambda asked: None)
    Answering(servers, 5354, lambda asked: swap_id(header, asked))
    cases += [
        (checked("DNS_CHECK", 5350), "down", "the question came back"),
        (checked("DNS_CHECK", 5351), "down", "an answer of 3 bytes"),
        (checked("DNS_CHECK", 5352), "down", "within 1000 ms, only answers to other questions"),
        (checked("DNS_CHECK", 5353), "down", "no answer within 1000 ms"),
        (checked("DNS_CHECK", 5354), "up", "NOERROR, 0"),
    ]
    both = Both(director, cases)

    for server, number in running.values():
        both.play_with(server, number)


def test_no_dns_question_is_like_another(pair):  # noqa: F811
    director, servers = pair
    mute = Answering(servers, 5353, lambda asked: None)
    checkers = Checkers(director, service(1, checked("DNS_CHECK", 5353)))
    checkers.start()
    assert eventually(lambda: len(mute.heard) >= 5, 20) is not None
    assert len({asked[:2] for asked, _ in mute.heard}) == len(mute.heard)
    assert len({peer[1] for _, peer in mute.heard}) == len(mute.heard)


def test_mail_servers_and_others_in_their_place(pair):  # noqa: F811
    director, servers = pair
    bye = {b"QUIT": b"221 bye\r\n"}
    good = bye | {b"EHLO": b"250-a\r\n250 SIZE\r\n", b"HELO": b"250 a\r\n"}
    Greeter(servers, 2501, b"220-a\r\n", {})
    old = Greeter(servers, 2502, b"220 a\r\n", good | {b"EHLO": b"502 no\r\n"})
    named = Greeter(servers, 2503, b"220 a ESMTP\r\n", good)
    Greeter(servers, 2504, b"554 go away\r\n", bye)
    Greeter(servers, 2505, b"421 too many\r\n", {})
    Listener(servers, 2506, "silent")
    Listener(servers, 2507, "reset")
    Greeter(servers, 2508, b"SSH-2.0-OpenSSH_9.2p1\r\n", {})
    Greeter(servers, 2510, b"220-a\r\n220 a\r\n", good)
    cases = [
        (checked("SMTP_CHECK", 2501), "down", "no complete answer within 1000 ms"),
        (checked("SMTP_CHECK", 2502), "up", "takes HELO"),
        (checked("SMTP_CHECK", 2503, "helo_name probe.example"), "up", "takes EHLO"),
        (checked("SMTP_CHECK", 2504), "down", "greets with 554 go away"),
        (checked("SMTP_CHECK", 2505), "down", "greets with 421 too many"),
        (checked("SMTP_CHECK", 2506), "down", "no complete answer within 1000 ms"),
        (checked("SMTP_CHECK", 2507), "down", "no complete answer within 1000 ms"),
        (checked("SMTP_CHECK", 2508), "down", "does not begin with a reply code"),
        (checked("SMTP_CHECK", 2509), "down", "connection refused"),
        (checked("SMTP_CHECK", 1, f"host {{\n connect_ip {SERVER}\n connect_port 2503\n }}"),
         "up", "takes EHLO", "down"),  # keepalived asks port 1, too
        (checked("SMTP_CHECK", 2510), "up", "takes EHLO", "down"),
    ]
    postfix = None
    if not real.why_missing("postfix"):
        postfix = real.postfix(servers, SERVER, 2525)
        cases.append((checked("SMTP_CHECK", 2525), "up", "takes EHLO"))
    exim = None
    if not real.exim_is_missing():
        exim = real.exim(servers, SERVER, 2526)
        cases.append((checked("SMTP_CHECK", 2526), "up", "takes EHLO"))
    both = Both(director, cases)

    if exim is not None:
        both.play_with(exim, len(cases))
        said = (servers.lab.directory / "exim" / "mainlog").read_text(encoding="utf-8")
        assert "sync" not in said and "error" not in said, said  # nothing was said too early
    assert b"EHLO probe.example\r\nQUIT\r\n" in named.heard
    assert any(heard.startswith(b"EHLO ") and b"\r\nHELO " in heard for heard in old.heard)
    if postfix is None:
        return
    log = (servers.lab.directory / "postfix" / "log").read_text(encoding="utf-8")
    assert "ehlo=1 quit=1 commands=2" in log and "improper" not in log, log
    number = len(cases) - (exim is not None)
    both.play_with(postfix, number)
    both.wait_for_reason(number, "connection refused")


def test_udp_ports_that_are_closed_silent_or_answer(pair):  # noqa: F811
    director, servers = pair
    echo = Answering(servers, 7101, lambda asked: asked)
    Answering(servers, 7102, lambda asked: None)
    Answering(servers, 7103, lambda asked: b"\xab\xcd\xef")
    cases = [
        (checked("UDP_CHECK", 7101), "up", "answers"),
        (checked("UDP_CHECK", 7102), "up", "nobody says that it is not there"),
        (checked("UDP_CHECK", 7109), "down", "nobody listens"),
        (checked("UDP_CHECK", 7102, "require_reply"), "down", "no answer within 1000 ms"),
        (checked("UDP_CHECK", 7101, "payload Ab12f 3 456\n   require_reply AB120F034506"), "up",
         "answers as expected"),
        (checked("UDP_CHECK", 7103, "require_reply ABXD"), "up", "answers as expected"),
        (checked("UDP_CHECK", 7103, "require_reply ABCE"), "down", "begins with ABCDEF instead"),
        (checked("UDP_CHECK", 7103, "require_reply\n   min_reply_length 4"), "down",
         "an answer of 3 bytes instead of 4 to 255", "up"),
        (checked("UDP_CHECK", 7102, address="10.77.0.99"), "down", "host unreachable", "up"),
    ]
    both = Both(director, cases)
    assert bytes.fromhex("ab120f034506") in {asked for asked, _ in echo.heard}
    servers.ip("link set eth0 down")
    director.run("ip", "neigh", "flush", "dev", "eth0")  # in time the kernel forgets by itself
    both.ours.wait(2, "down", 12)  # its silence means something: nobody answers to its address
    servers.ip("link set eth0 up")
    both.ours.wait(2, "up", 20)


@pytest.mark.parametrize("sockets", ["datagram", "raw"])
def test_ping_of_both_families(pair, sockets):  # noqa: F811
    director, servers = pair
    for number, machine in enumerate(pair, start=1):
        machine.sysctl(ipv6__conf__eth0__disable_ipv6=0)
        machine.ip(f"addr add fd00:77::{number}/64 dev eth0 nodad")
    groups = "0 2147483647" if sockets == "datagram" else "1 0"
    director.sysctl(ipv4__ping_group_range=groups)
    six = "fd00:77::2"
    config = (service(1, checked("PING_CHECK", 80))
              + service(2, checked("PING_CHECK", 80, address="10.77.0.99"))
              + service(3, checked("PING_CHECK", 80, "bindto 10.77.0.1"))
              + f"virtual_server fd00:9::4 80 {{\n {PACE} lb_kind NAT\n protocol TCP\n"
              + checked("PING_CHECK", 80, address=six) + "}\n")
    checkers = Checkers(director, config)
    checkers.start()
    checkers.wait(1, "up", 12)
    checkers.wait(2, "down", 12)
    checkers.wait(3, "up", 12)
    [other] = [one for one in checkers.services() if one["address"] == "fd00:9::4"]
    assert other["servers"][0]["state"] == "up", other
    assert other["servers"][0]["checks"][0]["target"] == six
    servers.sysctl(ipv4__icmp_echo_ignore_all=1)
    checkers.wait(1, "down", 12)
    assert "no answer within 1000 ms" in checkers.reason(1)
    servers.sysctl(ipv4__icmp_echo_ignore_all=0)
    checkers.wait(1, "up", 12)


def script_at(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
    path.chmod(0o755)
    return path


def misc(command: str, words: str = "", weight: int = 10) -> str:
    return (f" real_server {SERVER} 80 {{\n  weight {weight}\n  MISC_CHECK {{\n"
            f'   misc_path "{command}"\n   retry 0\n   {words}\n  }}\n }}\n')


def test_scripts_their_codes_and_their_weights(pair):  # noqa: F811
    director, _ = pair
    here = director.lab.directory
    code = here / "code"
    code.write_text("0", encoding="ascii")
    by_file = script_at(here / "by-file", f"exit $(cat {code})")
    left = here / "left"
    slow = script_at(here / "slow", f"sleep 30\ntouch {left}")
    config = (
        service(1, misc("/bin/true"))
        + service(2, misc("/bin/false"))
        + service(3, misc(f"{by_file}", "misc_dynamic"))
        + service(4, misc(f"{slow} x", "misc_timeout 1"))
        + service(5, misc("/bin/sh -c 'kill -9 $$'"))
        + service(6, misc(f"{here}/absent"))
        + service(7, misc("/bin/sh -c 'test $(id -un) = nobody'", "user nobody"))
        + service(8, misc("/bin/sh -c 'exit 255'"))
    )
    checkers = Checkers(director, config)
    checkers.start()
    for number, state, reason in ((1, "up", "exited with code 0"), (2, "down", "code 1"),
                                  (3, "up", "code 0"), (4, "down", "not ended after 1000 ms"),
                                  (5, "down", "signal 9"), (7, "up", "code 0"),
                                  (8, "down", "code 255")):
        checkers.wait(number, state, 15)
        assert reason in checkers.reason(number), checkers.server(number)
    # What cannot be run blames no server, and is tried again.
    assert eventually(lambda: "No such file" in checkers.reason(6), 10) is not None
    assert checkers.server(6)["state"] == "unknown"
    script_at(here / "absent", "exit 0")
    checkers.wait(6, "up", 10)

    def weighs(weight: int) -> bool:
        return checkers.server(3)["effective_weight"] == weight

    for number, weight in (("42", 40), ("2", 0), ("255", 253), ("0", 10), ("12", 10)):
        code.write_text(number, encoding="ascii")
        assert eventually(lambda w=weight: weighs(w), 10) is not None, checkers.server(3)
        assert checkers.server(3)["state"] == "up"
    code.write_text("1", encoding="ascii")
    checkers.wait(3, "down", 10)
    code.write_text("7", encoding="ascii")
    checkers.wait(3, "up", 10)
    assert weighs(5)
    assert "has weight 253 instead of 0" in checkers.process.output()

    # Twenty runs that were too slow later nothing is left of them, and nothing has added up.
    time.sleep(3)
    assert not left.exists()
    sleeping = director.run("pgrep", "-f", f"{slow}", check=False).stdout.split()
    assert len(sleeping) <= 2, sleeping


def test_a_probe_that_is_bound_leaves_so(pair):  # noqa: F811
    director, servers = pair
    director.ip("link add alone type veth peer name nobody", "link set alone up",
                "addr add 10.77.0.50/32 dev alone")
    director.run("nft", "add table inet t")
    director.run("nft", "add chain inet t out { type filter hook output priority 0 ; }")
    for port in (7201, 7202):
        director.run("nft", f"add rule inet t out meta mark 7 udp dport {port} counter reject")
    Answering(servers, 7201, lambda asked: asked)
    echo = Answering(servers, 7203, lambda asked: asked)
    words = "require_reply"
    Listener(servers, 7204, "silent")
    cases = [
        (checked("UDP_CHECK", 7201, words), "up", "answers"),
        (checked("UDP_CHECK", 7201, f"{words}\n   fwmark 7"), "down", ""),
        (checked("UDP_CHECK", 7203, f"{words}\n   bindto 10.77.0.50\n   bind_port 4444"), "down",
         "no answer within"),  # the server has no route back
        (checked("UDP_CHECK", 7203, f"{words}\n   bind_if alone"), "down", ""),
        (checked("UDP_CHECK", 7203, f"{words}\n   bind_if eth0"), "up", "answers"),
        (checked("UDP_CHECK", 1, f"{words}\n   connect_ip {SERVER}\n   connect_port 7203",
                 address="10.99.0.9"), "up", "answers"),
        (tcp_server(SERVER, 7204, "bind_if eth0\n   fwmark 9"), "up", "connected"),
    ]
    servers.ip("route add unreachable 10.77.0.50/32")
    checkers = Checkers(director, "".join(service(n + 1, case[0]) for n, case in
                                          enumerate(cases)))
    checkers.start()
    for number, (lines, state, reason) in enumerate(cases, start=1):
        checkers.wait(number, state, 12)
        assert reason in checkers.reason(number), (lines, checkers.server(number))
    assert ("10.77.0.50", 4444) in {peer for _, peer in echo.heard}


def test_a_check_that_is_not_done_yet_leaves_the_table_alone(pair):  # noqa: F811
    director, _ = pair
    config = ("bfd_instance b {\n neighbor_ip 10.77.0.2\n}\n"
              + service(1, " real_server 10.77.0.2 80 {\n  BFD_CHECK {\n   name b\n  }\n }\n"))
    checkers = Checkers(director, config)
    checkers.start()
    assert checkers.server(1)["state"] == "unknown"
    assert checkers.services()[0]["up_weight"] == 0
    assert "stays as the table has it" in checkers.process.output()


def test_a_number_in_a_file_is_added_to_the_weight(pair):  # noqa: F811
    director, _ = pair
    number = director.lab.directory / "number"
    number.write_text("5\n", encoding="ascii")

    def server(words: str = "") -> str:
        return (f" real_server {SERVER} 80 {{\n  weight 10\n  FILE_CHECK {{\n   track_file load\n"
                f"   {words}\n  }}\n }}\n")
    config = (f"track_file load {{\n file {number}\n weight 1\n}}\n"
              + service(1, server()) + service(2, server("weight -2"))
              + service(3, server("weight 0")) + service(4, server("weight 1 reverse")))
    checkers = Checkers(director, config)
    checkers.start()

    def weigh(*weights: int) -> None:
        told = eventually(lambda: tuple(checkers.server(n)["effective_weight"]
                                        for n in (1, 2, 4)) == weights, 5)
        assert told is not None, checkers.services()

    weigh(15, 0, 5)
    checkers.wait(3, "down", 5)
    number.write_text("0\n", encoding="ascii")
    weigh(10, 10, 10)
    checkers.wait(3, "up", 5)
    number.write_text("-300\n", encoding="ascii")
    weigh(0, 610, 310)
    assert checkers.server(1)["state"] == "up"
    number.unlink()
    weigh(10, 10, 10)
    number.write_text("7\n", encoding="ascii")
    weigh(17, 0, 3)
    number.write_text("-2147483648\n", encoding="ascii")
    checkers.wait(1, "down", 5)
