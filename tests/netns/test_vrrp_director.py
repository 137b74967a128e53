"""One director in a hostile neighbourhood: crashes, reloads, strange packets, stolen addresses."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from pathlib import Path

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.wire import Capture, read_advert

VIP = "10.9.0.200"
OURS, PEER = "10.9.0.1", "10.9.0.2"


def uptime() -> float:
    return float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])


def config(
    priority: int = 100, extra: str = "", addresses: str = VIP, interface: str = "eth0"
) -> str:
    return (
        f"vrrp_instance VI_1 {{\n state BACKUP\n interface {interface}\n virtual_router_id 51\n"
        f" priority {priority}\n advert_int 1\n {extra}\n"
        f" virtual_ipaddress {{\n{addresses}\n }}\n}}\n"
    )


class Scene:
    def __init__(self, lab: Lab):
        self.switch = lab.switch("sw")
        machine, self.peer = lab.machines("a", "b")
        self.port, _ = lab.cables(self.switch, (machine, "eth0", f"{OURS}/24"),
                                  (self.peer, "eth0", f"{PEER}/24"))
        self.director = Director(machine, config())
        self.capture = Capture(self.switch)

    @property
    def machine(self) -> Namespace:
        return self.director.machine

    def start(self, text: str | None = None) -> None:
        if text is not None:
            self.director.write_config(text)
        self.director.start("-P", "-D")
        assert eventually(lambda: self.state() != "INIT", 10) is not None, self.director.log()

    def state(self) -> str:
        return self.director.state("VI_1")

    def instance(self) -> dict:
        return self.director.status("vrrp")["instances"][0]

    def becomes(self, state: str, timeout: float = 8) -> None:
        assert eventually(lambda: self.state() == state, timeout) is not None, self.director.log()

    def gaps(self, since: float) -> list[float]:
        times = []
        for frame in self.capture.frames(since):
            with contextlib.suppress(ValueError):  # some tests send what no reader understands
                found = read_advert(frame)
                if found and found.source == OURS:
                    times.append(found.at)
        return [later - earlier for earlier, later in zip(times, times[1:])]


@pytest.fixture
def scene(lab: Lab) -> Scene:
    return Scene(lab)


def send(machine: Namespace, *packets) -> None:
    """Raw frames through scapy, from this machine's eth0."""
    from scapy.all import conf, sendp

    conf.verb = 0
    with machine.inside():
        conf.ifaces.reload()
        for packet in packets:
            sendp(packet, iface="eth0")


def advert(
    priority: int = 50, vrid: int = 51, seconds: int = 1, addresses: tuple[str, ...] = (VIP,),
    auth: bytes = bytes(8), auth_type: int = 0, version: int = 2, kind: int = 1,
    count: int | None = None, checksum: int | None = None,
) -> bytes:
    from tests.lab.wire import _checksum

    import ipaddress
    import struct

    body = b"".join(ipaddress.ip_address(one).packed for one in addresses) + auth

    def head(value: int) -> bytes:
        number = len(addresses) if count is None else count
        return struct.pack("!BBBBBBH", version << 4 | kind, vrid, priority, number, auth_type,
                           seconds, value)

    value = _checksum(head(0) + body) if checksum is None else checksum
    return head(value) + body


def packet(
    payload: bytes, ttl: int = 255, destination: str = "224.0.0.18", source: str = PEER, **fields
):
    from scapy.all import IP, Ether, Raw

    return (Ether(dst="01:00:5e:00:00:12")
            / IP(src=source, dst=destination, ttl=ttl, tos=0xC0, proto=112, **fields)
            / Raw(payload))


STRANGE = {
    "truncated": lambda: packet(advert()[:6]),
    "carp": lambda: packet(bytes([0x21, 51, 0, 7, 0, 1, 0, 0]) + bytes(28)),
    "bad_version": lambda: packet(advert(version=3)),
    "bad_type": lambda: packet(advert(kind=2)),
    "no_addresses": lambda: packet(advert(addresses=())),
    "bad_length": lambda: packet(advert(count=9)),
    "bad_checksum": lambda: packet(advert(checksum=0x1234)),
    "bad_ttl": lambda: packet(advert(), ttl=254),
    "bad_destination": lambda: packet(advert(), destination=OURS),
    "own_source": lambda: packet(advert(), source=OURS),
    "duplicate_address": lambda: packet(advert(addresses=("10.9.0.222",)), source=OURS),
    "interval_mismatch": lambda: packet(advert(seconds=2)),
    "authentication_type": lambda: packet(advert(auth_type=1, auth=b"secret12")),
    "address_list": lambda: packet(advert(addresses=("10.9.0.222",))),
}


