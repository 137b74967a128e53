"""What the cores' archives call: an include rule can be walked around, a linker symbol cannot."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.lint.tree import ROOT

ARCHIVES = ("holdfast_core", "holdfast_reflector_core", "holdfast_ipvs_core", "holdfast_vrrp_core",
            "holdfast_vrrp_scenario", "holdfast_vrrp_doctor", "holdfast_checkers_core",
            "holdfast_watchdog_core", "holdfast_scripts_core",
            "holdfast_mail_core", "holdfast_tls")
FORBIDDEN = re.compile(
    r"^(socket|socketpair|connect|bind|listen|accept4?"
    r"|send|sendto|sendmm?sg|recv|recvfrom|recvmm?sg"
    r"|poll|ppoll|select|epoll_\w+|open(at)?(64)?|fopen(64)?|creat|read|pread|write|pwrite|ioctl"
    r"|clock_gettime|gettimeofday|time|nanosleep|clock_nanosleep|usleep|sleep|timerfd_\w+"
    r"|fork|vfork|clone|execv\w*|posix_spawn\w*|system|kill|signal|sigaction|pthread_create"
    r"|getrandom|rand|random|getenv|secure_getenv|syslog|nl_socket_\w+|nl_send\w*|nl_recv\w*"
    r"|getaddrinfo|gethostbyname)$"
)
FORBIDDEN_CXX = re.compile(
    r"std::chrono::_V2::(steady|system)_clock::now|std::thread|std::random_device"
    r"|basic_[io]?fstream|std::filesystem|boost::asio::detail"
)


def archives() -> dict[str, Path]:
    """The archives of the ordinary build by name."""
    found = {}
    for room in ROOT.glob("build/*"):
        if not room.is_dir() or (room / "CMakeCache.txt").exists():
            continue  # another build tree (asan, clang …) inside this one
        for path in room.rglob("libholdfast_*.a"):
            found[path.stem.removeprefix("lib")] = path
    return found


def undefined_symbols(archive: Path) -> set[str]:
    listed = subprocess.run(["nm", "-u", "-C", archive], capture_output=True, text=True, check=True)
    return {line.split(" U ", 1)[1].strip() for line in listed.stdout.splitlines() if " U " in line}


def faults_of(symbols: set[str]) -> list[str]:
    return sorted(one for one in symbols
                  if FORBIDDEN.match(one.split("@")[0]) or FORBIDDEN_CXX.search(one))


@pytest.mark.parametrize("name", ARCHIVES)
def test_core_calls_nothing_of_the_outside_world(name: str) -> None:
    archive = archives().get(name)
    assert archive, f"lib{name}.a is not built: run ./dev build"

    assert faults_of(undefined_symbols(archive)) == []


def test_the_check_finds_sockets_in_a_shell() -> None:
    """The same look at the shell's archive must find plenty, or it looks at nothing."""
    archive = archives().get("holdfast_runtime")
    assert archive, "libholdfast_runtime.a is not built: run ./dev build"

    assert {"clock_gettime", "socket"} & {one.split("@")[0] for one in
                                          faults_of(undefined_symbols(archive))}
