#!/usr/bin/env bash
# Linux: an IPv6 address that netlink has acknowledged is not an address yet, nodad or not.
#
# RTM_NEWADDR for IPv6 with IFA_F_NODAD is acknowledged, and bind() takes the address. Yet the
# local route, by which packets *to* it are received, is entered later by a kernel worker, and
# only then the event RTM_NEWADDR goes out. In between a packet to the address is routed as if it
# were somebody else's. Usually that is some microseconds, and a worker that gets the processor at
# once hides it; a process with real-time priority on that processor, as VRRP daemons have, meets
# it nearly every time (198 or 199 of 199 seen; 24 ms at worst on a busy machine). An IPv4 address
# is local, and its event sent, before the acknowledgement: always.
# Guessed beforehand: nodad makes IPv6 like IPv4, the acknowledgement is the end.
# It matters to whoever announces a taken-over address straight after the acknowledgement.
source "$(dirname "$0")/lib/common.bash"
fetch iproute2=6.1.0-3

namespace host
ip -n "$host" link add near type veth peer name far
ip -n "$host" link set near up
ip -n "$host" link set far up

cat >"$work/add.py" <<'PYTHON'
import os
import socket
import struct
import sys

NEWADDR, NEWROUTE, GETROUTE, ACKNOWLEDGED = 20, 24, 26, 2
LOCAL, NODAD, ADDRESS_GROUPS, ATTEMPTS = 2, 0x02, 0x110, 100
near = socket.if_nametoindex("near")


def rtnetlink(groups):
    connection = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    connection.bind((0, groups))
    connection.settimeout(2)
    return connection


def ask(connection, kind, flags, body):
    connection.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data


def add(connection, family, address):
    length, flags = (64, NODAD) if family == socket.AF_INET6 else (24, 0)
    body = struct.pack("=BBBBI", family, length, flags, 0, near)
    ask(connection, NEWADDR, 0x605, body + attribute(2, address) + attribute(1, address))


def is_local(connection, family, address):
    body = struct.pack("=BBBBBBBBI", family, len(address) * 8, 0, 0, 0, 0, 0, 0, 0)
    ask(connection, GETROUTE, 1, body + attribute(1, address))
    answer = connection.recv(8192)
    return struct.unpack_from("=H", answer, 4)[0] == NEWROUTE and answer[16 + 7] == LOCAL


def event_is_late(connection, family, address):
    """Whether the event of the address came after the acknowledgement, seen on one socket."""
    add(connection, family, address)
    order = []
    while not {NEWADDR, ACKNOWLEDGED} <= set(order):
        data = connection.recv(65536)
        while data:
            size, kind = struct.unpack_from("=IH", data)
            order.append(kind)
            data = data[(size + 3) & ~3:]
    return order.index(NEWADDR) > order.index(ACKNOWLEDGED)


def can_bind(family, text):
    with socket.socket(family, socket.SOCK_DGRAM) as user:
        try:
            user.bind((text, 0))
        except OSError:
            return False
    return True


def words(count):
    return "never" if count == 0 else "often" if count >= ATTEMPTS // 10 else f"{count} times"


def run(family, pattern):
    asking, watching = rtnetlink(0), rtnetlink(ADDRESS_GROUPS)
    late_route = late_event = not_bound = 0
    for number in range(1, ATTEMPTS + 1):
        text = pattern % number
        address = socket.inet_pton(family, text)
        add(asking, family, address)
        asking.recv(8192)
        late_route += not is_local(asking, family, address)
        not_bound += not can_bind(family, text)
    for number in range(ATTEMPTS + 1, 2 * ATTEMPTS + 1):
        late_event += event_is_late(watching, family, socket.inet_pton(family, pattern % number))
    print(f"acknowledged but not local: {words(late_route)}, bind() refused: {words(not_bound)}, "
          f"event after the acknowledgement: {words(late_event)}")


os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
if sys.argv[1] == "IPv4":
    run(socket.AF_INET, "192.0.2.%d")
else:
    run(socket.AF_INET6, "2001:db8::%x")
PYTHON
add() { ip netns exec "$host" python3 "$work/add.py" "$1"; }

same "100 IPv4 addresses" "acknowledged but not local: never, bind() refused: never, \
event after the acknowledgement: never" "$(add IPv4)"
same "100 IPv6 addresses with nodad" "acknowledged but not local: often, bind() refused: never, \
event after the acknowledgement: often" "$(add IPv6)"
finish
