"""What is on the wire: captures with the kernel's time stamps, and their reading.

Written without the product's own codec, so that it can contradict it. `save` writes a pcap file for
tshark and scapy.
"""

from __future__ import annotations

import ctypes
import errno
import hmac
import ipaddress
import os
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from .netns import Namespace

ETH_P_IP = 0x0800
ETH_P_ALL = 3
SO_ATTACH_FILTER = 26
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
PACKET_OUTGOING = 4
AH_BYTES = 24  # keepalived's auth_type AH, RFC 2402
TRAILER_BYTES = 28  # keepalived's auth_hmac


@dataclass(frozen=True)
class Frame:
    """One captured frame. `at` is calendar time in seconds (the kernel's stamp)."""

    at: float
    data: bytes = field(repr=False)
    outgoing: bool = False


@dataclass(frozen=True)
class Advert:
    """A VRRP advertisement, version 2 or 3, as it was on the wire."""

    at: float
    mac: str
    source: str
    destination: str
    ttl: int
    tos: int
    version: int
    vrid: int
    priority: int
    interval_s: float
    auth_type: int
    auth_data: bytes
    addresses: tuple[str, ...]
    checksum_good: bool  # version 3 over IPv4: with the pseudo header or without it
    payload: bytes = field(repr=False)
    checksum_form: str = "plain"  # "pseudo": with the pseudo header
    ah_sequence: int | None = None  # of its authentication header
    trailer: bytes = b""  # of a signed one, see signature_good


@dataclass(frozen=True)
class Arp:
    """An ARP packet."""

    at: float
    mac: str
    to: str
    operation: int
    sender_mac: str
    sender: str
    target_mac: str
    target: str

    @property
    def gratuitous(self) -> bool:
        return self.sender == self.target


def _mac(data: bytes) -> str:
    return data.hex(":")


def _address(data: bytes) -> str:
    return str(ipaddress.ip_address(data))


def _checksum(data: bytes) -> int:
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _split(payload: bytes, address_bytes: int) -> tuple[bytes, bytes]:
    """An advert and the trailer behind it, if there is one."""
    claimed = 8 + address_bytes * payload[3] + (8 if payload[0] >> 4 == 2 else 0)
    if len(payload) != claimed + TRAILER_BYTES:
        return payload, b""
    return payload[:claimed], payload[claimed:]


def signature_good(advert: Advert, key: bytes) -> bool:
    """Whether the trailer was made with this key, by the standard library's HMAC."""
    source = ipaddress.ip_address(advert.source)
    pdu = advert.payload[: len(advert.payload) - len(advert.trailer)]
    scope = bytes([source.version, advert.version, advert.vrid, 0]) + source.packed.ljust(16, b"\0")
    signed = scope + pdu[:6] + b"\0\0" + pdu[8:] + advert.trailer[:12] + bytes(16)
    return hmac.digest(key, signed, "sha256")[:16] == advert.trailer[12:]


def _read_v6_advert(frame: Frame) -> Advert | None:
    data = frame.data
    if len(data) < 62 or data[20] != 112:
        return None
    payload = data[54 : 54 + struct.unpack("!H", data[18:20])[0]]
    pseudo = data[22:54] + struct.pack("!IxxxB", len(payload), 112)
    words = struct.unpack("!BBBBHH", payload[:8])
    return Advert(
        at=frame.at, mac=_mac(data[6:12]), source=_address(data[22:38]),
        destination=_address(data[38:54]), ttl=data[21],
        tos=(data[14] & 0xF) << 4 | data[15] >> 4, version=words[0] >> 4, vrid=words[1],
        priority=words[2], interval_s=(words[4] & 0xFFF) / 100, auth_type=0, auth_data=b"",
        addresses=tuple(_address(payload[8 + 16 * i : 24 + 16 * i]) for i in range(words[3])),
        checksum_good=_checksum(pseudo + payload) == 0, payload=payload, checksum_form="pseudo",
        trailer=_split(payload, 16)[1],
    )


def read_advert(frame: Frame) -> Advert | None:
    """The VRRP advertisement in an Ethernet frame, or None when it is something else."""
    data = frame.data
    if data[12:14] == b"\x86\xdd":
        return _read_v6_advert(frame)
    if len(data) < 34 or data[12:14] != b"\x08\x00" or data[23] not in (51, 112):
        return None
    header = (data[14] & 0xF) * 4
    total = struct.unpack("!H", data[16:18])[0]
    payload = data[14 + header : 14 + total]
    sequence = None
    if data[23] == 51:
        if payload[:1] != b"\x70":
            return None
        sequence = struct.unpack("!I", payload[8:12])[0]
        payload = payload[AH_BYTES:]
    if len(payload) < 8:
        return None
    whole = payload
    payload, trailer = _split(payload, 4)
    version, count = payload[0] >> 4, payload[3]
    addresses = tuple(_address(payload[8 + 4 * i : 12 + 4 * i]) for i in range(count))
    rest = payload[8 + 4 * count :]
    if version == 2:
        covered = payload[: 8 + 4 * count + len(rest)]
        interval = float(payload[5])
        good, form = _checksum(covered) == 0, "plain"
        auth_type, auth_data = payload[4], rest
    else:
        interval = (struct.unpack("!H", payload[4:6])[0] & 0xFFF) / 100
        pseudo = data[26:34] + struct.pack("!BBH", 0, 112, len(payload))
        form = "pseudo" if _checksum(pseudo + payload) == 0 else "plain"
        good = form == "pseudo" or _checksum(payload) == 0
        auth_type, auth_data = 0, b""
    return Advert(
        at=frame.at, mac=_mac(data[6:12]), source=_address(data[26:30]),
        destination=_address(data[30:34]), ttl=data[22], tos=data[15], version=version,
        vrid=payload[1], priority=payload[2], interval_s=interval, auth_type=auth_type,
        auth_data=auth_data, addresses=addresses, checksum_good=good, payload=whole,
        checksum_form=form, ah_sequence=sequence, trailer=trailer,
    )


