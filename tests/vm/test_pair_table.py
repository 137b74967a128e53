"""What is in the kernel's table: what status claims, what others put there, what health says."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.lab.client import answers, fetch
from tests.lab.netns import eventually
from tests.lab.topology import PORT, SERVERS, VIP

from .pair import SERVICE, TCP_CHECK, Pair, config

FORWARDING = {"Route": "DR", "Masq": "NAT", "Tunnel": "TUN"}


def test_status_claims_what_ipvsadm_shows(lab, program: str) -> None:
    pair = Pair(lab, program, config(servers={SERVERS[0]: 3, SERVERS[1]: 1}, algorithm="wrr"))
    pair.wait_until_serving()
    for _ in range(4):
        fetch(pair.topology.client, VIP)

    for director in pair.directors:
        claimed = {
            (
                service["protocol"],
                f"{service['address']}:{service['port']}",
                service["scheduler"],
            ): {
                (f"{one['address']}:{one['port']}", one["weight"], service["forwarding"])
                for one in service["servers"] if one["in_table"]
            }
            for service in director.status("checkers")["services"]
        }
        shown = {
            (*name.split(" "), service.scheduler): {
                (server, entry.weight, FORWARDING[entry.forward])
                for server, entry in service.servers.items()
            }
            for name, service in director.table().items()
        }
        assert claimed == shown
        rules = director.ipvsadm()
        assert f"-A -t {VIP}:{PORT} -s wrr" in rules
        for server, weight in {SERVERS[0]: 3, SERVERS[1]: 1}.items():
            assert f"-a -t {VIP}:{PORT} -r {server}:{PORT} -g -w {weight}" in rules

    def connections() -> int:
        (service,) = pair.directors[0].status("checkers")["services"]
        return sum(one["active_connections"] + one["inactive_connections"]
                   for one in service["servers"])

    # The table is not read all the time, but what status tells is fresh.
    assert eventually(lambda: connections() >= 4, 5) is not None


def test_entries_of_others_are_untouched(lab, program: str) -> None:
    pair = Pair(lab, program, config())
    director = pair.directors[0]
    director.machine.run("ipvsadm", "-A", "-t", "192.168.1.250:80", "-s", "wlc", "-p", "77")
    director.machine.run("ipvsadm", "-a", "-t", "192.168.1.250:80", "-r", "192.168.1.68:80", "-m",
                         "-w", "7")
    director.machine.run("ipvsadm", "-A", "-u", "192.168.1.250:53", "-s", "sh")

    def foreign() -> list[str]:
        return [line for line in director.ipvsadm().splitlines() if "192.168.1.250" in line]

    before = foreign()
    pair.wait_until_serving()
    pair.topology.servers[0].stop()
    assert eventually(lambda: not director.in_table(f"{VIP}:{PORT}", f"{SERVERS[0]}:{PORT}"), 15)
    assert len(before) == 3
    assert foreign() == before

    if program == "holdfast":
        named = {(one["protocol"], one["address"], one["port"])
                 for one in director.status("checkers")["foreign"]}
        assert named == {("TCP", "192.168.1.250", 80), ("UDP", "192.168.1.250", 53)}
    director.stop()
    assert foreign() == before
    assert SERVICE not in director.table()


def test_all_servers_down_the_sorry_server_answers_until_one_returns(lab, program: str) -> None:
    """s2 is the only real server; s1, not checked, is the sorry server."""
    pair = Pair(lab, program, config(service=f"    sorry_server {SERVERS[0]} {PORT}",
                                     servers={SERVERS[1]: 1}))
    director, client, server = pair.directors[0], pair.topology.client, pair.topology.servers[1]
    director.wait_for(VIP, 20)
    assert eventually(lambda: director.in_table(f"{VIP}:{PORT}", server.endpoint), 15) is not None
    assert answers(client, VIP, 3) == [SERVERS[1]] * 3

    server.stop()

    assert eventually(lambda: director.in_table(f"{VIP}:{PORT}", f"{SERVERS[0]}:{PORT}"), 15)
    assert eventually(
        lambda: not director.in_table(f"{VIP}:{PORT}", server.endpoint), 5
    ) is not None
    assert answers(client, VIP, 3) == [SERVERS[0]] * 3

    server.start()

    assert eventually(lambda: director.in_table(f"{VIP}:{PORT}", server.endpoint), 15) is not None
    assert eventually(lambda: not director.in_table(f"{VIP}:{PORT}", f"{SERVERS[0]}:{PORT}"), 5)
    assert answers(client, VIP, 3) == [SERVERS[1]] * 3


def test_below_quorum_the_sorry_server_takes_over(lab, program: str) -> None:
    """Weight 3 is wanted; the second server alone has 1."""
    pair = Pair(lab, program, config(
        service=f"    quorum 3\n    sorry_server 192.168.1.66 {PORT}",
        servers={SERVERS[0]: 3, SERVERS[1]: 1},
    ))
    pair.wait_until_serving()
    director, server = pair.directors[0], pair.topology.servers[0]

    server.stop()

    assert eventually(lambda: director.in_table(f"{VIP}:{PORT}", f"192.168.1.66:{PORT}"), 15)
    if program == "holdfast":
        service = director.status("checkers")["services"][0]
        assert service["quorum"] == 3
        assert service["quorum_up"] is False

    server.start()

    assert eventually(lambda: not director.in_table(f"{VIP}:{PORT}", f"192.168.1.66:{PORT}"), 15)
    assert director.in_table(f"{VIP}:{PORT}", f"{SERVERS[0]}:{PORT}", weight=3)


def test_inhibited_server_stays_in_the_table_with_weight_0(lab, program: str) -> None:
    pair = Pair(lab, program, config(check="        inhibit_on_failure\n" + TCP_CHECK))
    pair.wait_until_serving()
    director, server = pair.directors[0], pair.topology.servers[0]

    server.stop()

    down = eventually(lambda: director.in_table(f"{VIP}:{PORT}", server.endpoint, weight=0), 15)
    assert down is not None
    assert answers(pair.topology.client, VIP, 4) == [SERVERS[1]] * 4


HTTP_CHECK = """
        HTTP_GET {{
            url {{
              path /health
              {expect}
            }}
            connect_timeout 2
            retry 1
            delay_before_retry 1
        }}
