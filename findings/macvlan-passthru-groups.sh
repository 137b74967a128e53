#!/usr/bin/env bash
# Linux: a macvlan or macvtap in mode passthru takes unicast from the interface below it, and leaves
# it what is sent to a group.
#
# A raw socket that is bound to the interface below hears a packet to 224.0.0.18 and one to its own
# address, from a neighbour. With a macvlan or macvtap in mode passthru above it, up or down, the
# first is heard as before and the second is not. One in mode
# private with another MAC address takes neither.
# Guessed beforehand: passthru takes everything.
# It matters to VRRP: multicast routers below such a device hear each other, unicast ones do not.
source "$(dirname "$0")/lib/common.bash"
fetch iproute2=6.1.0-3

namespace host
namespace client
cat >"$work/hear.py" <<'PYTHON'
import ctypes
import os
import socket
import sys

host, client = sys.argv[1:]
PROTOCOL = 253  # for experiments, RFC 3692


def enter(namespace):
    file = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(file, 0):
        sys.exit(f"cannot enter {namespace}: {os.strerror(ctypes.get_errno())}")
    os.close(file)


enter(host)
ears = socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTOCOL)
ears.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"near")
ears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                socket.inet_aton("224.0.0.18") + socket.inet_aton("192.0.2.1"))
ears.settimeout(1)
enter(client)
mouth = socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTOCOL)
mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("192.0.2.2"))
seen = []
for name, destination in (("group", "224.0.0.18"), ("unicast", "192.0.2.1")):
    mouth.sendto(b"data", (destination, 0))
    try:
        ears.recv(2048)
        seen.append(f"{name} heard")
    except TimeoutError:
        seen.append(f"{name} lost")
print(", ".join(seen))
PYTHON

ip link add near netns "$host" address 02:00:00:00:00:01 type veth peer name far netns "$client"
ip -n "$host" link set near up
ip -n "$client" link set far up
ip -n "$host" address add 192.0.2.1/24 dev near
ip -n "$client" address add 192.0.2.2/24 dev far
ip -n "$client" neighbour add 192.0.2.1 lladdr 02:00:00:00:00:01 dev far
sleep 1
hear() { python3 "$work/hear.py" "$host" "$client"; }

same alone "group heard, unicast heard" "$(hear)"
for kind in macvlan macvtap; do
  ip -n "$host" link add above link near type "$kind" mode passthru
  same "$kind, down" "group heard, unicast lost" "$(hear)"
  ip -n "$host" link set above up
  same "$kind, up" "group heard, unicast lost" "$(hear)"
  ip -n "$host" link del above
done
ip -n "$host" link add above link near type macvlan mode private
ip -n "$host" link set above up
same "private, up" "group heard, unicast heard" "$(hear)"
finish
