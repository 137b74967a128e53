"""What an account without any rights does to a director's sockets and files. Runs as a program of
its own (its text is handed to an interpreter of another user, who may read nothing of ours):
stranger.py RUN_DIR SECONDS SEED [ACTION…]
"""

import contextlib
import fcntl
import json
import os
import random
import socket
import struct
import sys
import time

PROCESSES = ("watchdog", "vrrp", "checkers")


class Stranger:
    def __init__(self, run_dir, until, dice):
        self.run_dir = run_dir
        self.until = until
        self.dice = dice
        self.held = []  # connections and files that are kept until there are too many of them
        self.answers = 0

    def connect(self, process=None, patience=2.0):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(patience)
        try:
            client.connect(f"{self.run_dir}/{process or self.dice.choice(PROCESSES)}.sock")
        except OSError:
            client.close()
            return None
        return client

    def hold(self, one):
        self.held.append(one)
        while len(self.held) > 700:
            self.held.pop(self.dice.randrange(len(self.held))).close()

    def say(self, client, data):
        with contextlib.suppress(OSError):
            client.sendall(data)
            return True
        return False

    def answer(self, client):
        with contextlib.suppress(OSError):
            while (data := client.recv(1 << 20)) and not data.endswith(b"\n"):
                pass
            self.answers += data.endswith(b"\n")

    # --- one method for each thing that a stranger may try --------------------------------------

    def ask_status_at_once(self):
        """Many connections that ask together and read their answers."""
        clients = [self.connect() for _ in range(self.dice.randrange(1, 40))]
        for client in filter(None, clients):
            self.say(client, b'{"command":"status"}\n')
        for client in filter(None, clients):
            self.answer(client)
            client.close()

    def ask_and_ask(self):
        """One connection, one question after the other."""
        client = self.connect()
        end = time.monotonic() + self.dice.uniform(0.1, 1)
        while client and time.monotonic() < end and self.say(client, b'{"command":"status"}\n'):
            self.answer(client)
        if client:
            client.close()

    def ask_a_hundred_times_a_second(self):
        """Whether it is answered or not; what has come is read."""
        if not (client := self.connect("vrrp")):
            return
        client.setblocking(False)
        end = time.monotonic() + 1
        while (now := time.monotonic()) < end:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                client.send(b'{"command":"status"}\n')
                while data := client.recv(1 << 20):
                    self.answers += data.count(b"\n")
            time.sleep(max(0, now + 0.01 - time.monotonic()))
        client.close()

    def ask_and_never_read(self):
        for _ in range(self.dice.randrange(1, 60)):
            if client := self.connect():
                self.say(client, b'{"command":"status"}\n')
                self.hold(client)

    def half_requests(self):
        for _ in range(self.dice.randrange(1, 120)):
            if client := self.connect():
                self.say(client, b'{"command":"stat')
                self.hold(client)

    def come_and_go(self):
        for _ in range(self.dice.randrange(10, 400)):
            if client := self.connect():
                client.close()

    def explain(self):
        if client := self.connect("vrrp"):
            for number in range(20):
                word = self.dice.choice(["VI_0_1", "eth0/1", f"nobody {number}", "x" * 1000])
                self.say(client, json.dumps({"command": "explain", "instance": word}).encode()
                         + b"\n")
            client.close() if self.dice.random() < 0.5 else self.hold(client)

    def forbidden(self):
        for command in ("stop", "reload", "confirm", "revert", "configuration", "record",
                        "measure-loop"):
            if client := self.connect():
                self.say(client, json.dumps({"command": command}).encode() + b"\n")
                self.answer(client)
                client.close()

    def garbage(self):
        lines = [b"\0" * 1000, b"[" * 60000, b'{"command":' + b"[" * 1000, b"{}", b"\n" * 500,
                 b'{"command":7}', b'{"command":"' + b"y" * 60000 + b'"}', b"x" * 200000,
                 os.urandom(5000)]
        if client := self.connect():
            self.say(client, self.dice.choice(lines) + self.dice.choice([b"", b"\n"]))
            self.hold(client) if self.dice.random() < 0.3 else client.close()

    def lock_files(self):
        for name in os.listdir(self.run_dir):
            with contextlib.suppress(OSError):
                file = open(f"{self.run_dir}/{name}", "rb")
                lock = struct.pack("hhqqi", fcntl.F_RDLCK, 0, 0, 0, 0)
                with contextlib.suppress(OSError):
                    fcntl.fcntl(file, fcntl.F_SETLK, lock)
                self.hold(file)

    def write_files(self):
        for name in os.listdir(self.run_dir):
            for act in (os.unlink, lambda path: open(path, "w").close(),
                        lambda path: os.rename(path, path + ".away")):
                with contextlib.suppress(OSError):
                    act(f"{self.run_dir}/{name}")

    ACTIONS = (ask_status_at_once, ask_and_ask, ask_a_hundred_times_a_second, ask_and_never_read,
               half_requests, come_and_go, explain, forbidden, garbage, lock_files, write_files)

    def run(self, only):
        chosen = [each for each in self.ACTIONS if not only or each.__name__ in only]
        count = 0
        while time.monotonic() < self.until:
            self.dice.choice(chosen)(self)
            count += 1
        print(count, self.answers)


def main():
    run_dir, seconds, seed, *only = sys.argv[1:]
    Stranger(run_dir, time.monotonic() + float(seconds), random.Random(int(seed))).run(only)


if __name__ == "__main__":
    main()
