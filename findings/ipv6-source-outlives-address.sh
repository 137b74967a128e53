#!/usr/bin/env bash
# Linux: a socket goes on sending from an IPv6 address that the host has lost; IPv4 refuses.
#
# Four senders each hold 192.0.2.100 and 2001:db8::100: a bound UDP and a bound raw socket, a
# connected UDP socket, an established TCP connection. The addresses are removed. For IPv4 every
# datagram is refused with "Network is unreachable" (the network is there, the source is not), and
# nothing more of the TCP connection is seen. For IPv6 all four go on as before, with the lost
# address as source, data of the TCP connection too. Asking for the same source anew (bind()) is
# refused for both.
# Guessed beforehand: IPv6 refuses as IPv4 does, at least with another error.
# It matters after a change of mastership: the old master's IPv6 sockets still speak as the
# virtual address, no error tells them, and only the answers go to the new one.
source "$(dirname "$0")/lib/common.bash"
fetch iproute2=6.1.0-3

namespace host
namespace client
ip link add near netns "$host" type veth peer name far netns "$client"
ip -n "$host" link set near up
ip -n "$client" link set far up
ip -n "$host" address add 192.0.2.1/24 dev near
ip -n "$client" address add 192.0.2.2/24 dev far
ip -n "$host" address add 2001:db8::1/64 dev near nodad
ip -n "$client" address add 2001:db8::2/64 dev far nodad

cat >"$work/send.py" <<'PYTHON'
import ctypes
import errno
import os
import socket
import subprocess
import sys

host, client, family, virtual, length, peer = sys.argv[1:]
family = socket.AF_INET6 if family == "IPv6" else socket.AF_INET
PORT, PROTOCOL = 3784, 253  # 253: for experiments, RFC 3692


def enter(namespace):
    file = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(file, 0):
        sys.exit(f"cannot enter {namespace}: {os.strerror(ctypes.get_errno())}")
    os.close(file)


def address(verb, *more):
    subprocess.run(["ip", "-n", host, "address", verb, f"{virtual}/{length}", "dev", "near", *more],
                   check=True)


def in_time(receiver):
    receiver.settimeout(5)
    return receiver


def attempt(send, receive):
    try:
        send()
    except OSError as error:
        return errno.errorcode[error.errno]
    try:
        return "arrives" if receive() else "closed"
    except TimeoutError:
        return "lost"


def from_virtual(receiver):
    return lambda: receiver.recvfrom(2048)[1][0] == virtual


def bound(kind, protocol=0):
    sender = socket.socket(family, kind, protocol)
    sender.bind((virtual, 0))
    return sender


enter(client)
datagrams = in_time(socket.socket(family, socket.SOCK_DGRAM))
datagrams.bind((peer, PORT))
packets = in_time(socket.socket(family, socket.SOCK_RAW, PROTOCOL))
packets.bind((peer, 0))
listener = socket.create_server((peer, PORT), family=family)

enter(host)
address("add", *(["nodad"] if family == socket.AF_INET6 else []))
udp, raw = bound(socket.SOCK_DGRAM), bound(socket.SOCK_RAW, PROTOCOL)
connected = bound(socket.SOCK_DGRAM)
connected.connect((peer, PORT))
tcp = bound(socket.SOCK_STREAM)
tcp.settimeout(5)
tcp.connect((peer, PORT))
accepted = in_time(listener.accept()[0])


def try_all():
    return ", ".join((
        "UDP " + attempt(lambda: udp.sendto(b"data", (peer, PORT)), from_virtual(datagrams)),
        "raw " + attempt(lambda: raw.sendto(b"data", (peer, 0)), from_virtual(packets)),
        "connected UDP " + attempt(lambda: connected.send(b"data"), from_virtual(datagrams)),
        "TCP " + attempt(lambda: tcp.send(b"data"), lambda: accepted.recv(2048))))


print("held:", try_all())
address("del")
print("lost:", try_all())
print("anew:", attempt(lambda: bound(socket.SOCK_DGRAM), lambda: True))
PYTHON
try() { python3 "$work/send.py" "$host" "$client" "$@" | tr '\n' ' '; }

held="held: UDP arrives, raw arrives, connected UDP arrives, TCP arrives"
sleep 2
same IPv4 "$held lost: UDP ENETUNREACH, raw ENETUNREACH, connected UDP ENETUNREACH, TCP lost \
anew: EADDRNOTAVAIL " "$(try IPv4 192.0.2.100 24 192.0.2.2)"
same IPv6 "$held lost: UDP arrives, raw arrives, connected UDP arrives, TCP arrives \
anew: EADDRNOTAVAIL " "$(try IPv6 2001:db8::100 64 2001:db8::2)"
finish
