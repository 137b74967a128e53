"""Reloads on trial, reloads that remove too much, and keepalived's files around a reload.

The children are scripted (holdfast_scripted): what is asked here is what the watchdog decides.
"""
import datetime
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time

import pytest

from tests.netns.watchdog_support import BOTH, Director

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")


@pytest.fixture
def director():
    with tempfile.TemporaryDirectory(prefix="hf-reload-") as name:
        it = Director(pathlib.Path(name))
        yield it
        it.end()


def with_globals(*words, rest=BOTH):
    return "global_defs {\n" + "".join(f"    {word}\n" for word in words) + "}\n" + rest


CHANGED = BOTH.replace("priority 100", "priority 150")


# ---- --confirm-within ---------------------------------------------------------------------------

def test_a_reload_reports_what_is_different(director):
    director.start()
    director.config.write_text(CHANGED)

    done = director.ctl("reload")

    assert done.returncode == 0, done
    assert done.stdout == ("generation 2 is in use:\n"
                           "  vrrp_instance VI_1: priority 100 → 150\n"), done
    assert director.ctl("reload").stdout == "generation 3 is in use; nothing is different\n"
    assert "watchdog-changes: vrrp_instance VI_1: priority 100 → 150" in director.log()


def kill_the_parent_in_a_trial(director, seconds):
    director.start()
    director.config.write_text(CHANGED)
    assert director.ctl("reload", "--confirm-within", f"{seconds}s").returncode == 0
    trial = director.run_dir / "trial"
    assert trial.stat().st_mode & 0o777 == 0o600
    director.process.kill()
    director.process.wait()


def trial_of(director):
    return director.status().get("confirmation") or {}


def running_priority(director):
    plan = director.ctl("plan")  # the file against what runs
    return 100 if "priority 100 → 150" in plan.stdout else 150


def test_a_trial_outlives_its_parent(director):
    kill_the_parent_in_a_trial(director, 6)
    begun = time.monotonic()
    director.process = subprocess.Popen(director.command("-n", "-l"), env=director.env,
                                        stderr=director.stderr)
    director.wait_for(lambda: trial_of(director).get("former_generation") == 1, "trial")
    assert running_priority(director) == 150

    director.wait_for(lambda: director.status()["generation"] == 3, "return")

    assert time.monotonic() - begun < 6.5
    assert running_priority(director) == 100
    assert not (director.run_dir / "trial").exists()


def test_a_trial_that_ran_out_without_a_parent_is_not_begun_again(director):
    kill_the_parent_in_a_trial(director, 1)
    time.sleep(1.2)
    director.process = subprocess.Popen(director.command("-n", "-l"), env=director.env,
                                        stderr=director.stderr)
    director.wait_for(lambda: director.status()["generation"] == 2, "start")
    assert running_priority(director) == 100
    assert "its time ran out while no parent ran" in director.log()
    director.signal(signal.SIGHUP)  # the operator means it now
    director.wait_for(lambda: running_priority(director) == 150, "reload")


def test_confirmed_or_stopped_a_trial_is_over_for_the_next_parent(director):
    for end in ("confirm", "stop"):
        director.config.write_text(BOTH)
        director.start()
        director.config.write_text(CHANGED)
        assert director.ctl("reload", "--confirm-within", "2s").returncode == 0
        assert director.ctl(end).returncode == 0
        if end == "confirm":
            director.process.kill()
        director.process.wait(30)
        director.start()
        time.sleep(2.2)
        assert director.status()["generation"] == 1 and running_priority(director) == 150
        director.end()


@pytest.mark.parametrize("spoilt", ["another owner", "readable", "half", "link", "another file"])
def test_what_others_put_in_place_of_a_trial_does_not_count(director, spoilt):
    kill_the_parent_in_a_trial(director, 60)
    trial = director.run_dir / "trial"
    whole = trial.read_bytes()
    if spoilt == "another owner":
        os.chown(trial, 65534, 65534)
    elif spoilt == "readable":
        trial.chmod(0o644)
    elif spoilt == "half":
        trial.write_bytes(whole[:len(whole.split(b"\n")[0]) + 8])
    elif spoilt == "link":
        trial.rename(director.dir / "elsewhere")
        trial.symlink_to(director.dir / "elsewhere")
    else:
        director.config = director.config.rename(director.dir / "other.conf")
    director.start()
    assert director.status()["confirmation"] is None
    assert ("watchdog-trial-file" in director.log()) == (spoilt != "another file")


