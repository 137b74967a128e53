"""What happens to a director in `chaos`, and what each thing may cost."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from .chaos_pair import EXTRA, OWN, VIP, Member, Pair, down_interval, skew
from .netns import eventually

STRANGER = "10.60.0.99"
#: A backup that would take over after this step has done so by then.
LONG_ENOUGH = 4.2
A_MOMENT = 1.5


@dataclass(frozen=True)
class Bound:
    """What a step may cost."""

    outage: float = 0.0  # seconds without an answer
    times: int = 1  # how often it may cost that
    changes: int = 0  # of the one that advertises
    quiet: float = A_MOMENT  # how long the pair must be well before it is judged
    shared_until: float = 0.0  # nobody was alive before this moment to take an address off


@dataclass(frozen=True)
class Action:
    title: str
    run: Callable[[], Bound]


class Hand:
    """Does things to one member of the pair."""

    def __init__(self, pair: Pair, member: Member, dice: random.Random):
        self.pair, self.member, self.dice = pair, member, dice
        self.other = pair.other(member)

    def _cost(self, outage: float, changes: int = 2, quiet: float = A_MOMENT,
              shared_until: float = 0.0) -> Bound:
        """A backup costs nothing, whatever is done to it."""
        if self.pair.is_master(self.member):
            return Bound(outage, 1, changes, quiet, shared_until)
        return Bound(quiet=quiet)

    def _lost(self) -> float:
        """The master is gone without a word."""
        return down_interval(self.other.priority)

    def _resigned(self) -> float:
        return skew(self.other.priority)

    def _death(self) -> Bound:
        """Of the vrrp process: nothing the first time, later an election."""
        if self.member.note_death():
            return self._cost(0, changes=0, quiet=LONG_ENOUGH)
        return self._cost(self._lost(), quiet=LONG_ENOUGH)

    # --- processes --------------------------------------------------------------------------------

    def kill_vrrp(self) -> Bound:
        bound = self._death()
        self.member.send("vrrp", signal.SIGKILL)
        return bound

    def kill_vrrp_in_a_reload(self) -> Bound:
        bound = self._death()
        self.member.extra = not self.member.extra
        self.member.write()
        self.member.reload()
        time.sleep(self.dice.uniform(0, 0.1))
        self.member.send("vrrp", signal.SIGKILL)
        return bound

    def freeze_vrrp(self) -> Bound:
        seconds = self.dice.choice((0.1, 0.5, 1.0, self.dice.uniform(1, 4), 10))
        pid = self.member.pid("vrrp")
        self.member.send("vrrp", signal.SIGSTOP)
        time.sleep(seconds)
        if self.member.pid("vrrp") == pid:
            self.member.send("vrrp", signal.SIGCONT)
            time.sleep(0.1)
        if self.member.pid("vrrp") == pid:
            return self._cost(0, changes=0, quiet=LONG_ENOUGH)
        return self._death()

    def kill_checkers(self) -> Bound:
        if self.member.pid("checkers"):  # it may be waiting for its next start
            self.member.send("checkers", signal.SIGKILL)
        return Bound()

    def freeze_checkers(self) -> Bound:
        seconds = self.dice.uniform(0.1, 5)
        pid = self.member.pid("checkers")
        if pid:
            self.member.send("checkers", signal.SIGSTOP)
            time.sleep(seconds)
        if pid and self.member.pid("checkers") == pid:
            self.member.send("checkers", signal.SIGCONT)
        return Bound()

    def freeze_watchdog(self) -> Bound:
        self.member.send("watchdog", signal.SIGSTOP)
        time.sleep(self.dice.choice((0.1, 1, self.dice.uniform(2, 10))))
        self.member.send("watchdog", signal.SIGCONT)
        return Bound(quiet=LONG_ENOUGH)

    def kill_watchdog(self) -> Bound:
        process = self.member.director.process
        process.send(signal.SIGKILL)
        process.wait(5)
        time.sleep(self.dice.uniform(0, 4))
        # As systemd does: again until it runs; a child may still be handing over.
        eventually(lambda: not self.member.machine.pids(), 10)
        self.member.start()
        return self._cost(0)

    def kill_everything(self) -> Bound:
        self.member.crash()
        time.sleep(self.dice.uniform(0, 8))
        self.member.start()
        return self._cost(self._lost(), shared_until=time.time() + 1)

    def freeze_everything(self) -> Bound:
        """A machine that is paused keeps the address; awake it must see that it has lost."""
        pids = self.member.machine.pids()
        child = self.member.pid("vrrp")
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(self.dice.choice((0.5, self.dice.uniform(2.5, 4.5), self.dice.uniform(4, 10))))
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        awake = time.time() + 0.3
        time.sleep(0.3)
        if self.member.pid("vrrp") != child:
            self.member.note_death()
        return self._cost(self._resigned(), quiet=LONG_ENOUGH, shared_until=awake)

    def lose_power(self) -> Bound:
        self.pair.switch.ip(f"link set {self.member.port} down")
        self.member.crash()
        self.member.forget()
        time.sleep(self.dice.uniform(0.2, 6))
        self.pair.switch.ip(f"link set {self.member.port} up")
        self.member.start()
        return self._cost(self._lost())

    def stop_and_start(self) -> Bound:
        self.member.director.stop()
        time.sleep(self.dice.uniform(0, 3))
        self.member.start()
        return self._cost(0)

    # --- reloads ----------------------------------------------------------------------------------

    def reload_the_same(self) -> Bound:
        for _ in range(self.dice.randint(1, 5)):
            self.member.reload()
            time.sleep(self.dice.uniform(0, 0.5))
        return Bound()

    def reload_an_address(self) -> Bound:
        self.member.extra = not self.member.extra
        self.member.write()
        self.member.reload()
        if self.pair.is_master(self.member):
            wanted = self.member.extra
            eventually(lambda: self.member.director.holds(EXTRA) == wanted, 3)
        return Bound()

    def reload_the_priority(self) -> Bound:
        """The first one is above or below its partner: the mastership moves."""
        first = self.pair.a
        first.priority = 50 if first.priority == 150 else 150
        first.write()
        first.reload()
        return Bound(changes=1)

    # --- the interface and its addresses ----------------------------------------------------------

    def interface_down(self) -> Bound:
        self.member.machine.ip("link set eth0 down")
        time.sleep(self.dice.choice((0.05, 0.3, self.dice.uniform(1, 6))))
        self.member.machine.ip("link set eth0 up")
        return self._cost(self._lost())

    def carrier_lost(self) -> Bound:
        self.pair.switch.ip(f"link set {self.member.port} down")
        time.sleep(self.dice.choice((0.05, 0.3, self.dice.uniform(1, 6))))
        self.pair.switch.ip(f"link set {self.member.port} up")
        return self._cost(self._lost())

    def carrier_lost_and_kill(self) -> Bound:
        self.member.note_death()
        self.pair.switch.ip(f"link set {self.member.port} down")
        self.member.send("vrrp", signal.SIGKILL)
        time.sleep(self.dice.uniform(0.05, 5))
        self.pair.switch.ip(f"link set {self.member.port} up")
        return self._cost(self._lost())

    def rename(self) -> Bound:
        self.member.machine.ip("link set eth0 name eth7")
        time.sleep(self.dice.choice((0.1, 0.7, self.dice.uniform(1, 6))))
        self.member.machine.ip("link set eth7 name eth0")
        return self._cost(self._resigned())

    def steal_the_address(self) -> Bound:
        if self.pair.is_master(self.member):
            for _ in range(self.dice.randint(1, 3)):
                self.member.machine.run("ip", "addr", "del", f"{VIP}/32", "dev", "eth0",
                                        check=False)
                time.sleep(self.dice.uniform(0, 0.4))
        return Bound()

    def strange_address(self) -> Bound:
        machine = self.member.machine
        machine.ip(f"addr add {STRANGER}/24 dev eth0")
        time.sleep(self.dice.uniform(0.1, 1))
        assert self.member.director.holds(STRANGER), "an address of somebody else was taken off"
        machine.ip(f"addr del {STRANGER}/24 dev eth0")
        return Bound()

    def lose_the_source(self) -> Bound:
        self.member.machine.ip("addr flush dev eth0")
        time.sleep(self.dice.uniform(0.3, 4))
        self.member.machine.ip(f"addr add {OWN[self.member.name]}/24 dev eth0")
        return self._cost(self._resigned())


    # --- two at once ------------------------------------------------------------------------------

    def two_at_once(self) -> Bound:
        """The second thing does not wait for the pair to be well again."""
        first = self.dice.choice((self.interface_down, self.carrier_lost, self.rename,
                                  self.lose_the_source, self.reload_an_address))
        second = self.dice.choice((self.kill_vrrp, self.carrier_lost, self.rename,
                                   self.lose_the_source, self.steal_the_address))
        one = first()
        time.sleep(self.dice.choice((0, self.dice.uniform(0, 2))))
        two = second()
        return Bound(one.outage + two.outage, 2, one.changes + two.changes,
                     max(one.quiet, two.quiet))

    def rename_and_kill(self) -> Bound:
        self.member.note_death()
        self.member.machine.ip("link set eth0 name eth7")
        self.member.send("vrrp", signal.SIGKILL)
        time.sleep(self.dice.uniform(0.1, 5))
        self.member.machine.ip("link set eth7 name eth0")
        return self._cost(self._lost())

    def rob_the_frozen(self) -> Bound:
        """Nobody puts back what is deleted while the process stands still."""
        began = time.time()
        self.member.send("vrrp", signal.SIGSTOP)
        self.member.machine.run("ip", "addr", "del", f"{VIP}/32", "dev", "eth0", check=False)
        time.sleep(self.dice.uniform(0, 1))
        self.member.send("vrrp", signal.SIGCONT)
        return self._cost(time.time() - began, changes=0)


#: (how often, what it is called, what it does, whether it kills the vrrp process)
ACTIONS = (
    (3, "the vrrp process is killed", Hand.kill_vrrp, True),
    (2, "the vrrp process is killed in a reload", Hand.kill_vrrp_in_a_reload, True),
    (3, "the vrrp process is frozen", Hand.freeze_vrrp, True),
    (1, "the checkers process is killed", Hand.kill_checkers, False),
    (1, "the checkers process is frozen", Hand.freeze_checkers, False),
    (1, "the watchdog is frozen", Hand.freeze_watchdog, False),
    (2, "the watchdog is killed", Hand.kill_watchdog, False),
    (2, "everything is killed and started", Hand.kill_everything, False),
    (2, "everything is frozen for a while", Hand.freeze_everything, False),
    (2, "power is lost", Hand.lose_power, False),
    (2, "stop and start", Hand.stop_and_start, False),
    (1, "reload of the same file", Hand.reload_the_same, False),
    (1, "reload with another address", Hand.reload_an_address, False),
    (2, "reload with another priority", Hand.reload_the_priority, False),
    (2, "the interface is down for a while", Hand.interface_down, False),
    (2, "the carrier is lost for a while", Hand.carrier_lost, False),
    (1, "the carrier is lost and the vrrp process killed", Hand.carrier_lost_and_kill, True),
    (2, "the interface is renamed and back", Hand.rename, False),
    (2, "the address is deleted", Hand.steal_the_address, False),
    (1, "a strange address comes and goes", Hand.strange_address, False),
    (2, "all addresses are flushed", Hand.lose_the_source, False),
    (1, "the interface is renamed and the vrrp process killed", Hand.rename_and_kill, True),
    (1, "the address is deleted while the vrrp process is frozen", Hand.rob_the_frozen, False),
    (3, "two things at once", Hand.two_at_once, True),
)


def choose(pair: Pair, dice: random.Random) -> Action:
    """What happens next, mostly to the master. keepalived only loses its power: what else may
    happen to it is its own affair."""
    master = pair.best()
    member = master if dice.random() < 0.7 else pair.other(master)
    if not member.is_ours:
        what = dice.random()
        hand = Hand(pair, member, dice)
        if what < 0.3:
            return Action(f"power is lost: {member.name}, keepalived", hand.lose_power)
        if what < 0.7 and member is master:
            return Action("reload with another priority: a, backup", hand.reload_the_priority)
        member = pair.other(member)
    usual = [one for one in ACTIONS if member.may_die() or not one[3]]
    _, title, run, _ = dice.choices(usual, [one[0] for one in usual])[0]
    hand = Hand(pair, member, dice)
    role = "master" if pair.is_master(member) else "backup"
    return Action(f"{title}: {member.name}, {role}", lambda: run(hand))
