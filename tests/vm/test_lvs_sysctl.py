"""lvs_sysctl on a real ip_vs: set, kept, given back; through a crash, a reload and a stop."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually

SETTLE = 25.0  # s
DIRECTORY = Path("/proc/sys/net/ipv4/vs")
WANTED = {
    "conntrack": "1", "expire_nodest_conn": "1", "expire_quiescent_template": "1",
    "conn_reuse_mode": "2", "sloppy_tcp": "1", "sync_threshold": "5 60", "sync_ports": "4",
    "drop_entry": "1", "secure_tcp": "3", "am_droprate": "20", "pmtu_disc": "0",
    "schedule_icmp": "1",
}
SERVICE = """
virtual_server 10.9.0.1 80 {
    protocol TCP
    lb_algo rr
    lb_kind NAT
    real_server 10.8.0.1 80 {
    }
}
"""


def text(values: dict[str, str], extra: str = "") -> str:
    lines = "".join(f"  {name} {value}\n" for name, value in values.items())
    return f"global_defs {{\n lvs_sysctl {{\n{lines}{extra}\n }}\n}}\n{SERVICE}"


def switches(machine: Namespace, *names: str) -> dict[str, str]:
    with machine.inside():
        return {name: " ".join((DIRECTORY / name).read_text(encoding="ascii").split())
                for name in names}


def has(machine: Namespace, values: dict[str, str]) -> bool:
    now = switches(machine, *values)
    return all(now[name] == value or (now[name], value) == ("2", "1") and name == "drop_entry"
               for name, value in values.items())


def set_by_hand(machine: Namespace, name: str, value: str) -> None:
    with machine.inside():
        (DIRECTORY / name).write_text(value, encoding="ascii")


def test_switches_are_set_kept_and_given_back(lab: Lab) -> None:
    machine, = lab.machines("d1")
    machine.run("ipvsadm", "-Ln")
    set_by_hand(machine, "am_droprate", "15")
    before = switches(machine, *WANTED)
    director = Director(machine, text(WANTED, "  conn_max 1000"))
    director.start()
    record = director.directory / "checkers.switches"

    def told() -> str:
        return director.log()[-3000:] + str(switches(machine, *WANTED))

    assert eventually(lambda: has(machine, WANTED), SETTLE, 0.2) is not None, told()
    if not (DIRECTORY / "conn_max").exists():
        absent = "this kernel has no net.ipv4.vs.conn_max: it came with Linux 7.1"
        assert absent in director.log()
    said = director.ctl("status").stdout
    assert "net.ipv4.vs.am_droprate = 20 (was 15)" in said, said
    told_values = {one["name"]: one for one in director.status("checkers")["switches"]["values"]}
    assert told_values["conntrack"] == {"name": "conntrack", "wanted": "1", "value": "1",
                                        "found": "0"}

    # Somebody else.
    set_by_hand(machine, "sloppy_tcp", "0")
    assert eventually(lambda: has(machine, WANTED), SETTLE, 0.2) is not None, told()
    assert "net.ipv4.vs.sloppy_tcp was 0 instead of 1: put back" in director.log()
    assert director.status("checkers")["switches"]["drift"] == 1

    # What a process that was killed has set is not what was there before.
    killed = director.role_pid("checkers")
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: director.status("checkers").get("pid") not in (None, killed)
                      and director.status("checkers").get("switches"), SETTLE, 0.2) is not None
    less = {name: value for name, value in WANTED.items() if name != "am_droprate"}
    director.write_config(text(less))
    assert eventually(lambda: director.ctl("reload").returncode == 0, SETTLE, 0.5) is not None
    expected = less | {"am_droprate": "15"}
    assert eventually(lambda: has(machine, expected), SETTLE, 0.2) is not None, told()

    # An ordinary stop leaves them, the next start knows what was there, and is told to restore.
    assert director.stop() == 0
    assert has(machine, expected) and record.exists()
    director.write_config(text(less, "  restore_on_stop"))
    director.start()
    assert eventually(lambda: director.status("checkers").get("switches") is not None, SETTLE,
                      0.2) is not None
    assert director.stop() == 0
    assert switches(machine, *WANTED) == before
    assert not record.exists()