def test_strange_packets_are_counted_by_reason_and_nothing_is_lost(scene: Scene) -> None:
    # Otherwise the kernel itself drops packets that claim to be ours, before we could count them.
    scene.machine.sysctl(ipv4__conf__all__accept_local=1, ipv4__conf__eth0__accept_local=1)
    scene.start()
    scene.becomes("MASTER")
    began = time.time()
    for reason, make in STRANGE.items():
        send(scene.peer, make())
        assert eventually(
            lambda: scene.instance()["counters"]["errors"][reason] >= 1, 3
        ) is not None, (
            f"{reason}: {scene.instance()['counters']} {scene.director.status('vrrp')['strays']}"
        )
    before = scene.instance()["counters"]
    send(scene.peer, packet(advert(vrid=77)), packet(b"\x21"), packet(b""))
    assert scene.state() == "MASTER"
    assert max(scene.gaps(began)) < 1.5
    errors = scene.instance()["counters"]["errors"]
    assert errors == before["errors"], "other routers are none of our business"
    send(scene.peer, packet(advert(priority=200)))
    scene.becomes("BACKUP")


def test_ip_options_and_trailing_padding_do_not_hide_a_good_advert(scene: Scene) -> None:
    from scapy.all import IPOption_NOP, Padding

    scene.start()
    scene.becomes("MASTER")
    options = [IPOption_NOP() for _ in range(4)]
    send(scene.peer, packet(advert(priority=200), options=options) / Padding(b"\xaa" * 20))
    scene.becomes("BACKUP", 2)
    counters = scene.instance()["counters"]
    assert counters["adverts_received"] == 1
    assert not any(counters["errors"].values()), counters


def test_wrong_password_is_a_problem_that_is_told(scene: Scene) -> None:
    scene.start(config(extra="authentication {\n auth_type PASS\n auth_pass secret12\n }\n"))
    scene.becomes("MASTER")
    send(scene.peer, packet(advert(priority=200, auth_type=1, auth=b"wrong\0\0\0")))
    assert eventually(
        lambda: scene.instance()["counters"]["errors"]["authentication_data"] == 1, 3
    ) is not None
    assert scene.state() == "MASTER"
    assert "vrrp-peer-problem" in scene.director.log()


def test_kill_9_of_the_child_costs_neither_mastership_nor_address(scene: Scene) -> None:
    scene.start()
    scene.becomes("MASTER")
    time.sleep(1.5)
    since, pid = scene.instance()["since_at"], scene.director.role_pid("vrrp")
    began = time.time()
    lost: list[float] = []
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 4
    while time.monotonic() < until:
        if not scene.director.holds(VIP):
            lost.append(time.monotonic())
        time.sleep(0.02)

    assert not lost, "the address never left"
    assert scene.state() == "MASTER"
    assert scene.director.role_pid("vrrp") != pid
    assert scene.instance()["since_at"][:19] == since[:19]
    assert max(scene.gaps(began - 1.2)) < 3, "no backup can have noticed"
    assert all(one.priority == 100 for one in scene.capture.adverts(began, OURS))
    assert not [one for one in scene.capture.arps(began, VIP)], "nothing changed for the segment"


def test_reload_with_the_same_file_does_not_touch_the_wire(scene: Scene) -> None:
    scene.start()
    scene.becomes("MASTER")
    time.sleep(6.5)
    began = time.time()
    for _ in range(3):
        scene.director.process.send(signal.SIGHUP)
        time.sleep(1.3)
    assert eventually(lambda: scene.director.status("vrrp")["generation"] >= 2, 5) is not None
    gaps = scene.gaps(began)
    assert min(gaps) > 0.9 and max(gaps) < 1.1, gaps
    assert not scene.capture.arps(began, VIP)


def test_reload_changes_addresses_and_removes_instances(scene: Scene) -> None:
    scene.start()
    scene.becomes("MASTER")
    scene.director.write_config(config(addresses=f"{VIP}\n10.9.0.201"))
    scene.director.process.send(signal.SIGHUP)
    added = eventually(lambda: scene.director.holds("10.9.0.201"), 5)
    assert added is not None, scene.director.log()
    assert scene.director.holds(VIP)
    other = config().replace("51", "52").replace("200", "210")
    scene.director.write_config("global_defs {\n}\n" + other)
    scene.director.process.send(signal.SIGHUP)
    assert eventually(lambda: not scene.director.holds(VIP), 8) is not None
    assert [one for one in scene.capture.adverts(0, OURS, vrid=51) if one.priority == 0]
    assert eventually(lambda: scene.director.holds("10.9.0.210"), 8) is not None


def test_an_address_that_somebody_removes_comes_back(scene: Scene) -> None:
    scene.start()
    scene.becomes("MASTER")
    time.sleep(1)
    began = time.time()
    scene.machine.ip(f"addr del {VIP}/32 dev eth0")
    assert eventually(lambda: scene.director.holds(VIP), 2) is not None
    assert eventually(
        lambda: scene.instance()["counters"]["addresses_repaired"] == 1, 2
    ) is not None
    assert scene.state() == "MASTER"
    assert eventually(lambda: scene.capture.arps(began, VIP), 2) is not None


