"""Thousands of servers that drop every packet at once, and one among them that is well.

The moments are those of the log: nothing is asked of the process while it works."""

from __future__ import annotations

import datetime
import re
import time

import pytest

from tests.lab.director import Director
from tests.lab.many_servers import PORT, ManyServers, server, services
from tests.lab.memory import processes
from tests.lab.netns import Lab, eventually

COUNT = 4000
PACE, CHECK = "delay_loop 2", "connect_timeout 1\n retry 1\n delay_before_retry 1"
BOUND = 2 + 1 + 2 * 1  # delay_loop + retry × delay_before_retry + (retry + 1) × connect_timeout
WELL = 60_000  # the number of the server that is well
WELL_BOUND = 1 + 1 + 2 * 1
LATE = 0.1  # s beyond the bound


def well_server() -> str:
    return (f"virtual_server 10.250.0.1 80 {{\n delay_loop 1\n lb_algo rr\n lb_kind NAT\n"
            f" protocol TCP\n real_server {server(WELL)} {PORT} {{\n  TCP_CHECK {{\n{CHECK}\n"
            f"  }}\n }}\n}}\n")


@pytest.fixture
def many(tmp_path):
    with Lab(tmp_path) as lab:
        yield ManyServers(lab)


def moments(director: Director, message: str, about: str = "") -> list[float]:
    """When the log told this, in calendar seconds."""
    found = re.findall(rf"^(\S+)Z checkers\[\d+\] \w+ {message}: .*{re.escape(about)}",
                       director.log(), re.MULTILINE)
    return [datetime.datetime.fromisoformat(stamp).replace(tzinfo=datetime.timezone.utc)
            .timestamp() for stamp in found]


def seen_after(director: Director, message: str, since: float) -> float:
    """Seconds until the log tells this of the server that was well."""
    about = f"server {server(WELL)}:{PORT} is"

    def told() -> list[float]:
        return [moment for moment in moments(director, message, about) if moment > since - 0.05]

    assert eventually(told, 60, every=0.2) is not None, director.log()[-2000:]
    return told()[0] - since


def the_well_one_fails(many: ManyServers, director: Director) -> None:
    many.kill(WELL)
    failed_at = time.time()  # a packet that is dropped a moment earlier only makes it sooner
    assert seen_after(director, "checkers-server-down", failed_at) <= WELL_BOUND + LATE


def the_well_one_returns(many: ManyServers, director: Director, within: float) -> None:
    many.revive(WELL)
    returned_at = time.time()
    assert seen_after(director, "checkers-server-up", returned_at) <= within


@pytest.mark.parametrize("per_service", [2, COUNT])
def test_four_thousand_servers_die_together_and_one_among_them_is_not_forgotten(many, per_service):
    # The scripts run behind.
    config = services(COUNT, PACE, CHECK, per_service, ' notify_down "/bin/true"') + well_server()
    director = Director(many.director, config)
    director.start("-C")
    assert eventually(lambda: director.status("checkers").get("counters", {})
                      .get("probes_passed", 0) > 2 * COUNT, 30, every=1) is not None
    checkers = processes(director)["checkers"]

    died_at = time.time()
    many.kill(0, COUNT - 1)

    def known() -> list[float]:
        return moments(director, "checkers-server-down")

    assert eventually(lambda: len(known()) >= COUNT, 60, every=0.5) is not None
    assert known()[COUNT - 1] - died_at <= 1.2 * BOUND
    time.sleep(3)
    for _ in range(2):
        the_well_one_fails(many, director)
        the_well_one_returns(many, director, within=1 + LATE)
    assert processes(director)["checkers"] == checkers
    assert len(known()) == COUNT + 2


def test_where_descriptors_are_few_the_dead_do_not_keep_them_from_the_living(many):
    dead = 1500
    many.kill(0, dead - 1)
    director = Director(many.director, services(dead, PACE, CHECK) + well_server())
    director.process = many.director.spawn("prlimit", "--nofile=512:512",
                                           *director.command("-C"), log="holdfast")
    assert eventually(lambda: len(moments(director, "checkers-server-down")) == dead, 60,
                      every=0.5) is not None
    status = director.status("checkers")
    assert status["probes_at_once"] == 256
    assert status["probes_open"] == 192 and status["probes_waiting"] > 0

    the_well_one_fails(many, director)
    # Once it has fallen it is one of them, and waits for its turn.
    the_well_one_returns(many, director, within=1 + 1.5 * dead / status["probes_open"])
    the_well_one_fails(many, director)


def test_what_the_director_cannot_do_for_anybody_is_told_once(many):
    count = 1500
    check = f"{CHECK}\n bindto 10.77.0.200"  # not an address of the director
    director = Director(many.director, services(count, PACE, check))
    director.start("-C")

    assert eventually(lambda: director.status("checkers").get("counters", {})
                      .get("probes_not_tried", 0) > 3 * count, 40, every=1) is not None

    told = moments(director, "checkers-check-not-tried")
    assert len(told) == 1, director.log()[-2000:]
    assert not moments(director, "checkers-server-down")
