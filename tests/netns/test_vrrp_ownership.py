"""Whose address is it? Nothing of ours outlives us, and nothing of others is taken off."""

from __future__ import annotations

import os
import signal
import socket
import struct
import time

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually

OURS, VIP, OTHER, EXCLUDED = "10.9.0.1", "10.9.0.200", "10.9.0.201", "10.8.0.201"


def instance(name: str, vrid: int, *addresses: str, priority: int = 100, extra: str = "") -> str:
    lines = "\n  ".join(addresses)
    return (f"vrrp_instance {name} {{\n state BACKUP\n interface eth0\n virtual_router_id {vrid}\n"
            f" priority {priority}\n advert_int 1\n {extra}\n"
            f" virtual_ipaddress {{\n  {lines}\n }}\n}}\n")


def add_address(machine: Namespace, interface: str, address: str, mark: int) -> None:
    """An IPv4 /32 with an IFA_PROTO, which iproute2 before 6.3 cannot set."""
    local = socket.inet_aton(address)
    with machine.inside(), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as route:
        header = struct.pack("=BBBBI", socket.AF_INET, 32, 0, 0, socket.if_nametoindex(interface))
        attributes = b"".join(
            struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
            for kind, value in ((1, local), (2, local), (11, bytes([mark])))
        )
        payload = header + attributes
        route.send(struct.pack("=IHHII", 16 + len(payload), 20, 0x605, 1, 0) + payload)
        assert struct.unpack("=i", route.recv(4096)[16:20]) == (0,)


class Host:
    def __init__(self, lab: Lab):
        self.switch = lab.switch("sw")
        machine, self.peer = lab.machines("a", "b")
        lab.cables(self.switch, (machine, "eth0", f"{OURS}/24"),
                   (self.peer, "eth0", "10.9.0.2/24"), (machine, "eth1", "10.8.0.1/24"))
        self.director = Director(machine, "")

    @property
    def machine(self) -> Namespace:
        return self.director.machine

    def start(self, text: str, *extra: str) -> None:
        self.director.write_config(text)
        self.director.start("-P", "-D", *extra)

    def becomes(self, state: str, name: str = "A", timeout: float = 8) -> None:
        assert eventually(lambda: self.director.state(name) == state, timeout) is not None, \
            self.director.log()

    def reload(self, text: str) -> None:
        before = self.director.status("vrrp").get("generation")
        self.director.write_config(text)
        self.director.process.send(signal.SIGHUP)
        if before is not None:
            assert eventually(
                lambda: self.director.status("watchdog").get("generation", 0) > before, 5
            ) is not None, self.director.log()

    def addresses(self, interface: str = "eth0") -> set[str]:
        return set(self.machine.addresses(interface))


@pytest.fixture
def host(lab: Lab) -> Host:
    return Host(lab)


def test_killed_and_started_with_another_file_nothing_is_left(host: Host) -> None:
    excluded = f" virtual_ipaddress_excluded {{\n  {EXCLUDED}/24 dev eth1\n  2001:db8::9/64\n }}"
    host.machine.sysctl(ipv6__conf__eth0__disable_ipv6=0)
    host.start(instance("A", 51, f"{VIP}/24", f"{OTHER}/24", extra=excluded))
    host.becomes("MASTER")
    assert eventually(lambda: f"{EXCLUDED}/24" in host.addresses("eth1"), 2) is not None
    host.director.kill_everything()
    assert {f"{VIP}/24", f"{OTHER}/24"} < host.addresses()

    host.start(instance("B", 77, "10.9.0.210"))

    took = eventually(lambda: (host.addresses(), host.addresses("eth1")) ==
                      ({f"{OURS}/24"}, {"10.8.0.1/24"}), 3)
    assert took is not None and took < 1, (took, host.director.log())
    six = host.machine.run("ip", "-6", "-o", "address", "show", "dev", "eth0").stdout
    assert "2001:db8::9" not in six
    assert f"taking off {OTHER}/24, which an earlier process left on eth0" in host.director.log()
    host.becomes("MASTER", "B")
    assert host.director.stop() == 0
    assert host.addresses() == {f"{OURS}/24"}