def read_arp(frame: Frame) -> Arp | None:
    data = frame.data
    if len(data) < 42 or data[12:14] != b"\x08\x06":
        return None
    return Arp(
        at=frame.at, mac=_mac(data[6:12]), to=_mac(data[0:6]),
        operation=struct.unpack("!H", data[20:22])[0], sender_mac=_mac(data[22:28]),
        sender=_address(data[28:32]), target_mac=_mac(data[32:38]), target=_address(data[38:42]),
    )


@dataclass(frozen=True)
class NeighbourAdvert:
    """An ICMPv6 neighbour advertisement, RFC 4861 §4.4."""

    at: float
    mac: str
    destination: str
    target: str
    override: bool
    target_mac: str  # of its link-layer address option; "": none


def read_neighbour_advert(frame: Frame) -> NeighbourAdvert | None:
    data = frame.data
    if len(data) < 78 or data[12:14] != b"\x86\xdd" or data[20] != 58 or data[54] != 136:
        return None
    option = data[78:86]
    return NeighbourAdvert(
        at=frame.at, mac=_mac(data[6:12]), destination=_address(data[38:54]),
        target=_address(data[62:78]), override=bool(data[58] & 0x20),
        target_mac=_mac(option[2:]) if option[:2] == b"\x02\x01" else "",
    )


class Recorder:
    """Reads a socket in a thread of its own, until stopped. `_take` reads what there is."""

    def __init__(self, machine: Namespace, source: socket.socket):
        self._socket = source
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._record, daemon=True)
        self._thread.start()
        machine.lab.closers.append(self.stop)

    def _take(self) -> None:
        raise NotImplementedError

    def _record(self) -> None:
        while True:
            ready, _, _ = select.select([self._socket, self._stop_read], [], [])
            if self._stop_read in ready:
                return
            self._take()

    def stop(self) -> None:
        if self._thread.is_alive():
            os.write(self._stop_write, b"x")
            self._thread.join()
            self._socket.close()
            os.close(self._stop_write)
            os.close(self._stop_read)


def _comes_from(address: str) -> list[tuple[int, int, int, int]]:
    """A filter of the kernel (linux/filter.h): an Ethernet frame with IPv4 from there."""
    (wanted,) = struct.unpack("!I", socket.inet_aton(address))
    load_half, load_word, equal, give = 0x28, 0x20, 0x15, 0x06
    return [(load_half, 0, 0, 12), (equal, 0, 3, ETH_P_IP), (load_word, 0, 0, 26),
            (equal, 0, 1, wanted), (give, 0, 0, 0xFFFF), (give, 0, 0, 0)]


def _attach(source: socket.socket, program: list[tuple[int, int, int, int]]) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in program))
    source.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                      struct.pack("HP", len(program), ctypes.addressof(code)))


class Capture(Recorder):
    """Records frames on an interface from a thread, until stopped.

    On a switch's `br0` every broadcast and multicast frame of the segment is seen once. On one of
    its ports everything is seen that goes to and from that machine (`outgoing`: towards the
    machine).
    """

    def __init__(self, machine: Namespace, interface: str = "br0", protocol: int = ETH_P_ALL,
                 sender: str = ""):
        """`protocol`: what the machine receives of this EtherType, and nothing else; `sender`: IPv4
        packets from there only, so that thousands of others cost nothing."""
        with machine.inside():
            source = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
        source.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        source.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if sender:
            _attach(source, _comes_from(sender))
        with machine.inside():
            source.bind((interface, 0))
        self._frames: list[Frame] = []
        self._lock = threading.Lock()
        super().__init__(machine, source)

    def _take(self) -> None:
        try:
            data, ancillary, _, address = self._socket.recvmsg(65536, 128)
        except OSError as trouble:
            if trouble.errno != errno.ENETDOWN:  # said once when the interface goes down
                raise
            return
        at = time.time()
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("ll", value[:16])
                at = seconds + nanoseconds / 1e9
        with self._lock:
            self._frames.append(Frame(at, data, address[2] == PACKET_OUTGOING))

    def frames(self, since: float = 0) -> list[Frame]:
        with self._lock:
            return [frame for frame in self._frames if frame.at >= since]

    def adverts(self, since: float = 0, source: str | None = None,
                vrid: int | None = None) -> list[Advert]:
        found = [advert for frame in self.frames(since) if (advert := read_advert(frame))]
        return [
            advert for advert in found
            if (source is None or advert.source == source) and (vrid is None or advert.vrid == vrid)
        ]

    def arps(self, since: float = 0, sender: str | None = None) -> list[Arp]:
        found = [arp for frame in self.frames(since) if (arp := read_arp(frame))]
        return [arp for arp in found if sender is None or arp.sender == sender]

    def neighbour_adverts(self, since: float = 0) -> list[NeighbourAdvert]:
        return [found for frame in self.frames(since) if (found := read_neighbour_advert(frame))]

    def forget(self, before: float) -> None:
        """Drops older frames: a capture that runs for an hour keeps what is still asked for."""
        with self._lock:
            self._frames = [frame for frame in self._frames if frame.at >= before]

    def save(self, path: Path) -> None:
        """Writes a pcap file (nanosecond form)."""
        with open(path, "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
            for frame in self.frames():
                seconds = int(frame.at)
                nanoseconds = int((frame.at - seconds) * 1e9)
                size = len(frame.data)
                out.write(struct.pack("<IIII", seconds, nanoseconds, size, size) + frame.data)
