#!/usr/bin/env bash
# keepalived 2.2.7: track_group is about links: a static route that is lost changes nothing.
#
# keepalived.conf(5) says that an instance of the group goes to FAULT when a static address, route
# or rule of it is deleted and cannot be put back. A route or rule that somebody deletes is put back
# at once, and while the link of one is down the instance is in FAULT. But where a route cannot be
# put back, because its gateway is out of reach by then, or could not be set from the start, the
# instance stays and becomes MASTER. (A rule without iif or dev cannot have a track_group there:
# "Static rule cannot have track_group if dev/iif not specified".)
# Guessed beforehand: FAULT in both cases, as the manual says.
source "$(dirname "$0")/lib/common.bash"
fetch iproute2=6.1.0-3 keepalived=1:2.2.7-1+b2

namespace host
for name in near other; do
  ip -n "$host" link add "$name" type veth peer name "$name-peer"
  ip -n "$host" link set "$name" up
  ip -n "$host" link set "$name-peer" up
done
ip -n "$host" address add 192.0.2.1/24 dev near
ip -n "$host" address add 198.51.100.1/24 dev other

cat >"$work/keepalived.conf" <<'CONFIG'
track_group way {
  group {
    one
  }
}
static_routes {
  203.0.113.0/24 via 198.51.100.9 dev other track_group way
}
static_rules {
  from 203.0.113.0/24 iif other table 77 priority 700 track_group way
}
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

within() { # SECONDS COMMAND… : yes as soon as the command succeeds, no at the end
  local tries=$(($1 * 10))
  shift
  while [ $((tries--)) -gt 0 ]; do
    "$@" && echo yes && return
    sleep 0.1
  done
  echo no
}
held() { [[ $(ip -n "$host" -o address show dev near) == *192.0.2.100/24* ]]; }
away() { ! held; }
route() { [[ $(ip -n "$host" route) == *203.0.113.0/24* ]]; }
rule() { [[ $(ip -n "$host" rule) == *700:* ]]; }

start() {
  ip netns exec "$host" keepalived --dont-fork --log-console --vrrp \
    --use-file "$work/keepalived.conf" --pid "$work/keepalived.pid" \
    --vrrp_pid "$work/vrrp.pid" >"$work/log" 2>&1 &
  program=$!
  started+=("$program")
}

start
[ "$(within 20 held)" = yes ] ||
  cannot_run "keepalived did not become master: $(tail -n 1 "$work/log")"
ip -n "$host" route del 203.0.113.0/24
same "a route deleted: there again" yes "$(within 3 route)"
ip -n "$host" link set other down
same "its link down: the addresses go" yes "$(within 5 away)"
ip -n "$host" link set other up
same "its link up: master again" yes "$(within 15 held)"
ip -n "$host" rule del priority 700
same "a rule deleted: there again" yes "$(within 3 rule)"
ip -n "$host" address del 198.51.100.1/24 dev other
ip -n "$host" route del 203.0.113.0/24 2>/dev/null || true
same "a route that cannot be put back: the addresses go" no "$(within 3 away)"
kill "$program" && wait "$program" || true

start
same "a route that could not be set at the start: master" yes "$(within 15 held)"
same "the route is there" no "$(within 1 route)"
finish
