"""no_accept and strict mode: packets to the virtual addresses are dropped with nftables, as by
keepalived 2.2.7, and what others do to the rules does not last."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually

VIP, EXCLUDED, VIP6, LINK = "10.9.0.200", "10.9.0.201", "2001:db8:9::200", "fe80::9:200"
ADDRESSES = (f"virtual_ipaddress {{\n  {VIP}/24\n }}\n virtual_ipaddress_excluded {{\n"
             f"  {EXCLUDED}/24\n  {VIP6}/64\n  {LINK}/64\n }}\n")


def text_of(extra: str = "no_accept", globals_: str = "", priority: int = 150) -> str:
    return (f"global_defs {{\n router_id test\n {globals_}\n}}\nvrrp_instance VI_51 {{\n"
            f" interface eth0\n virtual_router_id 51\n version 3\n advert_int 0.2\n"
            f" priority {priority}\n {extra}\n {ADDRESSES}}}\n")


class Network:
    """A director and a client on one switch."""

    def __init__(self, lab: Lab):
        switch = lab.switch("sw")
        self.director, self.client = lab.machines("d", "c")
        for machine in (self.director, self.client):
            machine.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__default__disable_ipv6=0,
                           ipv6__conf__default__accept_dad=0)
        lab.cables(switch, (self.director, "eth0", "10.9.0.1/24"),
                   (self.client, "eth0", "10.9.0.2/24"))
        for number, machine in enumerate((self.director, self.client), start=1):
            machine.run("ip", "address", "add", f"2001:db8:9::{number}/64", "dev", "eth0", "nodad")

    def answers(self, address: str) -> bool:
        target = f"{address}%eth0" if address == LINK else address
        return self.client.run("ping", "-c1", "-W0.3", target, check=False).returncode == 0

    def is_resolved(self, address: str) -> bool:
        """The client has found out its MAC address."""
        shown = self.client.run("ip", "neigh", "show", address, "dev", "eth0").stdout
        return "lladdr" in shown


@pytest.fixture
def network(lab: Lab) -> Network:
    return Network(lab)


def reload(director: Director, text: str) -> None:
    director.write_config(text)
    director.ctl("reload", check=True)


def tables(machine: Namespace) -> str:
    return machine.run("nft", "list", "tables").stdout.strip()


def become_master(director: Director) -> None:
    director.wait_for(VIP)
    assert eventually(lambda: director.state("VI_51") == "MASTER", 5)


def firewall(director: Director) -> dict:
    return director.status("vrrp").get("firewall", {})


ALL = (VIP, EXCLUDED, VIP6, LINK)


def test_closed_addresses_answer_as_those_of_keepalived_do(network: Network) -> None:
    seen = {}
    for program in ("keepalived", "holdfast"):
        director = Director(network.director, text_of(), program=program)
        director.start()
        director.wait_for(VIP)
        director.wait_for(VIP6)
        assert eventually(lambda: "table" in tables(network.director), 3)
        seen[program] = {each: (network.answers(each), network.is_resolved(each)) for each in ALL}
        director.stop()
        network.client.run("ip", "neigh", "flush", "all")
        network.director.run("nft", "flush", "ruleset")

    assert seen["holdfast"] == seen["keepalived"] == {each: (False, True) for each in ALL}


def test_the_table_comes_with_the_mastership_and_a_reload_opens(network: Network) -> None:
    director = Director(network.director, text_of(globals_="nftables mine\nnftables_counters"))
    director.start("-P")
    assert tables(network.director) == ""  # backup still
    become_master(director)

    assert tables(network.director) == "table inet mine"
    assert not network.answers(VIP)
    listed = network.director.run("nft", "list", "table", "inet", "mine").stdout
    assert "ip daddr @closed4 counter packets 1" in listed and f'{LINK} . "eth0"' in listed
    assert firewall(director)["in_place"] and firewall(director)["closed_addresses"] == 4
    [shown] = director.status("vrrp")["instances"]
    assert shown["accept"] is False
    explained = director.ctl("explain", "VI_51", check=True).stdout
    assert "packets   to its 4 addresses are dropped by the nftables table inet mine" in explained

    reload(director, text_of("accept"))
    assert eventually(lambda: tables(network.director) == "", 1)
    assert all(network.answers(each) for each in ALL) and firewall(director) == {}
    reload(director, text_of("no_accept"))
    assert eventually(lambda: tables(network.director) == "table inet holdfast", 1)
    assert not any(network.answers(each) for each in ALL)
    reload(director, text_of("no_accept", priority=255))  # the owner answers
    assert eventually(lambda: network.answers(VIP), 1) and tables(network.director) == ""
    reload(director, text_of("strict_mode on"))
    assert eventually(lambda: not network.answers(VIP), 1)
    director.stop()
    assert tables(network.director) == ""


def test_what_is_flushed_or_killed_stays_closed(network: Network) -> None:
    director = Director(network.director, text_of())
    director.start("-P")
    become_master(director)
    since = director.status("vrrp")["instances"][0]["since_at"]

    network.director.run("nft", "flush", "ruleset")
    assert eventually(lambda: tables(network.director) == "table inet holdfast", 1)
    assert not network.answers(VIP)
    network.director.run("nft", "delete", "element", "inet", "holdfast", "closed4", f"{{ {VIP} }}")
    time.sleep(1.2)
    assert not network.answers(VIP)
    assert firewall(director)["repairs"] == 2
    assert "'nft' changed or removed the nftables table" in director.log()

    # One that is killed leaves the rules to its successor: nobody is answered in between.
    flood = network.client.spawn("ping", "-i", "0.01", "-c", "100", "-W", "0.1", VIP)
    os.kill(director.role_pid("vrrp"), signal.SIGKILL)
    flood.wait()
    assert " 0 received" in flood.output()
    assert eventually(lambda: director.state("VI_51") == "MASTER", 5)
    assert director.status("vrrp")["instances"][0]["since_at"] == since
    assert firewall(director)["in_place"]


def test_a_reload_that_changes_all_at_once_opens(network: Network) -> None:
    director = Director(network.director, text_of(globals_="nftables_counters"))
    director.start("-P")
    become_master(director)
    assert not network.answers(VIP)
    reload(director, text_of("accept"))  # without the word for counters as well
    assert eventually(lambda: tables(network.director) == "", 1)
    assert network.answers(VIP)

    reload(director, text_of("no_accept"))
    assert eventually(lambda: not network.answers(VIP), 1)
    for _ in range(2):  # the second time it waits before it makes the rules again
        network.director.run("nft", "flush", "table", "inet", "holdfast")
        time.sleep(0.1)
    reload(director, text_of("accept"))
    assert eventually(lambda: tables(network.director) == "", 3)
    assert network.answers(VIP)


def test_a_table_out_of_a_saved_ruleset_goes(network: Network) -> None:
    director = Director(network.director, text_of())
    director.start("-P")
    become_master(director)
    saved = director.directory / "saved.nft"
    saved.write_text(network.director.run("nft", "list", "ruleset").stdout, encoding="ascii")
    network.director.run("ip", "link", "set", "eth0", "down")
    assert eventually(lambda: tables(network.director) == "", 2)
    network.director.run("nft", "-f", saved)
    assert eventually(lambda: tables(network.director) == "", 3)
    network.director.run("nft", "add", "table", "inet", "holdfast")  # not with our mark
    time.sleep(1.2)
    assert tables(network.director) == "table inet holdfast"
    network.director.run("nft", "delete", "table", "inet", "holdfast")
    director.stop()

    network.director.run("ip", "link", "set", "eth0", "up")
    network.director.run("nft", "-f", saved)  # before the next start, as at boot
    director.write_config(text_of("accept"))
    director.start("-P")
    assert eventually(lambda: tables(network.director) == "", 3)
    become_master(director)
    assert network.answers(VIP)


def test_the_watchdog_takes_the_table_off_with_the_addresses(network: Network) -> None:
    director = Director(network.director, text_of())
    director.start("-P")
    become_master(director)
    for _ in range(2):
        os.kill(director.role_pid("vrrp"), signal.SIGKILL)
        assert eventually(lambda: firewall(director).get("in_place"), 5)
    os.kill(director.role_pid("vrrp"), signal.SIGKILL)  # so soon again: it gets a pause
    assert eventually(lambda: tables(network.director) == "", 5)
    assert not director.holds(VIP)


def test_a_table_of_somebody_else_is_left_alone_and_told(network: Network) -> None:
    network.director.run("nft", "add", "table", "inet", "holdfast")
    director = Director(network.director, text_of())
    director.start("-P")
    become_master(director)

    assert network.answers(VIP)  # served nevertheless
    problem = "there is a table inet holdfast already that is not this director's"
    assert firewall(director)["problem"].startswith(problem)
    [shown] = director.status("vrrp")["instances"]
    assert any("answer although they should not" in each for each in shown["troubles"])
    time.sleep(4)  # by now it waits for 4 s between two tries, and the last was 1 s ago
    network.director.run("nft", "delete", "table", "inet", "holdfast")
    network.director.run("ip", "link", "set", "eth0", "down")
    assert eventually(lambda: not director.holds(VIP), 2)
    network.director.run("ip", "link", "set", "eth0", "up")
    assert eventually(lambda: director.holds(VIP), 3)
    assert not network.answers(VIP)  # addresses that come do not wait for that
    assert "problem" not in firewall(director)