def test_without_confirmation_the_former_configuration_returns(director):
    director.start()
    director.config.write_text(CHANGED)

    done = director.ctl("reload", "--confirm-within", "2s")

    assert done.returncode == 0, done
    assert "keep this one with: holdfastctl confirm" in done.stdout
    trial = director.status()["confirmation"]
    assert trial["generation"] == 2 and trial["former_generation"] == 1
    assert 0 < trial["left_ms"] <= 2000
    assert "generation 2 is on trial: generation 1 returns in" in director.ctl("status").stdout
    director.wait_for(lambda: director.status()["generation"] == 3, "the return", 10)
    assert director.status()["confirmation"] is None
    assert director.said("vrrp")[-2:] == ["prepare 3 sealed", "commit 3"]
    assert director.said("checkers")[-2:] == ["prepare 3 sealed", "commit 3"]
    assert "generation 2 was not confirmed" in director.status()["last_reload"]["message"]
    # What came back is the old text, not the file: the plan from it to the file is the change.
    plan = director.ctl("plan")
    assert plan.returncode == 3 and "VI_1: priority 100 → 150" in plan.stdout, plan


def says_that_nothing_changes(director) -> bool:
    plan = director.ctl("plan")
    # It fails all the same: these children play a script, and cannot rehearse.
    return "nothing changes" in plan.stdout and plan.returncode == 1


@pytest.mark.parametrize("words", (("confirm",), ("reload", "--confirm")), ids=" ".join)
def test_confirmed_it_stays(director, words):
    director.start()
    director.config.write_text(CHANGED)
    assert director.ctl("reload", "--confirm-within", "2").returncode == 0

    done = director.ctl(*words)

    assert done.returncode == 0 and done.stdout == "generation 2 stays\n", done
    time.sleep(2.5)
    assert director.status()["generation"] == 2
    assert says_that_nothing_changes(director)


def test_given_up_by_hand_it_returns_at_once(director):
    director.start()
    director.config.write_text(CHANGED)
    assert director.ctl("reload", "--confirm-within", "1h").returncode == 0

    done = director.ctl("revert")

    assert done.returncode == 0, done
    assert "in use again, as generation 3" in done.stdout
    assert director.status()["generation"] == 3


def test_confirm_and_revert_without_a_trial_say_so(director):
    director.start()
    for word in ("confirm", "revert"):
        done = director.ctl(word)
        assert done.returncode == 1 and "no configuration awaits confirmation" in done.stderr


def test_a_second_reload_meanwhile_is_answered_and_changes_nothing(director):
    director.start()
    director.config.write_text(CHANGED)
    assert director.ctl("reload", "--confirm-within", "1m").returncode == 0
    steps = director.steps("vrrp")

    done = director.ctl("reload")
    director.signal(signal.SIGHUP)

    assert done.returncode == 1
    assert "generation 2 awaits confirmation for another" in done.stderr, done
    assert "holdfastctl confirm" in done.stderr
    director.wait_for(lambda: "watchdog-reload-not-taken" in director.log(), "the answer to HUP")
    assert director.steps("vrrp") == steps
    assert director.ctl("confirm").returncode == 0
    assert director.ctl("reload").returncode == 0


@pytest.mark.parametrize("role", ("vrrp", "checkers"))
def test_a_child_that_is_killed_meanwhile_does_not_stop_the_countdown(director, role):
    director.start()
    director.config.write_text(CHANGED)
    assert director.ctl("reload", "--confirm-within", "4s").returncode == 0
    began = time.monotonic()

    os.kill(director.child(role)["pid"], signal.SIGKILL)

    director.wait_for(lambda: director.child(role)["generation"] == 2, "its successor", 3)
    assert director.status()["confirmation"] is not None
    director.wait_for(lambda: director.status()["generation"] == 3, "the return", 10)
    assert 3.5 < time.monotonic() - began < 7


def test_a_configuration_that_kills_the_vrrp_process_returns_before_the_time(director):
    director.start()
    director.config.write_text(CHANGED)
    director.behave("vrrp", "crash-after-commit")

    assert director.ask("reload", confirm_within_ms=600_000)["ok"]
    director.wait_for(lambda: "the generation on trial is given up" in director.log(), "it", 40)
    director.behave("vrrp", "")

    director.wait_for(lambda: director.child("vrrp")["generation"] >= 3
                      and director.status()["confirmation"] is None, "the return", 40)
    assert director.process.poll() is None


def test_a_refused_reload_leaves_nothing_on_trial(director):
    director.start()
    director.behave("checkers", "refuse too many services")

    done = director.ctl("reload", "--confirm-within", "1m")

    assert done.returncode == 1 and "too many services" in done.stderr
    assert director.status()["confirmation"] is None


# ---- reload_limit -------------------------------------------------------------------------------


