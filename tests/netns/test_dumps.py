"""What keepalived writes when it is sent a signal, written by us: for the programs that send them.

Both programs play the same pair from the same files, and what they write is compared.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.lab import consumers
from tests.lab.director import BIN, Director
from tests.lab.netns import Lab, eventually
from tests.lab.wire import Capture

DATA, STATS, JSON = signal.SIGUSR1, signal.SIGUSR2, 36
STATS_CLEAR = 63
VIP = "192.0.2.100"
GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "golden" / "dumps"


def pair_config(own: int, other: int, priority: int, more: str = "") -> str:
    return f"""
global_defs {{
    router_id director-{own}
    script_user root
    enable_script_security
    {more}
}}
vrrp_script up {{
    script "/usr/bin/true"
    interval 1
}}
vrrp_script low {{
    script "/usr/bin/false"
    interval 1
    weight -10
}}
vrrp_sync_group SITE {{
    group {{
        OUT
        SECOND
    }}
}}
vrrp_instance OUT {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 1
    garp_master_delay 2
    nopreempt
    virtual_ipaddress {{
        192.0.2.100/24 label eth0:vip
        192.0.2.101/32 dev eth0 scope link
    }}
    virtual_ipaddress_excluded {{
        192.0.2.110/24
    }}
    track_interface {{
        eth1
    }}
    track_script {{
        up
    }}
}}
vrrp_instance SECOND {{
    interface eth0
    virtual_router_id 52
    version 3
    priority {priority}
    advert_int 0.5
    virtual_ipaddress {{
        192.0.2.102/24
    }}
}}
vrrp_instance UNI {{
    interface eth0
    virtual_router_id 53
    priority {priority}
    unicast_src_ip 192.0.2.{own}
    unicast_peer {{
        192.0.2.{other}
    }}
    authentication {{
        auth_type PASS
        auth_pass sesam
    }}
    track_script {{
        low
    }}
    virtual_ipaddress {{
        192.0.2.103
    }}
    smtp_alert
}}
"""


class Dumping(Director):
    """A director whose dumps are in a directory of its own."""

    @property
    def place(self) -> Path:
        return self.directory / "dumps"

    def start(self, *extra: str):
        self.place.mkdir(exist_ok=True)
        self.process = self.machine.spawn(*self.command(*extra), log=self.program,
                                          env={"TMPDIR": str(self.place)})
        return self.process

    def ask(self, number: int) -> None:
        self.process.send(number)

    def dump(self, number: int, name: str) -> str:
        """The file as it is after this signal."""
        file = self.place / name
        file.unlink(missing_ok=True)
        self.ask(number)
        assert eventually(file.exists, 5) is not None, self.log()
        if self.program == "keepalived":  # it writes in place
            time.sleep(0.2)
        return file.read_text(encoding="utf-8")

    def leftovers(self) -> list[str]:
        return sorted(one for one in os.listdir(self.place) if not one.startswith("keepalived"))


def play(directory: Path, program: str) -> list[dict[str, str]]:
    """A pair for some seconds: what master and backup wrote."""
    with Lab(directory) as lab:
        machines = lab.machines("a", "b")
        for port, net in enumerate(("192.0.2", "198.51.100")):
            lab.cables(lab.switch(f"sw{port}"), *((one, f"eth{port}", f"{net}.{number}/24")
                                                  for number, one in enumerate(machines, 1)))
        pair = []
        for number, machine in enumerate(machines, 1):
            director = Dumping(machine, pair_config(number, 3 - number,
                                                    150 - 50 * (number - 1)), program)
            pair.append(director)
        for director in pair:
            director.start("-P")
        assert eventually(lambda: all(pair[0].holds(one) for one in (VIP, "192.0.2.102",
                                                                     "192.0.2.103")), 15), \
            pair[0].log()
        time.sleep(4)  # the backup hears a few adverts
        return [{"data": one.dump(DATA, "keepalived.data"),
                 "stats": one.dump(STATS, "keepalived.stats"),
                 "json": one.dump(JSON, "keepalived.json")} for one in pair]


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> list[dict[str, str]]:
    return play(tmp_path_factory.mktemp("ours"), "holdfast")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory) -> list[dict[str, str]]:
    if shutil.which("keepalived", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("keepalived is not installed here: nothing to compare with")
    return play(tmp_path_factory.mktemp("theirs"), "keepalived")


# Moments; and passwords, which keepalived hides since 2.4 only.
DIFFERS = {"last_transition", "auth_data"}


@pytest.mark.parametrize("role", [0, 1], ids=["master", "backup"])
def test_json_is_keepalived_s_member_for_member(ours, theirs, role: int) -> None:
    one, other = (consumers.exporter_json(each[role]["json"]) for each in (ours, theirs))

    assert list(one) == list(other) == ["OUT", "SECOND", "UNI"]
    for name, instance in one.items():
        assert list(instance["data"]) == list(other[name]["data"])
        assert list(instance["stats"]) == list(other[name]["stats"])
        for member, value in instance["data"].items():
            if member not in DIFFERS:
                assert value == other[name]["data"][member], (name, member)
        for member in ("become_master", "release_master"):
            assert instance["stats"][member] == other[name]["stats"][member], (name, member)
        moving = "advert_rcvd" if role else "advert_sent"
        assert instance["stats"][moving] > 2 and other[name]["stats"][moving] > 2
        assert abs(instance["data"]["last_transition"] - time.time()) < 120
    assert "sesam" not in ours[role]["json"] + ours[role]["data"]


@pytest.mark.parametrize("role", [0, 1], ids=["master", "backup"])
def test_data_has_keepalived_s_keys_and_values(ours, theirs, role: int) -> None:
    one, other = (consumers.exporter_data(each[role]["data"]) for each in (ours, theirs))
    # Of our own there is no such thing, or it is known to the kernel alone.
    missing = {"Number of config faults", "Number of interface and track script faults",
               "Number of track scripts init", "Read timeout", "Master down timer",
               "Unicast checksum compatibility", "Notify deleted", "Using src_ip"}

    assert list(one) == list(other)
    for name, instance in one.items():
        assert set(instance) <= set(other[name]), set(instance) - set(other[name])
        assert set(other[name]) - set(instance) <= missing
        for key, value in instance.items():
            if key not in {"Last transition", "Password"}:
                assert value == other[name][key], (name, key)
        assert re.fullmatch(r"\d+\.\d{6} \(.*\)", instance["Last transition"])
    scripts = [consumers.exporter_scripts(each[role]["data"]) for each in (ours, theirs)]
    assert scripts[0] == scripts[1] == {"up": (1, 0), "low": (0, 0)}
    group = f" VRRP Sync Group = SITE, {'BACKUP' if role else 'MASTER'}\n"
    assert group in ours[role]["data"] and group in theirs[role]["data"]


@pytest.mark.parametrize("role", [0, 1], ids=["master", "backup"])
def test_statistics_are_keepalived_s_line_for_line(ours, theirs, role: int) -> None:
    def without_numbers(text: str) -> str:
        return re.sub(r"\d+$", "N", text, flags=re.MULTILINE)

    assert without_numbers(ours[role]["stats"]) == without_numbers(theirs[role]["stats"])
    counts = consumers.exporter_stats(ours[role]["stats"])
    assert list(counts) == list(consumers.exporter_data(ours[role]["data"]))
    for each in counts.values():
        assert each["Became master"] == (0 if role else 1)
        assert each["Advertisements/Received" if role else "Advertisements/Sent"] > 2


class Scene:
    """One director, and a pair's other half that is silent."""

    def __init__(self, lab: Lab, config: str | None = None):
        self.switch = lab.switch("sw")
        machine, = lab.machines("a")
        lab.cables(self.switch, (machine, "eth0", "192.0.2.1/24"),
                   (machine, "eth1", "198.51.100.1/24"))
        self.director = Dumping(machine, config or pair_config(1, 2, 150))
        self.director.start()
        assert eventually(lambda: self.director.holds(VIP), 15) is not None, self.director.log()


