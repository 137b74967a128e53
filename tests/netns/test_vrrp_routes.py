"""Routes and rules of a master, in the words of `ip`, beside keepalived's; and whose they are."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.wire import Capture

VIP, VIP6 = "10.9.0.200", "2001:db8:9::200"
ROUTES = [
    "default via 10.9.0.254",
    f"10.50.0.0/16 via 10.9.0.253 dev eth0 src {VIP} metric 50",
    "10.51.0.0/16 dev eth1",
    "blackhole 10.52.0.0/16",
    "unreachable 10.53.0.0/16 table 100",
    "10.54.0.0/16 nexthop via 10.9.0.2 weight 2 nexthop via 10.9.0.3 weight 1",
    "10.55.0.0/16 via 10.9.0.253 mtu 1400 advmss 1300 initcwnd 20 quickack 1 features ecn",
    "10.56.0.0/16 via 10.9.0.253 mtu lock 1400 tos 8 realms 5/6",
    "10.57.0.0/16 via 10.99.0.1 dev eth0 onlink",
    "prohibit 10.58.0.0/16 table 1000",
    "throw 10.59.0.0/16 table 100",
    "10.60.0.0/16 via 10.9.0.253 window 1000 cwnd 12 reordering 5 hoplimit 60 initrwnd 30",
    "10.61.0.0/16 via 10.9.0.253 scope global congctl reno",
    "10.62.0.0/16 nexthop via 10.9.0.2 dev eth0 weight 3",
    "src 0.0.0.0 to 10.63.0.0/16 dev eth1",
]
ROUTES6 = [
    f"2001:db8:50::/48 via 2001:db8:9::253 dev eth0 src {VIP6} metric 50",
    "2001:db8:51::/48 dev eth1",
    "blackhole 2001:db8:52::/48",
    "2001:db8:53::/48 via 2001:db8:9::253 table 100",
    "default via 2001:db8:9::254 metric 20",
    "2001:db8:54::/48 nexthop via 2001:db8:9::2 dev eth0",
]
RULES = [
    "from 10.9.0.200 table 100",
    "to 10.8.0.0/16 table 101 priority 1000",
    "fwmark 5 table 102 priority 1001",
    "fwmark 0x10/0xff table 102 priority 1002",
    "iif eth0 from 10.1.0.0/16 lookup main priority 1003",
    "not from 10.2.0.0/16 blackhole priority 1004",
    "from 10.2.0.0/16 goto 2000 priority 1005",
    "from 10.2.0.0/16 tos 0x10 unreachable priority 1006",
    "oif eth1 table 105 suppress_prefixlength 0 priority 1007",
    "uidrange 1000-1999 table 106 priority 1008",
    "ipproto tcp dport 80-90 table 107 priority 1009",
    "from 10.3.0.0/16 realms 3/4 table 108 priority 1011",
    "from 10.4.0.0/16 table 100",
    "l3mdev priority 1013",
    "from 10.3.0.0/16 nop priority 1014",
    "tunnel-id 7 table 109 priority 1015",
    "from 2001:db8:50::/48 table 100 priority 1016",
]


def block(name: str, lines: list[str]) -> str:
    return f" {name} {{\n" + "".join(f"  {line}\n" for line in lines) + " }\n" if lines else ""


def instance(routes: list[str], rules: list[str] = (), vip: str = VIP, vrid: int = 51,
             extra: str = "") -> str:
    length = 64 if ":" in vip else 24
    first = "  fe80::200/64\n" if ":" in vip else ""
    return (f"vrrp_instance VI_{vrid} {{\n interface eth0\n virtual_router_id {vrid}\n"
            f" priority 150\n {extra}\n virtual_ipaddress {{\n{first}  {vip}/{length}\n }}\n"
            + block("virtual_routes", routes) + block("virtual_rules", list(rules)) + "}\n")


def text_of(*blocks: str) -> str:
    return "global_defs {\n router_id test\n}\n" + "".join(blocks)


@pytest.fixture
def machine(lab: Lab) -> Namespace:
    switch = lab.switch("sw")
    [made] = lab.machines("a")
    for at, interface in enumerate(("eth0", "eth1")):
        lab.cables(switch, (made, interface, f"10.{9 + at}.0.1/24"))
        made.sysctl(**{f"ipv6__conf__{interface}__disable_ipv6": 0})
        made.ip(f"addr add 2001:db8:{9 + at}::1/64 dev {interface} nodad")
        made.ip(f"addr add fe80::1/64 dev {interface} nodad")
    return made


def shown(machine: Namespace) -> list[str]:
    """What carries the mark, in the order of `ip`; numbers of time and use left out."""
    lines: list[str] = []
    for words in ("-4 route", "-6 route"):
        found = machine.run("ip", *words.split(), "show", "table", "all", "proto",
                            "keepalived").stdout
        lines += [" ".join(line.split()) for line in found.splitlines()]
    for words in ("-4 rule", "-6 rule"):
        found = machine.run("ip", *words.split(), "show").stdout
        lines += [" ".join(line.split()) for line in found.splitlines()
                  if "proto keepalived" in line]
    return lines


def held_by(program: str, machine: Namespace, text: str) -> list[str]:
    director = Director(machine, text, program)
    director.start("-P")
    director.wait_for(VIP)
    director.wait_for(VIP6)
    time.sleep(1)
    found = shown(machine)
    assert director.stop() == 0
    assert shown(machine) == [], f"left by {program}"
    return found


def routes(machine: Namespace, *words: str) -> str:
    return machine.run("ip", "route", "show", *words).stdout


def test_all_words_of_routes_and_rules_are_keepalived_s(machine: Namespace) -> None:
    text = text_of(instance(ROUTES, RULES), instance(ROUTES6, vip=VIP6, vrid=52))
    ours = held_by("holdfast", machine, text)
    theirs = held_by("keepalived", machine, text)
    assert len(ours) == len(ROUTES) + 2 + len(ROUTES6) + len(RULES)  # two lines for the legs
    assert ours == theirs


def test_static_ones_are_there_without_a_master(machine: Namespace) -> None:
    statics = ("static_ipaddress {\n 10.9.5.1/24 dev eth0\n 10.9.6.1/32 dev eth1 label eth1:s\n}\n"
               "static_routes {\n 10.70.0.0/16 via 10.9.0.9 dev eth0 src 10.9.5.1\n}\n"
               "static_rules {\n from 10.70.0.0/16 table 77 priority 700\n}\n")
    director = Director(machine, text_of(statics, instance([])))
    machine.ip("link set eth0 down")  # nobody becomes master
    director.start("-P")
    assert eventually(lambda: director.holds("10.9.5.1") and director.holds("10.9.6.1"), 8)
    machine.ip("link set eth0 up")
    assert eventually(lambda: "10.70.0.0/16 via 10.9.0.9" in routes(machine), 3), director.log()
    assert "from 10.70.0.0/16 lookup 77" in machine.run("ip", "rule").stdout

    director.write_config(text_of(instance([])))
    assert director.ctl("reload").returncode == 0
    assert eventually(lambda: shown(machine) == [] and not director.holds("10.9.5.1"), 3)


STATICS = ("static_ipaddress {\n 10.9.5.1/24 dev eth0\n}\n"
           "static_routes {\n 10.70.0.0/16 via 10.9.0.9 dev eth0\n}\n"
           "static_rules {\n from 10.70.0.0/16 table 77 priority 700\n}\n")


def are_there(machine: Namespace) -> list[bool]:
    return ["10.9.5.1/24" in machine.run("ip", "-4", "addr").stdout,
            "10.70.0.0/16 via 10.9.0.9" in routes(machine),
            "lookup 77" in machine.run("ip", "rule").stdout]


def test_static_ones_outlive_the_vrrp_process(machine: Namespace) -> None:
    """Killed, ended by hand, released: they stay. The end of the director takes them."""
    director = start(machine, text_of(STATICS, instance(["10.50.0.0/16 via 10.9.0.253"])))
    assert eventually(lambda: all(are_there(machine)), 3) is not None
    monitor = machine.spawn("ip", "monitor", "route", "addr", "rule", log="monitor")
    time.sleep(0.3)
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL, signal.SIGKILL):
        pid = director.role_pid("vrrp")
        os.kill(pid, number)
        if eventually(lambda: not director.holds(VIP), 1) is not None:
            break  # the watchdog makes a pause: nobody is there
        assert eventually(lambda old=pid: director.status("vrrp").get("pid", old) != old,
                          15) is not None, director.log()
    assert not director.holds(VIP), director.log()
    gone = [line for line in monitor.output().splitlines() if line.startswith("Deleted")]
    assert [line for line in gone if VIP in line]
    assert not [line for line in gone if "10.9.5.1" in line or "10.70." in line], gone
    assert all(are_there(machine))

    assert director.stop() == 0
    assert are_there(machine) == [False] * 3, director.log()


TRACKED = ("track_group way {\n group {\n  VI_51\n }\n}\n"
           "static_ipaddress {\n 10.10.5.1/24 dev eth1 track_group way\n}\n"
           "static_routes {\n 10.70.0.0/16 via 10.10.0.9 dev eth1 track_group way\n}\n"
           "static_rules {\n from 10.70.0.0/16 table 77 priority 700 track_group way\n}\n")


def test_members_of_a_track_group_go_down_with_what_is_static(machine: Namespace) -> None:
    """keepalived puts back what it can, and is in FAULT while the link is down: so are we. What it
    cannot put back changes nothing there (2.2.7), unlike its manual says; here it is the fault."""
    director = Director(machine, text_of(TRACKED, instance([], extra="version 3\n advert_int 0.2")))
    director.start("-P")
    director.wait_for(VIP)
    assert eventually(lambda: "10.70.0.0/16 via 10.10.0.9" in routes(machine), 3) is not None
    for taken in ("addr del 10.10.5.1/24 dev eth1", "route del 10.70.0.0/16",
                  "rule del priority 700"):
        machine.ip(taken)
    time.sleep(0.7)
    assert "FAULT" not in director.log() and director.holds(VIP)
    assert "10.70.0.0/16 via 10.10.0.9" in routes(machine)

    machine.ip("link set eth1 down")
    assert eventually(lambda: director.state("VI_51") == "FAULT", 3) is not None
    machine.ip("link set eth1 up")
    assert eventually(lambda: director.state("VI_51") == "MASTER", 5) is not None, director.log()

    machine.ip("addr del 10.10.0.1/24 dev eth1")  # the route's gateway is out of reach
    machine.run("ip", "route", "del", "10.70.0.0/16", check=False)
    assert eventually(lambda: director.state("VI_51") == "FAULT", 3) is not None, director.log()
    told = director.ctl("explain", "VI_51").stdout
    assert "the static route 10.70.0.0/16 via 10.10.0.9 dev eth1 is missing" in told, told
    assert not director.holds(VIP)
    machine.ip("addr add 10.10.0.1/24 dev eth1")
    assert eventually(lambda: director.state("VI_51") == "MASTER", 5) is not None, director.log()


def test_static_ones_that_cannot_be_had_are_named(machine: Namespace) -> None:
    statics = ("static_ipaddress {\n 10.9.5.1/24 dev eth0\n 10.9.6.1/24 dev late0\n}\n"
               "static_routes {\n 10.70.0.0/16 via 10.99.0.9 dev eth0\n"
               " 10.71.0.0/16 dev late0\n}\n")
    director = Director(machine, text_of(statics, instance([])))
    director.start("-P")
    director.wait_for(VIP)
    told = director.status("vrrp")["static"]
    assert [each["held"] for each in told["addresses"]] == [True, False]
    assert "no interface late0" in told["addresses"][1]["problem"]
    assert [each["held"] for each in told["routes"]] == [False, False]
    assert "no route leads to its gateway" in told["routes"][0]["problem"]
    text = director.ctl("status").stdout
    assert "1 of 4 addresses, routes and rules are in place" in text
    assert text.count("trouble: ") == 3, text
    time.sleep(2.5)  # two more attempts
    log = director.log()
    assert log.count("the static address 10.9.6.1/24 on late0 is not there") == 1
    assert log.count("the route 10.71.0.0/16 dev late0 is not there") == 1
    assert log.count("cannot add the route 10.70.0.0/16") == 1

    machine.ip("link add late0 type veth peer name late1", "link set late1 up",
               "link set late0 up")
    assert eventually(lambda: "10.71.0.0/16 dev late0" in routes(machine), 3) is not None
    held = eventually(lambda: director.ctl("status").stdout.count("trouble: ") == 1, 3)
    assert held is not None, director.ctl("status").stdout


def start(machine: Namespace, text: str, program: str = "holdfast") -> Director:
    director = Director(machine, text, program)
    director.start("-P")
    director.wait_for(VIP)
    return director


def test_what_somebody_removes_is_put_back_or_with_no_track_left_away(machine: Namespace) -> None:
    director = start(machine, text_of(instance(
        ["10.50.0.0/16 via 10.9.0.253", "10.51.0.0/16 via 10.9.0.253 no_track"],
        ["from 10.50.0.0/16 table 100 priority 1000"])))
    assert eventually(lambda: len(shown(machine)) == 3, 3) is not None
    since = director.status("vrrp")["instances"][0]["since_at"]

    machine.ip("route del 10.50.0.0/16")
    machine.ip("route del 10.51.0.0/16")
    machine.ip("rule del priority 1000")
    assert eventually(lambda: len(shown(machine)) == 2, 2) is not None, director.log()
    time.sleep(0.5)
    assert "10.51.0.0/16" not in routes(machine)
    [only] = director.status("vrrp")["instances"]
    assert (only["state"], only["since_at"]) == ("MASTER", since), "no client noticed"
    assert [(one["held"], one.get("let_go")) for one in only["routes"]] == [
        (True, None), (False, True), (True, None)]
    assert "netlink-route-repaired" in director.log()


def test_a_default_route_of_two_instances_goes_with_the_last(machine: Namespace) -> None:
    both = [instance(["default via 10.9.0.254"]),
            instance(["default via 10.9.0.254"], vip="10.9.0.201", vrid=52)]
    director = start(machine, text_of(*both))
    director.wait_for("10.9.0.201")
    assert eventually(lambda: routes(machine, "default").count("default") == 1, 3) is not None

    director.write_config(text_of(both[1]))
    assert director.ctl("reload").returncode == 0
    assert eventually(lambda: not director.holds(VIP), 3) is not None
    assert "default via 10.9.0.254" in routes(machine)
    director.stop()
    assert routes(machine, "default") == ""


def test_a_foreign_route_stays_and_one_that_cannot_be_had_is_named(machine: Namespace) -> None:
    machine.ip("route add default via 10.10.0.254")
    machine.ip("route add 10.50.0.0/16 via 10.9.0.77 proto keepalived")
    director = start(machine, text_of(instance(
        ["default via 10.9.0.254", "10.80.0.0/16 via 172.31.0.1", "10.81.0.0/16 dev eth9 no_track",
         "10.82.0.0/16 via 10.9.0.5 table nowhere",
         "10.83.0.0/16 via 10.9.0.5 mtu 70000"])))  # the kernel makes less of it
    assert eventually(lambda: "cannot add the route 10.80.0.0/16" in director.log(), 3)
    problems = [one.get("problem", "") for one in director.status("vrrp")["instances"][0]["routes"]]
    assert problems[0] == ""
    assert "no route leads to its gateway" in problems[1]
    assert problems[2] == "there is no interface eth9"
    assert problems[3] == "there is no routing table named 'nowhere'"
    [trouble] = director.status("vrrp")["instances"][0]["troubles"]
    assert trouble.startswith("1 of 5 routes and rules are in place: route 10.80.0.0/16")

    machine.ip("addr add 172.31.0.9/24 dev eth1")  # now its gateway can be reached
    assert eventually(lambda: "10.80.0.0/16 via 172.31.0.1" in routes(machine), 2) is not None
    assert "10.83.0.0/16" in routes(machine)
    director.stop()
    left = routes(machine)
    assert "10.83.0.0/16" not in left
    assert "default via 10.10.0.254" in left and "10.50.0.0/16 via 10.9.0.77" in left
    assert "10.80.0.0/16" not in left and "10.9.0.254" not in left


def test_a_killed_process_s_routes_are_kept_by_who_resumes_and_swept_otherwise(
        machine: Namespace) -> None:
    director = start(machine, text_of(instance(["10.50.0.0/16 via 10.9.0.253"],
                                               ["from 10.50.0.0/16 table 100 priority 1000"])))
    assert eventually(lambda: len(shown(machine)) == 2, 3) is not None
    pid = director.role_pid("vrrp")
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: director.status("vrrp").get("pid", pid) != pid, 5) is not None
    assert len(shown(machine)) == 2, "the successor goes on as master"

    director.kill_everything()
    assert len(shown(machine)) == 2, "nobody is left to take them off"
    time.sleep(4)  # too late to resume
    director.write_config(text_of(instance([])))
    director.start("-P")
    assert eventually(lambda: shown(machine) == [], 8) is not None, director.log()
    assert "netlink-routes-left-over" in director.log()


@pytest.mark.parametrize("program", ["holdfast", "keepalived"])
def test_the_interface_of_a_tracked_route_is_tracked(machine: Namespace, program: str) -> None:
    director = start(machine, text_of(instance(["10.51.0.0/16 dev eth1"])), program)
    machine.ip("link set eth1 down")
    assert eventually(lambda: director.state("VI_51") == "FAULT", 3) is not None
    machine.ip("link set eth1 up")
    assert eventually(lambda: "10.51.0.0/16" in routes(machine), 8) is not None


def test_what_the_kernel_shows_otherwise_goes_after_a_crash(machine: Namespace) -> None:
    director = start(machine, text_of(instance(["10.51.0.0/16 via 10.9.0.253 mtu 70000"])))
    assert eventually(lambda: len(shown(machine)) == 1, 3) is not None
    director.kill_everything()
    time.sleep(4)  # too late to resume
    director.write_config(text_of(instance([])))
    director.start("-P")
    assert eventually(lambda: shown(machine) == [], 8) is not None, director.log()


def test_a_route_comes_back_with_its_link(machine: Namespace) -> None:
    """The kernel takes it off without a word: nobody's theft, so no_track does not count."""
    director = start(machine, text_of(instance(["10.51.0.0/16 via 10.10.0.253 no_track"])))
    machine.ip("link set eth1 down")
    machine.ip("link set eth1 up")
    assert eventually(lambda: "10.51.0.0/16" in routes(machine), 5) is not None, director.log()
    machine.ip("link set eth1 down")
    time.sleep(0.5)
    assert "10.51.0.0/16" not in routes(machine)
    machine.ip("link set eth1 up")
    assert eventually(lambda: "10.51.0.0/16" in routes(machine), 5) is not None, director.log()


