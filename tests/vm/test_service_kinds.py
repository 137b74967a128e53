"""Every kind of service on a real ip_vs: marks, IPv6, scheduler flags, tunnels, persistence.

What ipvsadm makes from its own words on a second machine is the measure for the table.
"""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from dataclasses import dataclass

import pytest

from tests.lab.client import answers
from tests.lab.director import Director
from tests.lab.netns import Lab, Namespace, eventually
from tests.lab.topology import NAT_VIP, PORT, SERVERS, RealServer, Topology

SETTLE = 20.0  # s


@dataclass(frozen=True)
class Kind:
    """A virtual_server block and the ipvsadm lines that make the same service."""

    config: str
    rules: tuple[str, ...]
    words: str  # how `holdfastctl status` begins its line

    def text(self) -> str:
        return f"virtual_server {self.config}"


FLAGS = Kind(
    """10.9.0.1 80 {
        protocol TCP
        lb_algo sh
        sh-port
        sh-fallback
        lb_kind NAT
        real_server 10.8.0.1 8080 {
            weight 3
            uthreshold 100
            lthreshold 50
        }
    }""",
    ("-A -t 10.9.0.1:80 -s sh -b sh-fallback,sh-port",
     "-a -t 10.9.0.1:80 -r 10.8.0.1:8080 -m -w 3 -x 100 -y 50"),
    "TCP 10.9.0.1:80  sh NAT",
)
MARK = Kind(
    """fwmark 7 {
        lb_algo wrr
        lb_kind NAT
        real_server 10.8.0.1 8099 {
            weight 2
        }
        real_server 10.8.0.2 {
        }
    }""",
    ("-A -f 7 -s wrr",
     "-a -f 7 -r 10.8.0.1:8099 -m -w 2",
     "-a -f 7 -r 10.8.0.2:0 -m -w 1"),
    "FWM 7  wrr NAT",
)
MARK_V6 = Kind(
    """fwmark 7 {
        ip_family inet6
        lb_algo mh
        mh-port
        lb_kind DR
        persistence_timeout 60
        persistence_granularity 64
        real_server fd00:8::1 80 {
        }
    }""",
    ("-A -f 7 -6 -s mh -p 60 -M 64 -b mh-port",
     "-a -f 7 -6 -r [fd00:8::1]:80 -g -w 1"),
    "FWM 7 IPv6  mh DR  persistent 60 s",
)
TUNNELS = Kind(
    """10.9.0.2 6000 {
        protocol TCP
        lb_algo rr
        flag-1
        flag-3
        lb_kind TUN type gue port 6080 csum
        real_server 10.8.0.1 6000 {
        }
        real_server 10.8.0.2 6000 {
            lvs_method TUN type gue port 6081 remcsum
        }
        real_server 10.8.0.3 6000 {
            lvs_method TUN type gre csum
        }
        real_server 10.8.0.4 6000 {
            lvs_method TUN type gre nocsum
        }
        real_server 10.8.0.5 6000 {
            lvs_method TUN type ipip
        }
        real_server fd00:8::6 6000 {
            lvs_method TUN
        }
    }""",
    ("-A -t 10.9.0.2:6000 -s rr -b flag-1,flag-3",
     "-a -t 10.9.0.2:6000 -r 10.8.0.1:6000 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum",
     "-a -t 10.9.0.2:6000 -r 10.8.0.2:6000 -i -w 1 --tun-type gue --tun-port 6081 --tun-remcsum",
     "-a -t 10.9.0.2:6000 -r 10.8.0.3:6000 -i -w 1 --tun-type gre --tun-csum",
     "-a -t 10.9.0.2:6000 -r 10.8.0.4:6000 -i -w 1 --tun-type gre --tun-nocsum",
     "-a -t 10.9.0.2:6000 -r 10.8.0.5:6000 -i -w 1 --tun-type ipip",
     "-a -t 10.9.0.2:6000 -r [fd00:8::6]:6000 -i -w 1 --tun-type ipip"),
    "TCP 10.9.0.2:6000  rr TUN",
)
ENGINE = Kind(
    """10.9.0.3 5060 {
        protocol UDP
        lb_algo wlc
        lb_kind NAT
        persistence_timeout 300
        persistence_engine sip
        real_server 10.8.0.1 5061 {
        }
    }""",
    ("-A -u 10.9.0.3:5060 -s wlc -p 300 --pe sip",
     "-a -u 10.9.0.3:5060 -r 10.8.0.1:5061 -m -w 1"),
    "UDP 10.9.0.3:5060  wlc NAT  persistent 300 s",
)
ONE_PACKET = Kind(
    """fd00:9::4 53 {
        protocol UDP
        lb_algo rr
        ops
        lb_kind NAT
        real_server fd00:8::1 5353 {
        }
    }""",
    ("-A -u [fd00:9::4]:53 -s rr -o",
     "-a -u [fd00:9::4]:53 -r [fd00:8::1]:5353 -m -w 1"),
    "UDP [fd00:9::4]:53  rr NAT",
)
ALL_PORTS = Kind(
    """10.9.0.5 {
        protocol TCP
        lb_algo lc
        lb_kind DR
        persistence_granularity 255.255.255.0
        real_server 10.8.0.1 {
            weight 0
        }
    }""",
    ("-A -t 10.9.0.5:0 -s lc -p 360 -M 255.255.255.0",
     "-a -t 10.9.0.5:0 -r 10.8.0.1:0 -g -w 0"),
    "TCP 10.9.0.5:0  lc DR  persistent 360 s",
)
SCTP = Kind(
    """fd00:9::6 36412 {
        protocol SCTP
        lb_algo wlc
        lb_kind NAT
        real_server fd00:8::1 36412 {
        }
        real_server fd00:8::2 36413 {
        }
    }""",
    ("-A --sctp-service [fd00:9::6]:36412 -s wlc",
     "-a --sctp-service [fd00:9::6]:36412 -r [fd00:8::1]:36412 -m -w 1",
     "-a --sctp-service [fd00:9::6]:36412 -r [fd00:8::2]:36413 -m -w 1"),
    "SCTP [fd00:9::6]:36412  wlc NAT",
)
LARGEST_MARK = Kind(
    """fwmark 4294967295 {
        lb_algo rr
        lb_kind TUN type gue port 6080
        real_server fd00:8::1 80 {
        }
        real_server 10.8.0.1 80 {
        }
    }""",
    ("-A -f 4294967295 -s rr",
     "-a -f 4294967295 -r 10.8.0.1:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum",
     "-a -f 4294967295 -r [fd00:8::1]:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum"),
    "FWM 4294967295  rr TUN",
)
SORRY = Kind(
    """fd00:9::7 80 {
        protocol TCP
        lb_algo wlc
        lb_kind NAT
        sorry_server fd00:8::9 80
        sorry_server_lvs_method TUN type gre csum
        real_server fd00:8::1 80 {
            weight 0
        }
    }""",
    ("-A -t [fd00:9::7]:80 -s wlc",
     "-a -t [fd00:9::7]:80 -r [fd00:8::9]:80 -i -w 1 --tun-type gre --tun-csum"),
    "TCP [fd00:9::7]:80  wlc NAT",
)
KINDS = (FLAGS, MARK, MARK_V6, TUNNELS, ENGINE, ONE_PACKET, ALL_PORTS, SCTP, LARGEST_MARK, SORRY)