@pytest.fixture
def scene(lab: Lab) -> Scene:
    return Scene(lab)


@pytest.mark.parametrize("name, number", [("keepalived.data", DATA), ("keepalived.stats", STATS),
                                          ("keepalived.json", JSON)])
def test_who_waits_for_the_close_of_the_file_hears_its_name(scene: Scene, name: str, number: int):
    """VyOS and Checkmk: an event of the final name, and the whole text by then."""
    director = scene.director
    for _ in range(5):
        with consumers.CloseWatch(director.place) as watch:
            director.ask(number)
            assert watch.waits_for(name, 5), director.log()
        file = director.place / name
        assert file.stat().st_size > 400
        assert oct(file.stat().st_mode & 0o7777) == "0o600"
        file.unlink()  # as VyOS does
    assert director.leftovers() == []


def test_two_signals_without_a_pause_give_files_of_one_moment(scene: Scene) -> None:
    """keepalived-exporter: USR2 and USR1 in a row; old files stay whole until the new ones come."""
    director = scene.director
    first = director.dump(DATA, "keepalived.data")
    director.dump(STATS, "keepalived.stats")
    for _ in range(10):
        before = [(director.place / f"keepalived.{end}").stat().st_ino for end in ("data", "stats")]
        director.ask(STATS)
        director.ask(DATA)

        def is_new(before=before) -> bool:
            files = [director.place / f"keepalived.{end}" for end in ("data", "stats")]
            assert consumers.exporter_data(files[0].read_text()).keys() == \
                consumers.exporter_stats(files[1].read_text()).keys()
            return all(file.stat().st_ino != old for file, old in zip(files, before))

        assert eventually(is_new, 5, every=0.002) is not None, director.log()
    assert first.count(" VRRP Instance = ") == 3


