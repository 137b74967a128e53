"""A director with thousands of virtual routers: VRIDs 1…n on each of several interfaces."""

from __future__ import annotations

from .netns import Lab, Namespace


def interface(number: int) -> str:
    return f"eth{number}"


def network(number: int) -> str:
    """The first two bytes of the addresses on that interface."""
    return f"10.{100 + number}"


def crowd_config(interfaces: int, vrids: int, priority: int, state: str = "BACKUP") -> str:
    """One address for each virtual router; one round of gratuitous ARP, so that it does not hide
    what is measured."""
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
                f" virtual_ipaddress {{\n {network(number)}.1.{vrid}/32\n }}\n}}\n"
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


def virtual_addresses_held(machine: Namespace) -> int:
    """How many of the crowd's addresses this machine has."""
    return sum(address.endswith("/32") for address in machine.addresses())
