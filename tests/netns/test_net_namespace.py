"""net_namespace: the director enters a namespace of `ip netns` by itself, as keepalived does."""

from __future__ import annotations

import os

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually

from .test_host_scripts import quick
from .test_scripts import script, text
from .test_vrrp_director import VIP


class Outside:
    """A machine that directors are started in, and one that they are to live in."""

    def __init__(self, lab: Lab):
        switch = lab.switch("sw")
        self.home, self.inside = lab.machines("o", "i")
        lab.cables(switch, (self.inside, "eth0", "10.9.0.1/24"))

    def configuration(self, extra: str = "", name: str = "") -> str:
        return f"net_namespace {name or self.inside.name}\n{extra}" + quick()


@pytest.fixture
def outside(lab: Lab) -> Outside:
    return Outside(lab)


def namespace_of(pid: int) -> int:
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def holds(machine: Namespace) -> bool:
    return f"{VIP}/32" in machine.addresses()


@pytest.mark.parametrize("program", ["holdfast", "keepalived"])
def test_everything_happens_in_the_namespace(outside: Outside, program: str) -> None:
    out = outside.home.lab.directory / "out"
    hook = script(outside.home.lab.directory, "hook", f"ip -o link show eth0 >> {out}")
    director = Director(outside.home, outside.configuration(
        f"use_pid_dir\nglobal_defs {{\n script_user root\n startup_script {hook}\n}}\n"), program)
    director.start("-P")
    assert eventually(lambda: holds(outside.inside), 8) is not None, director.log()
    assert not holds(outside.home) and "eth0" in text(out)  # there is none outside
    there = os.stat(f"/run/netns/{outside.inside.name}").st_ino
    if program == "holdfast":
        # Asked from outside: files are where they were told to be.
        assert director.state("VI_1") == "MASTER"
        pids = {director.role_pid("watchdog"), director.role_pid("vrrp"),
                director.status("watchdog")["scripts_pid"]}
        assert {namespace_of(pid) for pid in pids} == {there}
        assert int((director.directory / "vrrp.pid").read_text()) == director.role_pid("vrrp")
    assert director.stop() == 0
    assert not holds(outside.inside)


def test_it_stays_over_a_reload_and_the_death_of_everything(outside: Outside) -> None:
    director = Director(outside.home, outside.configuration())
    director.start("-P")
    assert eventually(lambda: holds(outside.inside), 8) is not None
    director.write_config(quick("garp_master_delay 3\n"))
    director.ctl("reload", check=True)
    assert "net_namespace '' counts from the next start on" in director.log()
    assert holds(outside.inside) and director.state("VI_1") == "MASTER"

    os.kill(director.role_pid("vrrp"), 9)
    assert eventually(lambda: director.state("VI_1") == "MASTER", 5) is not None
    assert namespace_of(director.role_pid("vrrp")) == os.stat(
        f"/run/netns/{outside.inside.name}").st_ino


def test_one_that_is_not_there_is_named(outside: Outside) -> None:
    director = Director(outside.home, outside.configuration(name="no-such-space"))
    assert director.start("-P").wait(10) == 1
    assert "there is no network namespace 'no-such-space': `ip netns add" in director.log()
    director.write_config(outside.configuration(name="../proc/1/ns/net"))
    assert director.start("-P").wait(10) == 1
    assert "takes a name of `ip netns list`" in director.log()