def test_json_is_there_after_a_tenth_of_a_second(scene: Scene) -> None:
    """gen2brain's exporter sleeps so long and then reads."""
    director = scene.director
    director.dump(JSON, "keepalived.json")  # a first one, for the file cache
    took = []
    for _ in range(5):
        (director.place / "keepalived.json").unlink()
        director.ask(JSON)
        took.append(eventually((director.place / "keepalived.json").exists, 5, every=0.002))
        time.sleep(0.1)
    assert None not in took and sorted(took)[1] < 0.1, took


def test_signals_to_children_are_answered_like_keepalived_s(scene: Scene) -> None:
    """Vyatta knows the pid of the VRRP process only."""
    director = scene.director
    for number, name in ((DATA, "keepalived.data"), (STATS, "keepalived.stats"),
                         (JSON, "keepalived.json")):
        os.kill(director.role_pid("vrrp"), number)
        assert eventually((director.place / name).exists, 5) is not None, director.log()
    assert sorted(os.listdir(director.place)) == ["keepalived.data", "keepalived.json",
                                                  "keepalived.stats"]


def test_openshift_s_liveness_probe_overwrites_the_file_first(scene: Scene) -> None:
    director = scene.director
    file = director.place / "keepalived.data"
    for _ in range(3):
        consumers.liveness_probe(file, lambda: director.ask(DATA))
        assert eventually(lambda: "State = FAULT" not in file.read_text(), 5) is not None
        assert "State = MASTER" in file.read_text()


