"""Network namespaces, the links between them, and processes inside them.

A `Lab` owns everything it makes and takes it down in `close()`, whatever happened in between. A
thread of this Python process can step into a namespace (`with machine.inside():`), so that sockets
and child processes are made there without starting `ip netns exec` each time: under emulation that
counts.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import ipaddress
import json
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
SIOCSIFADDR, SIOCSIFBRDADDR, SIOCSIFNETMASK = 0x8916, 0x891A, 0x891C
_libc = ctypes.CDLL(None, use_errno=True)

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class LabError(Exception):
    """The laboratory itself failed (as opposed to what is tested in it)."""


def why_unavailable() -> str | None:
    """The reason why namespaces cannot be made here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    probe = f"hfprobe{os.getpid()}"
    made = subprocess.run(
        ["ip", "netns", "add", probe], capture_output=True, text=True, check=False
    )
    if made.returncode:
        return f"cannot make a network namespace: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", probe], check=False)
    return None


def _setns(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise LabError(f"cannot enter the network namespace: {os.strerror(number)}")


class Process:
    """A program running in a namespace; its output goes to `log`."""

    def __init__(self, argv: list[str], log: Path, popen: subprocess.Popen):
        self.argv = argv
        self.log = log
        self.popen = popen

    @property
    def pid(self) -> int:
        return self.popen.pid

    def running(self) -> bool:
        return self.popen.poll() is None

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def send(self, number: int) -> None:
        if self.running():
            self.popen.send_signal(number)

    def wait(self, timeout: float = 10) -> int:
        return self.popen.wait(timeout)

    def stop(self, number: int = signal.SIGTERM, timeout: float = 10) -> int:
        """Asks the program to end, insists after `timeout`; returns its exit code."""
        self.send(number)
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait(5)


class Namespace:
    """One machine of the laboratory."""

    def __init__(self, lab: Lab, name: str):
        self.lab = lab
        self.short = name
        self.name = f"{lab.prefix}-{name}"

    def __repr__(self) -> str:
        return f"Namespace({self.name})"

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """The calling thread is in this namespace for the duration."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        target = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(target)
            try:
                yield
            finally:
                _setns(home)
        finally:
            os.close(target)
            os.close(home)

    def run(
        self, *argv: str, check: bool = True, timeout: float = 30, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command here and returns what it printed."""
        with self.inside():
            done = subprocess.run(
                [str(word) for word in argv], capture_output=True, text=True, timeout=timeout,
                input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                check=False, env=self.lab.environment,
            )
        if check and done.returncode:
            raise LabError(
                f"{self.short}: {' '.join(map(str, argv))}: exit {done.returncode}: "
                f"{(done.stderr or done.stdout).strip()}"
            )
        return done

    def ip(self, *lines: str) -> None:
        """Runs lines of `ip` (without the word ip) in one batch."""
        self.run("ip", "-batch", "-", stdin="\n".join(lines) + "\n")

    def bring_up(self, interface: str, address: str = "") -> None:
        """`ip link set INTERFACE up`, and `ip addr add ADDRESS/LENGTH`, without a process each."""
        name = interface.encode()

        def set_address(request: int, value: str) -> None:
            sockaddr = struct.pack("H2x4s8x", socket.AF_INET, socket.inet_aton(value))
            fcntl.ioctl(control, request, struct.pack("16s16s8x", name, sockaddr))

        with self.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            if address:
                network = ipaddress.ip_interface(address)
                set_address(SIOCSIFADDR, str(network.ip))
                set_address(SIOCSIFNETMASK, str(network.netmask))
                set_address(SIOCSIFBRDADDR, str(network.network.broadcast_address))
            flags = struct.unpack(
                "16sH22x", fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16s24x", name))
            )[1]
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH22x", name, flags | IFF_UP))

    def sysctl(self, **settings: int | str) -> None:
        """Sets values below /proc/sys/net; dots are written as double underscores."""
        with self.inside():
            for name, value in settings.items():
                path = Path("/proc/sys/net") / name.replace("__", "/")
                path.write_text(f"{value}\n", encoding="ascii")

    def read(self, path: str) -> str:
        """A file below /proc/net as this namespace shows it, for example "ip_vs"."""
        with self.inside():
            return Path("/proc/thread-self/net", path).read_text(encoding="ascii")

    def addresses(self, interface: str | None = None, family: int = 4) -> list[str]:
        """Addresses held here, as "address/length"."""
        argv = ["ip", "-j", f"-{family}", "addr", "show"]
        argv += ["dev", interface] if interface else []
        return [
            f"{entry['local']}/{entry['prefixlen']}"
            for link in json.loads(self.run(*argv).stdout or "[]")
            for entry in link.get("addr_info", [])
        ]

    def spawn(self, *argv: str | Path, log: str | None = None, env: dict | None = None) -> Process:
        """Starts a program here, in its own session; the laboratory ends it at the latest."""
        words = [str(word) for word in argv]
        path = self.lab.directory / f"{self.short}-{log or Path(words[0]).name}.log"
        with self.inside(), open(path, "ab") as output:
            popen = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True, env=self.lab.environment | (env or {}),
            )
        process = Process(words, path, popen)
        self.lab.processes.append(process)
        return process

    def pids(self) -> list[int]:
        """Processes that live here (as `ip netns pids`)."""
        home = os.stat(f"/run/netns/{self.name}").st_ino
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):  # it ended meanwhile
                    if os.stat(f"/proc/{entry}/ns/net").st_ino == home:
                        found.append(int(entry))
        return found

    def kill_everything(self) -> None:
        """kill -9 of every process that lives here, at once; what they left behind stays.

        All are frozen first: otherwise a child would notice its dead parent and resign in order.
        """
        for _ in range(3):  # a process that was just being started is caught in the next round
            pids = sorted(self.pids())
            # Children die first: the kernel wakes a frozen process group whose parent has died.
            for number, order in ((signal.SIGSTOP, pids), (signal.SIGKILL, pids[::-1])):
                for pid in order:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
            if not pids:
                break
            time.sleep(0.01)


