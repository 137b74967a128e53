"""`holdfastctl what-if server …` and `plan`, asked of a running checkers process."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.lab.director import BIN
from tests.lab.netns import Lab

from .test_checkers_probes import SERVER, Checkers, Listener, service, tcp_server


@pytest.fixture(scope="module")
def checkers(tmp_path_factory):
    with Lab(tmp_path_factory.mktemp("rehearsal")) as lab:
        ours, server = lab.machines("director", "server")
        lab.cables(lab.switch("sw"), (ours, "eth0", "10.77.0.1/24"),
                   (server, "eth0", f"{SERVER}/24"))
        for port in (8001, 8002):
            Listener(server, port, "silent")
        script = lab.directory / "lost.sh"
        script.write_text("#!/bin/sh\n")
        script.chmod(0o755)
        it = Checkers(ours, service(1, tcp_server(SERVER, 8001) + tcp_server(SERVER, 8002)
                                    + f" real_server {SERVER} 8003 {{\n }}\n"
                                    + tcp_server(SERVER, 8004),
                                    extra=f" quorum 3\n quorum_down \"{script}\"\n"))
        it.start()
        it.wait(1, "up", 10, 0)
        it.wait(1, "up", 10, 1)
        it.wait(1, "down", 15, 3)
        yield it


def ctl(checkers: Checkers, *words: str) -> subprocess.CompletedProcess[str]:
    return checkers.machine.run(str(BIN / "holdfastctl"), "--run-dir", str(checkers.directory),
                                *words, check=False)


def test_a_server_that_goes_down_is_told_with_its_moment(checkers: Checkers) -> None:
    answer = ctl(checkers, "what-if", "server", f"{SERVER}:8001", "down")

    assert answer.returncode == 0, answer
    name = rf"TCP 10\.77\.9\.1:80: server {SERVER}:8001"
    # Two failures of two seconds each, a second between them; the next run is due within one.
    fall = re.search(rf"^after (\d\.\d) s +{name}: is down: no answer$", answer.stdout, re.M)
    assert fall is not None and 4.9 <= float(fall[1]) <= 6.3, answer.stdout
    assert "TCP 10.77.9.1:80: loses its quorum: weight 2\n" in answer.stdout
    runs = re.search(r": runs quorum_down: \S+/lost\.sh$", answer.stdout, re.M)
    assert runs is not None, answer.stdout
    assert checkers.server(1, 0)["state"] == "up"
    again = ctl(checkers, "what-if", "server", f"{SERVER}:8001", "down", "--json").stdout
    kinds = [one["kind"] for one in json.loads(again)["actions"]]
    assert kinds[:3] == ["server", "quorum", "script"]


def test_nothing_follows_from_what_is_so_already(checkers: Checkers) -> None:
    answer = ctl(checkers, "what-if", "server", f"{SERVER}:8002", "up")

    assert answer.returncode == 0, answer
    assert " is " not in re.sub(r"note:.*", "", answer.stdout)


@pytest.mark.parametrize(("server", "value", "said"), [
    (f"{SERVER}:8009", "down", "no real_server '10.77.0.2:8009'; did you mean '10.77.0.2:800"),
    (f"{SERVER}:8003", "down", "has no check: whether it is down would not be noticed"),
    (f"{SERVER}:8001", "away", "a server can be up or down, not 'away'"),
])
def test_what_cannot_be_supposed_of_a_server_is_named(
    checkers: Checkers, server: str, value: str, said: str,
) -> None:
    answer = ctl(checkers, "what-if", "server", server, value)

    assert answer.returncode == 1 and said in answer.stderr, answer


def test_a_plan_asks_the_checkers_too(checkers: Checkers) -> None:
    checkers.write(checkers.file.read_text().replace("quorum 3", "quorum 4"))

    answer = ctl(checkers, "plan")

    assert answer.returncode == 3, answer
    assert "TCP 10.77.9.1:80: quorum 3 → 4\n" in answer.stdout
    assert re.search(r"^at once +TCP 10\.77\.9\.1:80: loses its quorum: weight 3$", answer.stdout,
                     re.M), answer.stdout
    assert checkers.services()[0]["quorum_up"] is True