def test_what_others_left_in_its_place_is_replaced_and_never_followed(scene: Scene) -> None:
    director = scene.director
    director.place.chmod(0o1777)  # as /tmp
    file = director.place / "keepalived.data"
    precious = director.directory / "precious"
    precious.write_text("mine\n", encoding="ascii")
    traps = [lambda: file.symlink_to(precious), lambda: os.link(precious, file),
             lambda: os.mkfifo(file), lambda: file.write_text("of another user\n")]
    for trap in traps:
        file.unlink(missing_ok=True)
        trap()
        os.lchown(file, 65534, 65534)
        director.ask(DATA)

        def is_ours() -> bool:
            about = file.lstat()
            return about.st_uid == 0 and about.st_size > 400 and about.st_nlink == 1

        assert eventually(is_ours, 5) is not None, director.log()
        assert oct(file.lstat().st_mode) == "0o100600"
    assert precious.read_text(encoding="ascii") == "mine\n"
    file.unlink()
    file.mkdir()  # nothing is removed that is not a file; said once
    director.ask(DATA)
    assert eventually(lambda: "legacy-dump-failed" in director.log(), 5) is not None
    assert file.is_dir() and director.leftovers() == []


def test_statistics_can_be_cleared(scene: Scene) -> None:
    director = scene.director
    assert eventually(lambda: consumers.exporter_stats(director.dump(STATS, "keepalived.stats"))
                      ["UNI"]["Advertisements/Sent"] >= 3, 10) is not None

    told = consumers.exporter_stats(director.dump(STATS_CLEAR, "keepalived.stats"))

    assert told["UNI"]["Advertisements/Sent"] >= 3 and told["OUT"]["Became master"] == 1
    time.sleep(0.2)
    after = consumers.exporter_stats(director.dump(STATS, "keepalived.stats"))
    assert after["UNI"]["Advertisements/Sent"] <= 1 and after["OUT"]["Became master"] == 0
    assert consumers.exporter_data(director.dump(DATA, "keepalived.data"))["OUT"]["State"] == 2


def test_words_of_the_configuration_move_and_shape_the_files(lab: Lab) -> None:
    words = "json_version 2\n json_dump_file other.json\n umask 022\n data_use_instance"
    director = Scene(lab, config="instance blue\n" + pair_config(1, 2, 150, words)).director

    text = director.dump(JSON, "other.json")
    director.dump(DATA, "keepalived_blue.data")

    assert [one["data"]["iname"] for one in json.loads(text)["vrrp"]] == ["OUT", "SECOND", "UNI"]
    assert oct((director.place / "other.json").stat().st_mode & 0o7777) == "0o644"


def test_no_advert_is_late_while_it_is_scraped_ten_times_a_second(scene: Scene) -> None:
    director, capture = scene.director, Capture(scene.switch)
    time.sleep(1)
    began = time.monotonic()
    while time.monotonic() - began < 6:
        director.ask(STATS)
        director.ask(DATA)
        director.ask(JSON)
        time.sleep(0.1)
    times = [one.at for one in capture.adverts(source="192.0.2.1", vrid=52)]
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    assert len(gaps) > 8 and max(gaps) < 0.55, gaps


def test_services_are_told_by_the_checkers(lab: Lab) -> None:
    """keepalived_check.data, beside a dump of keepalived's for services of the same kind."""
    director = Scene(lab, config=pair_config(1, 2, 150) + """
virtual_server 192.0.2.100 80 {
    delay_loop 2
    lb_algo wrr
    lb_kind NAT
    protocol TCP
    quorum 1
    real_server 198.51.100.1 8080 {
        weight 2
        TCP_CHECK {
            connect_timeout 1
            delay_before_retry 1
        }
    }
    real_server 198.51.100.3 8080 {
        weight 1
    }
}
""").director

    def servers() -> list[str]:
        text = director.dump(DATA, "keepalived_check.data")
        return re.findall(r"   RIP = (\S+), RPORT = \d+, WEIGHT = (\d+)|   (alive) = (\d)", text)

    down = [("198.51.100.1", "2", "", ""), ("", "", "alive", "0"),
            ("198.51.100.3", "1", "", ""), ("", "", "alive", "1")]
    assert eventually(lambda: servers()[1:] == down, 15) is not None, servers()
    text = (director.place / "keepalived_check.data").read_text(encoding="utf-8")
    os.kill(director.role_pid("checkers"), DATA)
    golden = GOLDEN / "2.2.7" / "keepalived_check.data"
    if not golden.exists():
        pytest.skip(f"{golden} is not here: no dump of keepalived's to compare with")

    def shape(lines: list[str]) -> list[str]:
        """What stands left of "=", or the line without its last word."""
        return [line.partition(" = ")[0] if " = " in line else line.rsplit(" ", 1)[0]
                for line in lines if line.startswith("   ") or "Virtual server" in line]

    theirs = golden.read_text(encoding="utf-8").split("Health checkers")[0]
    theirs = theirs.split("LVS Topology")[1].splitlines()
    assert set(shape(text.split("LVS Topology")[1].splitlines())) <= set(shape(theirs))


