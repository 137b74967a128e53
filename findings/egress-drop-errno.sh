#!/usr/bin/env bash
# Linux, nftables: what a sender learns of a dropped packet depends on the hook, not on the
# verdict.
#
# A `drop` in the output hook is "Operation not permitted" (EPERM) for a raw IP and a UDP socket,
# and does not touch a packet socket at all: its frame leaves. A `drop` in the egress hook, one
# step later, stops all three, and says nothing to the raw and the UDP socket: sendto() succeeds.
# The packet socket is told "No buffer space available" (ENOBUFS), which reads like a full queue
# that is worth another try. The IP sockets hear the same ENOBUFS once IP_RECVERR is set, an
# option that is about ICMP errors by its name.
# Guessed beforehand: EPERM for everybody that is dropped, in either hook.
# It matters to whoever counts adverts as sent because sendto() said so.
source "$(dirname "$0")/lib/common.bash"
fetch iproute2=6.1.0-3 nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2

namespace host
ip -n "$host" link add near type veth peer name far
ip -n "$host" link set near up
ip -n "$host" link set far up
ip -n "$host" address add 192.0.2.1/24 dev near
ip -n "$host" neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev near

cat >"$work/send.py" <<'PYTHON'
import socket
import struct

GROUP, IP_RECVERR = "224.0.0.18", 11
advert = bytes([0x21, 1, 100, 1, 0, 1, 0xBA, 0x52]) + socket.inet_aton("192.0.2.100") + bytes(8)


def ip_socket(kind, protocol, report_errors):
    sender = socket.socket(socket.AF_INET, kind, protocol)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"near")
    sender.setsockopt(socket.IPPROTO_IP, IP_RECVERR, report_errors)
    return sender


def raw(report_errors):
    ip_socket(socket.SOCK_RAW, 112, report_errors).sendto(advert, (GROUP, 0))


def udp(report_errors):
    ip_socket(socket.SOCK_DGRAM, 0, report_errors).sendto(advert, ("192.0.2.2", 3784))


def packet(_):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(advert), 0, 0, 255, 112, 0x1953,
                         socket.inet_aton("192.0.2.1"), socket.inet_aton(GROUP))
    socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0).sendto(
        header + advert, ("near", 0x0800, 0, 0, bytes.fromhex("01005e000012")))


def attempt(send, report_errors):
    capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    capture.bind(("far", 0x0800))
    capture.settimeout(0.5)
    try:
        send(report_errors)
        answer = "ok"
    except OSError as error:
        answer = {1: "EPERM", 105: "ENOBUFS"}.get(error.errno, error.strerror)
    try:
        capture.recv(2048)
        return answer + ", sent"
    except TimeoutError:
        return answer + ", not sent"


print("; ".join(f"{name} {attempt(send, errors)}" for name, send, errors in (
    ("raw", raw, 0), ("raw+IP_RECVERR", raw, 1),
    ("udp", udp, 0), ("udp+IP_RECVERR", udp, 1), ("packet", packet, 0))))
PYTHON

drop_in() {
  ip netns exec "$host" nft -f - <<RULES || cannot_run "nft refuses the table (no egress hook?)"
flush ruleset
table $1 t {
  chain c {
    type filter hook $2 priority 0
    drop
  }
}
RULES
}
try() { ip netns exec "$host" python3 "$work/send.py"; }

same "no rule" "raw ok, sent; raw+IP_RECVERR ok, sent; udp ok, sent; udp+IP_RECVERR ok, sent; \
packet ok, sent" "$(try)"
drop_in inet output
same "drop in output" "raw EPERM, not sent; raw+IP_RECVERR EPERM, not sent; udp EPERM, not sent; \
udp+IP_RECVERR EPERM, not sent; packet ok, sent" "$(try)"
drop_in netdev "egress device near"
same "drop in egress" "raw ok, not sent; raw+IP_RECVERR ENOBUFS, not sent; udp ok, not sent; \
udp+IP_RECVERR ENOBUFS, not sent; packet ENOBUFS, not sent" "$(try)"
finish
