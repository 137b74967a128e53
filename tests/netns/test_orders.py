"""What an operator asks of running directors: to resign, another priority, to drain a server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.lab.director import BIN, Director
from tests.lab.netns import Lab, eventually
from tests.lab.wire import Capture

from .test_metrics import open_directory
from .test_vrrp_director import config

A, B = "10.9.0.1", "10.9.0.2"
SERVER = "10.9.0.2:8080"
SERVICE = ("virtual_server 10.9.0.200 80 {\n delay_loop 1\n lb_algo rr\n lb_kind NAT\n"
           " protocol TCP\n real_server 10.9.0.2 8080 {\n weight 3\n"
           " TCP_CHECK {\n connect_timeout 1\n retry 0\n }\n }\n}\n")


class Pair:
    def __init__(self, lab: Lab):
        switch = lab.switch("sw")
        first, second = lab.machines("a", "b")
        lab.cables(switch, (first, "eth0", f"{A}/24"), (second, "eth0", f"{B}/24"))
        self.capture = Capture(switch)
        self.a = Director(first, config(150) + SERVICE)
        self.b = Director(second, config(100))
        self.a.start()
        self.becomes(self.a, "MASTER")
        self.b.start("-P")
        self.becomes(self.b, "BACKUP")

    def becomes(self, director: Director, state: str, timeout: float = 10) -> None:
        assert eventually(lambda: director.state("VI_1") == state, timeout) is not None, (
            director.log())


@pytest.fixture
def pair() -> Iterator[Pair]:
    with open_directory() as directory, Lab(directory) as lab:
        yield Pair(lab)


def orders(director: Director, process: str = "vrrp") -> list[dict]:
    return director.status(process)["orders"]


def test_a_master_that_resigns_is_followed_within_the_skew_time(pair: Pair) -> None:
    since = time.time()
    done = pair.a.ctl("resign", "VI_1", "--for", "15s")
    assert done.returncode == 0 and done.stdout.startswith("order 1: VI_1 leaves"), done

    pair.becomes(pair.b, "MASTER", 5)
    pair.becomes(pair.a, "BACKUP", 1)
    adverts = pair.capture.adverts(since, vrid=51)
    resigned = next(one.at for one in adverts if one.source == A and one.priority == 0)
    followed = next(one.at for one in adverts if one.source == B)
    assert followed - resigned < (256 - 100) / 256 + 0.1
    assert pair.b.holds("10.9.0.200") and not pair.a.holds("10.9.0.200")

    shown, = orders(pair.a)
    assert shown["kind"] == "resign" and shown["uid"] == 0 and 0 < shown["left_ms"] <= 15000
    assert shown["author"] in pair.a.ctl("status").stdout
    pair.a.write_config(config(160) + SERVICE)
    assert pair.a.ctl("reload").returncode == 0
    time.sleep(4.5)  # a stronger director would have taken over by now
    assert pair.a.state("VI_1") == "BACKUP"

    pair.becomes(pair.a, "MASTER", 20)  # when its time is over
    assert orders(pair.a) == []
    log = pair.a.log()
    assert "order-given: order 1: resign VI_1, asked for by " in log
    assert "order-ended: order 1: resign VI_1 is over: its time has ended" in log


def test_a_priority_is_lowered_and_taken_back(pair: Pair) -> None:
    assert pair.a.ctl("priority", "VI_1", "-100").returncode == 0
    pair.becomes(pair.b, "MASTER", 6)
    instance = pair.a.status("vrrp")["instances"][0]
    assert (instance["priority"], instance["effective_priority"]) == (150, 50)
    assert instance["priority_sum"] == "150 - 100 (asked for by an operator) = 50"

    os.kill(pair.a.role_pid("vrrp"), signal.SIGKILL)  # its successor goes on with it
    assert eventually(lambda: pair.a.state("VI_1") == "BACKUP", 10) is not None
    assert pair.a.status("vrrp")["instances"][0]["effective_priority"] == 50

    assert pair.a.ctl("priority", "VI_1", "0").returncode == 0
    pair.becomes(pair.a, "MASTER", 6)
    for words, sentence in ((("priority", "VI_1", "0"), "nobody has asked for this"),
                            (("priority", "VI_1", "+300"), "can be raised or lowered by 1 to 254"),
                            (("resign", "VI_9"), "there is no vrrp_instance 'VI_9'")):
        done = pair.a.ctl(*words)
        assert done.returncode == 1 and sentence in done.stderr, done


def test_a_drained_server_is_checked_on_and_stays_drained(pair: Pair) -> None:
    def server() -> dict:
        return pair.a.status("checkers")["services"][0]["servers"][0]

    pair.b.machine.spawn("/usr/bin/python3", "-m", "http.server", "8080", log="http")
    assert eventually(lambda: server()["state"] == "up", 10) is not None, pair.a.log()
    assert server()["effective_weight"] == 3

    done = pair.a.ctl("drain", SERVER, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["value"] == 0
    assert server()["effective_weight"] == 0 and server()["state"] == "up"
    last = server()["checks"][0]["last_at"]
    assert eventually(lambda: server()["checks"][0]["last_at"] > last, 5) is not None

    os.kill(pair.a.role_pid("checkers"), signal.SIGKILL)
    assert eventually(lambda: pair.a.status("checkers").get("services"), 10) is not None
    assert server()["effective_weight"] == 0
    pair.a.write_config(config(150) + SERVICE.replace("weight 3", "weight 5"))
    assert pair.a.ctl("reload").returncode == 0
    assert (server()["configured_weight"], server()["effective_weight"]) == (5, 0)

    assert pair.a.ctl("weight", SERVER, "9", "--for", "1s").returncode == 0
    assert server()["effective_weight"] == 9
    assert eventually(lambda: server()["effective_weight"] == 5, 4) is not None
    assert pair.a.ctl("drain", SERVER).returncode == 0
    assert pair.a.ctl("undrain", SERVER).returncode == 0
    assert server()["effective_weight"] == 5 and orders(pair.a, "checkers") == []


def test_checks_are_run_when_asked(pair: Pair) -> None:
    text = config(150) + SERVICE.replace("delay_loop 1", "delay_loop 60")
    pair.a.write_config(text)
    assert pair.a.ctl("reload").returncode == 0

    def runs() -> int:
        return pair.a.status("checkers")["counters"]["probes_started"]

    before = runs()
    assert pair.a.ctl("check-now", SERVER).returncode == 0
    assert eventually(lambda: runs() > before, 2) is not None
    assert pair.a.ctl("check-now", "10.9.0.3:80").returncode == 1


def test_only_root_asks_and_everybody_sees(pair: Pair) -> None:
    pair.a.directory.chmod(0o755)

    def stranger(*words: str) -> subprocess.CompletedProcess[str]:
        return pair.a.machine.run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(BIN / "holdfastctl"),
            "--run-dir", str(pair.a.directory), *words, check=False)

    for words in (("resign", "VI_1"), ("priority", "VI_1", "-50"), ("drain", SERVER),
                  ("weight", SERVER, "1"), ("check-now",)):
        done = stranger(*words)
        assert done.returncode == 1 and "only root" in done.stderr, done
    assert orders(pair.a) == [] and pair.a.state("VI_1") == "MASTER"
    pair.a.ctl("priority", "VI_1", "+1")
    assert "VI_1 has +1 to its priority" in stranger("status").stdout


def kill_vrrp(director: Director) -> None:
    """And waits for the successor."""
    before = director.role_pid("vrrp")
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: director.status("vrrp").get("pid", before) != before, 5) is not None


def test_a_successor_goes_on_with_what_was_asked_of_a_killed_process(pair: Pair) -> None:
    """Points count no sooner than a script of its own has spoken: 150 less 30, as long as a script
    fails that takes two seconds to say so, less 10. And it does not resign a second time."""
    slow = pair.a.directory / "slow"
    slow.write_text("#!/bin/sh\nsleep 2\nexit 1\n", encoding="ascii")
    slow.chmod(0o755)
    tracked = config(150).replace("virtual_ipaddress {", "track_script {\n  slow\n }\n"
                                  " virtual_ipaddress {")
    pair.a.write_config("global_defs {\n script_user root\n}\n"
                        f'vrrp_script slow {{\n script "{slow}"\n interval 10\n timeout 5\n'
                        " weight -30\n}\n" + tracked + SERVICE)
    assert pair.a.ctl("reload").returncode == 0
    assert pair.a.ctl("priority", "VI_1", "-10").returncode == 0

    def effective() -> int:
        instances = pair.a.status("vrrp").get("instances", [])
        return instances[0]["effective_priority"] if instances else 0

    assert eventually(lambda: effective() == 110, 8) is not None, pair.a.log()
    since = time.time()
    kill_vrrp(pair.a)
    time.sleep(3)
    assert {one.priority for one in pair.capture.adverts(since, source=A)} == {110}
    assert effective() == 110 and pair.a.state("VI_1") == "MASTER"

    pair.b.stop()
    assert pair.a.ctl("resign", "VI_1").returncode == 0
    pair.becomes(pair.a, "BACKUP", 2)
    pair.becomes(pair.a, "MASTER", 6)  # nobody took over
    since = time.time()
    kill_vrrp(pair.a)
    time.sleep(1.5)
    assert pair.a.state("VI_1") == "MASTER"
    assert sorted(one["kind"] for one in orders(pair.a)) == ["priority", "resign"]
    assert {one.priority for one in pair.capture.adverts(since, source=A)} == {110}
    assert pair.a.log().count("an operator asked it to resign") == 1