"""


@pytest.mark.parametrize("expect", ["status_code 200", "digest {digest}"])
def test_http_check_follows_the_page(lab, program: str, expect: str) -> None:
    import hashlib

    page = "all is well\n"
    digest = hashlib.md5(page.encode()).hexdigest()
    check = HTTP_CHECK.format(expect=expect.format(digest=digest))
    pair = Pair(lab, program, config(check=check))
    for server in pair.topology.servers:
        server.put_page("health", page)
    pair.wait_until_serving()
    director, server = pair.directors[0], pair.topology.servers[0]

    if "digest" in expect:
        server.put_page("health", "something else\n")
    else:
        (server.directory / "www" / "health").unlink()

    assert eventually(
        lambda: not director.in_table(f"{VIP}:{PORT}", server.endpoint), 15
    ) is not None
    assert Counter(answers(pair.topology.client, VIP, 6)) == {SERVERS[1]: 6}
    if program == "holdfast":
        states = {
            one["address"]: (one["state"], one["checks"][0]["reason"])
            for one in director.status("checkers")["services"][0]["servers"]
        }
        assert states[SERVERS[0]][0] == "down"
        assert states[SERVERS[0]][1], "the reason of the failure is not told"
        assert states[SERVERS[1]][0] == "up"

    server.put_page("health", page)
    assert eventually(lambda: director.in_table(f"{VIP}:{PORT}", server.endpoint), 15) is not None
