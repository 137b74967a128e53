#!/usr/bin/env bash
# keepalived 2.2.7: an instance with unicast peers needs an `interface`, although its manual says that
# it can be left out.
#
# keepalived.conf(5) of the same package: "if using unicasting, the interface can be omitted as long
# as the unicast addresses are not IPv6 link local addresses". With unicast_src_ip, unicast_peer and
# `dev` behind the address it says "Unknown interface!" and ends, with `--config-test` as well as in
# earnest, also where there is an eth0 and where default_interface names an interface.
# Guessed beforehand: it runs, and sends by the kernel's routes, as other versions do.
source "$(dirname "$0")/lib/common.bash"
fetch iproute2=6.1.0-3 keepalived=1:2.2.7-1+b2

namespace host
ip -n "$host" link add eth0 type veth peer name far
ip -n "$host" link set eth0 up
ip -n "$host" address add 192.0.2.1/24 dev eth0

# config LINE : a whole file, LINE in its instance.
config() {
  cat <<CONFIG
global_defs {
  default_interface eth0
}
vrrp_instance one {
  $1
  virtual_router_id 10
  unicast_src_ip 192.0.2.1
  unicast_peer {
    192.0.2.2
  }
  virtual_ipaddress {
    192.0.2.100 dev eth0
  }
}
CONFIG
}
config "" >"$work/without.conf"
config "interface eth0" >"$work/with.conf"

# tested FILE : the exit code of --config-test, and what it says of interfaces.
tested() {
  local said code
  said=$(ip netns exec "$host" keepalived --config-test --use-file "$work/$1.conf" 2>&1)
  code=$?
  echo "$code$(grep -o ' *Unknown interface!' <<<"$said" | head -n 1)"
}

same "with interface" 0 "$(tested with)"
same "without interface" "5 Unknown interface!" "$(tested without)"
grep -q "the interface can be omitted as long" \
  <(zcat "$work/root/usr/share/man/man5/keepalived.conf.5.gz") && told=yes || told=no
same "its manual allows that" yes "$told"
finish
