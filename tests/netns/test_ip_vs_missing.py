"""A kernel without ip_vs: one clear message, and the election is none of its business."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import vm
from tests.lab.director import Director
from tests.lab.netns import Lab, eventually
from tests.vm.pair import config


@pytest.mark.skipif(vm.host_has_ipvs(), reason="this kernel has ip_vs")
def test_without_ip_vs_vrrp_works_and_the_reason_is_told(lab: Lab, holdfast: Path) -> None:
    switch, machine = lab.switch("switch"), lab.machine("d1")
    lab.cable(machine, switch, "192.168.1.179/24")
    director = Director(machine, config())

    director.start()

    assert eventually(lambda: director.holds("192.168.1.200"), 10) is not None, director.log()
    assert director.state("VI_1") == "MASTER"
    ipvs = director.status("checkers")["ipvs"]
    assert ipvs["available"] is False
    assert "ip_vs" in ipvs["error"]
    told = [line for line in director.log().splitlines() if "ip_vs" in line]
    assert told, director.log()
    assert eventually(lambda: director.log().count("ip_vs") > len(told) + 20, 3) is None, "a flood"
    assert director.stop() == 0
    assert not director.holds("192.168.1.200")


@pytest.mark.skipif(vm.host_has_ipvs(), reason="this kernel has ip_vs")
def test_without_ip_vs_no_sync_daemon_runs_and_the_election_goes_on(lab: Lab) -> None:
    switch, machine = lab.switch("switch"), lab.machine("d1")
    lab.cable(machine, switch, "192.168.1.179/24")
    words = "global_defs {\n lvs_sync_daemon eth0 VI_1\n}\n"
    vrrp_only = config().split("virtual_server ")[0]
    director = Director(machine, words + vrrp_only)

    director.start()

    assert eventually(lambda: director.holds("192.168.1.200"), 10) is not None, director.log()
    assert eventually(lambda: director.status("checkers")["sync"]["error"], 10) is not None
    sync = director.status("checkers")["sync"]
    assert "ip_vs" in sync["error"] and sync["daemons"] == []
    assert (sync["instance"], sync["wanted"]) == ("VI_1", ["master"])
    assert "connections are not synchronised: " in director.ctl("status").stdout
    assert director.log().count("checkers-sync-trouble") == 1
    assert director.stop() == 0
    assert not director.holds("192.168.1.200")
