"""Ways of speaking VRRP, and one virtual router written in each: the rows of the matrix."""

from __future__ import annotations

from dataclasses import dataclass

VRID = 51
SOURCES4 = ("10.9.0.1", "10.9.0.2")
SOURCES6 = ("fe80::1", "fe80::2")
GLOBALS6 = ("2001:db8::1", "2001:db8::2")
VIPS4 = ("10.9.0.200", "10.9.0.201")
VIPS6 = ("fe80::9:200", "2001:db8::200")
PASS = "authentication {\n auth_type PASS\n auth_pass secret12\n }"


@dataclass(frozen=True)
class Dialect:
    """How the two speak. `words` of an instance; `peers`: unicast, from these addresses."""

    name: str
    version: int
    interval: float
    sources: tuple[str, str] = SOURCES4
    vips: tuple[str, ...] = VIPS4
    words: str = ""
    peers: bool = False
    group: str = ""

    @property
    def is_six(self) -> bool:
        return ":" in self.vips[0]

    def skew(self, priority: int) -> float:
        return (256 - priority) / 256 * (1 if self.version == 2 else self.interval)

    def down(self, priority: int) -> float:
        return 3 * self.interval + self.skew(priority)

    def destination(self, side: int) -> str:
        """Where the adverts of a side go."""
        if self.peers:
            return self.sources[1 - side]
        return self.group or ("ff02::12" if self.is_six else "224.0.0.18")

    def config(self, priority: int, side: int, extra: str = "") -> str:
        """For Holdfast and keepalived."""
        unicast = ""
        if self.peers:
            unicast = (f" unicast_src_ip {self.sources[side]}\n"
                       f" unicast_peer {{\n{self.sources[1 - side]}\n }}\n")
        addresses = "\n".join(self.vips)
        return (
            "global_defs {\n router_id test\n}\n"
            f"vrrp_instance VI_1 {{\n state BACKUP\n interface eth0\n virtual_router_id {VRID}\n"
            f" priority {priority}\n version {self.version}\n advert_int {self.interval:g}\n"
            f"{unicast} {self.words}\n {extra}\n virtual_ipaddress {{\n{addresses}\n }}\n}}\n"
        )

    def suits_frr(self) -> bool:
        """FRR knows neither authentication nor unicast nor another group."""
        return not (self.words or self.peers)

    def config_of_frr(self, priority: int, *words: str) -> str:
        family = "ipv6" if self.is_six else "ip"
        return "\n".join([
            "log stdout", "debug vrrp", "interface eth0", f" vrrp {VRID} version {self.version}",
            f" vrrp {VRID} priority {priority}",
            f" vrrp {VRID} advertisement-interval {self.interval * 1000:.0f}",
            *(f" vrrp {VRID} {family} {vip}" for vip in self.vips),
            *(f" {word}" for word in words), "exit", ""])


#: A row more is a line more; `words` say what is special about it.
DIALECTS = [
    Dialect("v2", 2, 1),
    Dialect("v2 PASS", 2, 1, words=PASS),
    Dialect("v2 unicast", 2, 1, peers=True),
    Dialect("v3 IPv4", 3, 0.2),
    Dialect("v3 IPv4 other group", 3, 0.2, words="mcast_dst_ip 224.0.0.99", group="224.0.0.99"),
    Dialect("v3 IPv4 unicast", 3, 0.2, peers=True),
    Dialect("v3 IPv6", 3, 0.2, SOURCES6, VIPS6),
    Dialect("v3 IPv6 unicast", 3, 0.2, GLOBALS6, VIPS6, peers=True),
]


def named(name: str) -> Dialect:
    return next(each for each in DIALECTS if each.name == name)