SERVICE = """virtual_server 10.9.0.200 80 {
 lb_algo rr
 lb_kind DR
 protocol TCP
 real_server 10.9.0.10 80 {
 }
}
"""


def test_killed_and_started_without_any_instance_nothing_is_left(host: Host) -> None:
    host.start(instance("A", 51, f"{VIP}/24"))
    host.becomes("MASTER")
    host.director.kill_everything()

    host.director.write_config(SERVICE)
    host.director.start("-D")

    took = eventually(lambda: host.addresses() == {f"{OURS}/24"}, 3)
    assert took is not None and took < 1, (took, host.director.log())


def test_killed_and_a_start_that_fails_leaves_nothing_either(host: Host) -> None:
    host.start(instance("A", 51, f"{VIP}/24"))
    host.becomes("MASTER")
    host.director.kill_everything()
    assert f"{VIP}/24" in host.addresses()

    host.director.write_config(instance("A", 51, f"{VIP}/24") + "vrrp_instance B {\n")
    process = host.director.start("-D")

    took = eventually(lambda: host.addresses() == {f"{OURS}/24"}, 3)
    assert took is not None and took < 1, (took, host.director.log())
    assert process.wait(5) == 2, host.director.log()


def test_a_reload_removes_all_instances_and_the_child_is_killed(host: Host) -> None:
    host.director.write_config(instance("A", 51, VIP) + SERVICE)
    host.director.start("-D")
    host.becomes("MASTER")
    wait_for_a_peer(host, VIP, 51)
    pid = host.director.role_pid("vrrp")
    host.director.write_config(SERVICE)
    answer = host.director.ctl("reload", "--force")  # without any instance it must be meant
    assert answer.returncode == 0, answer
    time.sleep(0.3)
    assert f"{VIP}/32" in host.addresses(), "it is handing over"

    os.kill(pid, signal.SIGKILL)

    assert eventually(lambda: f"{VIP}/32" not in host.addresses(), 2) is not None
    assert "watchdog-addresses-released" in host.director.log()


def wait_for_a_peer(host: Host, address: str, vrid: int) -> None:
    """A peer that was heard with priority 1: who leaves serves until it is heard again."""
    from tests.netns.test_vrrp_director import advert, packet, send

    send(host.peer, packet(advert(priority=1, vrid=vrid, addresses=(address,))))
    time.sleep(0.2)


def test_a_reload_removes_an_instance_and_its_child_is_killed(host: Host) -> None:
    first, second = instance("A", 51, VIP), instance("B", 52, OTHER)
    host.start(first + second)
    host.becomes("MASTER", "B")
    wait_for_a_peer(host, OTHER, 52)
    host.reload(first)
    pid = host.director.role_pid("vrrp")
    assert OTHER in {one.split("/")[0] for one in host.addresses()}, "it is handing over"

    os.kill(pid, signal.SIGKILL)

    assert eventually(lambda: f"{OTHER}/32" not in host.addresses(), 2) is not None
    assert eventually(lambda: host.director.state("A") == "MASTER", 5) is not None
    assert f"{VIP}/32" in host.addresses()


def test_a_crash_loop_after_a_reload_leaves_nothing_and_touches_nothing_of_others(
    host: Host,
) -> None:
    stranger = "10.9.0.222"
    host.machine.ip(f"addr add {stranger}/24 dev eth0")
    signed = "auth_hmac {\nkey 1 too-short\n}"
    resting = instance("C", 53, stranger, extra=signed)  # an instance that is not started
    host.start(instance("A", 51, VIP) + instance("B", 52, OTHER) + resting)
    host.becomes("MASTER", "B")

    old, began = 0, time.monotonic()
    while host.director.process.running() and time.monotonic() < began + 40:
        pid = host.director.status("vrrp").get("pid")
        if pid not in (None, old):
            os.kill(pid, signal.SIGKILL)
            old = pid
        time.sleep(0.02)

    assert host.director.process.wait(1) == 1
    assert host.addresses() == {f"{OURS}/24", f"{stranger}/24"}, host.director.log()


