#!/usr/bin/env bash
# keepalived 2.2.7: a static route stays behind when its link has no carrier at the stop.
#
# `static_routes` are keepalived's while it runs, and it takes them off at an orderly stop. When the
# cable of their interface is pulled meanwhile, they are still there after the stop, "linkdown" and
# with keepalived's protocol; with the cable put back before the stop they go.
# Guessed beforehand: the stop takes them off in either case, the kernel deletes such a route
# without a word.
# It matters to whoever replaces one program by another while a network is down.
source "$(dirname "$0")/lib/common.bash"
fetch iproute2=6.1.0-3 keepalived=1:2.2.7-1+b2

namespace host
ip -n "$host" link add near type veth peer name far
ip -n "$host" link set near up
ip -n "$host" link set far up
ip -n "$host" address add 192.0.2.1/24 dev near

cat >"$work/keepalived.conf" <<'CONFIG'
static_routes {
  198.51.100.0/24 dev near
}
vrrp_instance one {
  interface near
  virtual_router_id 10
  priority 100
  virtual_ipaddress {
    192.0.2.100/24
  }
}
CONFIG

there() { ip -n "$host" route show 198.51.100.0/24 | grep -q 'proto keepalived'; }
yes_or_no() { if "$@"; then echo yes; else echo no; fi; }
start() {
  ip netns exec "$host" keepalived --dont-fork --log-console --vrrp \
    --use-file "$work/keepalived.conf" --pid "$work/keepalived.pid" \
    --vrrp_pid "$work/vrrp.pid" >"$work/log" 2>&1 &
  program=$!
  started+=("$program")
  for _ in $(seq 100); do there && return; sleep 0.1; done
  cannot_run "keepalived did not set the route: $(tail -n 1 "$work/log")"
}
stop() { kill "$program" && wait "$program"; }

start
stop
same "stopped with a carrier: the route is left" no "$(yes_or_no there)"

start
ip -n "$host" link set far down
sleep 1
same "without a carrier, running: the route is there" yes "$(yes_or_no there)"
stop
same "stopped without a carrier: the route is left" yes "$(yes_or_no there)"
ip -n "$host" link set far up
ip -n "$host" route del 198.51.100.0/24

start
ip -n "$host" link set far down
sleep 1
ip -n "$host" link set far up
sleep 1
stop
same "carrier lost and back, then stopped: the route is left" no "$(yes_or_no there)"
finish
