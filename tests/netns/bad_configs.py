"""A good configuration and, for every block of it, mistakes that people make.

« marks the place that the message must name.
"""

from __future__ import annotations

from dataclasses import dataclass

VIP = "10.9.0.200"

GOOD = f"""\
global_defs {{
    router_id LVS_DEVEL
}}
vrrp_instance VI_1 {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 1
    authentication {{
        auth_type PASS
        auth_pass 1111
    }}
    virtual_ipaddress {{
        {VIP}/32 dev eth0 label eth0:vip
    }}
}}
virtual_server {VIP} 80 {{
    delay_loop 6
    lb_algo rr
    lb_kind DR
    protocol TCP
    sorry_server 10.9.0.2 80
    real_server 10.9.0.10 80 {{
        weight 1
        TCP_CHECK {{
            connect_timeout 3
        }}
    }}
    real_server 10.9.0.11 80 {{
        weight 1
        HTTP_GET {{
            url {{
                path /
                status_code 200
            }}
            retry 3
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Mistake:
    name: str
    old: str
    new: str  # with « before the place
    says: str = ""  # a part of the message
    survived: bool = False  # a warning: the rest is used, as by keepalived

    @property
    def text(self) -> str:
        assert GOOD.count(self.old) >= 1, self.old
        return GOOD.replace(self.old, self.new, 1)

    @property
    def broken(self) -> str:
        return self.text.replace("«", "")

    @property
    def place(self) -> str:
        """line:column, counted from 1."""
        before = self.text[: self.text.index("«")]
        return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


_LAST_BLOCK = GOOD[GOOD.index("virtual_server"):]

MISTAKES = (
    # A word that nobody knows, in every block.
    Mistake("top level: unknown block", "global_defs {", "«globel_defs {",
            "globel_defs", survived=True),
    Mistake("global_defs: unknown word", "router_id", "«rooter_id", "rooter_id", survived=True),
    Mistake("vrrp_instance: unknown word", "interface eth0", "«interfaze eth0",
            "interface", survived=True),
    Mistake("authentication: unknown word", "auth_type", "«auth_typ", "auth_type", survived=True),
    Mistake("virtual_ipaddress: unknown word", "label eth0:vip", "«lable eth0:vip", "lable"),
    Mistake("virtual_server: unknown word", "lb_algo", "«lb_algos", "lb_algo", survived=True),
    Mistake("real_server: unknown word", "weight 1", "«wieght 1", "weight", survived=True),
    Mistake("TCP_CHECK: unknown word", "connect_timeout 3", "«conect_timeout 3",
            "connect_timeout", survived=True),
    Mistake("HTTP_GET: unknown word", "retry 3", "«retri 3", "retry", survived=True),
    Mistake("url: unknown word", "status_code", "«status_kode", "status_code", survived=True),
    # A value that is none, or beyond its range.
    Mistake("vrrp_instance: no such state", "state BACKUP", "state «SLAVE", "SLAVE"),
    Mistake("vrrp_instance: vrid 256", "virtual_router_id 51", "virtual_router_id «256", "255"),
    Mistake("vrrp_instance: priority 300", "priority 100", "priority «300", "300"),
    Mistake("vrrp_instance: priority in words", "priority 100", "priority «high", "high"),
    Mistake("vrrp_instance: advert_int 0", "advert_int 1", "advert_int «0", "0"),
    Mistake("authentication: no such type", "auth_type PASS", "auth_type «MD5", "MD5"),
    Mistake("virtual_ipaddress: address out of range", f"{VIP}/32", "«10.9.0.300/32", "10.9.0.300"),
    Mistake("virtual_ipaddress: prefix out of range", f"{VIP}/32", f"«{VIP}/33", "33"),
    Mistake("virtual_server: address out of range", f"virtual_server {VIP}",
            "virtual_server «10.9.0.256", "10.9.0.256"),
    Mistake("virtual_server: port 70000", f"virtual_server {VIP} 80",
            f"virtual_server {VIP} «70000", "70000"),
    Mistake("virtual_server: no such forwarding", "lb_kind DR", "lb_kind «NATT", "NATT"),
    Mistake("virtual_server: delay_loop in words", "delay_loop 6", "delay_loop «often", "often"),
    Mistake("sorry_server: address out of range", "sorry_server 10.9.0.2",
            "sorry_server «10.9.0.999", "10.9.0.999"),
    Mistake("sorry_server: port 65536", "sorry_server 10.9.0.2 80",
            "sorry_server 10.9.0.2 «65536", "65536"),
    Mistake("real_server: address out of range", "real_server 10.9.0.10",
            "real_server «10.9.0.1000", "10.9.0.1000"),
    Mistake("real_server: port -1", "real_server 10.9.0.10 80", "real_server 10.9.0.10 «-1", "-1"),
    Mistake("real_server: weight in words", "weight 1", "weight «heavy", "heavy"),
    Mistake("TCP_CHECK: timeout in words", "connect_timeout 3", "connect_timeout «soon", "soon"),
    Mistake("HTTP_GET: retry -1", "retry 3", "retry «-1", "-1"),
    Mistake("url: status_code 1000", "status_code 200", "status_code «1000", "1000"),
    # Braces.
    Mistake("virtual_server: never closed", _LAST_BLOCK, "«" + _LAST_BLOCK.removesuffix("}\n"),
            "virtual_server"),
    Mistake("top level: one brace too many", "vrrp_instance", "«}\nvrrp_instance", "}",
            survived=True),
)
