"""The articles' ipvsadm commands, word for word, given to Holdfast under ipvsadm's name on one
machine and to ipvsadm itself on another: equal tables, equal lists, equal exit codes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.director import BIN
from tests.lab.netns import Lab, Namespace

# In the order of the articles; after each the two kernels are compared.
COMMANDS = (
    "-C",
    "-A -t 192.168.132.254:80 -s rr -p 120",
    "-a -t 192.168.132.254:80 -r 192.168.132.64:80 -g",
    "-a -t 192.168.132.254:80 -r 192.168.132.68:80 -g",
    "-A -t 192.168.1.200:8099 -s wlc",
    "-a -t 192.168.1.200:8099 -r 192.168.1.67:8099 -i -w 2",
    "-a -t 192.168.1.200:8099 -r 192.168.1.68:8099 -i -w 1",
    "-A -t 192.168.1.100:80 -s rr",
    "-E -t 192.168.1.100:80 -s wlc",
    "-a -t 192.168.1.100:80 -r 192.168.1.11 -g",
    "-e -t 192.168.1.100:80 -r 192.168.1.11 -w 5",
    "-e -t 192.168.1.100:80 -r 192.168.1.11 -g -x 100 -y 50",
    "-a -t 192.168.1.100:80 -r 192.168.0.10:80 -m",
    "-e -t 192.168.1.100:80 -r 192.168.0.10:80 -i",
    "-d -t 192.168.1.100:80 -r 192.168.1.11",
    "-D -t 192.168.1.100:80",
    "-A -t 172.25.254.100:80 -s rr",
    "-E -t 172.25.254.100:80 -s wrr",
    "-E -t 172.25.254.100:80 -s wrr -p 360",
    "-A -u 192.168.1.53:53 -s sh -b sh-port -o",
    "-a -u 192.168.1.53:53 -r 10.0.0.1:5353 -m",
    "-A -f 6666 -s rr",
    "-a -f 6666 -r 192.168.0.10 -g",
    "-a -f 6666 -r 192.168.0.20 -g",
    "-E -f 6666 -s rr -p 3000",
    "-A -f 66 -s rr",
    "-D -f 66",
    "-A -t [2001:db8::80]:443 -s wrr -p 60 -M 64",
    "-a -t [2001:db8::80]:443 -r [2001:db8::1]:443 -m -w 3",
)
# What the kernel or the program refuses, with ipvsadm's exit code.
REFUSED = (
    "-A -f 6666 -s rr",
    "-D -t 192.0.2.9:80",
    "-d -f 6666 -r 192.0.2.9",
    "-E -t 192.0.2.9:80 -s rr",
    "-a -f 6666 -r 192.168.0.10 -g",
    "-A -t 192.0.2.9:80 -s nosuch",
    "-A -s rr",
)
LISTS = ("-Ln", "-ln", "-L -n --stats", "-Ln --rate", "-Ln --thresholds", "-L -n -t "
         "192.168.1.200:8099", "-L -n -f 6666", "-L --timeout", "-L --daemon")


@pytest.fixture
def named(lab: Lab) -> dict[str, Path]:
    """The program under ipvsadm's names, as alternatives make them."""
    names = {}
    for name in ("ipvsadm", "ipvsadm-save", "ipvsadm-restore"):
        names[name] = lab.directory / name
        names[name].symlink_to(BIN / "holdfastctl")
    return names


def saved(machine: Namespace) -> tuple[list[str], ...]:
    return tuple(sorted(machine.run("ipvsadm", *words).stdout.splitlines())
                 for words in (("-Sn",), ("-Ln", "--thresholds")))


def test_the_articles_commands_do_the_same(lab: Lab, named: dict[str, Path]) -> None:
    ours, theirs = lab.machines("ours", "theirs")
    for command in COMMANDS:
        done = ours.run(str(named["ipvsadm"]), *command.split(), check=False)
        theirs.run("ipvsadm", *command.split())
        assert done.returncode == 0 and not done.stderr, (command, done)
        assert saved(ours) == saved(theirs), command

    for command in REFUSED:
        codes = [machine.run(program, *command.split(), check=False).returncode
                 for machine, program in ((ours, str(named["ipvsadm"])), (theirs, "ipvsadm"))]
        assert codes[0] == codes[1] != 0, (command, codes)
    assert saved(ours) == saved(theirs)

    for words in LISTS:
        # The order of services in ipvsadm's list is that of the kernel's table.
        lists = [sorted(ours.run(program, *words.split()).stdout.splitlines())
                 for program in (str(named["ipvsadm"]), "ipvsadm")]
        assert lists[0] == lists[1], words
    assert ours.run(str(named["ipvsadm"])).stdout.startswith("IP Virtual Server version 1.2.1")

    # Saved, cleared, restored; and what changed meanwhile is said.
    before = saved(ours)
    rules = ours.run(str(named["ipvsadm-save"]), "-n").stdout
    file = lab.directory / "rules"
    file.write_text(rules, encoding="ascii")
    ours.run(str(named["ipvsadm"]), "-C")
    assert saved(ours)[0] == []
    ctl = str(BIN / "holdfastctl")
    assert ours.run(ctl, "ipvs", "--diff", str(file), check=False).returncode == 3
    ours.run(str(named["ipvsadm-restore"]), stdin=rules)
    assert saved(ours) == before
    ours.run(ctl, "ipvs", "--diff", str(file))
    ours.run(ctl, "ipvs", "-e", "-f", "6666", "-r", "192.168.0.10", "-g", "-w", "7")
    told = ours.run(ctl, "ipvs", "--diff", str(file), check=False)
    assert told.returncode == 3 and "has weight 7, should have 1" in told.stdout, told
