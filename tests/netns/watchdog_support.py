"""The watchdog around scripted children (holdfast_scripted), in a network namespace of its own."""
import json
import os
import signal
import socket
import subprocess
import time

from tests.lab.director import BIN

BINARY = BIN / "holdfast_scripted"

BOTH = """
vrrp_instance VI_1 {
    interface lo
    virtual_router_id 51
    priority 100
    virtual_ipaddress { 192.0.2.200/32 dev lo }
}
virtual_server 192.0.2.200 80 {
    delay_loop 5
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server 192.0.2.10 80 { TCP_CHECK { connect_timeout 1 } }
}
"""


class Director:
    def __init__(self, directory):
        self.dir = directory
        self.run_dir = directory / "run"
        self.config = directory / "director.conf"
        self.config.write_text(BOTH)
        self.process = None
        self.env = dict(os.environ, HOLDFAST_TEST_DIR=str(directory))

    def behave(self, role, word):
        (self.dir / role).write_text(word + "\n")

    def command(self, *options):
        return ["unshare", "-n", str(BINARY), "--run-dir", str(self.run_dir),
                "-f", str(self.config), *options]

    def call(self, *options, **kwargs):
        """Runs to the end (or, in daemon mode, until the starter returns)."""
        return subprocess.run(self.command(*options), env=self.env, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, **kwargs)

    def start(self, *options):
        self.stderr = open(self.dir / "stderr", "w+")
        self.process = subprocess.Popen(self.command("-n", "-l", *options),
                                        env=self.env, stderr=self.stderr)
        self.wait_for(lambda: self.status()["generation"] == 1, "start")
        return self

    def wait_for(self, condition, what, seconds=30):
        end = time.monotonic() + seconds
        last = None
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except (OSError, KeyError, ValueError, StopIteration) as error:
                last = error
            time.sleep(0.05)
        raise AssertionError(f"{what} did not happen in {seconds} s ({last})\n{self.log()}")

    def log(self):
        path = self.dir / "stderr"
        return path.read_text() if path.exists() else ""

    def ask(self, command, **more):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(str(self.run_dir / "watchdog.sock"))
            client.sendall(json.dumps({"command": command, **more}).encode() + b"\n")
            return json.loads(client.makefile().readline())

    def ctl(self, *words):
        """holdfastctl for this director."""
        return subprocess.run([str(BIN / "holdfastctl"), "--run-dir", str(self.run_dir), *words],
                              text=True, timeout=60, capture_output=True)

    def status(self):
        return self.ask("status")

    def child(self, role):
        return next(child for child in self.status()["children"] if child["role"] == role)

    def steps(self, role):
        path = self.dir / f"{role}.log"
        if not path.exists():
            return []
        return [line.split(" ", 1) for line in path.read_text().splitlines()]

    def said(self, role):
        return [text for _, text in self.steps(role)]

    def signal(self, number):
        self.process.send_signal(number)

    def pids(self):
        return [child["pid"] for child in self.status()["children"] if child["pid"]]

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
