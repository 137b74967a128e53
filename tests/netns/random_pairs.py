"""Random configurations of a pair of directors, and what follows from them in the kernel.

`Maker.step` makes the next configuration out of the present one: most of it stays, some virtual
routers come, go, move or change. All randomness comes from the `random.Random` that is passed in.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import random
from dataclasses import dataclass, field

Key = tuple[str, int]  # interface and VRID: what makes it one virtual router
DIRECTORS = (0, 1)  # the first and the second director of the pair
OWN = {"eth0": ("10.50.0.1", "10.50.0.2"), "eth1": ("10.51.0.1", "10.51.0.2")}
MAX_ROUTERS = 5


@dataclass(frozen=True)
class Held:
    """An address as the kernel shows it."""

    interface: str
    address: str
    length: int
    label: str
    broadcast: str
    scope: str


@dataclass(frozen=True)
class Address:
    """One line of virtual_ipaddress."""

    address: str
    length: int | None = None  # None: not written
    device: str = ""
    label: str = ""  # behind the interface's name and a colon
    broadcast: str = ""  # + - or an address
    scope: str = ""

    def text(self, interface: str) -> str:
        words = [self.address if self.length is None else f"{self.address}/{self.length}"]
        if self.device:
            words.append(f"dev {self.device}")
        if self.label:
            words.append(f"label {self.device or interface}:{self.label}")
        if self.broadcast:
            words.append(f"brd {self.broadcast}")
        if self.scope:
            words.append(f"scope {self.scope}")
        return " ".join(words)

    def held(self, interface: str) -> Held:
        device = self.device or interface
        length = 32 if self.length is None else self.length
        network = ipaddress.ip_network(f"{self.address}/{length}", strict=False)
        broadcast = {"+": str(network.broadcast_address), "-": str(network.network_address)}.get(
            self.broadcast, self.broadcast)
        label = f"{device}:{self.label}" if self.label else device
        return Held(device, self.address, length, label, broadcast, self.scope or "global")


@dataclass(frozen=True)
class Router:
    """One virtual router, as both directors are told it."""

    name: str
    vrid: int
    interface: str
    priorities: tuple[int, int]  # never equal: who wins is known
    addresses: tuple[Address, ...]
    excluded: tuple[Address, ...] = ()
    says_master: bool = False  # `state MASTER` on the director with the higher priority
    nopreempt: bool = False
    password: str = ""
    notify: str = ""  # a word that the script gets
    words: tuple[str, ...] = ()  # further statements, the same on both

    @property
    def key(self) -> Key:
        return self.interface, self.vrid

    @property
    def best(self) -> int:
        return 0 if self.priorities[0] > self.priorities[1] else 1

    def held(self) -> set[Held]:
        return {one.held(self.interface) for one in (*self.addresses, *self.excluded)}

    def text(self, director: int, script: str) -> str:
        state = "MASTER" if self.says_master and director == self.best else "BACKUP"
        lines = [f"state {state}", f"interface {self.interface}",
                 f"virtual_router_id {self.vrid}", f"priority {self.priorities[director]}",
                 "advert_int 1", *self.words]
        if self.nopreempt:
            lines.append("nopreempt")
        if self.password:
            lines.append(f"authentication {{\n auth_type PASS\n auth_pass {self.password}\n }}")
        for name, block in (("virtual_ipaddress", self.addresses),
                            ("virtual_ipaddress_excluded", self.excluded)):
            if block:
                inside = "\n".join(f"  {one.text(self.interface)}" for one in block)
                lines.append(f"{name} {{\n{inside}\n }}")
        if self.notify:
            lines.append(f'notify "{script} {self.notify}" root root')
        return f"vrrp_instance {self.name} {{\n " + "\n ".join(lines) + "\n}\n"


@dataclass(frozen=True)
class Config:
    routers: tuple[Router, ...] = ()
    globals: tuple[str, ...] = ()

    def text(self, director: int, script: str) -> str:
        head = "".join(f" {line}\n" for line in self.globals)
        return (f"global_defs {{\n router_id d{director}\n{head}}}\n"
                + "".join(one.text(director, script) for one in self.routers))

    def by_key(self) -> dict[Key, Router]:
        return {one.key: one for one in self.routers}

    def unchanged(self, after: Config) -> set[Key]:
        """The virtual routers about which a reload to `after` says nothing new."""
        if self.globals != after.globals:
            return set()
        later = after.by_key()
        return {key for key, one in self.by_key().items() if later.get(key) == one}

    def possible_masters(self, masters: dict[Key, int]) -> dict[Key, set[int]]:
        """Who may be master of each virtual router when everything has settled: the director with
        the higher priority, unless it must not preempt: then the one that was before."""
        return {
            one.key: {one.best} if not one.nopreempt else
            {masters[one.key]} if one.key in masters else set(DIRECTORS)
            for one in self.routers
        }


@dataclass
class Maker:
    """Makes configurations, one out of the other."""

    rng: random.Random
    names: int = 0
    log: list[str] = field(default_factory=list)  # what the last step changed

    def first(self) -> Config:
        config = Config()
        for _ in range(self.rng.randint(2, 4)):
            config = self._add(config)
        self.log = ["everything new"]
        return config

    def step(self, before: Config) -> Config:
        self.log = []
        if not before.routers or self.rng.random() < 0.06:
            return self.first()
        if self.rng.random() < 0.03:
            self.log.append("nothing left")
            return Config()
        config = before
        changes = self.rng.choices(
            (self._add, self._remove, self._readdress, self._move_address, self._tune,
             self._rename, self._move_router, self._reorder, self._globals),
            weights=(3, 2, 6, 3, 5, 1, 1, 1, 0.3), k=self.rng.randint(1, 3))
        for change in changes:
            config = change(config)
        return config

    # --- pieces ---------------------------------------------------------------------------------

    def _address(self, taken: set[str]) -> Address:
        rng = self.rng
        while True:
            network = rng.choice(("10.50.0", "10.51.0", "10.60.0", "10.60.1"))
            address = f"{network}.{rng.randint(10, 60)}"
            if address not in taken:
                break
        length = rng.choice((None, 32, 24, 24, 25))
        return Address(
            address, length, rng.choice(("", "", "eth0", "eth1")),
            rng.choice(("", "", f"v{rng.randint(0, 99)}")),
            rng.choice(("", "", "+", "-")) if length in (24, 25) else "",
            # The kernel wants one scope for all addresses of a network on an interface.
            rng.choice(("", "", "link", "host") if length in (None, 32) else ("", "global")))

    def _taken(self, config: Config) -> set[str]:
        return {one.address for router in config.routers
                for one in (*router.addresses, *router.excluded)}

    def _priorities(self) -> tuple[int, int]:
        low, high = sorted(self.rng.sample(range(10, 255, 12), 2))
        return (high, low) if self.rng.random() < 0.5 else (low, high)

    def _router(self, config: Config) -> Router:
        rng = self.rng
        self.names += 1
        taken = self._taken(config)
        addresses = []
        for _ in range(rng.randint(1, 4)):
            addresses.append(self._address(taken))
            taken.add(addresses[-1].address)
        excluded = [self._address(taken)] if rng.random() < 0.3 else []
        keys = set(config.by_key())
        while True:
            interface, vrid = rng.choice(("eth0", "eth1")), rng.randint(1, 255)
            if (interface, vrid) not in keys:
                break
        return Router(
            f"VI_{self.names}", vrid, interface, self._priorities(), tuple(addresses),
            tuple(excluded), says_master=rng.random() < 0.2, nopreempt=False,
            password=rng.choice(("", "", "secret12", "1111")),
            notify=rng.choice(("", "a", "b")), words=self._words())

    def _words(self) -> tuple[str, ...]:
        rng = self.rng
        return tuple(rng.sample(
            ("garp_master_delay 1", "garp_master_repeat 2", "garp_master_refresh 3",
             "garp_master_delay 3", "garp_lower_prio_repeat 2", "preempt_delay 1"),
            rng.choice((0, 0, 1)))) if rng.random() < 0.6 else ()

    # --- changes --------------------------------------------------------------------------------

    def _replace(self, config: Config, old: Router, **fields) -> Config:
        new = dataclasses.replace(old, **fields)
        # `state MASTER` cancels both.
        if new.says_master and (new.nopreempt or "preempt_delay 1" in new.words):
            new = dataclasses.replace(new, says_master=False)
        self.log.append(f"{new.name}: {', '.join(fields)}")
        return dataclasses.replace(
            config, routers=tuple(new if one is old else one for one in config.routers))

    def _pick(self, config: Config) -> Router | None:
        return self.rng.choice(config.routers) if config.routers else None

    def _add(self, config: Config) -> Config:
        if len(config.routers) >= MAX_ROUTERS:
            return config
        new = self._router(config)
        self.log.append(f"{new.name} added")
        at = self.rng.randint(0, len(config.routers))
        config = dataclasses.replace(
            config, routers=(*config.routers[:at], new, *config.routers[at:]))
        return self._replace(config, new, nopreempt=self.rng.random() < 0.2)

    def _remove(self, config: Config) -> Config:
        old = self._pick(config)
        if old is None or len(config.routers) == 1:
            return config
        self.log.append(f"{old.name} removed")
        return dataclasses.replace(
            config, routers=tuple(one for one in config.routers if one is not old))

    def _readdress(self, config: Config) -> Config:
        """Adds, removes, reorders or rewrites addresses of one virtual router."""
        old = self._pick(config)
        if old is None:
            return config
        addresses = list(old.addresses)
        kind = self.rng.choice(("add", "remove", "rewrite", "reorder", "exclude"))
        if kind == "remove" and len(addresses) > 1:
            addresses.pop(self.rng.randrange(len(addresses)))
        elif kind == "rewrite":
            at = self.rng.randrange(len(addresses))
            other = self._address(set())
            addresses[at] = dataclasses.replace(other, address=addresses[at].address)
        elif kind == "reorder":
            self.rng.shuffle(addresses)
        elif kind == "exclude" and len(addresses) > 1:
            moved = addresses.pop(self.rng.randrange(len(addresses)))
            return self._replace(config, old, addresses=tuple(addresses),
                                 excluded=(*old.excluded, moved))
        else:
            addresses.append(self._address(self._taken(config)))
        return self._replace(config, old, addresses=tuple(addresses))

    def _move_address(self, config: Config) -> Config:
        """An address of one virtual router becomes another's."""
        givers = [one for one in config.routers if len(one.addresses) > 1]
        if not givers or len(config.routers) < 2:
            return config
        giver = self.rng.choice(givers)
        taker = self.rng.choice([one for one in config.routers if one is not giver])
        moved = self.rng.choice(giver.addresses)
        config = self._replace(
            config, giver, addresses=tuple(one for one in giver.addresses if one is not moved))
        return self._replace(config, taker, addresses=(*taker.addresses, moved))

    def _tune(self, config: Config) -> Config:
        old = self._pick(config)
        if old is None:
            return config
        fields = self.rng.choice((
            {"priorities": self._priorities()}, {"priorities": old.priorities[::-1]},
            {"nopreempt": not old.nopreempt}, {"says_master": not old.says_master},
            {"password": self.rng.choice(("", "secret12", "other345"))},
            {"notify": self.rng.choice(("", "a", "c"))}, {"words": self._words()}))
        return self._replace(config, old, **fields)

    def _rename(self, config: Config) -> Config:
        old = self._pick(config)
        if old is None:
            return config
        self.names += 1
        return self._replace(config, old, name=f"VI_{self.names}")

    def _move_router(self, config: Config) -> Config:
        """Another VRID or interface: for the segment this is another virtual router."""
        old = self._pick(config)
        if old is None:
            return config
        key = self.rng.choice((("eth0" if old.interface == "eth1" else "eth1", old.vrid),
                               (old.interface, self.rng.randint(1, 255))))
        if key in config.by_key():
            return config
        return self._replace(config, old, interface=key[0], vrid=key[1])

    def _reorder(self, config: Config) -> Config:
        self.log.append("order")
        return dataclasses.replace(
            config, routers=tuple(self.rng.sample(config.routers, len(config.routers))))

    def _globals(self, config: Config) -> Config:
        self.log.append("globals")
        return dataclasses.replace(config, globals=tuple(self.rng.sample(
            ("vrrp_garp_master_delay 2", "vrrp_garp_master_repeat 3",
             "vrrp_garp_master_refresh 5"), self.rng.randint(0, 2))))

    def broken(self, text: str) -> tuple[str, str]:
        """How a good file was broken, and what came of it: a file that must not be taken into use,
        also when the good one has no virtual router at all."""
        whole = ("vrrp_instance broken {{\n interface eth0\n virtual_router_id {}\n{}"
                 " priority 9\n}}\n")
        return self.rng.choice((
            ("cut short", text + whole.format(254, "").rstrip().removesuffix("}")),
            ("a brace lost", text + whole.format(254, "").replace("{", "", 1)),
            ("no such number", text + whole.format(3000, "")),
            ("a word without its value", text + whole.format(254, " advert_int\n")),
            ("no interface", text + whole.format(254, "").replace(" interface ", " #interface ")),
            ("empty", ""),
            ("another file", "\x7fELF\x02\x01\x01\0\0\0" + text),
        ))