def test_a_socket_that_could_not_be_opened_is_named_and_tried_again(scene: Scene) -> None:
    scene.start()
    scene.becomes("MASTER")
    pid = scene.director.role_pid("vrrp")
    scene.machine.ip("link set eth0 name eth7")
    scene.becomes("FAULT")
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))

    scene.machine.ip("link set eth7 name eth0")
    sentence = "cannot open a raw socket for VRRP on eth0"
    told = eventually(lambda: sentence in scene.director.log(), 3)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))

    assert told is not None, scene.director.log()
    scene.becomes("MASTER", 10)  # no news of the interface was needed
    assert scene.director.holds(VIP)


def test_interface_down_is_fault_and_up_is_back(scene: Scene) -> None:
    scene.start()
    scene.becomes("MASTER")
    scene.machine.ip("link set eth0 down")
    scene.becomes("FAULT")
    assert "eth0" in scene.instance()["faults"][0]
    assert not scene.director.holds(VIP)
    scene.machine.ip("link set eth0 up")
    scene.becomes("MASTER")
    assert scene.director.holds(VIP)
    scene.switch.ip(f"link set {scene.port} down")  # the carrier goes, the interface stays up
    scene.becomes("FAULT")
    scene.switch.ip(f"link set {scene.port} up")
    scene.becomes("MASTER")


def test_an_interface_that_does_not_exist_yet_is_named_and_waited_for(scene: Scene) -> None:
    scene.start(config(interface="late0"))
    assert scene.state() == "FAULT"
    assert "late0" in scene.instance()["faults"][0]
    assert "interface late0 of vrrp_instance VI_1 does not exist" in scene.director.log()
    scene.machine.ip("link add late0 type veth peer name late1", "addr add 10.9.1.1/24 dev late0",
                     "link set late1 up", "link set late0 up")
    scene.becomes("MASTER")
    scene.machine.ip("link del late0")
    scene.becomes("FAULT")


def test_notify_scripts_run_in_order_with_keepalived_s_arguments(scene: Scene) -> None:
    out = scene.director.directory / "notify.log"
    script = scene.director.directory / "notify.sh"
    script.write_text(f"#!/bin/sh\necho \"$@\" >> {out}\n", encoding="ascii")
    script.chmod(0o755)
    states = ("master", "backup", "fault", "stop")
    names = "\n ".join(f'notify_{state} "{script} own_{state}"' for state in states)
    scene.start(config(extra=f"{names}\n notify {script}"))
    scene.becomes("MASTER")
    scene.machine.ip("link set eth0 down")
    scene.becomes("FAULT")
    scene.machine.ip("link set eth0 up")
    scene.becomes("MASTER")
    assert scene.director.stop() == 0
    lines = Path(out).read_text(encoding="ascii").splitlines()
    expected: list[str] = []
    for state in ("BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER", "STOP"):
        expected += [f"own_{state.lower()}", f"INSTANCE VI_1 {state} 100"]
    assert lines == expected


def test_stop_hands_over_and_leaves_nothing_behind(scene: Scene) -> None:
    scene.start()
    scene.becomes("MASTER")
    began = time.time()
    assert scene.director.stop() == 0
    assert not scene.director.holds(VIP)
    assert [one.priority for one in scene.capture.adverts(began, OURS)] == [0]
    assert not (scene.director.directory / "vrrp.sock").exists()
    assert not (scene.director.directory / "vrrp.pid").exists()


def test_a_second_signal_ends_the_wait_for_a_successor(scene: Scene) -> None:
    scene.start()
    scene.becomes("MASTER")
    began = time.time()
    scene.director.process.send(signal.SIGTERM)
    time.sleep(0.3)
    assert scene.director.holds(VIP), "alone, it holds on for the slowest peer there may be"
    scene.director.process.send(signal.SIGTERM)

    assert scene.director.process.wait(5) == 0
    assert time.time() - began < 1.2
    assert not scene.director.holds(VIP)
    assert [one.priority for one in scene.capture.adverts(began, OURS)] == [0]


def test_addresses_stay_with_dont_release(scene: Scene) -> None:
    scene.director.start("-P", "-D", "-V")
    scene.becomes("MASTER")
    assert scene.director.stop() == 0
    assert scene.director.holds(VIP)


def test_death_of_the_watchdog_is_an_orderly_stop(scene: Scene) -> None:
    scene.start()
    scene.becomes("MASTER")
    began = time.time()
    os.kill(scene.director.process.pid, signal.SIGKILL)
    assert eventually(lambda: not scene.director.holds(VIP), 6) is not None
    assert [one.priority for one in scene.capture.adverts(began, OURS)][-1] == 0


