"""`holdfastctl check`: offline it needs neither root nor interfaces; online it sees this host."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.lab.director import BIN, Director
from tests.lab.netns import Lab

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534

DIRECTOR = """vrrp_instance VI_1 {
    interface dummy0
    virtual_router_id 51
    priority %d
    virtual_ipaddress {
        %s
    }
}
"""


def alone(*words: str, setup: str = "", user: int = 0) -> subprocess.CompletedProcess:
    """The words in an empty network namespace, where only lo is, and that is down."""
    command = ["unshare", "--net", "sh", "-c", f'{setup}\nexec "$@"', "sh"]
    if user:
        command += ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    return subprocess.run([*command, str(BIN / "holdfastctl"), *words],
                          capture_output=True, text=True, timeout=60)


@pytest.fixture
def readable(tmp_path: Path) -> Path:
    """A directory that nobody may read."""
    for part in (tmp_path, *tmp_path.parents):
        if part.is_relative_to("/tmp/pytest-of-root") or part.name.startswith("pytest"):
            os.chmod(part, 0o755)
    return tmp_path


@pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces")
def test_offline_check_needs_neither_root_nor_interfaces(readable: Path) -> None:
    config = readable / "a.conf"
    config.write_text(DIRECTOR % (100, "192.0.2.1/24"))

    checked = alone("check", str(config), user=NOBODY)

    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout == f"{config}: no errors, no warnings\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces")
def test_online_check_sees_the_interfaces_of_this_host(readable: Path) -> None:
    config = readable / "a.conf"
    config.write_text(DIRECTOR % (100, "192.0.2.1"))

    missing = alone("check", "--online", str(config), user=NOBODY)
    down = alone("check", "--online", str(config), user=NOBODY,
                 setup="ip link add dummy0 type veth\nip address add 198.51.100.1/24 dev dummy0")
    up = alone("check", "--online", str(config), user=NOBODY,
               setup="ip link add dummy0 type veth\nip link set dummy0 up\n"
                     "ip address add 192.0.2.9/24 dev dummy0")

    assert "there is no interface 'dummy0' on this host" in missing.stdout
    assert "interface 'dummy0' is down" in down.stdout
    assert "192.0.2.1 lies in no network of dummy0 (198.51.100.1/24)" in down.stdout
    assert up.stdout == f"{config}: no errors, no warnings\n"
    assert [run.returncode for run in (missing, down, up)] == [0, 0, 0]


@pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces")
def test_online_check_knows_what_holdfast_itself_holds(tmp_path: Path) -> None:
    with Lab(tmp_path) as lab:
        switch, machine = lab.switch("sw"), lab.machine("a")
        lab.cable(machine, switch, "192.0.2.9/24")
        director = Director(machine, DIRECTOR.replace("dummy0", "eth0") % (100, "192.0.2.1/24"))
        director.start("-P")
        director.wait_for("192.0.2.1")
        held = director.ctl("check", "--online", str(director.config))
        director.kill_everything()
        left = director.ctl("check", "--online", str(director.config))

    assert held.stdout == f"{director.config}: no errors, no warnings\n"
    assert "192.0.2.1 is on eth0 already, and no Holdfast that runs here" in left.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces")
def test_online_check_sees_what_stands_in_an_addresss_way(readable: Path) -> None:
    config = readable / "a.conf"
    config.write_text(DIRECTOR % (100, "192.0.2.1/24\n }\n virtual_ipaddress_excluded {\n"
                                       " 2001:db8::1/64"))
    interface = ("ip link add dummy0 type veth\nip link set dummy0 up\n"
                 "ip address add 192.0.2.9/24 dev dummy0\n")
    switch = "echo {} >/proc/sys/net/ipv6/conf/dummy0/disable_ipv6\n"

    free = alone("check", "--online", str(config), user=NOBODY,
                 setup=interface + switch.format(0))
    taken = alone("check", "--online", str(config), user=NOBODY,
                  setup=interface + switch.format(1) + "ip address add 192.0.2.1/24 dev dummy0")

    assert free.stdout == f"{config}: no errors, no warnings\n"
    assert "IPv6 is switched off on dummy0: 2001:db8::1 cannot be put there" in taken.stdout
    assert "192.0.2.1 is on dummy0 already, and no Holdfast that runs here" in taken.stdout


def check(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(BIN / "holdfastctl"), "check", *words],
                          capture_output=True, text=True, timeout=60)


def test_two_directors_are_compared(tmp_path: Path) -> None:
    first, second = tmp_path / "a.conf", tmp_path / "b.conf"
    first.write_text(DIRECTOR % (150, "192.0.2.1/24"))
    second.write_text((DIRECTOR % (100, "192.0.2.1/24"))
                      .replace("id 51", "id 51\n    advert_int 3"))

    checked = check(str(first), str(second))
    as_json = json.loads(check("--json", str(first), str(second)).stdout)

    assert checked.returncode == 1
    assert f"has 'advert_int 1' here and 3 in {second} line 1" in checked.stdout
    assert checked.stdout.endswith("together: 1 error, no warnings\n")
    assert as_json["errors"] == as_json["together"]["errors"] == 1
    assert [file["errors"] for file in as_json["files"]] == [0, 0]
    assert as_json["files"][0]["model"]


def test_json_holds_findings_and_the_whole_model(tmp_path: Path) -> None:
    config = tmp_path / "a.conf"
    config.write_text((DIRECTOR % (150, "192.0.2.1/24")) + "wrong\n")

    checked = json.loads(check("--json", str(config)).stdout)

    assert (checked["errors"], checked["warnings"]) == (0, 1)
    assert checked["diagnostics"][0]["line"] == 9
    assert "VI_1" in json.dumps(checked["model"])


def test_strict_fails_on_warnings(tmp_path: Path) -> None:
    config = tmp_path / "a.conf"
    config.write_text((DIRECTOR % (150, "192.0.2.1/24")) + "wrong\n")

    assert check(str(config)).returncode == 0
    assert check("--strict", str(config)).returncode == 1


def test_the_check_of_the_daemon_is_coloured_on_a_terminal_only(tmp_path: Path) -> None:
    config = tmp_path / "a.conf"
    config.write_text(DIRECTOR.replace("%d", "high") % "192.0.2.1/24")
    command = [str(BIN / "holdfast"), "-t", "-f", str(config)]
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}

    def on_terminal(environment: dict[str, str]) -> str:
        ours, theirs = pty.openpty()
        try:
            ended = subprocess.run(command, stderr=theirs, env=environment, timeout=60)
            assert ended.returncode == 5  # a mistake, as with keepalived
            return os.read(ours, 65536).decode()
        finally:
            os.close(ours)
            os.close(theirs)

    piped = subprocess.run(command, capture_output=True, text=True, env=plain, timeout=60)

    assert "\x1b[1;35mwarning" in on_terminal(plain)
    assert "\x1b" not in on_terminal({**plain, "NO_COLOR": "1"})
    assert "not 'high'" in piped.stderr and "\x1b" not in piped.stderr


def test_a_file_with_errors_is_not_compared(tmp_path: Path) -> None:
    whole, broken = tmp_path / "a.conf", tmp_path / "b-broken.conf"
    whole.write_text(DIRECTOR % (150, "192.0.2.1/24"))
    broken.write_text((DIRECTOR % (100, "192.0.2.1/24")).replace("id 51", "id 999"))

    checked = check(str(whole), str(broken))

    assert checked.returncode == 1
    assert checked.stdout.endswith(f"together: not compared: {broken} has errors\n")
    assert json.loads(check("--json", str(whole), str(broken)).stdout)["not_compared"] == [
        f"{broken} has errors"]


def test_the_same_file_twice_is_not_compared(tmp_path: Path) -> None:
    config, link = tmp_path / "a.conf", tmp_path / "link.conf"
    config.write_text(DIRECTOR % (150, "192.0.2.1/24"))
    link.symlink_to(config)

    for other in (config, link):
        assert check(str(config), str(other)).stdout.endswith(
            f"together: not compared: {config} is the same file twice\n")


def test_one_file_for_two_directors_is_read_as_each_of_them(tmp_path: Path) -> None:
    config = tmp_path / "two.conf"
    config.write_text((DIRECTOR % (150, "192.0.2.1/24"))
                      .replace("    priority 150", "    @lb1 priority 150\n    @lb2 priority 90"))

    both = check("-i", "lb1", "-i", "lb2", str(config), str(config))
    twice = check("-i", "lb1", "-i", "lb1", str(config), str(config))
    one = check("-i", "lb1", str(config), str(config))
    many = check("-i", "lb1", "-i", "lb2", str(config))

    assert both.returncode == 0
    assert both.stdout == (f"{config} (lb1): no errors, no warnings\n"
                           f"{config} (lb2): no errors, no warnings\n"
                           "together: no errors, no warnings\n")
    assert "is the same file twice" in twice.stdout
    assert "is the same file twice" in one.stdout
    assert (many.returncode, many.stdout) == (1, "")
    assert "-i is there 2 times for 1 file:" in many.stderr


def test_strict_says_why_it_refuses(tmp_path: Path) -> None:
    config = tmp_path / "a.conf"
    config.write_text((DIRECTOR % (150, "192.0.2.1/24")) + "wrong\n")

    assert check("--strict", str(config)).stdout.endswith("\nrefused, because of --strict\n")
    assert "refused" not in check(str(config)).stdout
    json.loads(check("--strict", "--json", str(config)).stdout)


def test_hints_are_told_from_mistakes(tmp_path: Path) -> None:
    config = tmp_path / "a.conf"
    hint = "global_defs {\n enable_snmp_rfc\n}\n"
    config.write_text(hint + DIRECTOR % (150, "192.0.2.1/24"))
    only_hints = check("--strict", str(config))
    config.write_text(hint + (DIRECTOR % (150, "192.0.2.1/24")) + "wrong\n")
    both = json.loads(check("--json", str(config)).stdout)

    assert only_hints.returncode == 1
    assert only_hints.stdout.endswith("\nrefused, because of --strict; none of the warnings is a "
                                      "mistake, only old or without effect in this version\n")
    assert [one["kind"] for one in both["diagnostics"]] == ["hint", "mistake"]


def test_help_is_a_command() -> None:
    helped = subprocess.run([str(BIN / "holdfastctl"), "help"],
                            capture_output=True, text=True, timeout=60)

    assert (helped.returncode, helped.stderr) == (0, "")
    assert "convert" in helped.stdout
