"""A number in a status that never moves is worse than none: in one lively life of a director each
counter moves, or stands below with the reason why it cannot here."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.lab.director import Director
from tests.lab.netns import Lab, eventually
from tests.netns.test_checkers_probes import PACE, SERVER, start_nginx, tcp_server
from tests.netns.test_vrrp_director import OURS, PEER, STRANGE, advert, packet, send

VIPS = "10.9.0.20"  # and a digit
OWNER = " owner_ignore_adverts\n"
BIND = "connect_port 8080\n bindto 10.77.0.123"  # not an address of the director
AUTH = " authentication {\n auth_type PASS\n auth_pass secret12\n }\n"

PROOFS = ("ah_invalid", "ah_replay", "auth_ext_missing", "auth_ext_malformed",
          "auth_ext_unknown_key", "auth_ext_invalid_hmac", "auth_ext_stale", "auth_ext_replay")
CANNOT_MOVE_HERE = {
    **{f"vrrp.errors.{name}": "of AH and auth_hmac only: tests/netns/test_vrrp_auth.py"
       for name in PROOFS},
    "checkers.ipvs.drift": "needs ip_vs: tests/vm",
    "vrrp.errors.first_address": "of IPv6 only: tests/unit/vrrp/test_reports.cpp",
    "vrrp.errors.no_interval": "of version 3 only: tests/unit/vrrp/test_wire.cpp",
    "vrrp.errors.unknown_peer": "of unicast only: tests/unit/vrrp/test_version3.cpp",
    "vrrp.pauses": "a process that is stopped for so long is replaced: tests/scenario/vrrp/"
                   "pause_master.txt",
}


def instance(number: int, extra: str = "", priority: int = 100) -> str:
    return (f"vrrp_instance VI_{number} {{\n state BACKUP\n interface eth0\n"
            f" virtual_router_id {50 + number}\n priority {priority}\n advert_int 1\n{extra}"
            f" virtual_ipaddress {{\n {VIPS}{number}\n }}\n}}\n")


def counters_of(director: Director) -> dict[str, int]:
    """Path → number, all instances together."""
    status = director.status()
    sums: dict[str, int] = {"checkers.ipvs.drift": status["checkers"]["ipvs"]["drift"]}

    def add(path: str, found: dict) -> None:
        for name, value in found.items():
            if isinstance(value, dict):
                add(f"{path}.{name}", value)
            else:
                sums[f"{path}.{name}"] = sums.get(f"{path}.{name}", 0) + value

    add("checkers", status["checkers"]["counters"])
    for one in status["vrrp"]["instances"]:
        add("vrrp", one["counters"])
    return sums


def strange_packets() -> Iterator:
    for make in STRANGE.values():
        yield make()
    yield packet(advert(addresses=(f"{VIPS}1",)), source=OURS)
    yield packet(advert(vrid=52, priority=50, auth_type=1, auth=b"wrong\0\0\0"))
    yield packet(advert(vrid=53, priority=50, addresses=(f"{VIPS}3",)))


def test_every_counter_of_a_lively_life_moves(lab: Lab) -> None:
    switch = lab.switch("switch")
    host, peer = lab.machines("director", "peer")
    lab.cables(switch, (host, "eth0", f"{OURS}/24"), (peer, "eth0", f"{PEER}/24"))
    host.sysctl(ipv4__conf__all__accept_local=1, ipv4__conf__eth0__accept_local=1)
    peer.ip(f"addr add {SERVER}/32 dev eth0")
    host.ip(f"route add {SERVER} dev eth0")
    nginx = start_nginx(peer)
    director = Director(host, instance(1) + instance(2, AUTH) + instance(3, OWNER, 255) + (
        f"virtual_server {VIPS}0 80 {{\n {PACE} lb_algo rr\n lb_kind NAT\n protocol TCP\n"
        f" quorum 2\n{tcp_server(SERVER, 8080)}"
        f"{tcp_server(SERVER, 8081, BIND)}}}\n"))
    director.start()

    def state() -> list[str]:
        return [one["state"] for one in director.status("vrrp").get("instances", [])]

    def becomes(wanted: list[str]) -> None:
        assert eventually(lambda: state() == wanted, 10) is not None, director.log()

    becomes(["MASTER"] * 3)
    for one in strange_packets():
        send(peer, one)
    host.ip(f"addr del {VIPS}1/32 dev eth0")
    time.sleep(1)
    host.run("nft", "-f", "-", stdin="""
        table inet adverts {
          chain out { type filter hook output priority 0; ip protocol 112 drop; }
        }
        table netdev announcements {
          chain out { type filter hook egress device "eth0" priority 0; ether type arp drop; }
        }""")
    time.sleep(2)
    send(peer, packet(advert(priority=200)))
    becomes(["BACKUP", "MASTER", "MASTER"])
    send(peer, packet(advert(priority=0)))
    becomes(["MASTER"] * 3)
    # A full queue is waited for before its frames count as refused.
    assert eventually(lambda: counters_of(director)["vrrp.announcements_refused"] > 0, 10) \
        is not None, director.log()
    host.run("nft", "flush ruleset")
    host.ip(f"addr del {OURS}/24 dev eth0")  # resigns
    becomes(["FAULT"] * 3)
    host.ip(f"addr add {OURS}/24 dev eth0")
    nginx.stop()
    time.sleep(4)

    stayed = {path for path, number in counters_of(director).items() if number == 0}
    assert stayed == set(CANNOT_MOVE_HERE), counters_of(director)
