"""Who may know whom: the include rules of docs/architecture.md, held by a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lint.tree import lines, sources

# A layer is the longest of these prefixes that fits a file; it may include itself and those listed.
MAY_INCLUDE: dict[str, set[str]] = {
    "core": set(),
    "tls": {"core"},
    "config": {"core", "tls"},
    "runtime": {"core"},
    "netlink_reflector/core": {"core"},
    "netlink_reflector": {"core", "runtime", "netlink_reflector/core"},
    "ipvs_wrapper": {"core", "runtime"},
    "mail/core": {"core"},
    "mail": {"core", "tls", "runtime", "mail/core"},
    "scripts/core": {"core"},
    "scripts": {"core", "config", "runtime", "mail", "mail/core", "scripts/core"},
    "vrrp/core": {"core"},
    "vrrp/scenario": {"core", "vrrp/core"},
    "vrrp/doctor": {"core", "vrrp/core"},
    "vrrp/io": {"core", "runtime", "netlink_reflector", "netlink_reflector/core", "vrrp/core",
                "vrrp/scenario"},
    "vrrp": {"core", "config", "runtime", "netlink_reflector", "netlink_reflector/core",
             "vrrp/core", "vrrp/io", "vrrp/scenario"},
    "checkers/core": {"core", "tls", "ipvs_wrapper"},
    "checkers/io": {"core", "runtime", "ipvs_wrapper", "checkers/core"},
    "checkers/probes": {"core", "runtime", "checkers/core", "checkers/io"},
    # It reads where addresses are, and writes none.
    "checkers": {"core", "config", "tls", "runtime", "netlink_reflector", "netlink_reflector/core",
                 "ipvs_wrapper", "checkers/core", "checkers/io", "checkers/probes"},
    "legacy": {"core", "config", "runtime"},
    "watchdog/core": {"core"},
    # It releases addresses and tables itself when a child has given up for good.
    "watchdog/io": {"core", "config", "runtime", "netlink_reflector", "ipvs_wrapper",
                    "legacy", "watchdog/core"},
    "watchdog": {"core", "config", "runtime", "legacy", "watchdog/core", "watchdog/io"},
    # Its doctor listens itself: it must work where no director runs.
    "ctl": {"core", "config", "runtime", "ipvs_wrapper", "vrrp/core", "vrrp/doctor"},
}
# Single doors between rooms, each with its reason.
DOORS = {
    ("watchdog/main.cpp", "vrrp/daemon.hpp"),      # role dispatch
    ("watchdog/main.cpp", "vrrp/replay.hpp"),      # --replay
    ("watchdog/main.cpp", "checkers/daemon.hpp"),
    ("watchdog/main.cpp", "scripts/daemon.hpp"),
    ("watchdog/main.cpp", "mail/postman.hpp"),
    ("watchdog/main.cpp", "legacy/dumper.hpp"),
    # Whom sockets do not hear, as the process judges it.
    ("ctl/host_links.cpp", "netlink_reflector/requests.hpp"),
    ("ctl/host_links.cpp", "netlink_reflector/core/hearing.hpp"),
    # Digests as HTTP_GET and SSL_GET have them.
    ("ctl/genhash.cpp", "checkers/core/tls.hpp"),
    ("ctl/genhash.cpp", "checkers/io/probe_socket.hpp"),
    ("ctl/genhash.cpp", "checkers/io/socket_address.hpp"),
    # Settings as the process makes them of a file.
    ("ctl/doctor_configuration.cpp", "vrrp/wiring.hpp"),
}
# A room has one catalogue of log messages, which its shells use.
CATALOGUES = {f"{room}/io": (f"{room}/messages.hpp",) for room in ("vrrp", "checkers")}
# The parent's own values, read by all of its parts.
CATALOGUES["watchdog/io"] = tuple(
    f"watchdog/{name}.hpp" for name in ("messages", "options", "version")
)

CORES = ("core", "tls", "netlink_reflector/core", "mail/core", "scripts/core", "vrrp/core",
         "vrrp/scenario", "vrrp/doctor", "checkers/core", "watchdog/core")
# The values of ipvs_wrapper are a core, too; only its genetlink client is a shell.
IPVS_SHELL = re.compile(r"ipvs_wrapper/(client|link|codec)")

NOT_IN_A_CORE = re.compile(
    r"^(boost/asio|boost/beast|boost/process|netlink/(socket|netlink|genl|route|cache)"
    r"|sys/|unistd\.h|fcntl\.h|poll\.h|signal\.h|pthread\.h|time\.h|ctime|csignal|fstream|iostream"
    r"|filesystem|thread|mutex|condition_variable|future|atomic|semaphore|random|net/|netinet/in)"
)
# Beast's HTTP parser and Asio's buffer type are memory only.
MEMORY_ONLY = re.compile(r"^boost/(beast/http/|asio/buffer\.hpp|beast/core/.*buffer)")
CLOCK = re.compile(r"(steady|system|high_resolution)_clock::now|\bclock_gettime\b|\bgettimeofday\b")

ONLY_IN = [
    (re.compile(r"^toml\+\+|^toml\.hpp"), re.compile(r"^config/toml/")),
    (re.compile(r"^CLI/"), re.compile(r"^((watchdog|ctl)/[^/]+|runtime/completion)\.[ch]pp$")),
    (re.compile(r"^boost/beast"),
     re.compile(r"^(checkers/core/dialogue_http\.cpp|ctl/http_request\.cpp)")),
    (re.compile(r"^openssl/"), re.compile(r"^tls/")),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def layer_of(path: str) -> str | None:
    fitting = [one for one in MAY_INCLUDE if path.startswith(one + "/")]
    return max(fitting, key=len) if fitting else None


def includes(path: Path) -> list[tuple[int, str, str]]:
    """(line, kind, name) of every include; kind is `"` or `<`."""
    found = []
    for number, line in enumerate(lines(path), 1):
        if match := INCLUDE.match(line):
            found.append((number, match[1], match[2]))
    return found


def is_core(path: str) -> bool:
    if path.startswith("ipvs_wrapper/"):
        return not IPVS_SHELL.match(path)
    return layer_of(path) in CORES


def faults_of(path: Path) -> list[str]:
    """Every broken rule of one file, as file:line: sentence."""
    name, faults = str(path), []
    layer = layer_of(name)
    assert layer, f"{name} belongs to no layer"
    for number, kind, included in includes(path):
        at = f"{name}:{number}"
        if kind == '"':
            other = layer_of(included)
            if other is None:
                faults.append(f'{at}: "{included}" is not a full path from the root')
            elif (other != layer and other not in MAY_INCLUDE[layer]
                  and (name, included) not in DOORS and included not in CATALOGUES.get(layer, ())):
                faults.append(f"{at}: {layer} may not know {other} ({included})")
            if is_core(name) and (included.startswith("config/") or (
                    layer == "ipvs_wrapper" and other == "runtime")):
                faults.append(f"{at}: a core does not include {included}")
        else:
            if is_core(name) and NOT_IN_A_CORE.match(included) and not MEMORY_ONLY.match(included):
                faults.append(f"{at}: a core does not include <{included}>")
            for what, where in ONLY_IN:
                if what.match(included) and not where.match(name):
                    faults.append(f"{at}: <{included}> has its place elsewhere ({where.pattern})")
    if is_core(name):
        faults += [f"{name}:{number}: a core never asks for the time"
                   for number, line in enumerate(lines(path), 1)
                   if CLOCK.search(line.partition("//")[0])]
    return faults


def test_layers_and_includes() -> None:
    faults = [fault for path in sources() for fault in faults_of(path)]
    assert not faults, "\n" + "\n".join(faults)


def test_every_header_has_pragma_once() -> None:
    missing = [str(path) for path in sources()
               if path.suffix == ".hpp" and "#pragma once" not in lines(path)]
    assert not missing, missing


def test_rooms_include_each_other_in_one_direction() -> None:
    """MAY_INCLUDE itself has no cycle between rooms (watchdog and its io share one room)."""
    def room(layer: str) -> str:
        return layer.split("/")[0]

    edges = {(room(layer), room(other)) for layer, others in MAY_INCLUDE.items()
             for other in others if room(layer) != room(other)}
    assert not [edge for edge in edges if edge[::-1] in edges]


@pytest.mark.parametrize(("name", "text", "expected"), [
    ("vrrp/core/x.cpp", '#include "config/model.hpp"', "may not know config"),
    ("vrrp/core/x.cpp", '#include "checkers/core/engine.hpp"', "may not know checkers/core"),
    ("vrrp/core/x.cpp", "#include <boost/asio/ip/udp.hpp>", "a core does not include"),
    ("core/x.cpp", "#include <sys/socket.h>", "a core does not include"),
    ("core/x.cpp", "auto now = std::chrono::steady_clock::now();", "never asks for the time"),
    ("vrrp/io/x.cpp", '#include "engine.hpp"', "not a full path"),
    ("checkers/io/x.cpp", '#include "vrrp/core/codec.hpp"', "may not know vrrp/core"),
    ("vrrp/x.cpp", "#include <CLI/CLI.hpp>", "has its place elsewhere"),
])
def test_the_rules_catch_what_they_are_for(name, text, expected, monkeypatch) -> None:
    monkeypatch.setattr("tests.lint.test_layers.lines", lambda path: [text])
    assert any(expected in fault for fault in faults_of(Path(name)))
