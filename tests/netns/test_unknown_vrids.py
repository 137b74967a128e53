"""log_unknown_vrids: adverts of virtual routers that are not configured here, once each sender."""

from __future__ import annotations

import time

from tests.lab.director import Director
from tests.lab.netns import Lab, eventually

LINE = "eth0: an advert of virtual router 52 from 10.9.0.2, which is not configured here"


def config(vrid: int, globals_: str = "") -> str:
    return (f"global_defs {{\n {globals_}\n}}\n"
            f"vrrp_instance VI_1 {{\n state BACKUP\n interface eth0\n version 3\n"
            f" virtual_router_id {vrid}\n priority 100\n advert_int 0.1\n"
            f" virtual_ipaddress {{\n 10.9.0.{vrid}\n }}\n}}\n")


def test_they_are_told_once_and_only_when_asked_for(lab: Lab) -> None:
    switch = lab.switch("sw")
    a, b = lab.machines("a", "b")
    lab.cables(switch, (a, "eth0", "10.9.0.1/24"), (b, "eth0", "10.9.0.2/24"))
    ours, theirs = Director(a, config(51)), Director(b, config(52))
    theirs.start("-P")
    ours.start("-P")
    theirs.wait_for("10.9.0.52")
    ours.wait_for("10.9.0.51")
    assert LINE not in ours.log()

    ours.write_config(config(51, "log_unknown_vrids"))
    ours.ctl("reload", check=True)
    assert eventually(lambda: LINE in ours.log(), 10) is not None, ours.log()
    time.sleep(1)  # ten more adverts
    assert ours.log().count(LINE) == 1
    told = ours.ctl("events", "--id", "vrrp-unknown-router").stdout
    assert LINE in told
    assert ours.holds("10.9.0.51"), "it is no matter of ours"
    strays = ours.status("vrrp")["strays"]["eth0"]["unknown_vrid"]
    assert strays >= 5, "they are counted as well"

    ours.write_config(config(51))
    ours.ctl("reload", check=True)
    before = ours.status("vrrp")["strays"]["eth0"]["unknown_vrid"]
    time.sleep(0.5)
    assert ours.status("vrrp")["strays"]["eth0"]["unknown_vrid"] <= before + 1, "no longer heard"