FOREIGN = (
    "-A -f 99 -6 -s sh -b sh-port",
    "-a -f 99 -6 -r [fd00:8::77]:80 -i -w 4 --tun-type gue --tun-port 6080 --tun-remcsum",
    "-A -t [fd00:9::99]:443 -s mh -p 77 -M 48 -b mh-port",
    "-A -u 10.9.0.99:5060 -s rr -p 88 --pe sip",
)


def changed(kind: Kind, *replacements: tuple[str, str, str, str]) -> Kind:
    """The kind with words of its file, and of its rules, replaced."""
    config, rules = kind.config, kind.rules
    for old, new, old_rule, new_rule in replacements:
        assert old in config and any(old_rule in rule for rule in rules)
        config = config.replace(old, new)
        rules = tuple(rule.replace(old_rule, new_rule) for rule in rules)
    return Kind(config, rules, kind.words)


def text(kinds: tuple[Kind, ...]) -> str:
    return "global_defs {\n router_id test\n}\n" + "\n".join(kind.text() for kind in kinds) + "\n"


def views(machine: Namespace) -> dict[str, list[str]]:
    """All that ipvsadm tells about a table. Thresholds and tunnels are not in every view."""
    return {
        option: sorted(machine.run("ipvsadm", *option.split(" ")).stdout.splitlines())
        for option in ("-Sn", "-Ln", "-Ln --thresholds", "-Ln --tun-info")
    }


def restore(machine: Namespace, rules: tuple[str, ...]) -> None:
    done = machine.run("ipvsadm", "-R", stdin="\n".join(rules) + "\n")
    assert not done.stderr, done.stderr


