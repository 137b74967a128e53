# What every finding shares: a temporary folder with pinned Debian packages, network namespaces that
# go away again, and the comparison of what is seen with what was seen. Sourced, never run.
#
# Exit status of a finding: 0 as described · 1 something else was seen · 2 it could not be run.

set -uo pipefail

cannot_run() {
  echo "cannot run: $*" >&2
  exit 2
}

[ "$(id -u)" = 0 ] || cannot_run "this needs root, for network namespaces"

work=$(mktemp -d) || cannot_run "no temporary folder"
namespaces=()
started=()
changed=0

tidy() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
  for name in "${namespaces[@]}"; do ip netns del "$name" 2>/dev/null; done
  rm -rf "$work"
}
trap tidy EXIT
trap 'exit 2' INT TERM

# fetch PACKAGE=VERSION… : unpacks them below $work/root and puts their programs first in PATH.
fetch() {
  (cd "$work" && apt-get -qq download "$@" 2>fetch.log) ||
    cannot_run "$(tail -n 1 "$work/fetch.log")"
  for package in "$work"/*.deb; do
    dpkg -x "$package" "$work/root" || cannot_run "dpkg cannot unpack $package"
  done
  local root="$work/root" libraries
  libraries="$root/usr/lib/$(uname -m)-linux-gnu:$root/lib/$(uname -m)-linux-gnu"
  export PATH="$root/usr/sbin:$root/usr/bin:$root/sbin:$root/bin:$PATH"
  export LD_LIBRARY_PATH="$libraries"
  echo "packages: $*"
  echo "kernel: $(uname -r) (first seen on 6.18.44)"
}

# namespace NAME : adds the network namespace NAME-PID; its full name is then in $NAME.
namespace() {
  local full="$1-$$"
  ip netns add "$full" 2>"$work/netns.log" || cannot_run "$(tail -n 1 "$work/netns.log")"
  namespaces+=("$full")
  printf -v "$1" %s "$full"
  ip -n "$full" link set lo up
}

# same WHAT EXPECTED SEEN : prints what was seen and remembers a difference.
same() {
  [ -n "$3" ] || cannot_run "$1: nothing was seen"
  if [ "$2" = "$3" ]; then
    printf 'seen      %s: %s\n' "$1" "$3"
  else
    printf 'CHANGED   %s: %s (was: %s)\n' "$1" "$3" "$2"
    changed=1
  fi
}

finish() {
  if [ "$changed" = 0 ]; then echo "as described"; else echo "not as described any more"; fi
  exit "$changed"
}
