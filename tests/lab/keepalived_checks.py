"""keepalived's own checks, to be seen beside ours: its checker child, alone, on a machine whose
kernel need not have ip_vs. A small library answers its calls to ip_vs; what it decides is read from
its log."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.lab.netns import Lab, Namespace, Process, eventually

# The calls of net/netfilter/ipvs, by number: linux/ip_vs.h, IP_VS_BASE_CTL.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
static int is_ip_vs(int level, int name) {
  return level == IPPROTO_IP && name >= 1024 + 64 + 64 && name < 1024 + 64 + 64 + 32;
}
int getsockopt(int fd, int level, int name, void *value, socklen_t *size) {
  int (*next)(int, int, int, void *, socklen_t *) = dlsym(RTLD_NEXT, "getsockopt");
  if (!is_ip_vs(level, name)) return next(fd, level, name, value, size);
  memset(value, 0, *size);
  return 0;
}
int setsockopt(int fd, int level, int name, const void *value, socklen_t size) {
  int (*next)(int, int, int, const void *, socklen_t) = dlsym(RTLD_NEXT, "setsockopt");
  return is_ip_vs(level, name) ? 0 : next(fd, level, name, value, size);
}
"""
MOVED = re.compile(r"(Removing|Adding) service \[.*?\]:\w+:\d+ (?:from|to) VS \[([0-9.]+)\]")


def shim(lab: Lab) -> Path:
    library = lab.directory / "ip_vs.so"
    source = lab.directory / "ip_vs.c"
    source.write_text(SHIM, encoding="ascii")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


class KeepalivedChecks:
    """Debian's keepalived with the configuration of ours; services have one server each."""

    def __init__(self, machine: Namespace, config: Path):
        here = machine.lab.directory
        self.process: Process = machine.spawn(
            "keepalived", "-C", "-n", "-l", "-D", "-f", config, "-p", here / "ka.pid",
            "-c", here / "ka-checkers.pid", log="keepalived",
            env={"LD_PRELOAD": str(shim(machine.lab))})

    def state(self, address: str) -> str:
        """Of the server of the service with this address: in the table until it is taken out."""
        for line in reversed(self.process.output().splitlines()):
            if (moved := MOVED.search(line)) and moved[2] == address:
                return "down" if moved[1] == "Removing" else "up"
        return "up"

    def wait(self, address: str, state: str, timeout: float) -> None:
        took = eventually(lambda: self.state(address) == state, timeout)
        assert took is not None, f"{address} is not {state} for keepalived\n{self.process.output()}"