def made_by_ipvsadm(machine: Namespace, kinds: tuple[Kind, ...]) -> dict[str, list[str]]:
    machine.run("ipvsadm", "-C")
    restore(machine, FOREIGN + tuple(rule for kind in kinds for rule in kind.rules))
    return views(machine)


def assert_table(director: Director, expected: dict[str, list[str]]) -> None:
    machine = director.machine
    same = eventually(
        lambda: sorted(director.ipvsadm().splitlines()) == expected["-Sn"], SETTLE, 0.2)
    found = views(machine)
    assert found == expected, director.log()[-3000:]
    assert same is not None


def test_each_kind_is_what_ipvsadm_makes_and_status_says(lab: Lab) -> None:
    machine, other = lab.machines("d1", "other")
    director = Director(machine, text(KINDS))
    restore(machine, FOREIGN)
    director.start("-C")

    assert_table(director, made_by_ipvsadm(other, KINDS))

    status = director.ctl("status").stdout
    for kind in KINDS:
        assert f"\n  {kind.words}" in status, status
    for foreign in ("FWM 99 IPv6", "TCP [fd00:9::99]:443", "UDP 10.9.0.99:5060"):
        assert f"\n  {foreign}  not ours, left alone\n" in status
    told = director.status("checkers")
    assert told["ipvs"] == {"available": True, "error": None, "differs": None, "drift": 0,
                            "last_drift_at": None, "last_drift_ms": None}
    marks = [(one["mark"], one["family"], one["scheduler"], one["forwarding"])
             for one in told["services"] if one["protocol"] == "FWM"]
    assert marks == [(7, "ipv4", "wrr", "NAT"), (7, "ipv6", "mh", "DR"),
                     (4294967295, "ipv4", "rr", "TUN")]
    absent = {(one["protocol"], server["address"]) for one in told["services"]
              for server in one["servers"] if not server["in_table"]}
    assert absent == {("TCP", "fd00:8::1")}  # the sorry server serves in its place
    assert "refused" not in director.log()

    # What is read back is what was wanted: a new process finds nothing to do.
    os.kill(director.role_pid("checkers"), signal.SIGKILL)
    adopted = f"took over {len(KINDS)} service(s) that were in the IPVS table, 0 change(s) needed"
    assert eventually(lambda: adopted in director.log(), SETTLE, 0.2) is not None, director.log()

    assert director.stop() == 0
    assert sorted(director.ipvsadm().splitlines()) == made_by_ipvsadm(other, ())["-Sn"]


RELOADED = (
    changed(FLAGS, ("        sh-port\n", "", "sh-fallback,sh-port", "sh-fallback"),
            ("lthreshold 50", "lthreshold 60", "-y 50", "-y 60")),
    changed(MARK, ("fwmark 7 ", "fwmark 8 ", "-f 7", "-f 8")),
    changed(MARK_V6, ("mh-port", "mh-fallback", "mh-port", "mh-fallback"),
            ("granularity 64", "granularity 48", "-M 64", "-M 48")),
    changed(TUNNELS, ("port 6080 csum", "port 6090", "6080 --tun-csum", "6090 --tun-nocsum"),
            ("gre nocsum", "gue port 7000", "gre --tun-nocsum",
             "gue --tun-port 7000 --tun-nocsum"),
            ("        flag-1\n        flag-3\n", "        flag-2\n", "flag-1,flag-3", "flag-2")),
    changed(ENGINE, ("        persistence_engine sip\n", "", " --pe sip", "")),
    changed(ONE_PACKET, ("        ops\n", "", " -o", "")),
    ALL_PORTS,
    SCTP,
    LARGEST_MARK,
    changed(SORRY, ("type gre csum", "type gue port 6080", "gre --tun-csum",
                    "gue --tun-port 6080 --tun-nocsum")),
)


def test_reload_changes_flags_in_place_and_moves_a_mark(lab: Lab) -> None:
    machine, other = lab.machines("d1", "other")
    director = Director(machine, text(KINDS))
    restore(machine, FOREIGN)
    director.start("-C", "-D")
    assert_table(director, made_by_ipvsadm(other, KINDS))
    before = len(director.log())

    director.write_config(text(RELOADED))
    answer = director.ctl("reload")
    assert answer.returncode == 0, answer

    assert_table(director, made_by_ipvsadm(other, RELOADED))
    steps = re.findall(r"ipvsadm (-[ADE] .*)", director.log()[before:])
    others = [step for step in steps if not step.startswith("-E")]
    assert sorted(others) == ["-A -f 8 -s none", "-D -f 7"], "these services were made anew"
    assert not any("-e" == step[:2] and "-f 4294967295" in step for step in steps)

    director.write_config(text(KINDS))
    assert director.ctl("reload").returncode == 0
    assert_table(director, made_by_ipvsadm(other, KINDS))


