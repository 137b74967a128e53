"""Real servers of many kinds of ill will: what each is called, and what they cost the director and
the servers beside them."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from tests.bench.ipvs import process_seconds
from tests.lab.director import ROOT, Director
from tests.lab.hostile_servers import KINDS, Kind
from tests.lab.many_servers import PORT, SERVERS, ManyServers
from tests.lab.memory import processes
from tests.lab.netns import Lab, eventually

FIRST_PORT = 7000
PACE = " delay_loop 1\n warmup 0\n lb_algo rr\n lb_kind NAT\n protocol TCP\n"
LIMITS = "   connect_timeout 2\n   retry 0\n"
SECONDS = 12


def service(name: str, address: str, check: str) -> str:
    return (f"virtual_server {name} 80 {{\n{PACE} real_server {address} {{\n{check} }}\n}}\n")


def check_of(kind: Kind) -> str:
    if kind.check == "TCP_CHECK":
        return f"  TCP_CHECK {{\n{LIMITS}  }}\n"
    digest = "    digest 00112233445566778899aabbccddeeff\n" if kind.digest else ""
    return f"  HTTP_GET {{\n   url {{\n    path /\n{digest}   }}\n{LIMITS}  }}\n"


@pytest.fixture
def many(tmp_path):
    with Lab(tmp_path) as lab:
        yield ManyServers(lab)


def peak_of(pid: int) -> int:
    """KiB; the most that the process ever occupied."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(text.split("VmHWM:")[1].split()[0])


def test_ill_will_is_named_and_costs_little(many):
    config = service("10.250.0.1", f"{SERVERS} {PORT}", f"  TCP_CHECK {{\n{LIMITS}  }}\n")
    for number, kind in enumerate(KINDS):
        config += service(f"10.250.1.{number + 1}", f"{SERVERS} {FIRST_PORT + number}",
                          check_of(kind))
    hostile = many.machine.spawn(sys.executable, ROOT / "tests/lab/hostile_servers.py", SERVERS,
                                 str(FIRST_PORT), log="hostile")
    assert eventually(lambda: "ready" in hostile.output(), 10) is not None, hostile.output()
    director = Director(many.director, config)
    director.start("-C")
    assert eventually(lambda: "checkers" in processes(director), 10) is not None
    checkers = processes(director)["checkers"]

    def servers() -> list[dict]:
        told = director.status("checkers").get("services", [])
        return [one["servers"][0] for one in told]

    assert eventually(lambda: servers() and all(one["state"] != "unknown" for one in servers()), 15,
                      every=0.5) is not None
    began, used = time.monotonic(), process_seconds(checkers)
    time.sleep(SECONDS)
    share = (process_seconds(checkers) - used) / (time.monotonic() - began)

    well, *others = servers()
    assert well["state"] == "up" and well["checks"][0]["took_ms"] < 100
    wrong = {kind.name: (one["state"], one["checks"][0]["reason"])
             for kind, one in zip(KINDS, others, strict=True)
             if one["state"] != kind.state or kind.reason not in one["checks"][0]["reason"]}
    assert wrong == {}
    assert peak_of(checkers) <= 32 * 1024
    assert share <= 0.5
    assert processes(director)["checkers"] == checkers


def turns_of(pid: int) -> int:
    """How often the kernel has let the process's main thread run."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[2])


def test_single_bytes_as_fast_as_possible_do_not_wake_the_director_for_each(many):
    number, kind = next((number, one) for number, one in enumerate(KINDS)
                        if one.name == "body byte by byte, fast")
    hostile = many.machine.spawn(sys.executable, ROOT / "tests/lab/hostile_servers.py", SERVERS,
                                 str(FIRST_PORT), log="hostile")
    assert eventually(lambda: "ready" in hostile.output(), 10) is not None, hostile.output()
    director = Director(many.director, service("10.250.1.1", f"{SERVERS} {FIRST_PORT + number}",
                                               check_of(kind)))
    director.start("-C")
    assert eventually(lambda: "checkers-server-down" in director.log(), 10) is not None
    checkers = processes(director)["checkers"]

    time.sleep(0.5)
    before = turns_of(checkers)
    time.sleep(4)

    assert turns_of(checkers) - before <= 4 * 500
