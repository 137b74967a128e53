#!/usr/bin/env bash
# Linux: the protocol mark of an address (IFA_PROTO) belongs to whoever touched the address last.
#
# A program marks its addresses with IFA_PROTO, as routes are marked. Anybody's change of such an
# address that does not repeat the mark takes it away, for IPv4 and IPv6: a lifetime, and even an
# IPv4 label, which the kernel then does not change. `ip address change` of an iproute2 that does
# not know the mark is enough. The same change clears IPv6's `nodad`, so that the address goes
# through duplicate address detection at the next link up. Promotion of a secondary IPv4 address,
# and a link that goes down and up (keep_addr_on_down), keep the mark.
# Guessed beforehand: a mark that is not mentioned stays, as the label does.
# It matters to whoever sweeps by mark after a crash: an address of its own may have become
# nobody's.
source "$(dirname "$0")/lib/common.bash"
fetch iproute2=6.1.0-3

namespace host
ip -n "$host" link add near type veth peer name far
ip -n "$host" link set near up
ip -n "$host" link set far up
ip netns exec "$host" sysctl -q net.ipv4.conf.near.promote_secondaries=1 \
  net.ipv6.conf.near.keep_addr_on_down=1

# mark.py add ADDRESS LENGTH LABEL : asks the kernel for ADDRESS with protocol 77, nodad for IPv6.
# mark.py label ADDRESS LENGTH LABEL : the same address again, with a label and without protocol.
# mark.py show ADDRESS : prints its protocol ("none" without), label, nodad and tentative.
cat >"$work/mark.py" <<'PYTHON'
import socket
import struct
import sys

IFA_ADDRESS, IFA_LOCAL, IFA_LABEL, IFA_FLAGS, IFA_PROTO = 1, 2, 3, 8, 11
NEWADDR, GETADDR, DONE, ERROR, NODAD, TENTATIVE = 20, 22, 3, 2, 0x02, 0x40
rtnetlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
rtnetlink.bind((0, 0))


def ask(kind, flags, body):
    rtnetlink.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def put(verb, text, length, label):
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    address = socket.inet_pton(family, text)
    flags = NODAD if family == socket.AF_INET6 else 0
    body = struct.pack("=BBBBI", family, int(length), flags, 0, socket.if_nametoindex("near"))
    body += attribute(IFA_LOCAL, address) + attribute(IFA_ADDRESS, address)
    if family == socket.AF_INET:
        body += attribute(IFA_LABEL, label.encode() + b"\0")
    if verb == "add":
        body += attribute(IFA_PROTO, b"\x4d")
    ask(NEWADDR, 0x505, body)  # request, acknowledged, create or replace
    result = struct.unpack_from("=i", rtnetlink.recv(8192), 16)[0]
    if result:
        sys.exit(f"the kernel refuses {text}: {result}")


def messages():
    ask(GETADDR, 0x301, bytes(8))
    while True:
        data = rtnetlink.recv(65536)
        while data:
            size, kind = struct.unpack_from("=IH", data)
            if kind in (DONE, ERROR):
                return
            yield data[16:size]
            data = data[(size + 3) & ~3:]


def show(text):
    answer = "absent"
    for body in messages():
        found, at = {}, 8
        while at < len(body):
            size, kind = struct.unpack_from("=HH", body, at)
            found[kind] = body[at + 4:at + size]
            at += (size + 3) & ~3
        if socket.inet_ntop(body[0], found[IFA_ADDRESS]) != text:
            continue
        answer = str(found[IFA_PROTO][0]) if IFA_PROTO in found else "none"
        if IFA_LABEL in found:
            answer += " " + found[IFA_LABEL].rstrip(b"\0").decode()
        flags = struct.unpack("=I", found[IFA_FLAGS])[0]
        answer += " nodad" * bool(flags & NODAD) + " tentative" * bool(flags & TENTATIVE)
    print(answer)


show(*sys.argv[2:]) if sys.argv[1] == "show" else put(*sys.argv[1:])
PYTHON
mark() { ip netns exec "$host" python3 "$work/mark.py" "$@"; }
deprecate() { ip -n "$host" address change "$1" dev near preferred_lft 0; }

four=192.0.2.1 six=2001:db8::1
mark add $four 24 near
mark add $six 64 ""
same "IPv4, marked" "77 near" "$(mark show $four)"
same "IPv6, marked" "77 nodad" "$(mark show $six)"

deprecate $four/24
deprecate $six/64
same "IPv4, after ip address change … preferred_lft 0" "none near" "$(mark show $four)"
same "IPv6, after ip address change … preferred_lft 0" "none" "$(mark show $six)"

mark add $four 24 near
mark label $four 24 near:vip
same "IPv4, after a label without mark" "none near" "$(mark show $four)"

mark add 192.0.2.2 24 near
ip -n "$host" address del $four/24 dev near
same "IPv4, secondary promoted" "77 near" "$(mark show 192.0.2.2)"
mark add 2001:db8::2 64 ""
ip -n "$host" link set near down
ip -n "$host" link set near up
same "IPv6 untouched, link down and up" "77 nodad" "$(mark show 2001:db8::2)"
same "IPv6 changed before, link down and up" "none tentative" "$(mark show $six)"
finish