# --- traffic --------------------------------------------------------------------------------------

VIP6 = "fd00:20::200"
INSIDE6 = ("fd00:1::67", "fd00:1::68")
DIRECTOR6 = "fd00:1::179"

CHECKED = """
virtual_server fd00:20::200 80 {{
    delay_loop 1
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server fd00:1::67 8099 {{
        HTTP_GET {{
            url {{
                path /health
                status_code 200
            }}
            connect_timeout 2
            retry 0
            warmup 0
        }}
    }}
    real_server fd00:1::68 8099 {{
        TCP_CHECK {{
            connect_timeout 2
            retry 0
            warmup 0
        }}
    }}
}}
virtual_server fwmark {mark} {{
    delay_loop 1
    lb_algo rr
    lb_kind NAT
    real_server 192.168.1.67 8099 {{
        TCP_CHECK {{
            connect_timeout 2
            retry 0
            warmup 0
        }}
    }}
    real_server 192.168.1.68 8099 {{
        TCP_CHECK {{
            connect_timeout 2
            retry 0
            warmup 0
        }}
    }}
}}
virtual_server fwmark {mark} {{
    ip_family inet6
    lb_algo rr
    lb_kind NAT
    real_server fd00:1::68 8099 {{
    }}
}}
"""


class Segments:
    """The NAT segments of the articles with one director, and IPv6 beside IPv4."""

    def __init__(self, lab: Lab):
        self.topology = Topology(lab, "nat")
        self.client = self.topology.client
        self.machine = self.topology.director_machines[0]
        self.servers = self.topology.servers
        for machine in (self.client, self.machine, *(one.machine for one in self.servers)):
            machine.sysctl(ipv6__conf__all__disable_ipv6=0, ipv6__conf__default__disable_ipv6=0,
                           ipv6__conf__eth0__disable_ipv6=0)
        self.client.ip("addr add fd00:20::66/64 dev eth0 nodad")
        self.machine.sysctl(ipv6__conf__eth1__disable_ipv6=0, ipv6__conf__all__forwarding=1)
        self.machine.ip("addr add fd00:20::2/64 dev eth0 nodad",
                        f"addr add {VIP6}/128 dev eth0 nodad", f"addr add {NAT_VIP}/32 dev eth0",
                        f"addr add {DIRECTOR6}/64 dev eth1 nodad")
        for server, address in zip(self.servers, INSIDE6):
            server.machine.ip(f"addr add {address}/64 dev eth0 nodad",
                              f"route add default via {DIRECTOR6}")
            listen_on_v6(server, address)
        self.topology.start_servers()

    def mark(self, mark: int) -> None:
        """Ports 81 and 82 of the virtual addresses get this mark."""
        self.machine.run("nft", "-f", "-", stdin=(
            "table inet marks\ndelete table inet marks\n"
            "table inet marks {\n chain in {\n"
            "  type filter hook prerouting priority mangle;\n"
            f"  ip daddr {NAT_VIP} tcp dport 81-82 meta mark set {mark}\n"
            f"  ip6 daddr {VIP6} tcp dport 81-82 meta mark set {mark}\n }}\n}}\n"))


def listen_on_v6(server: RealServer, address: str) -> None:
    """nginx answers on this address too, and its log says who asked which address what."""
    path = server.directory / "nginx.conf"
    config = path.read_text(encoding="utf-8")
    config = config.replace("listen 0.0.0.0:8099;",
                            f"listen 0.0.0.0:8099;\n    listen [{address}]:8099;")
    config = config.replace(
        "access_log off;",
        "log_format who '$remote_addr $server_addr $uri $http_host';\n"
        f"  access_log {server.directory}/access.log who;")
    path.write_text(config, encoding="utf-8")
    server.put_page("health", "all is well\n")


def refuse_v6(server: RealServer) -> None:
    server.machine.run("nft", "-f", "-", stdin=(
        "table ip6 refusal {\n chain in {\n  type filter hook input priority 0;\n"
        f"  tcp dport {PORT} reject with tcp reset\n }}\n}}\n"))


def accept_v6(server: RealServer) -> None:
    server.machine.run("nft", "delete", "table", "ip6", "refusal")


