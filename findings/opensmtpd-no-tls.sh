#!/usr/bin/env bash
# OpenSMTPD 6.8 of Debian 12 offers STARTTLS and then never gets through a handshake: it keeps its
# keys in a process of their own by means that OpenSSL 3 no longer has ("missing private key"; its
# issues 1171 and 1239). RSA and elliptic keys alike.
#
# Guessed beforehand: it takes mail over TLS, as its newer versions do.
source "$(dirname "$0")/lib/common.bash"
fetch iproute2=6.1.0-3 opensmtpd=6.8.0p2-4+b4

namespace host
cp /etc/passwd /etc/group "$work"
printf '%s\n' opensmtpd:x:4901:4901::/:/bin/sh opensmtpq:x:4902:4902::/:/bin/sh >>"$work/passwd"
printf '%s\n' opensmtpd:x:4901: opensmtpq:x:4902: >>"$work/group"

# handshake KIND OPTIONS… : what openssl's client is told by a server with such a key.
handshake() {
  local kind=$1
  shift
  openssl req -x509 -nodes -days 2 -subj /CN=relay "$@" -keyout "$work/$kind.key" \
    -out "$work/$kind.pem" 2>/dev/null
  chmod 600 "$work/$kind.key" "$work/$kind.pem"
  cat >"$work/$kind.conf" <<CONFIG
pki "relay" cert "$work/$kind.pem"
pki "relay" key "$work/$kind.key"
listen on 127.0.0.1 port 587 tls pki "relay"
action "drop" relay
match from any for any action "drop"
CONFIG
  ip netns exec "$host" unshare --mount --pid --fork --kill-child sh -c "
    mount --make-rprivate /
    mount --bind $work/passwd /etc/passwd; mount --bind $work/group /etc/group
    mount -t tmpfs none /usr/libexec; cp -r $work/root/usr/libexec/opensmtpd /usr/libexec/
    mount -t tmpfs none /var/spool; mount -t tmpfs none /var/lib
    mkdir -m 711 /var/spool/smtpd; mkdir -p /var/lib/opensmtpd/empty
    exec $work/root/usr/sbin/smtpd -d -f $work/$kind.conf" >"$work/$kind.log" 2>&1 &
  local server=$!
  for _ in $(seq 50); do
    ip netns exec "$host" ss -Hltn | grep -q ':587 ' && break
    sleep 0.1
  done
  ip netns exec "$host" timeout 5 openssl s_client -starttls smtp -connect 127.0.0.1:587 \
    </dev/null 2>&1 | grep -o 'alert internal error' | head -n 1
  kill -KILL "$server" # unshare passes over SIGTERM, and takes its child along
  wait "$server" 2>/dev/null
}

ip -n "$host" link set lo up
same "with an RSA key" "alert internal error" "$(handshake rsa -newkey rsa:2048)"
same "with an elliptic key" "alert internal error" \
  "$(handshake ec -newkey ec -pkeyopt ec_paramgen_curve:P-256)"
finish
