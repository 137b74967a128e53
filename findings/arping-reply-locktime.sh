#!/usr/bin/env bash
# arping 2.23 (Debian's package `arping`) and Linux neighbours: one of its two gratuitous forms is
# ignored for a second.
#
# `arping -U -S VIP VIP` sends a request, `arping -P -U -S VIP VIP` a reply. In the reply the
# target hardware address is ff:ff:ff:ff:ff:ff. Linux takes a reply for gratuitous only when the
# target hardware address is the sender's own; any other one is an ordinary answer, and an
# ordinary answer moves no entry that was changed within the last second (sysctl neigh locktime).
# So at two changes of mastership within a second the neighbour stays with the router that has
# just left, and the same burst of replies repeated at once does not help. The request form moves
# it every time; so do both forms (-U and -A) of the other arping, iputils 20221126, whose reply
# has the sender's own.
# Guessed beforehand: every gratuitous form moves the entry, whenever it comes.
source "$(dirname "$0")/lib/common.bash"
fetch iproute2=6.1.0-3 arping=2.23-1 libnet1=1.1.6+dfsg-3.2 libpcap0.8=1.10.3-1 \
  iputils-arping=3:20221126-1+deb12u1
habets="$work/root/usr/sbin/arping" iputils="$work/root/usr/bin/arping"

namespace lan
ip -n "$lan" link add bridge type bridge
ip -n "$lan" link set bridge up
ip -n "$lan" address add 192.0.2.1/24 dev bridge
ip netns exec "$lan" sysctl -q net.ipv4.neigh.bridge.locktime=400 # not 1 s but 4: busy machines
for router in first second; do
  namespace "$router"
  ip link add port netns "${!router}" type veth peer name "$router" netns "$lan"
  ip -n "$lan" link set "$router" master bridge up
  ip -n "${!router}" link set port up
  ip -n "${!router}" address add 192.0.2.100/24 dev port
done
mac() { ip netns exec "$1" cat /sys/class/net/port/address; }

neighbour() {
  case "$(ip -n "$lan" neighbour show 192.0.2.100 dev bridge)" in
    *"$(mac "$first")"*) echo first ;;
    *"$(mac "$second")"*) echo second ;;
    *) echo nobody ;;
  esac
}

# announce ROUTER PROGRAM OPTION… : three announcements in a row, then what the neighbour believes.
announce() {
  local router="$1"
  shift
  for _ in 1 2 3; do
    ip netns exec "$router" timeout -s INT 0.5 "$@" >/dev/null 2>&1
  done
  neighbour
}

# The neighbour has known the second router for longer than that; then the first one announces
# itself, with a request, and the second takes over again at once. Prints both beliefs.
two_changes() {
  ip -n "$lan" neighbour replace 192.0.2.100 lladdr "$(mac "$second")" dev bridge nud reachable
  sleep 5
  ip netns exec "$first" timeout -s INT 0.5 "$iputils" -c 1 -U -I port 192.0.2.100 >/dev/null 2>&1
  echo "$(neighbour), then $(announce "$second" "$@")"
}

sleep 1 # the bridge's ports are forwarding
same "arping -U, request" "first, then second" \
  "$(two_changes "$habets" -c 1 -U -i port -S 192.0.2.100 192.0.2.100)"
same "arping -P -U, reply to ff:ff:ff:ff:ff:ff" "first, then first" \
  "$(two_changes "$habets" -c 1 -P -U -i port -S 192.0.2.100 192.0.2.100)"
sleep 5
same "the same reply when the entry is older" "second" \
  "$(announce "$second" "$habets" -c 1 -P -U -i port -S 192.0.2.100 192.0.2.100)"
same "iputils arping -A, reply to itself" "first, then second" \
  "$(two_changes "$iputils" -c 1 -A -I port 192.0.2.100)"
same "iputils arping -U, request" "first, then second" \
  "$(two_changes "$iputils" -c 1 -U -I port 192.0.2.100)"
finish