class Lab:
    """Owns namespaces, links, processes and their files."""

    def __init__(self, directory: Path, prefix: str | None = None):
        self.prefix = prefix or f"hf{os.getpid()}"
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.namespaces: list[Namespace] = []
        self.processes: list[Process] = []
        self.closers: list[Callable[[], None]] = []
        self.environment = os.environ | {
            "PATH": f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}", "LC_ALL": "C.UTF-8",
        }

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ip(self, *lines: str) -> None:
        """Runs lines of `ip` (without the word ip) in one batch, outside of any namespace."""
        done = subprocess.run(
            ["ip", "-batch", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True,
            check=False, env=self.environment,
        )
        if done.returncode:
            raise LabError(f"ip {'; '.join(lines)}: {done.stderr.strip()}")

    def machine(self, name: str) -> Namespace:
        """Makes a namespace with its loopback up and IPv6 quiet."""
        return self.machines(name)[0]

    def machines(self, *names: str) -> list[Namespace]:
        """Makes several at once: a process less each, which counts under emulation."""
        made = [Namespace(self, name) for name in names]
        stale = [one for one in made if Path("/run/netns", one.name).exists()]
        self.ip(*(f"netns del {one.name}" for one in stale),
                *(f"netns add {one.name}" for one in made))
        self.namespaces.extend(made)
        for machine in made:
            with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
                machine.sysctl(
                    ipv6__conf__all__disable_ipv6=1, ipv6__conf__default__disable_ipv6=1
                )
            machine.bring_up("lo")
        return made

    def switch(self, name: str) -> Namespace:
        """A namespace with a bridge `br0` that floods multicast, as a simple switch does."""
        machine = self.machine(name)
        machine.ip(
            "link add br0 type bridge mcast_snooping 0 stp_state 0 forward_delay 0",
            "link set br0 up",
        )
        return machine

    def cable(self, machine: Namespace, switch: Namespace, address: str = "",
              interface: str = "eth0", mac: str = "") -> str:
        """Connects a machine to a switch; returns the port's name in the switch's namespace."""
        return self.cables(switch, (machine, interface, address), mac=mac)[0]

    def cables(self, switch: Namespace, *ends: tuple[Namespace, str, str],
               mac: str = "") -> list[str]:
        """Connects several (machine, interface, address/length) to a switch; returns the ports."""
        hardware = f" address {mac}" if mac else ""
        ports = [f"{machine.short}-{interface}"[:15] for machine, interface, _ in ends]
        self.ip(*(
            f"link add name {interface}{hardware} netns {machine.name} type veth "
            f"peer name {port} netns {switch.name}"
            for port, (machine, interface, _) in zip(ports, ends)
        ))
        switch.ip(*(f"link set {port} master br0 up" for port in ports))
        for machine, interface, address in ends:
            machine.bring_up(interface, address)
        return ports

    def close(self) -> None:
        """Ends processes (newest first), then takes the namespaces down. May be called twice."""
        troubles: list[LabError] = []
        for closer in reversed(self.closers):
            try:
                closer()
            except LabError as trouble:  # told when everything is down
                troubles.append(trouble)
        self.closers.clear()
        for process in reversed(self.processes):
            process.send(signal.SIGKILL)
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
        self.processes.clear()
        for machine in reversed(self.namespaces):
            for pid in machine.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if self.namespaces:
            subprocess.run(
                ["ip", "-force", "-batch", "-"], capture_output=True, text=True, check=False,
                input="".join(f"netns del {machine.name}\n" for machine in self.namespaces),
            )
        self.namespaces.clear()
        if troubles:
            raise troubles[0]


def eventually(
    condition: Callable[[], object], timeout: float, every: float = 0.05
) -> float | None:
    """Waits until `condition` is true; returns the seconds it took, or None after `timeout`."""
    started = time.monotonic()
    while True:
        if condition():
            return time.monotonic() - started
        if time.monotonic() - started > timeout:
            return None
        time.sleep(every)
