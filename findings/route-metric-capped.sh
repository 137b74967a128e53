#!/usr/bin/env bash
# Linux: an IPv4 route may not be deletable with the very words that added it; IPv6 looks at none.
#
# `ip route add … mtu 70000` is accepted, and 65520 is what the kernel keeps; advmss 70000 becomes
# 65495. No message says so. Deleting then compares the metrics of the request with those that are
# kept: the same words, with `del` in place of `add`, are answered by ESRCH, and the route stays.
# (Without the metric it can be deleted.) IPv6 caps in the same way, but compares no metric at all:
# a request that names any other mtu deletes the route.
# Guessed beforehand: too large a metric is refused, and both families find the route again.
# It matters to whoever sets routes from a configuration and takes them off in the same words: a
# route is left behind at the stop, or, IPv6, one that only resembles it is gone. Compare what the
# kernel tells, and leave metrics out of the request.
source "$(dirname "$0")/lib/common.bash"
fetch iproute2=6.1.0-3

namespace host
ip link add near netns "$host" type veth peer name far netns "$host"
ip -n "$host" link set far up
ip -n "$host" link set near up
ip -n "$host" address add 192.0.2.1/24 dev near
ip -n "$host" address add 2001:db8::1/64 dev near nodad

# tried FAMILY WORDS-TO-ADD WORDS-TO-DELETE : what is kept, and whether it could be deleted
tried() {
  local to=198.51.100.0/24 via=192.0.2.2
  [ "$1" = 4 ] || { to=2001:db8:9::/48 via=2001:db8::2; }
  # shellcheck disable=SC2086
  ip -n "$host" "-$1" route add "$to" via "$via" dev near $2 || return
  printf 'kept as%s, ' "$(ip -n "$host" "-$1" route show "$to" |
    sed -E 's/.*dev near//; s/ metric [0-9]+//; s/ pref .*//; s/ +$//')"
  # shellcheck disable=SC2086
  if ip -n "$host" "-$1" route del "$to" via "$via" dev near $3 2>"$work/said"; then
    echo "deleted"
  else
    sed -n 's/RTNETLINK answers: //p' "$work/said"
  fi
  ip -n "$host" "-$1" route flush "$to"
}

same "IPv4, mtu 70000, deleted likewise" "kept as mtu 65520, No such process" \
  "$(tried 4 "mtu 70000" "mtu 70000")"
same "IPv4, advmss 70000, deleted likewise" "kept as advmss 65495, No such process" \
  "$(tried 4 "advmss 70000" "advmss 70000")"
same "IPv4, mtu 70000, deleted without" "kept as mtu 65520, deleted" "$(tried 4 "mtu 70000" "")"
same "IPv4, mtu 1400, deleted as 1300" "kept as mtu 1400, No such process" \
  "$(tried 4 "mtu 1400" "mtu 1300")"
same "IPv6, mtu 70000, deleted likewise" "kept as mtu 65520, deleted" \
  "$(tried 6 "mtu 70000" "mtu 70000")"
same "IPv6, mtu 1400, deleted as 1300" "kept as mtu 1400, deleted" \
  "$(tried 6 "mtu 1400" "mtu 1300")"
finish
