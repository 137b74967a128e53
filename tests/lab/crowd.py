"""A director with thousands of virtual routers: VRIDs 1…n on each of several interfaces."""

from __future__ import annotations

import bisect
import socket
import struct
import time

from .netns import Lab, Namespace
from .wire import ETH_P_IP, SO_RCVBUFFORCE, Capture, Recorder

RTMGRP_IPV4_IFADDR = 0x10
RTM_NEWADDR = 20

# On the first of its addresses.
ONE_SERVICE = """virtual_server 10.100.1.1 80 {
 delay_loop 5
 lb_algo rr
 lb_kind DR
 protocol TCP
 real_server 10.100.0.9 80 {
  TCP_CHECK {
   connect_timeout 1
  }
 }
}
"""


def interface(number: int) -> str:
    return f"eth{number}"


def network(number: int) -> str:
    """The first two bytes of the addresses on that interface."""
    return f"10.{100 + number}"


def crowd_config(interfaces: int, vrids: int, priority: int, state: str = "BACKUP",
                 addresses: int = 1) -> str:
    """So many addresses for each virtual router; one round of gratuitous ARP, so that it does not
    hide what is measured."""
    blocks = [
        "global_defs {\n router_id crowd\n"
        " vrrp_garp_master_delay 0\n vrrp_garp_master_repeat 1\n}\n"
    ]
    for number in range(interfaces):
        for vrid in range(1, vrids + 1):
            blocks.append(
                f"vrrp_instance VI_{number}_{vrid} {{\n state {state}\n"
                f" interface {interface(number)}\n virtual_router_id {vrid}\n"
                f" priority {priority}\n advert_int 1\n"
                " virtual_ipaddress {\n" +
                "".join(f" {network(number)}.{third}.{vrid}/32\n"
                        for third in range(1, addresses + 1)) + " }\n}\n"
            )
    return "".join(blocks)


def crowd_cables(lab: Lab, switch: Namespace, machines: list[Namespace], interfaces: int) -> None:
    """Every interface of every machine, on one switch: the VRIDs of two of them differ by network
    only for the machines, so each interface gets a bridge of its own."""
    for number in range(interfaces):
        bridge = "br0" if number == 0 else f"br{number}"
        if number:
            switch.ip(f"link add {bridge} type bridge mcast_snooping 0 stp_state 0 forward_delay 0",
                      f"link set {bridge} up")
        ports = lab.cables(switch, *(
            (machine, interface(number), f"{network(number)}.0.{index}/16")
            for index, machine in enumerate(machines, 1)
        ))
        if number:
            switch.ip(*(f"link set {port} master {bridge}" for port in ports))


def crowd_captures(switch: Namespace, interfaces: int) -> list[Capture]:
    """The IPv4 packets on each of the crowd's bridges: thousands of ARP frames stay outside."""
    return [Capture(switch, "br0" if number == 0 else f"br{number}", ETH_P_IP)
            for number in range(interfaces)]


def virtual_addresses_held(machine: Namespace) -> int:
    """How many of the crowd's addresses this machine has."""
    return sum(address.endswith("/32") for address in machine.addresses())


class AddressClock(Recorder):
    """When a machine got its IPv4 addresses, as the kernel tells it: asking for the list takes the
    lock that whoever adds addresses needs."""

    def __init__(self, machine: Namespace):
        with machine.inside():
            source = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        source.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
        source.bind((0, RTMGRP_IPV4_IFADDR))
        self._times: list[float] = []
        super().__init__(machine, source)

    def _take(self) -> None:
        data, at = self._socket.recv(65536), time.time()
        while len(data) >= 16:
            length, kind = struct.unpack_from("=IH", data)
            if kind == RTM_NEWADDR:
                self._times.append(at)
            data = data[(length + 3) & ~3:]

    def added(self, since: float = 0) -> int:
        return len(self._times) - bisect.bisect_left(self._times, since)

    def time_of(self, number: int) -> float:
        """When address `number`, from 1, came."""
        return self._times[number - 1]