def servers_of(director: Director, service: str) -> set[str]:
    """The servers that ipvsadm shows in a service, such as "-f 7"."""
    return set(re.findall(rf"^-a {re.escape(service)} -r (\S+) -m -w 1$", director.ipvsadm(),
                          re.MULTILINE))


V4_POOL = {f"{address}:{PORT}" for address in SERVERS}
V6_POOL = {f"[{address}]:{PORT}" for address in INSIDE6}
V6_SERVICE = f"-t [{VIP6}]:80"


def becomes(director: Director, service: str, pool: set[str]) -> None:
    assert eventually(lambda: servers_of(director, service) == pool, SETTLE, 0.2) is not None, (
        f"{service} is not {pool}:\n{director.ipvsadm()}\n{director.log()[-3000:]}")


def ask(segments: Segments, address: str, count: int, port: int) -> list[str]:
    """Who answers. A SYN that the emulated network loses is sent again after a second."""
    return answers(segments.client, address, count, port=port, timeout=5)


def state(director: Director, address: str) -> tuple[str, str, str]:
    (check,) = [check for service in director.status("checkers")["services"]
                for server in service["servers"] if server["address"] == address
                for check in server["checks"]]
    return check["type"], check["target"], check["result"]


@pytest.fixture
def segments(lab: Lab) -> Segments:
    return Segments(lab)


def test_an_ipv6_service_is_checked_over_ipv6_and_forwards(segments: Segments) -> None:
    first, second = segments.servers
    director = Director(segments.machine, CHECKED.format(mark=7))
    director.start("-C")
    becomes(director, V6_SERVICE, V6_POOL)
    becomes(director, "-f 7", V4_POOL)
    assert Counter(ask(segments, VIP6, 4, 80)) == {SERVERS[0]: 2, SERVERS[1]: 2}
    log = first.directory / "access.log"
    probed = f"{DIRECTOR6} {INSIDE6[0]} /health [{INSIDE6[0]}]:{PORT}\n"
    assert eventually(lambda: probed in log.read_text(encoding="utf-8"), SETTLE, 0.2) is not None

    for server, address, kind in zip((first, second), INSIDE6, ("HTTP_GET", "TCP_CHECK")):
        refuse_v6(server)  # IPv4 goes on: only a probe over IPv6 can notice

        becomes(director, V6_SERVICE, V6_POOL - {f"[{address}]:{PORT}"})
        assert servers_of(director, "-f 7") == V4_POOL
        assert state(director, address) == (kind, f"[{address}]:{PORT}", "down")
        shown = director.ctl("status").stdout
        assert f"{kind} [{address}]:{PORT} down: connection refused" in shown
        assert ask(segments, VIP6, 3, 80) == [
            (SERVERS[1] if server is first else SERVERS[0])] * 3

        accept_v6(server)

        becomes(director, V6_SERVICE, V6_POOL)
        assert state(director, address) == (kind, f"[{address}]:{PORT}", "up")


def test_a_mark_joins_ports_in_one_pool_and_follows_a_reload(segments: Segments) -> None:
    first, _ = segments.servers
    director = Director(segments.machine, CHECKED.format(mark=7))
    restore(segments.machine, FOREIGN)
    segments.mark(7)
    director.start("-C")
    becomes(director, "-f 7", V4_POOL)

    # One rotation over two ports: each request meets the next server, whatever its port is.
    mixed = [ask(segments, NAT_VIP, 1, port)[0] for port in (81, 82, 81, 82, 82, 81)]
    assert mixed in ([*SERVERS] * 3, [*reversed(SERVERS)] * 3)
    assert ask(segments, VIP6, 2, 82) == [SERVERS[1]] * 2

    first.stop()
    becomes(director, "-f 7", V4_POOL - {first.endpoint})
    assert ask(segments, NAT_VIP, 3, 81) == [SERVERS[1]] * 3
    first.start()
    becomes(director, "-f 7", V4_POOL)

    director.write_config(CHECKED.format(mark=8))
    assert director.ctl("reload").returncode == 0
    becomes(director, "-f 8", V4_POOL)
    assert servers_of(director, "-f 7") == set()
    assert "refused" in " ".join(ask(segments, NAT_VIP, 1, 81))
    segments.mark(8)
    assert Counter(ask(segments, NAT_VIP, 4, 81)) == dict.fromkeys(SERVERS, 2)
    assert ask(segments, VIP6, 2, 81) == [SERVERS[1]] * 2

    assert director.stop() == 0
    assert sorted(director.ipvsadm().splitlines()) == sorted(FOREIGN)
