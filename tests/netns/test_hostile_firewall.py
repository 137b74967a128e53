"""Somebody's ruleset that takes the kernel seconds. Whoever changes nf_tables meanwhile waits, and
so does whoever closes a socket of it."""

from __future__ import annotations

import os
import time

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, eventually
from tests.lab.wire import Capture

COUNT = 50


@pytest.mark.skipif(os.environ.get("HOLDFAST_HOSTILE") != "whole",
                    reason="half a minute: ./dev test --all, or HOLDFAST_HOSTILE=whole")
def test_a_ruleset_that_takes_seconds_holds_up_no_advert(lab: Lab) -> None:
    switch = lab.switch("sw")
    machine, = lab.machines("m")
    lab.cables(switch, (machine, "eth0", "10.9.0.1/24"))
    director = Director(machine, "".join(
        f"vrrp_instance V{i} {{\n interface eth0\n virtual_router_id {i}\n version 3\n"
        " advert_int 0.1\n priority 150\n no_accept\n virtual_ipaddress {\n"
        f"  10.9.1.{i}/24\n }}\n}}\n" for i in range(1, COUNT + 1)))
    capture = Capture(switch)
    director.start("-P")
    director.wait_for(f"10.9.1.{COUNT}")
    elements = ",\n".join(f"11.{a}.{b}.{c}" for a in range(4) for b in range(256)
                          for c in range(256))
    rules = "\n".join(f"  ip saddr 12.0.{i // 256}.{i % 256} counter drop" for i in range(30000))
    big = director.directory / "big.nft"
    big.write_text("table inet big {\n set s {\n  type ipv4_addr\n"
                   f"  elements = {{ {elements} }}\n }}\n chain c {{\n{rules}\n }}\n}}\n",
                   encoding="ascii")

    def firewall() -> dict:
        return director.status("vrrp").get("firewall", {})

    machine.run("nft", "-f", big, timeout=100)
    time.sleep(1)
    assert firewall()["repairs"] == 0  # nobody touched our table
    for _ in range(4):
        machine.spawn("nft", "-f", big)
        time.sleep(0.5)
        machine.run("nft", "flush", "ruleset")
    time.sleep(6)
    assert eventually(lambda: firewall().get("in_place"), 10) is not None
    assert "table inet holdfast" in machine.run("nft", "list", "tables").stdout
    times: dict[int, list[float]] = {}
    for one in capture.adverts(0):
        times.setdefault(one.vrid, []).append(one.at)
    assert len(times) == COUNT
    gaps = [later - earlier for each in times.values() for earlier, later in zip(each, each[1:])]
    assert max(gaps) < 0.35, sorted(gaps)[-3:]
    assert "watchdog-child-" not in director.log().replace("watchdog-child-started", "")