def limited(*servers):
    pool = "".join(f"    real_server 192.0.2.{n} 80 {{\n weight 1\n }}\n" for n in servers)
    return with_globals("reload_limit 25", rest=BOTH.replace(
        "    real_server 192.0.2.10 80 { TCP_CHECK { connect_timeout 1 } }\n", pool))


def test_a_reload_that_removes_too_much_is_refused_unless_forced(director):
    director.config.write_text(limited(10, 11, 12, 13))
    director.start()
    director.config.write_text(limited(10, 11, 12))
    assert director.ctl("reload").returncode == 0, "a quarter is allowed"
    steps = director.steps("vrrp"), director.steps("checkers")
    director.config.write_text(limited(10))

    plan, refused = director.ctl("plan"), director.ctl("reload")

    assert plan.returncode == 3 and "will be refused: " in plan.stdout, plan
    assert refused.returncode == 1
    assert "removes 2 of 3 servers, more than the 25 %" in refused.stderr, refused
    assert (director.steps("vrrp"), director.steps("checkers")) == steps
    assert director.status()["generation"] == 2
    assert director.ctl("reload", "--force").returncode == 0
    assert says_that_nothing_changes(director)


def test_a_file_that_lost_its_limit_with_the_rest_is_refused_too(director):
    director.config.write_text(limited(10, 11, 12, 13))
    director.start()
    before_services = limited(10, 11, 12, 13).split("virtual_server")[0]
    director.config.write_text(before_services.split("}\n", 1)[1])

    refused = director.ctl("reload")

    assert refused.returncode == 1 and "removes 4 of 4 servers" in refused.stderr, refused


# ---- reload_time_file, reload_file, reload_check_config -----------------------------------------

def in_seconds(seconds, form="%H:%M:%SZ"):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime(form)


def test_a_file_with_a_time_reloads_then_and_is_removed(director):
    moment = director.dir / "at"
    director.config.write_text(with_globals(f"reload_time_file {moment}"))
    director.start()
    assert director.status()["planned_reload_at"] is None

    moment.write_text(in_seconds(3) + "\n")

    director.wait_for(lambda: director.status()["planned_reload_at"], "the plan", 3)
    planned = datetime.datetime.fromisoformat(director.status()["planned_reload_at"][:-5])
    director.wait_for(lambda: director.status()["generation"] == 2, "the reload", 8)
    late = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - planned
    assert 0 <= late.total_seconds() < 1.5
    assert not moment.exists()
    assert director.status()["planned_reload_at"] is None


def test_a_time_that_is_taken_back_or_rewritten_is_followed(director):
    moment = director.dir / "at"
    moment.write_text(in_seconds(3600))
    director.config.write_text(with_globals(f"reload_time_file {moment}"))
    director.start()
    director.wait_for(lambda: director.status()["planned_reload_at"], "the plan", 3)

    moment.unlink()
    director.wait_for(lambda: director.status()["planned_reload_at"] is None, "no plan", 3)
    moment.write_text("tomorrow\n")
    director.wait_for(lambda: "does not begin with HH:MM:SS" in director.log(), "the warning", 3)
    other = director.dir / "new"
    other.write_text(in_seconds(2, "%Y-%m-%d %H:%M:%SZ"))
    other.rename(moment)

    director.wait_for(lambda: director.status()["generation"] == 2, "the reload", 6)


def test_reload_repeat_keeps_the_file_for_tomorrow(director):
    moment = director.dir / "at"
    director.config.write_text(with_globals(f"reload_time_file {moment}", "reload_repeat"))
    director.start()
    moment.write_text(in_seconds(2))

    director.wait_for(lambda: director.status()["generation"] == 2, "the reload", 6)

    assert moment.exists()
    director.wait_for(lambda: director.status()["planned_reload_at"], "the plan for tomorrow", 3)
    again = datetime.datetime.fromisoformat(director.status()["planned_reload_at"][:-5])
    away = again - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    assert away > datetime.timedelta(hours=23)


def test_reload_file_is_there_exactly_while_the_configuration_is_read(director):
    sign = director.dir / "reading"
    text = with_globals(f"reload_file {sign}")
    director.config.write_text(text)
    director.start()
    assert not sign.exists()
    sign.write_text("a writer waits\n")
    director.config.unlink()
    os.mkfifo(director.config)
    pipe = os.open(director.config, os.O_RDWR | os.O_NONBLOCK)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(director.ask("reload")), daemon=True)
    waiting.start()

    # The loader waits for the pipe; meanwhile the sign is there, and empty.
    director.wait_for(lambda: sign.stat().st_size == 0, "the empty sign", 5)
    assert not answers
    time.sleep(0.5)  # until the loader has opened the pipe
    os.write(pipe, text.encode())
    os.close(pipe)
    waiting.join(20)

    assert answers and answers[0]["ok"], answers
    assert not sign.exists()