def test_a_signal_beside_the_end_of_the_watchdog_does_not_hurry_the_handover(scene: Scene) -> None:
    scene.start()
    scene.becomes("MASTER")
    child = scene.director.role_pid("vrrp")
    began = time.time()
    os.kill(scene.director.process.pid, signal.SIGKILL)
    assert eventually(lambda: scene.capture.adverts(began, OURS), 2) is not None
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGTERM)  # as a service manager sends to all that is left
    time.sleep(0.15)

    assert scene.director.holds(VIP), scene.director.log()
    assert eventually(lambda: not scene.director.holds(VIP), 6) is not None
    assert 1 < time.time() - began < 3, "alone, it holds on for the slowest peer there may be"


RESTS = {
    "AH and HMAC": "authentication {\n  auth_type AH\n  auth_pass secret\n }\n"
                   " auth_hmac {\n  key 1 0123456789abcdef0123456789abcdef\n }",
    "HMAC without a key": "auth_hmac {\n  key 1 file:/no/such/key\n }",
}


@pytest.mark.parametrize("kind", RESTS)
def test_an_instance_that_is_not_done_yet_rests_beside_a_normal_one(
    scene: Scene, kind: str
) -> None:
    resting = "10.9.0.222"
    text = config() + config(priority=200, extra=RESTS[kind], addresses=resting).replace(
        "VI_1", "VI_2").replace("virtual_router_id 51", "virtual_router_id 52")
    since = time.time()

    scene.start(text)
    scene.becomes("MASTER")
    time.sleep(3)

    assert [each["name"] for each in scene.director.status("vrrp")["instances"]] == ["VI_1"]
    assert "vrrp_instance 'VI_2' is not started" in scene.director.log()
    held = scene.machine.run("ip", "-o", "address", "show", "dev", "eth0").stdout
    assert f"{VIP}/" in held and resting.split("/")[0] not in held
    ours = [found for found in map(read_any_advert, scene.capture.frames(since)) if found]
    assert {vrid for vrid, _ in ours} == {51}
    assert {destination for _, destination in ours} == {"224.0.0.18"}


def read_any_advert(frame) -> tuple[int, str] | None:
    """VRID and destination of anything of protocol 112 or 51, IPv4 or IPv6, that we sent."""
    data = bytes(frame.data)
    kind = int.from_bytes(data[12:14], "big")
    if kind == 0x0800 and data[23] in (51, 112):
        header = 14 + (data[14] & 15) * 4 + (24 if data[23] == 51 else 0)
        return data[header + 1], ".".join(str(byte) for byte in data[30:34])
    if kind == 0x86DD and data[20] == 112:
        return data[55], data[38:54].hex()
    return None


def test_no_election_before_the_host_has_been_up_for_the_delay_after_boot(scene: Scene) -> None:
    if uptime() > 86_000:
        pytest.skip("this host is up for longer than the word can say")
    until = uptime() + 6
    text = f"global_defs {{\n vrrp_delay_after_boot {until:.2f}\n}}\n" + config()
    scene.director.write_config(text)
    scene.director.start("-P", "-D")
    while uptime() < until - 0.5:
        assert scene.state() == "INIT" or uptime() >= until
        time.sleep(0.2)
    assert eventually(lambda: scene.state() != "INIT", 2) is not None, scene.director.log()
    assert uptime() >= until
    scene.becomes("MASTER")
    assert "vrrp_delay_after_boot" in scene.director.log()
    os.kill(scene.director.role_pid("vrrp"), signal.SIGKILL)  # nobody waits a second time
    assert eventually(lambda: scene.state() == "MASTER", 2) is not None, scene.director.log()


def test_a_reload_lifts_the_delay_after_boot_and_does_not_bring_it_to_a_master(
        scene: Scene) -> None:
    if uptime() > 80_000:
        pytest.skip("this host is up for longer than the word can say")
    late = f"global_defs {{\n vrrp_delay_after_boot {uptime() + 3000:.0f}\n}}\n" + config()
    scene.director.write_config(late)
    scene.director.start("-P", "-D")
    assert eventually(lambda: "vrrp_delay_after_boot" in scene.director.log(), 5) is not None
    assert scene.state() == "INIT"
    scene.director.write_config(config())
    scene.director.ctl("reload")
    scene.becomes("MASTER")

    scene.director.write_config(late)
    scene.director.ctl("reload")
    assert scene.director.log().count("elections start at") == 1, scene.director.log()
    pid = scene.director.role_pid("vrrp")
    os.kill(pid, signal.SIGKILL)  # it goes on, whatever the boot delay says
    assert eventually(lambda: scene.director.status("vrrp").get("pid") not in (None, pid) and
                      scene.state() == "MASTER", 3) is not None, scene.director.log()
