"""lvs_sync_daemon, lvs_timeouts and the flush words on a real ip_vs, beside keepalived."""

from __future__ import annotations

import os
import re
import signal
import socket
import time

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.topology import PORT, SERVERS, VIP, Topology, as_backup

SETTLE = 25.0  # s

PAIR = """
global_defs {{
    {words}
}}
vrrp_instance VI_1 {{
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 1
    {instance}
    virtual_ipaddress {{
        192.168.1.200/24
    }}
}}
virtual_server 192.168.1.200 8099 {{
    delay_loop 5
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 192.168.1.67 8099 {{
    }}
    real_server 192.168.1.68 8099 {{
    }}
}}
"""
FORMS = (
    ("lvs_sync_daemon eth0 VI_1\n    lvs_timeouts tcp 100 udp 60", ""),
    ("lvs_sync_daemon eth0 inst VI_1 id 7 maxlen 1000 port 9000 ttl 3 group 239.1.1.7", ""),
    ("lvs_sync_daemon eth0 VI_1 9", ""),
    ("lvs_sync_daemon eth0", ""),
    ("", "lvs_sync_daemon_interface eth0"),
)


def kernel(machine: Namespace) -> list[str]:
    """Sync daemons and timeouts, as ipvsadm tells them."""
    return (machine.run("ipvsadm", "-L", "--daemon").stdout
            + machine.run("ipvsadm", "-L", "--timeout").stdout).splitlines()


def roles(machine: Namespace) -> list[str]:
    return re.findall(r"^(\w+) sync daemon", machine.run("ipvsadm", "-L", "--daemon").stdout,
                      re.MULTILINE)


class Pair:
    def __init__(self, lab: Lab, program: str, first: str, second: str, switch: str):
        self.program = program
        self.machines = lab.machines(first, second)
        lab.cables(lab.switch(switch), *((one, "eth0", f"192.168.1.{number}/24")
                                         for number, one in enumerate(self.machines, 1)))
        for one in self.machines:
            one.bring_up("lo")
        self.directors: list[Director] = []

    def start(self, words: str, instance: str) -> None:
        text = PAIR.format(words=words, instance=instance)
        self.directors = [Director(machine, config, self.program) for machine, config
                          in zip(self.machines, (text, as_backup(text)))]
        for director in reversed(self.directors):
            director.start()

    def stop(self, directors: list[Director]) -> None:
        running = [one.process for one in directors if one.process and one.process.running()]
        for process in running:
            process.send(signal.SIGTERM)
        for process in running:
            process.wait(20)

    def state(self) -> list[list[str]]:
        return [kernel(machine) for machine in self.machines]


def test_each_form_is_what_keepalived_makes_of_it(lab: Lab) -> None:
    ours = Pair(lab, "holdfast", "d1", "d2", "one")
    theirs = Pair(lab, "keepalived", "k1", "k2", "other")

    def same() -> bool:
        return ours.state() == theirs.state()

    def differ() -> str:
        return f"{form}\n{ours.state()}\n{theirs.state()}\n{ours.directors[0].log()[-3000:]}"

    # Each beginning is compared, the whole life of the first.
    for form in FORMS:
        for pair in (ours, theirs):
            pair.start(*form)
        assert eventually(lambda: same() and roles(ours.machines[0]), SETTLE, 0.3), differ()
        if form == FORMS[0]:
            for pair in (ours, theirs):
                pair.directors[0].wait_for("192.168.1.200")
            assert eventually(lambda: same() and roles(ours.machines[0]) == ["master"],
                              SETTLE, 0.3) is not None, differ()
            for pair in (ours, theirs):
                pair.stop(pair.directors[:1])
            assert eventually(lambda: same() and roles(ours.machines[1]) == ["master"],
                              SETTLE, 0.3) is not None, differ()
            assert roles(ours.machines[0]) == []
        for pair in (ours, theirs):
            pair.stop(pair.directors)
        assert ours.state() == theirs.state(), differ()
        assert ours.state() == [["Timeout (tcp tcpfin udp): 900 120 300"]] * 2


