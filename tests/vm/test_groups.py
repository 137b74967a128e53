"""virtual_server_group on a real ip_vs: one pool of servers in many entries of the table.

Where keepalived does what is meant, its table of the same file is the measure.
"""

from __future__ import annotations

import re
import socket

from tests.lab.client import answers
from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.topology import NAT_VIP, PORT, SERVERS, Topology

SETTLE = 20.0  # s

NAT = """
virtual_server_group web {
    10.9.0.1 80
    10.9.0.10-12 443
    10.9.1.8/30 8080
    10.9.0.20
    fwmark 7
}
virtual_server group web {
    delay_loop 5
    lb_algo wrr
    lb_kind NAT
    protocol TCP
    persistence_timeout 50
    real_server 10.8.0.1 8099 {
        weight 2
    }
    real_server 10.8.0.2 8099 {
        weight 3
    }
}
"""
DR = """
virtual_server_group web {
    10.9.0.1 80
    10.9.0.2 80
}
virtual_server group web {
    delay_loop 5
    lb_algo rr
    lb_kind DR
    protocol UDP
    real_server 10.8.0.1 80 {
    }
}
"""


def table(director: Director) -> list[str]:
    return sorted(director.ipvsadm().splitlines())


def settled(director: Director, lines: int) -> list[str]:
    assert eventually(lambda: len(table(director)) == lines, SETTLE, 0.2) is not None, (
        "\n".join(table(director)) + director.log()[-3000:])
    return table(director)


def test_a_group_has_the_entries_that_keepalived_makes(lab: Lab) -> None:
    machine, other = lab.machines("d1", "other")
    for text, lines in ((NAT, 10 * 3), (DR, 2 * 2)):
        ours, theirs = Director(machine, text), Director(other, text, "keepalived")
        ours.start("-C")
        theirs.start("-C")
        assert settled(ours, lines) == settled(theirs, lines)
        assert ours.stop() == 0
        assert table(ours) == []
        theirs.stop()


# --- traffic --------------------------------------------------------------------------------------

SERVER = """
    real_server {address} 8099 {{
        notify_up "{log} up {address}"
        notify_down "{log} down {address}"
        TCP_CHECK {{
            connect_timeout 2
            retry 0
            warmup 0
        }}
    }}
"""
SERVICE = """
global_defs {{
    script_user root
}}
virtual_server_group web {{
{entries}
}}
virtual_server group web {{
    delay_loop 1
    lb_algo rr
    lb_kind NAT
    protocol TCP
    quorum 2
    quorum_up "{log} quorum up"
    quorum_down "{log} quorum down"
{servers}
}}
"""


class Group:
    def __init__(self, lab: Lab):
        self.topology = Topology(lab, "nat")
        self.machine = self.topology.director_machines[0]
        self.machine.bring_up("lo")
        self.machine.ip(f"addr add {NAT_VIP}/32 dev eth0")
        self.topology.start_servers()
        self.told = lab.directory / "told"
        self.script = lab.directory / "tell.sh"
        self.script.write_text(f"#!/bin/sh\necho \"$*\" >> {self.told}\n", encoding="ascii")
        self.script.chmod(0o755)
        self.director = Director(self.machine, self.text("81", "82"))

    def text(self, *ports: str) -> str:
        entries = "\n".join(f"    {NAT_VIP} {port}" for port in ports)
        servers = "".join(SERVER.format(address=one, log=self.script) for one in SERVERS)
        return SERVICE.format(entries=entries, servers=servers, log=self.script)

    def events(self) -> list[str]:
        return self.told.read_text(encoding="ascii").splitlines() if self.told.exists() else []

    def pools(self) -> dict[str, set[str]]:
        pools: dict[str, set[str]] = {}
        for line in self.director.ipvsadm().splitlines():
            if found := re.match(rf"-a -t {re.escape(NAT_VIP)}:(\d+) -r (\S+)", line):
                pools.setdefault(found[1], set()).add(found[2])
        return pools

    def becomes(self, **pools: set[str]) -> None:
        wanted = {name.removeprefix("p"): pool for name, pool in pools.items()}
        assert eventually(lambda: self.pools() == wanted, SETTLE, 0.2) is not None, (
            f"not {wanted}:\n{self.director.ipvsadm()}\n{self.director.log()[-3000:]}")


class Half:
    """A request that is begun and not ended: its connection has to live until it is."""

    def __init__(self, client: Namespace, port: int):
        with client.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(5)
        self.socket.connect((NAT_VIP, port))
        self.socket.sendall(b"GET / HTTP/1.0\r\n")

    def finish(self) -> str:
        self.socket.sendall(b"\r\n")
        answer = b""
        while chunk := self.socket.recv(65536):
            answer += chunk
        self.socket.close()
        return answer.partition(b"\r\n\r\n")[2].decode().strip()


BOTH = {f"{address}:{PORT}" for address in SERVERS}
SECOND = {f"{SERVERS[1]}:{PORT}"}


def test_a_group_is_probed_once_told_once_and_reloaded_without_harm(lab: Lab) -> None:
    group = Group(lab)
    client, director = group.topology.client, group.director
    director.start("-C", "-D")
    group.becomes(p81=BOTH, p82=BOTH)
    assert eventually(lambda: group.events() == ["quorum up"], SETTLE, 0.2) is not None
    told = director.status("checkers")
    assert told["probes"] == 2
    (service,) = told["services"]
    assert (service["group"], service["entry_count"]) == ("TCP group web", 2)
    assert [one["port"] for one in service["entries"]] == [81, 82]
    assert all(one["in_table"] for one in service["servers"])
    shown = director.ctl("status").stdout
    assert (f"\n  TCP group web  rr NAT  quorum met: weight 2 up, 2 needed\n"
            f"    TCP {NAT_VIP}:81  TCP {NAT_VIP}:82\n") in shown, shown
    # One rotation an entry, the whole pool in each.
    assert {*answers(client, NAT_VIP, 2, port=81, timeout=5)} == set(SERVERS)
    assert {*answers(client, NAT_VIP, 2, port=82, timeout=5)} == set(SERVERS)

    open_ones = [Half(client, port) for port in (82, 82)]
    assert eventually(lambda: sum(one["active_connections"] for one in director.status("checkers")
                                  ["services"][0]["servers"]) >= 2, SETTLE, 0.5) is not None
    before = len(director.log())
    director.write_config(group.text("82", "83"))
    assert director.ctl("reload").returncode == 0
    group.becomes(p82=BOTH, p83=BOTH)
    steps = re.findall(r"ipvsadm (-\S .*)", director.log()[before:])
    assert steps and not any(f"{NAT_VIP}:82" in step for step in steps), steps
    assert {one.finish() for one in open_ones} == set(SERVERS)
    assert "refused" in " ".join(answers(client, NAT_VIP, 1, port=81))
    assert {*answers(client, NAT_VIP, 2, port=83, timeout=5)} == set(SERVERS)
    assert group.events() == ["quorum up"], "a reload is no news"

    group.topology.servers[0].stop()
    group.becomes(p82=SECOND, p83=SECOND)
    gone = ["quorum up", "quorum down", f"down {SERVERS[0]}"]
    assert eventually(lambda: sorted(group.events()) == sorted(gone), SETTLE, 0.2) is not None, (
        group.events())
    group.topology.servers[0].start()
    group.becomes(p82=BOTH, p83=BOTH)

    assert director.stop() == 0
    assert director.ipvsadm() == ""