def test_reload_file_goes_when_nothing_will_be_read(director):
    sign = director.run_dir / "keepalived.reload"  # the default path
    director.config.write_text(with_globals("reload_file"))
    director.start()
    assert director.ctl("reload", "--confirm-within", "1m").returncode == 0
    sign.write_text("a writer waits\n")

    assert director.ctl("reload").returncode == 1

    assert not sign.exists()


def test_reload_check_config_writes_what_was_found(director):
    log = director.dir / "check.log"
    director.config.write_text(with_globals(f"reload_check_config {log}"))
    director.start()
    director.config.write_text(BOTH.replace("virtual_router_id 51", "virtual_router_id 999"))
    assert not director.ask("reload")["ok"]

    assert "director.conf:4:" in log.read_text()
    assert log.read_text().endswith("director.conf: cannot be used\n")
    director.config.write_text(with_globals(f"reload_check_config {log}"))
    assert director.ask("reload")["ok"]
    assert log.read_text().endswith("director.conf: can be used\n")


def checked(*lines):
    return with_globals("reload_check_config", *lines)


def test_reload_check_config_refuses_a_reload_with_a_new_mistake_unless_forced(director):
    director.config.write_text(checked())
    director.start()
    for text in (checked().replace("priority 100", "priority high"),
                 BOTH.replace("priority 100", "priority high")):  # the word is lost with it
        director.config.write_text(text)
        refused = director.ctl("reload")
        assert refused.returncode == 1, refused
        assert "'reload_check_config' refuses 1 warning that" in refused.stderr
        assert "must be a number from 1 to 255, not 'high'" in refused.stderr
        assert "holdfastctl reload --force" in refused.stderr
    assert director.status()["generation"] == 1

    director.config.write_text(checked().replace("priority 100", "priority high"))
    assert director.ctl("reload", "--force").returncode == 0
    # What runs already is no reason: nothing becomes worse.
    director.config.write_text("# moved\n" + director.config.read_text())
    assert director.ctl("reload").returncode == 0
    second = director.config.read_text().replace("delay_loop 5", "delay_loop often")
    director.config.write_text(second)
    assert "refuses 1 warning that" in director.ctl("reload").stderr


def test_reload_check_config_does_not_count_what_holdfast_does_not_do_yet(director):
    director.config.write_text(checked())
    director.start()
    director.config.write_text(checked("enable_snmp_rfcv2", "enable_snmp_rfc"))

    done = director.ctl("reload")

    assert done.returncode == 0, done
    assert "Holdfast does not" in done.stdout + done.stderr + director.log()


def test_without_reload_check_config_a_mistake_is_a_warning_of_the_reload(director):
    director.start()
    director.config.write_text(BOTH.replace("priority 100", "priority high"))

    done = director.ctl("reload")

    assert done.returncode == 0, done
    assert "not 'high'" in done.stdout + done.stderr


# ---- who may read what runs ---------------------------------------------------------------------

def test_the_running_configuration_is_for_those_who_may_change_it(director):
    director.dir.chmod(0o755)
    director.start()
    answer = director.ask("configuration")
    assert answer["generation"] == 1 and len(answer["snapshot"]) > 100
    ended = subprocess.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps=-all", "/usr/bin/python3",
         "-c",
         "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
         "s.sendall(b'{\"command\":\"configuration\"}\\n'); print(s.recv(4096).decode())",
         str(director.run_dir / "watchdog.sock")], text=True, capture_output=True, timeout=20)
    assert '"error"' in ended.stdout and "snapshot" not in ended.stdout, ended


# ---- default files ------------------------------------------------------------------------------

def test_without_any_configuration_every_path_is_named():
    script = ("mount -t tmpfs none /etc/keepalived; mkdir -p /etc/holdfast;"
              "mount -t tmpfs none /etc/holdfast; exec \"$@\"")
    from tests.lab.director import BIN
    for words, code in (((BIN / "holdfast", "-t"), 6), ((BIN / "holdfast", "-n"), 6),
                        ((BIN / "holdfastctl", "check"), 1)):
        ended = subprocess.run(["unshare", "-mn", "sh", "-c", script, "sh", *map(str, words)],
                               text=True, capture_output=True, timeout=30)
        assert ended.returncode == code, ended
        for path in ("/etc/holdfast/holdfast.conf", "/etc/keepalived/keepalived.conf"):
            assert path in ended.stderr, ended
