"""The articles' machines, with the articles' own addresses.

One segment (DR, TUN, two masters):        Two segments (NAT):

    client   192.168.1.66                      client   172.20.10.66
    d1, d2   192.168.1.179, .180               d1, d2   172.20.10.2, .3    eth0, outside
    s1, s2   192.168.1.67, .68                          192.168.1.179, .180 eth1, inside
                                               s1, s2   192.168.1.67, .68, default route by d1

Every machine is a namespace with an interface eth0; the switch is a bridge in a namespace of its
own, where captures see the whole segment. The servers are nginx on port 8099 and answer with their
name.
"""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path

from .director import Director
from .netns import Lab, LabError, Namespace, Process, eventually
from .client import fetch

VIP = "192.168.1.200"
VIP2 = "192.168.1.201"
NAT_VIP = "172.20.10.200"
PORT = 8099
CLIENT = "192.168.1.66"
NAT_CLIENT = "172.20.10.66"
DIRECTORS = ("192.168.1.179", "192.168.1.180")
NAT_DIRECTORS = ("172.20.10.2", "172.20.10.3")
SERVERS = ("192.168.1.67", "192.168.1.68")

NGINX = """
user root;
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  default_type text/plain;
  server {{
    listen 0.0.0.0:8099;
    root {directory}/www;
    location = / {{ return 200 "{name}\\n"; }}
    location = /same {{ return 200 "the same on every server\\n"; }}
    location = /broken {{ return 503 "not now\\n"; }}
  }}
}}
"""


class RealServer:
    """A machine with nginx; it answers every request with its own address."""

    def __init__(self, machine: Namespace, address: str):
        self.machine = machine
        self.address = address
        self.directory = machine.lab.directory / machine.short
        (self.directory / "www").mkdir(parents=True, exist_ok=True)
        self.nginx: Process | None = None
        self._config = self.directory / "nginx.conf"
        self._config.write_text(
            NGINX.format(directory=self.directory, name=address), encoding="utf-8"
        )

    @property
    def endpoint(self) -> str:
        return f"{self.address}:{PORT}"

    def start(self) -> None:
        self.launch()
        self.wait_until_it_answers()

    def launch(self) -> None:
        nginx = shutil.which("nginx", path=self.machine.lab.environment["PATH"])
        if not nginx:
            raise LabError("nginx is not installed (Debian package nginx-light)")
        self.nginx = self.machine.spawn(nginx, "-c", self._config, "-p", self.directory)

    def wait_until_it_answers(self) -> None:
        assert self.nginx
        if eventually(self.answers, 20) is None:
            raise LabError(f"nginx of {self.machine.short} does not answer: {self.nginx.output()}")

    def answers(self) -> bool:
        try:
            return fetch(self.machine, "127.0.0.1") == self.address
        except OSError:
            return False

    def stop(self) -> None:
        """Stops nginx: its port refuses connections from now on."""
        assert self.nginx
        self.nginx.stop(signal.SIGTERM)

    def put_page(self, name: str, text: str) -> None:
        (self.directory / "www" / name).write_text(text, encoding="utf-8")


