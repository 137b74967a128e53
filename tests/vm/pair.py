"""A director pair in DR mode with quick checks, for tests that are about one event."""

from __future__ import annotations

from tests.lab.director import Director
from tests.lab.netns import Lab, eventually
from tests.lab.topology import PORT, SERVERS, VIP, Topology, as_backup
from tests.lab.wire import Capture

SERVICE = f"TCP {VIP}:{PORT}"

VRRP = """
vrrp_instance VI_1 {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass 1111
    }
    virtual_ipaddress {
        192.168.1.200 dev eth0 label eth0:vip
    }
}
"""

TCP_CHECK = """
        TCP_CHECK {
            connect_timeout 2
            retry 1
            delay_before_retry 1
        }
"""


def config(check: str = TCP_CHECK, service: str = "", servers: dict[str, int] | None = None,
           algorithm: str = "rr") -> str:
    """The article's pair, checking every second. `service` holds more lines of virtual_server."""
    blocks = "".join(
        f"    real_server {address} {PORT} {{\n        weight {weight}\n{check}    }}\n"
        for address, weight in (servers or dict.fromkeys(SERVERS, 1)).items()
    )
    return (
        f"{VRRP}\nvirtual_server {VIP} {PORT} {{\n    delay_loop 1\n    lb_algo {algorithm}\n"
        f"    lb_kind DR\n    protocol TCP\n{service}\n{blocks}}}\n"
    )


class Pair:
    """Two directors from one file (the second with state BACKUP and priority 50), two servers."""

    def __init__(self, lab: Lab, program: str, text: str):
        self.topology = Topology(lab, "dr")
        self.topology.start_servers()
        self.capture = Capture(self.topology.switch)
        self.topology.start_directors((text, as_backup(text)), program)

    @property
    def directors(self) -> list[Director]:
        return self.topology.directors

    def wait_until_serving(self) -> None:
        """The first director is master and every server is in both tables."""
        self.directors[0].wait_for(VIP, 20)
        for director in self.directors:
            complete = eventually(
                lambda one=director: all(
                    one.in_table(f"{VIP}:{PORT}", f"{server}:{PORT}") for server in SERVERS
                ),
                20,
            )
            assert complete is not None, f"{director.table()}\n{director.log()[-3000:]}"
