"""`holdfastctl ipvs`: a saved table goes through either program and comes back the same."""

from __future__ import annotations

import json

import pytest

from tests.lab.director import BIN
from tests.lab.netns import Lab, Namespace

RULES = (
    "-A -t 10.9.0.1:80 -s sh -b sh-fallback,sh-port\n"
    "-a -t 10.9.0.1:80 -r 10.8.0.1:8080 -m -w 3\n"
    "-A -u 10.9.0.1:53 -s rr -o\n"
    "-a -u 10.9.0.1:53 -r 10.8.0.2:53 -g -w 0\n"
    "-A -t [2001:db8::9]:443 -s wlc -p 300 -M 64\n"
    "-a -t [2001:db8::9]:443 -r [2001:db8::1]:443 -i -w 7\n"
    "-A -f 7 -s wrr -p 60 -M 255.255.255.0\n"
    "-a -f 7 -r 10.8.0.1:0 -m -w 1\n"
)


@pytest.fixture
def machine(lab: Lab, program: str) -> Namespace:
    if program != "holdfast":
        pytest.skip("nothing to compare")
    (machine,) = lab.machines("d1")
    machine.bring_up("lo")
    return machine


def ctl(machine: Namespace, *words: str, text: str = "", check: bool = True):
    return machine.run(str(BIN / "holdfastctl"), "ipvs", *words, stdin=text, check=check)


def as_entries(text: str) -> set[str]:
    return set(text.split("\n"))


def test_tables_go_through_both_programs(machine: Namespace) -> None:
    machine.run("ipvsadm", "-R", stdin=RULES)
    theirs = machine.run("ipvsadm", "-S", "-n").stdout
    ours = ctl(machine, "-S").stdout
    assert as_entries(ours) == as_entries(theirs)

    document = ctl(machine, "-S", "--json").stdout
    assert len(json.loads(document)["services"]) == 4
    for words, saved in ((("-R",), ours), (("-R",), theirs), (("-R", "--json"), document)):
        machine.run("ipvsadm", "-C")
        ctl(machine, *words, text=saved)
        assert machine.run("ipvsadm", "-S", "-n").stdout == theirs
        ctl(machine, *words, text=saved)  # nothing to do
        assert machine.run("ipvsadm", "-S", "-n").stdout == theirs


def test_what_is_not_mentioned_stays_and_a_mistake_changes_nothing(machine: Namespace) -> None:
    machine.run("ipvsadm", "-A", "-t", "10.9.0.2:80", "-s", "rr")
    ctl(machine, "-R", text=RULES)
    assert "-A -t 10.9.0.2:80 -s rr\n" in ctl(machine, "-S").stdout

    # One server more, as with ipvsadm -R: the others of its service stay.
    ctl(machine, "-R", text="-A -t 10.9.0.1:80 -s sh -b sh-fallback,sh-port\n"
                            "-a -t 10.9.0.1:80 -r 10.8.0.9:8080 -m -w 1\n")
    servers = [line for line in ctl(machine, "-S").stdout.splitlines()
               if line.startswith("-a -t 10.9.0.1:80")]
    assert len(servers) == 2

    before = ctl(machine, "-S").stdout
    bad = ctl(machine, "-R", text="-A -t 10.9.0.3:80 -s rr\n-A -t 10.9.0.4:80 -q\n", check=False)
    assert bad.returncode == 1
    assert "line 2, column 19: unknown option '-q'" in bad.stderr
    refused = ctl(machine, "-R", text="-A -t 10.9.0.5:80 -s nosuch\n", check=False)
    assert refused.returncode == 1
    assert "nosuch" in refused.stderr
    assert ctl(machine, "-S").stdout == before