def test_a_static_address_is_a_source_of_adverts(machine: Namespace) -> None:
    machine.ip("addr del 10.9.0.1/24 dev eth0")
    text = text_of("static_ipaddress {\n 10.9.0.7/24 dev eth0\n}\n", instance([]))
    director = Director(machine, text, "holdfast")
    director.start("-P")
    director.wait_for(VIP)
    assert director.state("VI_51") == "MASTER"


def test_strangers_routes_cost_nothing(machine: Namespace) -> None:
    director = start(machine, text_of(instance(["10.50.0.0/16 via 10.9.0.253"])))
    batch = "".join(f"route add 172.{16 + n // 256}.{n % 256}.0/24 via 10.9.0.9\n"
                    for n in range(3000))
    before = len(director.log())
    machine.run("ip", "-batch", "-", stdin=batch)
    time.sleep(1)
    assert shown(machine) == ["10.50.0.0/16 via 10.9.0.253 dev eth0"]
    assert "netlink" not in director.log()[before:]


def busiest(director: Director) -> float:
    return director.status("vrrp")["loop"]["busiest_turn_ms"]


def test_a_thousand_routes_of_ours_leave_the_loop_free(machine: Namespace) -> None:
    lines = [f"172.{16 + n // 256}.{n % 256}.0/24 via 10.9.0.9" for n in range(2000)]
    director = start(machine, text_of(instance(lines)))
    assert eventually(lambda: len(shown(machine)) == 2000, 5) is not None
    taken = busiest(director)
    machine.run("ip", "-batch", "-", stdin="".join(f"route del {line}\n" for line in lines[:500]))
    assert eventually(lambda: len(shown(machine)) == 2000, 5) is not None
    mended = busiest(director)
    assert director.stop() == 0
    assert shown(machine) == []
    assert taken < 40 and mended < 40, (taken, mended)