def run(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_numbers_of_signals_are_keepalived_s() -> None:
    for name, number in (("DATA", 10), ("STATS", 12), ("JSON", 36), ("STATS_CLEAR", 63),
                         ("RELOAD", 1), ("STOP", 15)):
        said = run(str(BIN / "holdfast"), f"--signum={name}")
        assert (said.returncode, said.stdout, said.stderr) == (0, f"{number}\n", "")


@pytest.fixture
def keepalived(tmp_path: Path) -> Path:
    """Our program under keepalived's name."""
    program = tmp_path / "keepalived"
    program.symlink_to(BIN / "holdfast")
    return program


@pytest.mark.parametrize("option", ["-v", "--version"])
def test_the_banner_has_the_words_that_are_looked_for(keepalived: Path, option: str) -> None:
    said = run(str(keepalived), option)

    assert (said.returncode, said.stdout) == (0, "")
    lines = said.stderr.splitlines()
    assert re.match(r"[kK]eepalived v(.*) ", lines[0])  # Ansible roles
    version = lines[0].split()[1].lstrip("v")  # Neutron
    assert [int(part) for part in version.split(".")] >= [2, 0]
    assert any(line.startswith("configure options:") and "--enable-json" in line for line in lines)
    assert any(line.startswith("Config options:") and " JSON " in line for line in lines)
    assert "Holdfast" in said.stderr
    assert run(str(BIN / "holdfast"), option).stdout.startswith("holdfast ")


def test_two_under_keepalived_s_name_share_no_path(lab: Lab, keepalived: Path) -> None:
    """Neutron and Octavia: hundreds on one host, told apart by their pid files."""
    machines = lab.machines("a", "b")
    for port, net in enumerate(("192.0.2", "198.51.100")):
        lab.cables(lab.switch(f"sw{port}"), *((one, f"eth{port}", f"{net}.{number}/24")
                                              for number, one in enumerate(machines, 1)))
    started = []
    for number, machine in enumerate(machines, 1):
        home = lab.directory / f"router-{number}"
        home.mkdir()
        (home / "keepalived.conf").write_text(pair_config(number, 3 - number, 150 - number))
        pid = home / "keepalived.pid"
        vrrp_pid = home / "keepalived.pid-vrrp"
        process = machine.spawn(keepalived, "-n", "-P", "-l", "-f", home / "keepalived.conf",
                                "-p", pid, "-r", vrrp_pid, log=f"router{number}")
        assert eventually(vrrp_pid.exists, 10) is not None, process.output()
        started.append((home, process, pid, vrrp_pid))
    for home, process, pid, vrrp_pid in started:
        assert int(pid.read_text()) == process.pid
        assert Path(f"/proc/{process.pid}/comm").read_text() == "keepalived\n"
        # Neutron takes a process for its own when the command line names the router.
        child = Path(f"/proc/{int(vrrp_pid.read_text())}/cmdline").read_bytes()
        assert home.name.encode() in child
        assert process.running()
    for _, process, _, _ in started:
        assert process.stop(timeout=5) == 0
