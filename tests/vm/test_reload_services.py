"""Random reloads of services: the kernel's table is then what a fresh start makes of the file.

HOLDFAST_SEED=N plays a run again.
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, replace

from tests.lab.director import Director
from tests.lab.netns import Lab, eventually

STEPS = 20
SETTLE = 20.0  # s; a probe that is refused has decided after one


@dataclass(frozen=True)
class Server:
    address: str
    weight: int = 1
    inhibit: bool = False
    fails: bool = False  # its checker asks a port on which nobody listens

    def text(self, port: int) -> str:
        words = [f"weight {self.weight}", *(["inhibit_on_failure"] if self.inhibit else [])]
        if self.fails:
            words.append("TCP_CHECK {\n connect_ip 127.0.0.1\n connect_port 9\n retry 0\n"
                         " connect_timeout 1\n warmup 0\n }")
        return f" real_server {self.address} {port} {{\n  " + "\n  ".join(words) + "\n }\n"


@dataclass(frozen=True)
class Service:
    address: str
    port: int
    protocol: str
    scheduler: str
    forwarding: str
    persistence: int
    sorry: bool
    servers: tuple[Server, ...]

    def text(self) -> str:
        words = ["delay_loop 1", f"lb_algo {self.scheduler}", f"lb_kind {self.forwarding}",
                 f"protocol {self.protocol}"]
        if self.persistence:
            words.append(f"persistence_timeout {self.persistence}")
        if self.sorry:
            words.append(f"sorry_server 10.9.9.9 {self.port}")
        return (f"virtual_server {self.address} {self.port} {{\n " + "\n ".join(words) + "\n"
                + "".join(server.text(self.port) for server in self.servers) + "}\n")


class Maker:
    def __init__(self, seed: int):
        self.rng = random.Random(seed)

    def server(self) -> Server:
        rng = self.rng
        return Server(f"10.8.0.{rng.randint(1, 250)}", rng.randint(0, 5), rng.random() < 0.3,
                      rng.random() < 0.3)

    def servers(self, count: int) -> tuple[Server, ...]:
        return tuple({one.address: one for one in (self.server() for _ in range(count))}.values())

    def service(self) -> Service:
        rng = self.rng
        return Service(f"10.9.0.{rng.randint(1, 250)}", rng.randint(1, 9) * 100,
                       rng.choice(("TCP", "UDP")), rng.choice(("rr", "wrr", "wlc", "sh")),
                       rng.choice(("NAT", "DR", "TUN")), rng.choice((0, 0, 60)),
                       rng.random() < 0.3, self.servers(rng.randint(1, 4)))

    def change(self, one: Service) -> Service:
        rng = self.rng
        fresh = self.service()
        return replace(one, **rng.choice((
            {"scheduler": fresh.scheduler}, {"forwarding": fresh.forwarding},
            {"persistence": fresh.persistence}, {"sorry": not one.sorry},
            {"servers": one.servers[1:] or fresh.servers},
            {"servers": self.servers(5)},
            {"servers": tuple(replace(server, weight=rng.randint(0, 9))
                              for server in one.servers)})))

    def step(self, before: tuple[Service, ...]) -> tuple[Service, ...]:
        rng = self.rng
        after = [self.change(one) if rng.random() < 0.4 else one for one in before
                 if rng.random() < 0.85]
        after += [self.service() for _ in range(rng.randint(0 if after else 1, 3))]
        rng.shuffle(after)
        return tuple({(one.protocol, one.address, one.port): one for one in after}.values())


def text(services: tuple[Service, ...]) -> str:
    return "global_defs {\n router_id test\n}\n" + "".join(one.text() for one in services)


def expected(services: tuple[Service, ...]) -> tuple[int, int]:
    """How many services and how many servers the table has to have in the end."""
    servers = 0
    for one in services:
        up = [server for server in one.servers if not server.fails]
        kept = [server for server in one.servers if server.fails and server.inhibit]
        # Without a single weight the quorum of 1 is not met, and the sorry server serves alone: the
        # others keep a weight of 0 if they are to be kept, whether they fail or not.
        if one.sorry and not any(server.weight for server in up):
            servers += 1 + sum(server.inhibit for server in one.servers)
        else:
            servers += len(up) + len(kept)
    return len(services), servers


def table(director: Director) -> list[str]:
    return sorted(director.ipvsadm().splitlines())


def counted(lines: list[str]) -> tuple[int, int]:
    return (sum(line.startswith("-A") for line in lines),
            sum(line.startswith("-a") for line in lines))


def judged(lines: list[str], services: tuple[Service, ...]) -> bool:
    """Every server that fails and is kept has its weight of 0: its check has run."""
    return all(any(f"{one.address}:{one.port} -r {server.address}:{one.port} " in line
                   and " -w 0" in line for line in lines)
               for one in services for server in one.servers if server.fails and server.inhibit)


def test_twenty_random_reloads_leave_the_table_of_a_fresh_start(lab: Lab) -> None:
    seed = int(os.environ.get("HOLDFAST_SEED", random.randrange(1_000_000)))
    print(f"HOLDFAST_SEED={seed}")  # shown when the test fails
    maker = Maker(seed)
    machine, other = lab.machines("d1", "fresh")
    services = maker.step(())
    running = Director(machine, text(services))
    running.start("-C", "-D")
    for step in range(STEPS):
        if step:
            services = maker.step(services)
            running.write_config(text(services))
            answer = running.ctl("reload")
            assert answer.returncode == 0, f"step {step}: {answer}"
        fresh = Director(other, text(services))
        fresh.start("-C", "-D")

        same = eventually(lambda: counted(table(running)) == expected(services)
                          and judged(table(running), services)
                          and table(running) == table(fresh), SETTLE, 0.2)

        where = (f"step {step} of seed {seed}, wanted {expected(services)}:\n"
                 f"running {table(running)}\nfresh {table(fresh)}\n{text(services)}")
        assert same is not None, where
        assert fresh.stop() == 0
        if step % 5 == 4:
            refuse(running, text(services))


def refuse(director: Director, good: str) -> None:
    """A broken file changes nothing at all."""
    before = table(director)
    director.write_config(good.rstrip().removesuffix("}"))
    assert director.ctl("reload").returncode != 0
    time.sleep(1)
    assert table(director) == before
