"""What a director said: events from memory, log files, JSON lines, and the bundle for a helper."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator

import pytest

from tests.lab.director import BIN, Director
from tests.lab.netns import Lab, Namespace, eventually

SECRET = "s3cr3tpw"
SHORT_SECRET = "q7z"
URL_SECRET = "urlpw99"
SAMPLE = f"""
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    version 3
    priority 150
    advert_int 0.2
    authentication {{
        auth_type PASS
        auth_pass {SECRET}
    }}
    virtual_ipaddress {{
        10.9.0.200/24
    }}
}}
virtual_server 10.9.0.200 80 {{
    delay_loop 60
    lb_algo rr
    lb_kind NAT
    real_server 10.9.0.9 80 {{
        TCP_CHECK {{
            connect_timeout 1
        }}
    }}
}}
"""
MORE_SECRETS = f"""
vrrp_script chk_page {{
    script "/bin/true http://admin:{URL_SECRET}@127.0.0.1/"
    interval 60
}}
vrrp_instance VI_2 {{
    interface eth0
    virtual_router_id 52
    version 3
    advert_int 0.2
    authentication {{
        auth_type PASS
        auth_pass {SHORT_SECRET}
    }}
    track_script {{
        chk_page
    }}
    virtual_ipaddress {{
        10.9.0.201/24
    }}
}}
"""


@pytest.fixture
def machine(lab: Lab) -> Namespace:
    switch = lab.switch("sw")
    made = lab.machine("a")
    lab.cables(switch, (made, "eth0", "10.9.0.1/24"))
    return made


@pytest.fixture
def director(machine: Namespace) -> Iterator[Director]:
    made = Director(machine, SAMPLE)
    made.start("-G", "-g", str(made.directory / "all.log"), "--log-format", "json")
    assert eventually(lambda: made.state("VI_1") == "MASTER", 10) is not None, made.log()
    yield made


def ids(director: Director, *words: str) -> list[str]:
    done = director.ctl("events", "--json", *words, check=True)
    return [json.loads(line)["id"] for line in done.stdout.splitlines()]


def test_events_are_there_without_a_log_and_go_on_over_a_restart(director: Director) -> None:
    assert {"watchdog-started", "vrrp-state", "vrrp-configured"} <= set(ids(director))
    told = director.ctl("events", "--id", "vrrp-state").stdout.splitlines()
    assert [line.split(": ", 1)[1].split(" after")[0][:24] for line in told] == [
        "VI_1: INIT → BACKUP: sta", "VI_1: BACKUP → MASTER: n"], told
    moments = [line.split()[0] for line in director.ctl("events").stdout.splitlines()
               if line.startswith("20")]
    assert moments == sorted(moments)

    follower = director.machine.spawn(
        BIN / "holdfastctl", "--run-dir", director.directory, "events", "--follow", "--id", "vrrp-",
        log="followed")
    assert eventually(lambda: "vrrp-state" in follower.output(), 5) is not None
    first = director.role_pid("vrrp")
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: follower.output().count("vrrp-started") == 2, 10) is not None, (
        follower.output())
    assert follower.output().count("BACKUP → MASTER") == 1  # nothing twice
    os.kill(follower.pid, signal.SIGINT)


def test_each_process_writes_a_file_that_may_be_rotated(director: Director) -> None:
    directory = director.directory
    names = {"holdfast": "all.log", "vrrp": "all_vrrp.log", "checkers": "all_healthcheckers.log"}
    for process, name in names.items():
        lines = [json.loads(line) for line in (directory / name).read_text("utf-8").splitlines()]
        assert lines and {line["process"] for line in lines} == {process}
        assert (directory / name).stat().st_mode & 0o777 == 0o640
    console = [json.loads(line) for line in director.log().splitlines()]
    assert {line["process"] for line in console} >= {"holdfast", "vrrp", "checkers"}

    (directory / "all.log").rename(directory / "all.log.1")
    time.sleep(1.1)  # the name is looked at once a second
    director.write_config(SAMPLE.replace("priority 150", "priority 151"))
    assert director.ctl("reload").returncode == 0
    assert eventually(lambda: (directory / "all.log").exists()
                      and "watchdog-reload" in (directory / "all.log").read_text("utf-8"),
                      5) is not None


def test_a_file_of_somebody_else_is_said_and_the_former_one_goes_on(director: Director) -> None:
    file, former = director.directory / "all.log", director.directory / "all.log.1"
    file.rename(former)
    file.touch(0o640)
    os.chown(file, 65534, 65534)  # as logrotate's `create 0640 nobody nogroup` does
    time.sleep(1.1)
    assert director.ctl("reload").returncode == 0
    said = f"cannot open the log file {file}: Permission denied; lines go into the former file"
    assert eventually(lambda: former.read_text("utf-8").count(said) == 1, 5) is not None
    assert director.log().count(said) == 1
    assert said in director.ctl("events", "--id", "log-file").stdout

    os.chown(file, 0, 0)
    time.sleep(1.1)
    assert director.ctl("reload").returncode == 0
    assert eventually(lambda: "log-file-back" in file.read_text("utf-8"), 5) is not None


def test_names_that_are_no_utf8_hide_nothing(director: Director) -> None:
    other = SAMPLE.replace("router_id 51", "router_id 53").encode("utf-8")
    pipe = b"global_defs {\n notify_fifo %s/f\xfc\n}\n" % str(director.directory).encode("utf-8")
    director.config.write_bytes(pipe + other.replace(b"VI_1", b"V\xfcI"))
    assert director.ctl("reload").returncode == 0
    name = "V\ufffdI"
    assert eventually(lambda: f"{name}: BACKUP → MASTER" in director.ctl("events").stdout,
                      5) is not None, director.ctl("events")
    assert director.status("vrrp")["instances"][0]["name"] == name
    pipes = director.status("watchdog")["notifications"]["pipes"]
    assert [pipe["path"] for pipe in pipes] == [f"{director.directory}/f\ufffd"]
    logged = (director.directory / "all_vrrp.log").read_bytes().decode("utf-8", errors="strict")
    assert f"{name}: BACKUP → MASTER" in logged


def test_a_process_that_tells_nothing_is_named(director: Director) -> None:
    path = director.directory / "checkers.sock"
    path.rename(director.directory / "hidden.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def answer() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(4096)
                client.sendall(b"no object\n")

        answering = threading.Thread(target=answer)
        answering.start()
        done = director.ctl("events")
        answering.join()
    assert done.returncode == 0 and "vrrp-state" in done.stdout, done
    assert done.stderr == f"checkers: the answer of {path} is not a JSON object\n", done


def test_others_are_told_no_events(director: Director) -> None:
    os.chmod(director.directory, 0o755)
    done = director.machine.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                str(BIN / "holdfastctl"), "--run-dir", str(director.directory),
                                "events", check=False)
    assert done.returncode == 1 and "root" in done.stderr, done


def test_the_bundle_has_everything_but_secrets(director: Director) -> None:
    director.write_config(SAMPLE + MORE_SECRETS)
    assert director.ctl("reload").returncode == 0
    archive = director.directory / "bundle.tar.gz"
    done = director.ctl("support-bundle", "-o", str(archive))
    assert done.returncode == 0 and str(archive) in done.stdout, done
    assert archive.stat().st_mode & 0o777 == 0o600
    with tarfile.open(archive) as tar:
        files = {member.name.split("/", 1)[1]: tar.extractfile(member).read()
                 for member in tar.getmembers() if member.isfile()}
    for secret in SECRET, URL_SECRET, f"auth_pass {SHORT_SECRET}":
        assert not [name for name, text in files.items() if secret.encode() in text], secret
    assert files["configuration.txt"].count(b"auth_pass ****\n") == 2
    assert b"http://admin:****@127.0.0.1/" in files["configuration.txt"]
    for words in files["README.txt"].decode(), done.stdout:
        assert "command lines" in words, words
    assert b"10.9.0.200" in files["addresses.txt"] and b"MASTER" in files["status.txt"]
    assert json.loads(files["status.json"])["vrrp"]["instances"][0]["name"] == "VI_1"
    assert b"vrrp-state" in files["events.txt"] and b"nothing changes" in files["plan.txt"]
    listed = {line.split(":")[0] for line in files["README.txt"].decode().splitlines()
              if ".txt:" in line or ".json:" in line}
    assert listed == files.keys() - {"README.txt"}

    again = director.ctl("support-bundle", "-o", str(archive))
    assert again.returncode == 1 and "File exists" in again.stderr
    assert subprocess.run(["tar", "-tzf", archive], check=True, capture_output=True).stdout


def test_a_bundle_without_a_director_says_so(machine: Namespace, tmp_path) -> None:
    archive = tmp_path / "bundle.tar.gz"
    done = machine.run(str(BIN / "holdfastctl"), "--run-dir", str(tmp_path), "support-bundle",
                       "-o", str(archive), check=False)
    assert done.returncode == 0, done
    listing = subprocess.run(["tar", "-xzf", archive, "-O", "--wildcards", "*/README.txt"],
                             check=True, capture_output=True, text=True).stdout
    assert "No configuration: no holdfast answered" in listing
