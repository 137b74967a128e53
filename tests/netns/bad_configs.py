"""A good configuration and, for every block of it, mistakes that people make.

REFUSED ones are errors, at start and on a reload; SURVIVED ones are warnings, and the rest is used.
« marks the place that the message must name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
    beside: tuple[str, str] | None = None  # another file: its name and text, perhaps with the «
    also: int = 0  # warnings about what follows from it
    costs: str = "^$"  # of what is survived: the settings that may be lost, a regular expression

    @property
    def text(self) -> str:
        assert GOOD.count(self.old) >= 1, self.old
        return GOOD.replace(self.old, self.new, 1)

    @property
    def broken(self) -> str:
        return self.text.replace("«", "")

    @property
    def place(self) -> str:
        """file:line:column, counted from 1."""
        name, text = "keepalived.conf", self.text
        if "«" not in text and self.beside:
            name, text = self.beside
        before = text[: text.index("«")]
        return f"{name}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"

    def write(self, directory: Path) -> None:
        """Makes it the configuration of this directory."""
        (directory / "keepalived.conf").write_text(self.broken, encoding="utf-8")
        if self.beside:
            (directory / self.beside[0]).write_text(self.beside[1].replace("«", ""),
                                                    encoding="utf-8")


_LAST_BLOCK = GOOD[GOOD.index("virtual_server"):]
_GLOBALS = "router_id LVS_DEVEL"
_TOP = "vrrp_instance VI_1"
_SECOND = f"""\
vrrp_instance «VI_2 {{
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {{
        10.9.0.201
    }}
}}
virtual_server {VIP}"""

REFUSED = (
    # Braces and damage.
    Mistake("virtual_server: never closed", _LAST_BLOCK, "«" + _LAST_BLOCK.removesuffix("}\n"),
            "virtual_server"),
    Mistake("vrrp_instance: cut off in the middle", GOOD[GOOD.index(_TOP):],
            f"«{_TOP} {{\n    interface eth0\n    virtual_router_id 51\n", "vrrp_instance"),
    Mistake("vrrp_instance: a zero byte", "    priority 100", "«    priority 1\0", "zero byte"),
    # Includes and definitions.
    Mistake("a file that includes itself", _TOP, f"include «keepalived.conf\n{_TOP}",
            "includes itself"),
    Mistake("a circle of two files", _TOP, f"include other.conf\n{_TOP}", "includes itself",
            beside=("other.conf", "include «keepalived.conf\n")),
    Mistake("include_check and a file that is gone", _GLOBALS,
            f"{_GLOBALS}\n    include_check\n}}\ninclude «absent.conf\nglobal_defs {{",
            "no file"),
    Mistake("includea and a file that is gone", _TOP, f"includea «absent.conf\n{_TOP}", "no file"),
    Mistake("a circle of two definitions", _TOP, f"$A=$B x\n$B=$A\n«$A\n{_TOP}",
            "contains itself"),
    Mistake("a repetition without values", _TOP, f"«~SEQ(I x\n{_TOP}", "repetition"),
    # TOML.
    Mistake("TOML: no syntax", _TOP, f"include part.toml\n{_TOP}", "TOML",
            beside=("part.toml", "[global_defs]\nrouter_id = «= 1\n")),
    Mistake("TOML: unknown key", _TOP, f"include part.toml\n{_TOP}", "unknown key 'rooter_id'",
            beside=("part.toml", "[global_defs]\n«rooter_id = 'x'\n")),
    # A word without its value.
    Mistake("global_defs: router_id of nothing", _GLOBALS, "«router_id", "needs"),
    Mistake("vrrp_instance: priority of nothing", "priority 100", "«priority", "needs"),
    Mistake("authentication: auth_pass of nothing", "auth_pass 1111", "«auth_pass", "needs"),
    Mistake("virtual_server: lb_algo of nothing", "lb_algo rr", "«lb_algo", "needs"),
    Mistake("virtual_server: no address", f"virtual_server {VIP} 80", "«virtual_server", "needs"),
    Mistake("real_server: weight of nothing", "weight 1", "«weight", "needs"),
    Mistake("TCP_CHECK: connect_timeout of nothing", "connect_timeout 3", "«connect_timeout",
            "needs"),
    Mistake("url: path of nothing", "path /", "«path", "needs"),
    # Values of words that have no default, and what an instance cannot do without.
    Mistake("vrrp_instance: no name", _TOP, "«vrrp_instance", "needs a name"),
    Mistake("vrrp_instance: no interface", f"{_TOP} {{\n    state BACKUP\n    interface eth0\n",
            "vrrp_instance «VI_1 {\n    state BACKUP\n", "no 'interface'"),
    Mistake("vrrp_instance: no router id", f"""{_TOP} {{
    state BACKUP
    interface eth0
    virtual_router_id 51
""", "vrrp_instance «VI_1 {\n    state BACKUP\n    interface eth0\n", "no 'virtual_router_id'"),
    Mistake("vrrp_instance: vrid 256", "virtual_router_id 51", "virtual_router_id «256", "255"),
    Mistake("vrrp_instance: vrid 0", "virtual_router_id 51", "virtual_router_id «0", "from 1"),
    Mistake("vrrp_instance: vrid in words", "virtual_router_id 51", "virtual_router_id «first",
            "first"),
    Mistake("vrrp_instance: the id of another", f"virtual_server {VIP}", _SECOND.replace(
        "vrrp_instance «", "«vrrp_instance "), "virtual_router_id 51"),
    Mistake("sorry_server: address out of range", "sorry_server 10.9.0.2",
            "sorry_server «10.9.0.999", "10.9.0.999"),
    Mistake("sorry_server: port 65536", "sorry_server 10.9.0.2 80",
            "sorry_server 10.9.0.2 «65536", "65536"),
    Mistake("TCP_CHECK: bindto that is no address", "connect_timeout 3", "bindto «10.9.0.256",
            "10.9.0.256"),
    Mistake("url: digest that is none", "status_code 200", "digest «xyz", "xyz"),
)

SURVIVED = (
    # A word that nobody knows, in every block.
    Mistake("top level: unknown block", "global_defs {", "«globel_defs {", "globel_defs"),
    Mistake("global_defs: unknown word", "router_id", "«rooter_id", "rooter_id",
            costs="router_id"),
    Mistake("vrrp_instance: unknown word", "priority 100", "«priorty 100", "priority"),
    Mistake("authentication: unknown word", "auth_type PASS",
            "«algorithm x\n        auth_type PASS", "'****'"),
    Mistake("virtual_ipaddress: unknown word", "label eth0:vip", "«lable eth0:vip", "label",
            costs="label"),
    Mistake("virtual_server: unknown word", "lb_algo", "«lb_algos", "lb_algo", costs="lb_algo"),
    Mistake("real_server: unknown word", "weight 1", "«wieght 1", "weight"),
    Mistake("TCP_CHECK: unknown word", "connect_timeout 3", "«conect_timeout 3",
            "connect_timeout", costs="connect_timeout"),
    Mistake("HTTP_GET: unknown word", "retry 3", "«retri 3", "retry", costs="retry"),
    Mistake("url: unknown word", "status_code", "«status_kode", "status_code",
            costs="status_code"),
    # A value that is none, or beyond its range: the default counts.
    Mistake("vrrp_instance: no such state", "state BACKUP", "state «SLAVE", "SLAVE",
            costs="state"),
    Mistake("vrrp_instance: priority 300", "priority 100", "priority «300", "300"),
    Mistake("vrrp_instance: priority in words", "priority 100", "priority «high", "high"),
    Mistake("vrrp_instance: advert_int 0", "advert_int 1", "advert_int «0", "0"),
    Mistake("authentication: no such type", "auth_type PASS", "auth_type «MD5", "MD5", also=1,
            costs="authentication"),
    Mistake("virtual_server: no such forwarding", "lb_kind DR", "lb_kind «NATT", "NATT",
            costs="lb_kind|lvs_method"),
    Mistake("virtual_server: delay_loop in words", "delay_loop 6", "delay_loop «often", "often",
            costs="delay_loop|warmup"),
    Mistake("real_server: weight in words", "weight 1", "weight «heavy", "heavy"),
    Mistake("TCP_CHECK: timeout in words", "connect_timeout 3", "connect_timeout «soon", "soon",
            costs="connect_timeout"),
    Mistake("HTTP_GET: retry -1", "retry 3", "retry «-1", "-1", costs="retry"),
    Mistake("url: status_code 1000", "status_code 200", "status_code «1000", "1000",
            costs="status_code"),
    # An entry without a usable address: it is left out.
    Mistake("virtual_ipaddress: prefix out of range", f"{VIP}/32", f"«{VIP}/33", "33"),
    Mistake("virtual_ipaddress: address out of range", f"{VIP}/32 dev",
            f"{VIP}/32 dev eth0\n        «10.9.0.300/32 dev", "10.9.0.300", costs="label"),
    Mistake("virtual_server: address out of range", f"virtual_server {VIP}",
            "virtual_server «10.9.0.256", "10.9.0.256", also=2, costs="^/virtual_server/"),
    Mistake("virtual_server: port 70000", f"virtual_server {VIP} 80",
            f"virtual_server {VIP} «70000", "70000", also=2, costs="^/virtual_server/"),
    Mistake("real_server: address out of range", "real_server 10.9.0.10",
            "real_server «10.9.0.1000", "10.9.0.1000", costs="TCP_CHECK|=10.9.0.10$"),
    Mistake("real_server: port -1", "real_server 10.9.0.10 80", "real_server 10.9.0.10 «-1", "-1",
            costs="TCP_CHECK|=10.9.0.10$"),
    # Braces and files that mislead nobody.
    Mistake("top level: one brace too many", "vrrp_instance", "«}\nvrrp_instance", "}"),
    Mistake("include of a file that is gone", _TOP, f"include «absent.conf\n{_TOP}", "no file"),
)
