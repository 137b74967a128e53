#!/usr/bin/env bash
# keepalived 2.2.7: the State of an instance on D-Bus changes without PropertiesChanged.
#
# Its introspection puts no EmitsChangedSignal annotation on the properties Name and State, which by
# the D-Bus specification means that each change is announced with PropertiesChanged. None ever is:
# only its own signal, VrrpStatusChange, tells of a change. A client whose library caches properties
# (GDBusProxy and bindings made of it) goes on reading the state that it met first, while one that
# asks with Get sees the new one.
# Guessed beforehand: both signals, as for any property of GDBus.
source "$(dirname "$0")/lib/common.bash"
fetch iproute2=6.1.0-3 keepalived=1:2.2.7-1+b2 dbus-daemon=1.14.10-1~deb12u1 \
  dbus-bin=1.14.10-1~deb12u1

namespace host
ip -n "$host" link add near type veth peer name far
ip -n "$host" address add 192.0.2.1/24 dev near
ip -n "$host" link set near up
ip -n "$host" link set far up

cat >"$work/bus.conf" <<CONFIG
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=$work/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow receive_sender="*"/><allow send_type="signal"/></policy></busconfig>
CONFIG
cat >"$work/keepalived.conf" <<'CONFIG'
global_defs {
  enable_dbus
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

export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$work/bus"
object=/org/keepalived/Vrrp1/Instance/near/10/IPv4
ask() {
  ip netns exec "$host" dbus-send --system --print-reply --dest=org.keepalived.Vrrp1 "$object" \
    "$@" 2>&1
}
state() {
  ask org.freedesktop.DBus.Properties.Get string:org.keepalived.Vrrp1.Instance string:State |
    grep -o '"[A-Z][a-z]*"'
}
becomes() { # STATE : waits until Get answers with it
  for _ in $(seq 150); do
    [ "$(state)" = "\"$1\"" ] && return
    sleep 0.1
  done
  cannot_run "the state is $(state), not $1: $(tail -n 1 "$work/log")"
}
signals() { grep -c "member=$1" "$work/signals"; }

ip netns exec "$host" dbus-daemon --config-file="$work/bus.conf" --nofork --nopidfile \
  >"$work/bus.log" 2>&1 &
started+=("$!")
for _ in $(seq 50); do [ -S "$work/bus" ] && break; sleep 0.1; done
ip netns exec "$host" dbus-monitor --system >"$work/signals" 2>&1 &
started+=("$!")
ip netns exec "$host" keepalived --dont-fork --log-console --vrrp --use-file "$work/keepalived.conf" \
  --pid "$work/keepalived.pid" --vrrp_pid "$work/vrrp.pid" >"$work/log" 2>&1 &
started+=("$!")

becomes Master
ask org.freedesktop.DBus.Introspectable.Introspect >"$work/introspection"
same "State in the introspection" 1 "$(grep -c 'property.*name="State"' "$work/introspection")"
same "annotations EmitsChangedSignal there" 0 "$(grep -c EmitsChangedSignal "$work/introspection")"
ip -n "$host" link set near down
becomes Fault
ip -n "$host" link set near up
becomes Master
sleep 1
same "VrrpStatusChange: Backup, Master, Fault, Backup, Master" 5 "$(signals VrrpStatusChange)"
same "PropertiesChanged" 0 "$(signals PropertiesChanged)"
finish