def test_a_daemon_is_kept_and_its_failure_harms_nobody(lab: Lab) -> None:
    pair = Pair(lab, "holdfast", "d1", "d2", "one")
    pair.start("lvs_sync_daemon eth0 VI_1\n    lvs_timeouts tcp 100", "")
    first = pair.directors[0]
    machine = first.machine
    first.wait_for("192.168.1.200")
    assert eventually(lambda: roles(machine) == ["master"], SETTLE, 0.2) is not None, first.log()
    assert eventually(lambda: len(first.status("checkers")["sync"]["daemons"]) == 1, SETTLE,
                      0.2) is not None, first.status("checkers")["sync"]
    told = first.status("checkers")["sync"]
    assert (told["instance"], told["wanted"], told["error"]) == ("VI_1", ["master"], None)
    assert [one["id"] for one in told["daemons"]] == [51]
    assert "connections are synchronised: master on eth0, id 51" in first.ctl("status").stdout

    machine.run("ipvsadm", "--stop-daemon", "master")
    machine.run("ipvsadm", "--set", "77", "0", "0")
    assert eventually(lambda: roles(machine) == ["master"]
                      and kernel(machine)[-1].endswith(": 100 120 300"), SETTLE, 0.2) is not None
    assert first.log().count("checkers-sync-drift") in (1, 2)

    before = len(first.log())
    os.kill(first.role_pid("checkers"), signal.SIGKILL)
    assert roles(machine) == ["master"]
    assert eventually(lambda: "sync-roles" in first.log()[before:], SETTLE, 0.2) is not None
    assert "daemon" not in " ".join(re.findall("ipvsadm --.*", first.log()[before:]))

    first.write_config(PAIR.format(words="lvs_sync_daemon eth9 VI_1", instance=""))
    assert first.ctl("reload").returncode == 0
    complaint = "cannot start the IPVS sync daemon (master on eth9, id 51): there is no interface"
    assert eventually(lambda: complaint in first.log(), SETTLE, 0.2) is not None, first.log()
    assert first.state("VI_1") == "MASTER" and first.holds("192.168.1.200")
    shown = first.ctl("status").stdout
    assert "connections are not synchronised: " + complaint in shown, shown
    assert kernel(machine) == ["Timeout (tcp tcpfin udp): 900 120 300"]
    first.write_config(PAIR.format(words="lvs_sync_daemon eth0 VI_1", instance=""))
    assert first.ctl("reload").returncode == 0
    assert eventually(lambda: roles(machine) == ["master"], SETTLE, 0.2) is not None, first.log()

    first.write_config(PAIR.format(words="router_id none", instance=""))
    assert first.ctl("reload").returncode == 0
    assert eventually(lambda: roles(machine) == [], SETTLE, 0.2) is not None, first.log()


FOREIGN = "-A -t 10.9.9.9:80 -s rr\n-a -t 10.9.9.9:80 -r 10.8.8.8:80 -m -w 1\n"


@pytest.mark.parametrize("words, at_start, at_stop", [
    ("router_id none", True, True), ("lvs_flush", False, True), ("lvs_flush_on_stop", True, False),
    ("lvs_flush_on_stop VS", True, True)])
def test_services_of_others_stay_unless_told(lab: Lab, words: str, at_start: bool,
                                             at_stop: bool) -> None:
    (machine,) = lab.machines("d1")
    machine.bring_up("lo")
    director = Director(machine, PAIR.format(words=words, instance=""))
    machine.run("ipvsadm", "-R", stdin=FOREIGN)

    def there() -> bool:
        return "10.9.9.9" in director.ipvsadm()

    director.start("-C", "-D")
    assert eventually(lambda: "192.168.1.68:8099" in director.ipvsadm(), SETTLE, 0.2) is not None
    time.sleep(1)
    assert there() == at_start, director.log()
    assert director.log().count("checkers-ipvs-flushed") == (not at_start)
    if not at_start:
        machine.run("ipvsadm", "-R", stdin=FOREIGN)
    assert director.stop() == 0
    assert there() == at_stop
    assert "192.168.1" not in director.ipvsadm()


# --- connections ----------------------------------------------------------------------------------


class Half:
    """A request that is begun and not ended: its connection has to live until it is."""

    def __init__(self, client: Namespace):
        with client.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.connect((VIP, PORT))
        self.say("GET / HTTP/1.0\r\n")

    def say(self, text: str) -> None:
        self.socket.sendall(text.encode())

    def finish(self) -> str:
        try:
            self.say("\r\n")
            answer = b""
            while chunk := self.socket.recv(65536):
                answer += chunk
        except OSError as error:
            return f"error: {error}"
        self.socket.close()
        return answer.partition(b"\r\n\r\n")[2].decode().strip()


def begun(client: Namespace) -> list[Half]:
    """Two requests to each server. The kernel tells others of a connection at its third packet."""
    halves = [Half(client) for _ in range(2 * len(SERVERS))]
    for half in halves:
        half.say("X-One: 1\r\n")
        half.say("X-Two: 2\r\n")
    return halves


@pytest.mark.parametrize("end", ["crash", "stop"])
def test_open_connections_survive_the_end_of_a_director(lab: Lab, end: str) -> None:
    topology = Topology(lab, "dr")
    topology.start_servers()
    text = PAIR.format(words="lvs_sync_daemon eth0 VI_1", instance="")
    topology.start_directors((text, as_backup(text)), "holdfast")
    first, second = topology.directors
    first.wait_for(VIP)
    assert eventually(lambda: roles(first.machine) == ["master"]
                      and roles(second.machine) == ["backup"], SETTLE, 0.2) is not None

    open_ones = begun(topology.client)
    if end == "crash":
        def known() -> bool:
            return second.machine.read("ip_vs_conn").count("ESTABLISHED") == len(open_ones)

        assert eventually(known, SETTLE, 0.2) is not None, second.machine.read("ip_vs_conn")
        topology.power_off(first)
    else:  # what was begun just now has not been told yet
        assert first.stop() == 0
    second.wait_for(VIP)

    assert sorted(half.finish() for half in open_ones) == sorted(2 * SERVERS), second.log()[-3000:]
    assert eventually(lambda: roles(second.machine) == ["master"], SETTLE, 0.2) is not None
