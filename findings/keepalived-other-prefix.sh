#!/usr/bin/env bash
# keepalived 2.2.7: removing an address that is not its own makes a master resign.
#
# The master holds 192.0.2.100/24. Somebody adds 192.0.2.100/32 to the same interface, which Linux
# takes as another address, and removes it again. The /24 is still there, but keepalived takes the
# removal for the loss of its own: it sends priority 0 (a backup takes over), deletes the /24,
# and, left alone, sets it again after its skew time: 0.61 s without the address were seen. Adding
# the /32 does nothing, and neither does the same pair of commands on another interface.
# Guessed beforehand: nothing happens, the removed address differs in its length.
source "$(dirname "$0")/lib/common.bash"
fetch iproute2=6.1.0-3 keepalived=1:2.2.7-1+b2

namespace host
for name in near other; do
  ip -n "$host" link add "$name" type veth peer name "$name-peer"
  ip -n "$host" link set "$name" up
  ip -n "$host" link set "$name-peer" up
done
ip -n "$host" address add 192.0.2.1/24 dev near

cat >"$work/keepalived.conf" <<'CONFIG'
vrrp_instance one {
  interface near
  virtual_router_id 10
  priority 100
  advert_int 1
  virtual_ipaddress {
    192.0.2.100/24
  }
}
CONFIG
cat >"$work/listen.py" <<'PYTHON'
import socket

capture = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
capture.bind(("near-peer", 0x0800))
while True:
    frame = capture.recv(2048)
    if frame[9] == 112:
        print("priority", frame[(frame[0] & 15) * 4 + 2], flush=True)
PYTHON

in_background() {
  ip netns exec "$host" "$@" &
  started+=($!)
}
held() { ip -n "$host" -o address show dev near | grep -q '192\.0\.2\.100/24'; }
within() { # SECONDS COMMAND… : yes as soon as the command succeeds, no at the end
  local tries=$(($1 * 10))
  shift
  while [ $((tries--)) -gt 0 ]; do
    "$@" && echo yes && return
    sleep 0.1
  done
  echo no
}
resigned() { grep -q '^priority 0$' "$work/adverts"; }
dropped() { grep -q '^Deleted.*192\.0\.2\.100/24' "$work/events"; }
add() { ip -n "$host" address add 192.0.2.100/32 dev "$1"; }
remove() { ip -n "$host" address del 192.0.2.100/32 dev "$1"; }

in_background python3 "$work/listen.py" >"$work/adverts"
in_background stdbuf -oL ip -o monitor address dev near >"$work/events"
in_background keepalived --dont-fork --log-console --vrrp --use-file "$work/keepalived.conf" \
  --pid "$work/keepalived.pid" --vrrp_pid "$work/vrrp.pid" >"$work/log" 2>&1

[ "$(within 20 held)" = yes ] ||
  cannot_run "keepalived did not become master: $(tail -n 1 "$work/log")"
add other
remove other
same "/32 added and removed on another interface: resigned" no "$(within 3 resigned)"
add near
same "/32 added on its interface: resigned" no "$(within 3 resigned)"
remove near
same "/32 removed there: priority 0 sent" yes "$(within 5 resigned)"
same "/32 removed there: the /24 deleted as well" yes "$(within 5 dropped)"
same "the /24 set again" yes "$(within 10 held)"
finish
