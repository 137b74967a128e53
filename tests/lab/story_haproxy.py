"""The chapter about HAProxy: one address in front of two balancers, tracked by a script and by the
process itself. It needs no ip_vs."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .boxed import Boxed, sample
from .client import Traffic, answers
from .netns import Lab, eventually
from .story import STARTING_UP, TOLERANCE, Narrator, Step, master_down_interval
from .topology import SERVERS, VIP, Topology

PROGRAM = "/usr/sbin/haproxy"
FIRST, SECOND = 150, 100  # of etc/haproxy.conf and its other side
LOOK = 2.0  # seconds between two runs of the script, two of which decide
HAPROXY = """\
global
    log stdout format raw local0
    pidfile {pidfile}
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend web
    bind 192.168.1.200:80
    default_backend servers
backend servers
    balance roundrobin
    server s1 192.168.1.67:8099 check inter 1s
    server s2 192.168.1.68:8099 check inter 1s
"""


@dataclass
class Play:
    """Two machines with HAProxy and a director each, two servers, and a client."""

    narrator: Narrator
    topology: Topology
    directors: list[Boxed]
    files: list[Path]

    def holder(self) -> str:
        return " ".join(one.machine.short for one in self.directors if one.holds(VIP))

    def start_haproxy(self, index: int) -> None:
        self.directors[index].run_inside(PROGRAM, "-D", "-f", str(self.files[index]))

    def kill_haproxy(self, index: int) -> None:
        self.directors[index].run_inside("pkill", "-KILL", "-x", "haproxy")

    def moves_to(self, step: Step, index: int, since: float, bound: float) -> None:
        """The address, measured from `since`."""
        name = self.directors[index].machine.short
        took = eventually(lambda: self.holder() == name, bound + 10, 0.01)
        step.measure(None if took is None else time.monotonic() - since, f"{VIP} on {name}")


def by_process(text: str) -> str:
    """The sample with the process itself in the place of the script, and without a weight: a
    machine whose HAProxy is gone resigns."""
    text = re.sub(r"vrrp_script haproxy_alive \{.*?\n\}\n",
                  'vrrp_track_process haproxy_alive {\n    process haproxy\n}\n', text,
                  flags=re.DOTALL)
    return text.replace("track_script {", "track_process {")


def chapter_haproxy(narrator: Narrator, directory: Path, program: str = "holdfast") -> None:
    narrator.chapter(
        "HAProxy",
        "etc/haproxy.conf as it stands: HAProxy works on two machines and spreads connections over "
        "two servers;\nthe address is where HAProxy is alive. No IPVS.",
    )
    with Lab(directory) as lab:
        topology = Topology(lab, "dr", ())
        topology.start_servers()
        files, directors = [], []
        for machine, priority in zip(topology.director_machines, (None, SECOND)):
            machine.sysctl(ipv4__ip_nonlocal_bind=1)
            files.append(lab.directory / f"haproxy-{machine.short}.cfg")
            files[-1].write_text(HAPROXY.format(pidfile=lab.directory / f"{machine.short}.pid"),
                                 encoding="ascii")
            directors.append(Boxed(machine, sample("haproxy", priority),
                                   f"{PROGRAM} -D -f {files[-1]}", program))
        for director in directors:
            director.start()
        play = Play(narrator, topology, directors, files)
        _serves(play)
        _haproxy_dies(play)
        _haproxy_returns(play)
        if program == "holdfast":  # keepalived sees no processes in a box
            _tracked_by_process(play)
        _machine_dies(play)


def _serves(play: Play) -> None:
    with play.narrator.step(
        f"the stronger machine takes {VIP}, its HAProxy answers for both servers",
        "the address belongs where HAProxy works: both do, so the priority decides",
        bound=master_down_interval(FIRST),
    ) as step:
        began = time.monotonic()
        step.measure(eventually(lambda: play.holder() == "d1", STARTING_UP + 10),
                     "address held", extra=STARTING_UP)
        eventually(lambda: set(answers(play.topology.client, VIP, 4, port=80)) == set(SERVERS), 5)
        found = Counter(answers(play.topology.client, VIP, 10, port=80))
        step.note(f"10 requests: {dict(found)}; {time.monotonic() - began:.1f} s after the start")
        step.check(set(found) == set(SERVERS), f"answers: {found}")


def _haproxy_dies(play: Play) -> None:
    bound = 2 * LOOK + master_down_interval(SECOND)
    with play.narrator.step(
        "kill -9 of d1's HAProxy: the script notices, d2 takes over",
        "two looks that fail, 2 s apart at most each, then 150 - 60 is less than 100: d2 waits its "
        "Master_Down_Interval out",
        bound=bound,
    ) as step:
        time.sleep(LOOK)  # the first looks are over
        traffic = Traffic(play.topology.client, VIP, port=80)
        began = time.monotonic()
        play.kill_haproxy(0)
        play.moves_to(step, 1, time.monotonic(), bound)
        time.sleep(1)
        traffic.stop()
        _judge_outage(step, traffic, began, bound)
        if play.directors[0].program == "holdfast":
            said = play.directors[0].ctl("explain", "VI_1").stdout
            found = re.search(r"\d+ [-+][^\n]*= \d+", said)
            step.note(f"holdfastctl explain: {found[0] if found else said}")
            step.check(found and found[0].endswith("= 90"), "the sum is not 90")


def _judge_outage(step: Step, traffic: Traffic, since: float, bound: float) -> None:
    outage = traffic.outage(since)
    step.check(outage is not None, "clients got no answer again")
    if outage is not None:
        allowed = bound + 0.5 + 2 * TOLERANCE
        step.note(f"clients without an answer for {outage:.2f} s (allowed {allowed:.2f} s)")
        step.check(outage <= allowed, f"clients waited {outage:.2f} s")


def _haproxy_returns(play: Play) -> None:
    bound = 2 * LOOK + master_down_interval(FIRST)
    with play.narrator.step(
        "HAProxy is started again: d1 takes its address back, and no client notices",
        "two looks that succeed, then d1's Master_Down_Interval; until then d2 serves",
        bound=bound,
    ) as step:
        traffic = Traffic(play.topology.client, VIP, port=80, timeout=1.5)
        since = time.monotonic()
        play.start_haproxy(0)
        play.moves_to(step, 0, since, bound)
        time.sleep(1)
        traffic.stop()
        errors, asked = traffic.errors(since), traffic.requests(since)
        step.note(f"clients: {len(asked)} requests, {len(errors)} without an answer")
        step.check(len(errors) <= 2, f"{len(errors)} requests were not answered")


def _tracked_by_process(play: Play) -> None:
    bound = (256 - SECOND) / 256  # Skew_Time of version 2
    for director in play.directors:
        director.write_config(by_process(director.config.read_text(encoding="utf-8")))
        done = director.ctl("reload")
        assert done.returncode == 0, done.stdout + done.stderr
    with play.narrator.step(
        "the same with `track_process` in the place of the script, by a reload: kill -9 again",
        "the kernel tells of the end at once, and without a weight the machine resigns: what is "
        "left is d2's Skew_Time",
        bound=bound,
    ) as step:
        step.check(eventually(lambda: play.holder() == "d1", 5) is not None, "d1 is not master")
        time.sleep(1)
        traffic = Traffic(play.topology.client, VIP, port=80)
        time.sleep(0.5)
        began = time.monotonic()
        play.kill_haproxy(0)
        play.moves_to(step, 1, time.monotonic(), bound)
        time.sleep(1)
        traffic.stop()
        _judge_outage(step, traffic, began, bound)
        step.check(play.directors[0].state("VI_1") == "FAULT", "d1 is not in FAULT")


def _machine_dies(play: Play) -> None:
    alive = 1 if play.holder() == "d2" else 0
    if alive == 1:
        play.start_haproxy(0)
        eventually(lambda: play.holder() == "d1", 15)
        time.sleep(1)
    bound = master_down_interval(SECOND)
    with play.narrator.step(
        "d1 loses its power: d2 answers",
        "nobody resigns here; the bound is the RFC's Master_Down_Interval",
        bound=bound,
    ) as step:
        traffic = Traffic(play.topology.client, VIP, port=80)
        time.sleep(0.5)
        since = time.monotonic()
        play.topology.power_off(play.directors[0])
        took = eventually(lambda: play.directors[1].holds(VIP), bound + 10, 0.01)
        step.measure(None if took is None else time.monotonic() - since, f"{VIP} on d2")
        time.sleep(1)
        traffic.stop()
        _judge_outage(step, traffic, since, bound)