def test_a_neighbour_with_our_mark_that_flaps_thousands_of_routes(machine: Namespace) -> None:
    director = start(machine, text_of(instance(["10.50.0.0/16 via 10.9.0.253"])))
    batch = machine.lab.directory / "flap"
    lines = [f"172.{16 + n // 256}.{n % 256}.0/24 via 10.9.0.9 proto 18\n" for n in range(3000)]
    batch.write_text("".join(f"route {verb} {line}" for verb in ("add", "del") for line in lines))
    capture = Capture(machine, "eth0")
    began = time.monotonic()
    while time.monotonic() < began + 6:
        machine.run("ip", "-batch", str(batch))
    at = [advert.at for advert in capture.adverts()]
    gaps = [later - earlier for earlier, later in zip(at, at[1:], strict=False)]
    assert len(gaps) >= 5
    assert max(gaps) < 1.02, gaps
    assert busiest(director) < 40
    assert "10.50.0.0/16 via 10.9.0.253" in routes(machine)


def test_options_of_addresses_are_keepalived_s(machine: Namespace) -> None:
    lines = ["10.9.0.200/24", "10.9.0.201/24 dev eth0 noprefixroute",
             "10.9.0.202/32 dev eth1 scope link", "10.9.0.204/24 brd +"]
    lines6 = ["fe80::200/64", f"{VIP6}/64", "2001:db8:9::201/128",
              "2001:db8:9::202/128 preferred_lft forever", "2001:db8:9::203/64 noprefixroute",
              "2001:db8:9::204/64 home", "2001:db8:9::205/64 mngtmpaddr",
              "2001:db8:9::206/64 -nodad"]
    text = text_of(*(f"vrrp_instance VI_{vrid} {{\n interface eth0\n virtual_router_id {vrid}\n"
                     f" priority 150\n" + block("virtual_ipaddress", found) + "}\n"
                     for vrid, found in ((51, lines), (52, lines6))))

    def addresses(program: str) -> list[str]:
        director = Director(machine, text, program)
        director.start("-P")
        director.wait_for(VIP)
        director.wait_for("2001:db8:9::206")
        time.sleep(2.5)  # duplicate address detection
        found = machine.run("ip", "-o", "addr", "show").stdout
        assert director.stop() == 0
        return sorted(" ".join(line.split()[1:]).replace("proto keepalived", "").replace(
            "proto 72", "").replace("  ", " ") for line in found.splitlines() if ":9::20" in line
            or "10.9.0.20" in line)

    assert addresses("holdfast") == addresses("keepalived")


def test_an_address_with_a_peer_leaves_with_the_mastership(machine: Namespace) -> None:
    """keepalived never takes it off."""
    director = start(machine, text_of(
        "vrrp_instance VI_51 {\n interface eth0\n virtual_router_id 51\n priority 150\n"
        f" virtual_ipaddress {{\n  {VIP}/24\n  10.9.3.1 peer 10.9.3.2/32 dev eth0\n }}\n}}\n"))
    assert eventually(lambda: "inet 10.9.3.1 peer 10.9.3.2/32" in
                      machine.run("ip", "addr").stdout, 3) is not None
    director.stop()
    assert "10.9.3.1" not in machine.run("ip", "addr").stdout
