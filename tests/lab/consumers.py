"""Programs around keepalived, as far as they talk with it: each reads as the real one does, in our
own words. What they read is a file that a director wrote, whichever program that is.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import select
import struct
from pathlib import Path

CLOSE_WRITE = 0x08
_LIBC = ctypes.CDLL(None, use_errno=True)


class CloseWatch:
    """Whoever waits until a file of that directory was written and closed (VyOS, Checkmk)."""

    def __init__(self, directory: Path):
        self.descriptor = _LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self.descriptor >= 0
        watch = _LIBC.inotify_add_watch(self.descriptor, os.fsencode(directory), CLOSE_WRITE)
        assert watch >= 0, ctypes.get_errno()

    def __enter__(self) -> CloseWatch:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def names(self, timeout: float) -> list[str]:
        """Of the files closed until now, waiting for the first one."""
        if not select.select([self.descriptor], [], [], timeout)[0]:
            return []
        data, names = os.read(self.descriptor, 65536), []
        while data:
            length, = struct.unpack_from("I", data, 12)
            names.append(data[16:16 + length].rstrip(b"\0").decode())
            data = data[16 + length:]
        return names

    def waits_for(self, name: str, timeout: float) -> bool:
        """Whether a file of this name is closed in time."""
        seen: list[str] = []
        while name not in seen:
            more = self.names(timeout)
            if not more:
                return False
            seen += more
        return True


def exporter_data(text: str) -> dict[str, dict]:
    """keepalived-exporter: instances of keepalived.data with keys, addresses, tracked scripts.

    A line that begins with neither a known title nor three blanks ends the block; one wrong number
    makes the whole scrape fail, so this raises where that would happen.
    """
    instances: dict[str, dict] = {}
    block: dict | None = None
    in_list = ""
    for line in text.splitlines():
        if title := re.match(r"^ VRRP Instance = (.*)$", line):
            block = instances[title[1]] = {"vips": [], "excluded": []}
            in_list = ""
        elif not line.startswith("   "):
            block = None
        elif block is None:
            continue
        elif re.match(r"^   Virtual IP \(\d+\):$", line):
            in_list = "vips"
        elif line.startswith("   Virtual IP Excluded"):
            in_list = "excluded"
        elif line.startswith("     "):
            if in_list:
                words = line.split()
                assert len(words) >= 3, line
                block[in_list].append((words[0], words[2]))
        else:
            in_list = ""
            if pair := re.match(r"^   ([^=]+?) = (.*)$", line):
                block[pair[1]] = pair[2]
    for block in instances.values():
        block["Gratuitous ARP delay"] = int(block["Gratuitous ARP delay"])
        block["Virtual Router ID"] = int(block["Virtual Router ID"])
        block["State"] = {"INIT": 0, "BACKUP": 1, "MASTER": 2, "FAULT": 3}[block["State"]]
    return instances


def exporter_scripts(text: str) -> dict[str, tuple[int, int]]:
    """The same one: (status, state) of each script, as its gauges have them."""
    states = ("idle", "running", "requested termination", "forcing termination")
    scripts: dict[str, dict] = {}
    block: dict = {}
    for line in text.splitlines():
        if title := re.match(r"^ VRRP Script = (.*)$", line):
            block = scripts[title[1]] = {}
        elif pair := re.match(r"^   (Status|State) = (.*)$", line):
            block.setdefault(pair[1], pair[2])
    return {name: (("BAD", "GOOD").index(one["Status"]), states.index(one["State"]))
            for name, one in scripts.items()}


def exporter_stats(text: str) -> dict[str, dict[str, int]]:
    """The same one: keepalived.stats as "section/name" → count, for each instance."""
    instances: dict[str, dict[str, int]] = {}
    counts: dict[str, int] = {}
    section = ""
    for line in text.splitlines():
        name, colon, value = line.strip().partition(":")
        assert colon, line
        if name == "VRRP Instance":
            counts, section = instances.setdefault(value.strip(), {}), ""
        elif not value:
            section = name + "/"
        else:
            if line.startswith("  ") and not line.startswith("    "):
                section = ""
            counts[section + name] = int(value)
    return instances


# What keepalived-exporter and gen2brain's decode, with the types that their decoders insist on.
NUMBERS = ("dont_track_primary", "skip_check_adv_addr", "strict_mode", "master_priority",
           "garp_delay", "garp_refresh", "garp_rep", "garp_refresh_rep", "garp_lower_prio_delay",
           "garp_lower_prio_rep", "lower_prio_no_advert", "higher_prio_send_advert", "vrid",
           "base_priority", "effective_priority", "accept", "preempt_delay", "state", "wantstate",
           "version", "auth_type")
FLAGS = ("vipset", "promote_secondaries", "nopreempt", "smtp_alert", "notify_deleted")
TEXTS = ("iname", "ifp_ifname", "vmac_ifname")
FRACTIONS = ("last_transition", "adver_int", "master_adver_int")


def exporter_json(text: str) -> dict[str, dict]:
    """keepalived.json, version 1: instances by name; an element of another type is an error."""
    found = json.loads(text)
    assert isinstance(found, list)
    for instance in found:
        assert set(instance) == {"data", "stats"}
        data = instance["data"]
        for names, kind in ((NUMBERS, int), (FLAGS, bool), (TEXTS, str)):
            for name in names:
                assert type(data[name]) is kind, (name, data[name])
        assert all(isinstance(data[name], (int, float)) for name in FRACTIONS)
        assert all(type(count) is int for count in instance["stats"].values())
    return {one["data"]["iname"]: one for one in found}


def liveness_probe(file: Path, ask) -> None:
    """OpenShift: writes a fault into the dump and asks for another one, before it looks."""
    with contextlib.suppress(FileNotFoundError):
        file.unlink()
    file.write_text("State = FAULT\n", encoding="ascii")
    ask()