class Topology:
    """The machines and their cables. `kind` is "dr", "tun" or "nat"."""

    def __init__(self, lab: Lab, kind: str = "dr", vips: tuple[str, ...] = (VIP,)):
        self.lab = lab
        self.kind = kind
        self.switch = lab.switch("switch")
        self.ports: dict[str, str] = {}
        self.client, *others = lab.machines("client", "d1", "d2", "s1", "s2")
        self.director_machines = others[:2]
        self.servers: list[RealServer] = []
        servers = [(machine, "eth0", f"{address}/24") for machine, address in
                   zip(others[2:], SERVERS)]
        if kind == "nat":
            self.inside = lab.switch("inside")
            self._cable(self.switch, (self.client, "eth0", f"{NAT_CLIENT}/24"),
                        *_ends(self.director_machines, "eth0", NAT_DIRECTORS))
            self._cable(self.inside, *_ends(self.director_machines, "eth1", DIRECTORS), *servers)
        else:
            self.inside = self.switch
            self._cable(self.switch, (self.client, "eth0", f"{CLIENT}/24"),
                        *_ends(self.director_machines, "eth0", DIRECTORS), *servers)
        for (machine, _, _), address in zip(servers, SERVERS):
            self.servers.append(RealServer(machine, address))
        self.director_addresses = {
            machine.short: set(machine.addresses()) for machine in self.director_machines
        }
        {"dr": self._prepare_dr, "tun": self._prepare_tun, "nat": self._prepare_nat}[kind](vips)
        self.directors: list[Director] = []

    def _cable(self, switch: Namespace, *ends: tuple[Namespace, str, str]) -> None:
        for port, (machine, interface, _) in zip(self.lab.cables(switch, *ends), ends):
            if interface == "eth0":
                self.ports[machine.short] = port

    def _prepare_dr(self, vips: tuple[str, ...]) -> None:
        """The article's dr-realserver.sh: the address on lo, silence about it on the segment."""
        for server in self.servers:
            server.machine.sysctl(ipv4__conf__all__arp_ignore=1, ipv4__conf__all__arp_announce=2)
            server.machine.ip(*(f"addr add {vip}/32 brd {vip} dev lo" for vip in vips))

    def _prepare_tun(self, vips: tuple[str, ...]) -> None:
        """The article's ip-tun-realserver.sh, with ip(8) in the place of ifconfig."""
        for server in self.servers:
            machine = server.machine
            machine.run("ip", "link", "add", "tunl0", "type", "ipip", check=False)
            machine.ip(
                "link set tunl0 up", *(f"addr add {vip}/32 brd {vip} dev tunl0" for vip in vips)
            )
            machine.sysctl(
                ipv4__ip_forward=0,
                ipv4__conf__tunl0__arp_ignore=1, ipv4__conf__tunl0__arp_announce=2,
                ipv4__conf__all__arp_ignore=1, ipv4__conf__all__arp_announce=2,
                ipv4__conf__tunl0__rp_filter=1, ipv4__conf__all__rp_filter=2,
            )

    def _prepare_nat(self, vips: tuple[str, ...]) -> None:
        """The article's `route add default gw 192.168.1.179`; directors forward between them."""
        del vips  # the servers know only their own addresses
        for server in self.servers:
            server.machine.ip(f"route add default via {DIRECTORS[0]}")
        for machine in self.director_machines:
            machine.sysctl(ipv4__ip_forward=1)

    # --- what happens to machines -----------------------------------------------------------------

    def start_servers(self) -> None:
        for server in self.servers:
            server.launch()
        for server in self.servers:
            server.wait_until_it_answers()

    def start_directors(self, configs: tuple[str, ...], program: str) -> None:
        """Directors d1 and d2 (or only d1) from these texts, all with the same program."""
        self.directors = [
            Director(machine, config, program)
            for machine, config in zip(self.director_machines, configs)
        ]
        for director in self.directors:
            director.start()

    def pull_cable(self, machine: Namespace) -> None:
        self.switch.ip(f"link set {self.ports[machine.short]} down")

    def plug_cable(self, machine: Namespace) -> None:
        self.switch.ip(f"link set {self.ports[machine.short]} up")

    def power_off(self, director: Director) -> None:
        """The whole machine is gone from one moment to the next: every process, and the cable."""
        director.kill_everything()
        self.pull_cable(director.machine)

    def power_on(self, director: Director) -> None:
        """The machine is back after a reboot, and its director starts."""
        director.forget_everything(self.director_addresses[director.machine.short])
        self.plug_cable(director.machine)
        director.start()


def _ends(machines: list[Namespace], interface: str,
          addresses: tuple[str, ...]) -> list[tuple[Namespace, str, str]]:
    return [(machine, interface, f"{address}/24") for machine, address in zip(machines, addresses)]


# --- the articles' configuration files ------------------------------------------------------------


def as_backup(config: str, lower_by: int = 50) -> str:
    """The second director's file: the first's with `state BACKUP` and a priority lower by 50.

    As the articles' comment says: the master's priority must be at least 50 above the backup's.
    """
    changed = re.sub(r"(\bstate\s+)MASTER", r"\1BACKUP", config)
    return re.sub(
        r"(\bpriority\s+)(\d+)", lambda match: f"{match[1]}{int(match[2]) - lower_by}", changed
    )


def as_tunnel(config: str) -> str:
    """The article's TUN set-up as a file: forwarding by tunnel, wlc with weights 2 and 1.

    The article makes this table by hand (`ipvsadm … -s wlc`, `-i -w 2`, `-i -w 1`).
    """
    config = re.sub(r"lb_kind\s+DR", "lb_kind TUN", config)
    config = re.sub(r"lb_algo\s+rr", "lb_algo wlc", config)
    return re.sub(r"(real_server 192\.168\.1\.67 [^}]*?weight\s+)1", r"\g<1>2", config, count=1)


def article(name: str) -> tuple[str, Path]:
    """The article's file ("dr" or "nat"), else our equivalent from etc/; with its path."""
    from .director import ROOT

    for path in (ROOT.parent / "shared" / "corpus" / "articles" / f"{name}.conf",
                 ROOT / "etc" / f"pair-{name}.conf"):
        if path.is_file():
            return path.read_text(encoding="utf-8"), path
    raise LabError(f"neither the article's {name}.conf nor etc/pair-{name}.conf is there")


TWO_MASTERS = """
vrrp_instance VI_{number} {{
    state {state}
    interface eth0
    virtual_router_id {vrid}
    priority {priority}
    advert_int 1
    authentication {{
        auth_type PASS
        auth_pass 1111
    }}
    virtual_ipaddress {{
        {vip} dev eth0 label eth0:vip{number}
    }}
}}

virtual_server {vip} 8099 {{
    delay_loop 6
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 192.168.1.67 8099 {{
        weight 1
        TCP_CHECK {{
            connect_timeout 3
        }}
    }}
    real_server 192.168.1.68 8099 {{
        weight 1
        TCP_CHECK {{
            connect_timeout 3
        }}
    }}
}}
"""


def two_masters(director: int) -> str:
    """A file in which director 1 or 2 is master of its own address and backup of the other's."""
    blocks = []
    for number, vip in enumerate((VIP, VIP2), 1):
        own = number == director
        blocks.append(TWO_MASTERS.format(
            number=number, vip=vip, vrid=50 + number,
            state="MASTER" if own else "BACKUP", priority=100 if own else 50,
        ))
    return "".join(blocks)
