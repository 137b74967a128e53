"""Thousands of real servers on one machine, any of which can be made to drop every packet.

The machine answers for a whole network (a local route to it); who is dead is a set of nftables.
"""

from __future__ import annotations

import ipaddress

from .netns import Lab, Namespace, eventually

DIRECTOR, SERVERS = "10.77.0.1", "10.77.0.2"
NETWORK = "10.98.0.0/16"
PORT = 8080


def server(number: int) -> str:
    """The address of a server, 0 … 65,000."""
    return str(ipaddress.ip_address("10.98.0.0") + 1 + number)


class ManyServers:
    """The director's machine, and the one behind it that is all the servers."""

    def __init__(self, lab: Lab):
        switch = lab.switch("switch")
        self.director, self.machine = lab.machines("director", "servers")
        lab.cables(switch, (self.director, "eth0", f"{DIRECTOR}/24"),
                   (self.machine, "eth0", f"{SERVERS}/24"))
        self.director.ip(f"route add {NETWORK} via {SERVERS}")
        self.machine.ip(f"route add local {NETWORK} dev lo")
        self.machine.run("nft", "-f", "-", stdin="""
            table inet servers {
              set dead { type ipv4_addr; flags interval; auto-merge; }
              chain in { type filter hook input priority 0; ip daddr @dead drop; }
            }""")
        self._start_nginx()

    def _start_nginx(self) -> None:
        lab = self.machine.lab
        config = lab.directory / "many.conf"
        config.write_text(f"""
            daemon off; worker_processes 1; pid {lab.directory}/many.pid; user root;
            error_log {lab.directory}/many-error.log;
            events {{ worker_connections 8192; }}
            http {{ access_log off;
              server {{ listen {PORT} backlog=8192; return 204; }} }}
        """, encoding="ascii")
        self.machine.sysctl(core__somaxconn=8192)
        nginx = self.machine.spawn("nginx", "-c", config, log="many")

        def listens() -> bool:
            return f":{PORT:04X} " in self.machine.read("tcp")

        assert eventually(listens, 10) is not None, nginx.output()

    def kill(self, first: int, last: int | None = None) -> None:
        """Servers first … last drop whatever is sent to them."""
        self._change("add", first, last)

    def revive(self, first: int, last: int | None = None) -> None:
        self._change("delete", first, last)

    def _change(self, verb: str, first: int, last: int | None) -> None:
        range_of = f"{server(first)}-{server(last)}" if last is not None else server(first)
        self.machine.run("nft", f"{verb} element inet servers dead {{ {range_of} }}")


def services(count: int, pace: str, check: str, per_service: int = 2, of_server: str = "") -> str:
    """Servers 0 … count-1 in services of so many, as a configuration."""
    blocks = []
    for number, first in enumerate(range(0, count, per_service)):
        pool = "".join(
            f" real_server {server(one)} {PORT} {{\n{of_server}\n"
            f"  TCP_CHECK {{\n{check}\n  }}\n }}\n"
            for one in range(first, min(first + per_service, count))
        )
        blocks.append(f"virtual_server 10.200.{number // 250}.{number % 250 + 1} 80 {{\n{pace}\n"
                      f" lb_algo rr\n lb_kind NAT\n protocol TCP\n{pool}}}\n")
    return "".join(blocks)
