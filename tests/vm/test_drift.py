"""What others do to the table of a director: found, told, put right, and never fought over."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, eventually

SERVICES = 30  # more than one look of the rolling window reads
FOREIGN = "192.168.9.9:80"
# Without a process for each change: it has to be quicker than our reading back.
RIVAL = '''
import time
while True:
    print("-e -t 10.1.0.4:80 -r 10.2.0.1:80 -m -w 9", flush=True)
    time.sleep(0.02)
'''


def config(weight: int = 1) -> str:
    return "".join(
        f"virtual_server 10.1.0.{number} 80 {{\n delay_loop 10\n lb_algo rr\n lb_kind NAT\n"
        f" protocol TCP\n real_server 10.2.0.1 80 {{\n  weight {weight}\n }}\n"
        f" real_server 10.2.0.2 80 {{\n  weight {weight}\n }}\n}}\n"
        for number in range(1, SERVICES + 1)
    )


@pytest.fixture
def director(lab: Lab, program: str) -> Director:
    if program != "holdfast":
        pytest.skip("keepalived does not look")
    (machine,) = lab.machines("d1")
    machine.bring_up("lo")
    machine.run("ipvsadm", "-A", "-t", FOREIGN, "-s", "sh")
    made = Director(machine, config())
    made.start("-C", "-D")
    assert eventually(lambda: len(made.table()) == SERVICES + 1, 30) is not None, made.log()
    time.sleep(1)  # read back
    return made


def weight_of(director: Director, number: int) -> int | None:
    service = director.table().get(f"TCP 10.1.0.{number}:80")
    server = service.servers.get("10.2.0.1:80") if service else None
    return server.weight if server else None


def test_what_others_change_is_put_back_and_becomes_history(director: Director) -> None:
    before = director.ipvsadm()
    for number in (3, 17, SERVICES):
        director.machine.run("ipvsadm", "-e", "-t", f"10.1.0.{number}:80", "-r", "10.2.0.1:80",
                             "-m", "-w", "9")
    director.machine.run("ipvsadm", "-D", "-t", "10.1.0.5:80")
    director.machine.run("ipvsadm", "-E", "-t", "10.1.0.6:80", "-s", "wlc")
    director.machine.run("ipvsadm", "-e", "-t", FOREIGN, "-r", "10.2.0.1:80", "-m", check=False)
    director.machine.run("ipvsadm", "-a", "-t", FOREIGN, "-r", "10.2.0.1:80", "-m")

    window = 6 * (SERVICES / 16 + 1)
    back = eventually(lambda: weight_of(director, 3) == weight_of(director, 17)
                      == weight_of(director, SERVICES) == weight_of(director, 5) == 1,
                      window + 10, 0.2)

    assert back is not None, director.log()[-3000:]
    assert eventually(lambda: "-t 10.1.0.6:80 -s rr" in director.ipvsadm(), 5) is not None
    assert sorted(director.ipvsadm().splitlines()) == sorted(
        [*before.splitlines(), f"-a -t {FOREIGN} -r 10.2.0.1:80 -m -w 1"])
    time.sleep(1)
    told = director.status("checkers")["ipvs"]
    assert told["differs"] is None
    assert told["drift"] >= 5 and told["last_drift_ms"] < 1000 * (window + 15)
    shown = director.ctl("status").stdout
    assert "that others changed were put back since the start" in shown
    assert "differs" not in shown


def test_a_program_that_never_gives_way_is_named_once_and_not_fought(director: Director) -> None:
    def told() -> dict:
        return director.status("checkers")["ipvs"]

    rival = director.machine.spawn("bash", "-c", f"/usr/bin/python3 -uc '{RIVAL}' | ipvsadm -R")
    try:
        named = eventually(lambda: "checkers-ipvs-stubborn" in director.log(), 40, 0.2)
        assert named is not None, director.log()[-3000:]
        sent = director.log().count("ipvsadm -e -t 10.1.0.4:80")
        time.sleep(10)
        assert director.log().count("ipvsadm -e -t 10.1.0.4:80") - sent <= 3
        assert director.log().count("checkers-ipvs-stubborn") == 1
        # Between an attempt and its reading back nobody knows.
        differs: dict = {}
        assert eventually(lambda: differs.update(told()["differs"] or {}) or differs, 10)
        assert differs["places"] == 1 and differs["since_ms"] > 9000
        assert differs["entries"] == [
            "TCP 10.1.0.4:80: server 10.2.0.1:80 has weight 9, should have 1"]
    finally:
        os.killpg(rival.pid, signal.SIGTERM)

    back = eventually(lambda: weight_of(director, 4) == 1, 65, 0.5)
    assert back is not None, director.log()[-3000:]
    assert eventually(lambda: told()["differs"] is None, 5) is not None