def test_an_interface_that_is_renamed_while_up_keeps_nothing_of_ours(host: Host) -> None:
    host.start(instance("A", 51, VIP, f"{OTHER}/24"))
    host.becomes("MASTER")
    if host.machine.run("ip", "link", "set", "eth0", "name", "eth7", check=False).returncode:
        pytest.skip("this kernel (before 6.2) renames no interface that is up")

    took = eventually(lambda: host.addresses("eth7") == {f"{OURS}/24"}, 3)
    assert took is not None and took < 0.5, (took, host.director.log())
    host.becomes("FAULT")

    host.machine.ip("link set eth7 name eth0")
    host.becomes("MASTER", timeout=15)
    assert eventually(lambda: host.director.holds(VIP), 2) is not None
    assert host.director.stop() == 0
    assert host.addresses() == {f"{OURS}/24"}


def test_an_owner_serves_the_hosts_own_address_and_leaves_it_alone(host: Host) -> None:
    only = {f"{OURS}/24"}
    host.start(instance("A", 51, f"{OURS}/24", priority=255).replace("BACKUP", "MASTER"))
    lost: list[float] = []
    until = time.monotonic() + 3
    while time.monotonic() < until:
        if host.addresses() != only:
            lost.append(time.monotonic())
        time.sleep(0.02)
    assert not lost, host.director.log()
    host.becomes("MASTER")

    host.machine.ip("link set eth0 down")
    host.becomes("FAULT")
    assert host.addresses() == only
    host.machine.ip("link set eth0 up")
    host.becomes("MASTER")
    os.kill(host.director.role_pid("vrrp"), signal.SIGKILL)
    time.sleep(1)
    assert host.addresses() == only
    assert host.director.stop() == 0
    assert host.addresses() == only


def test_what_a_reload_changes_is_no_repair(host: Host) -> None:
    def label() -> str:
        return host.machine.run("ip", "-o", "-4", "address", "show", "to", VIP).stdout

    host.start(instance("A", 51, f"{VIP}/32 label eth0:one"))
    host.becomes("MASTER")
    assert eventually(lambda: "eth0:one" in label(), 2) is not None

    host.reload(instance("A", 51, f"{VIP}/32 label eth0:two"))
    assert eventually(lambda: "eth0:two" in label(), 2) is not None
    time.sleep(0.3)
    counters = host.director.status("vrrp")["instances"][0]["counters"]
    assert counters["addresses_repaired"] == 0
    assert "netlink-address-repaired" not in host.director.log()

    host.machine.ip(f"addr del {VIP}/32 dev eth0")
    assert eventually(lambda: "eth0:two" in label(), 2) is not None
    assert eventually(
        lambda: host.director.status("vrrp")["instances"][0]["counters"]["addresses_repaired"] == 1,
        2,
    ) is not None


def test_what_stands_on_the_interface_without_us_stays_and_is_told(host: Host) -> None:
    host.machine.ip(f"addr add {VIP}/32 dev eth0")
    add_address(host.machine, "eth0", OTHER, mark=18)
    host.start(instance("A", 51, VIP, OTHER, priority=50))

    # With keepalived's mark it is what a killed keepalived left.
    assert eventually(lambda: f"{OTHER}/32" not in host.addresses(), 2) is not None
    assert f"{VIP}/32 is on eth0 and was not put there by this director" in host.director.log()
    host.becomes("MASTER")
    assert eventually(lambda: f"{OTHER}/32" in host.addresses(), 2) is not None
    shown = host.director.status("vrrp")["instances"][0]["addresses"]
    assert [(one["held"], one["foreign"]) for one in shown] == [(True, True), (True, False)]
    assert host.director.stop() == 0
    assert host.addresses() == {f"{OURS}/24", f"{VIP}/32"}


def test_addresses_kept_at_a_stop_are_known_to_the_next_start(host: Host) -> None:
    host.start(instance("A", 51, VIP), "-V")
    host.becomes("MASTER")
    assert host.director.stop() == 0
    assert f"{VIP}/32" in host.addresses()

    host.start(instance("A", 51, VIP))
    assert eventually(lambda: f"{VIP}/32" not in host.addresses(), 2) is not None
    host.becomes("MASTER")
    assert host.director.stop() == 0
    assert host.addresses() == {f"{OURS}/24"}
