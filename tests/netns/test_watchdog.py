import os
import resource
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

import pytest

from tests.netns.watchdog_support import BINARY, BOTH, Director, is_alive

pytestmark = pytest.mark.skipif(os.geteuid() != 0,
                                reason="needs root for namespaces and other users")
AS_NOBODY = ("setpriv", "--reuid", "65534", "--clear-groups")
WITHOUT_RIGHTS = (*AS_NOBODY, "--inh-caps=-all")


@pytest.fixture
def director():
    # Not below tmp_path: its parents are closed to other users, whom some of these tests are about.
    with tempfile.TemporaryDirectory(prefix="hf-watchdog-") as name:
        directory = pathlib.Path(name)
        directory.chmod(0o755)
        it = Director(directory)
        yield it
        it.end()


# ---- bad input ----------------------------------------------------------------------------------

def test_no_file_is_exit_6_and_names_the_file(director):
    director.config.unlink()
    for options in (("-n",), ("-t",), ()):
        ended = director.call(*options)
        assert ended.returncode == 6, ended
        assert "director.conf" in ended.stderr


def test_a_directory_as_file_is_exit_6(director):
    director.config.unlink()
    director.config.mkdir()
    for options in (("-n",), ("-t",)):
        ended = director.call(*options)
        assert ended.returncode == 6, ended
        assert "director.conf" in ended.stderr


def test_a_file_that_cannot_be_read_is_exit_6_without_privileges(director):
    director.config.chmod(0o600)
    ended = subprocess.run([*WITHOUT_RIGHTS, str(BINARY), "-t", "-f", str(director.config)],
                           text=True, capture_output=True, timeout=30)
    assert ended.returncode == 6, ended
    assert "ermission" in ended.stderr


def test_the_loader_reads_a_file_that_only_root_may_read(director):
    director.config.chmod(0o600)
    director.start()


def test_syntax_errors_are_exit_2_with_file_and_line_and_5_under_t(director):
    director.config.write_text("vrrp_instance VI_1 {\n  interface\n}\n")
    for options, code in ((("-n",), 2), ((), 2), (("-t",), 5)):
        ended = director.call(*options)
        assert ended.returncode == code, ended
        assert "director.conf:2:" in ended.stderr
    assert director.steps("vrrp") == []


def test_config_test_writes_to_its_log_file_and_needs_no_root(director, tmp_path):
    log = tmp_path / "t.log"
    director.config.write_text(
        "vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 51\n"
        "    virtual_ipaddress {\n        10.9.0.200/24\n    }\n}\n")
    assert director.call(f"--config-test={log}").returncode == 0
    assert "director.conf" in log.read_text()
    ended = subprocess.run([*AS_NOBODY, str(BINARY), "-t", "-f", str(director.config)],
                           text=True, capture_output=True, timeout=30)
    assert ended.returncode == 0, ended


def test_not_root_is_one_clear_sentence_and_exit_4(director):
    ended = subprocess.run([*WITHOUT_RIGHTS, str(BINARY), "-n", "-f", str(director.config)],
                           text=True, capture_output=True, timeout=30)
    assert ended.returncode == 4
    assert "must be started by root" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_second_copy_is_told_pid_and_pid_file(director):
    director.start()
    ended = director.call("-n")
    assert ended.returncode == 1
    assert str(director.status()["pid"]) in ended.stderr
    assert str(director.run_dir / "holdfast.pid") in ended.stderr


def test_unknown_options_and_words_are_exit_2(director):
    for options in (("--no-such-option",), ("-S", "kernel"), ("--signum=NONE",)):
        ended = director.call(*options)
        assert ended.returncode == 2, ended
        assert ended.stderr.startswith("holdfast: ")


def test_version_help_and_signal_numbers(director):
    assert "holdfast" in director.call("-v").stdout
    assert "--dont-respawn" in director.call("--help").stdout
    assert director.call("--signum=RELOAD").stdout == f"{int(signal.SIGHUP)}\n"


def test_options_without_effect_are_accepted_and_said(director):
    director.start("-G", "-d", "-X", "-D", "-S", "3")
    director.wait_for(lambda: director.log().count("accepted without effect") == 2, "remarks")


def test_roles_are_for_holdfast_itself():
    ended = subprocess.run([str(BINARY), "--role=vrrp"], text=True, capture_output=True, timeout=30)
    assert ended.returncode == 2
    assert "start holdfast without it" in ended.stderr


# ---- start and stop -----------------------------------------------------------------------------

def test_both_children_prepare_before_either_commits_and_stop_in_order(director):
    director.start()
    assert director.said("vrrp")[:3] == ["started", "prepare 1 sealed", "commit 1"]
    assert director.said("checkers")[:3] == ["started", "prepare 1 sealed", "commit 1"]
    pids = director.pids()
    director.signal(signal.SIGTERM)
    assert director.process.wait(30) == 0
    assert not any(is_alive(pid) for pid in pids)
    assert director.said("vrrp")[-2:] == ["stop: the watchdog asked for it", "ended"]
    assert not (director.run_dir / "holdfast.pid").exists()
    vrrp, checkers = (os.stat(director.dir / f"{role}.log") for role in ("vrrp", "checkers"))
    assert vrrp.st_mtime_ns < checkers.st_mtime_ns


def test_a_child_is_started_only_when_there_is_something_for_it(director):
    director.config.write_text(director.config.read_text().split("virtual_server")[0])
    director.start()
    assert [child["role"] for child in director.status()["children"]] == ["vrrp"]


def test_P_and_C_restrict_the_set(director):
    director.start("-C")
    assert [child["role"] for child in director.status()["children"]] == ["checkers"]


def test_daemon_mode_returns_when_it_runs_and_pid_files_are_right(director, tmp_path):
    files = {name: tmp_path / f"{name}.pid" for name in ("parent", "vrrp", "checkers")}
    ended = director.call("-p", str(files["parent"]), "-r", str(files["vrrp"]),
                          "-c", str(files["checkers"]))
    assert ended.returncode == 0, ended
    status = director.status()
    pid = int(files["parent"].read_text())
    try:
        assert status["pid"] == pid
        assert {child["role"]: child["pid"] for child in status["children"]} == {
            "vrrp": int(files["vrrp"].read_text()), "checkers": int(files["checkers"].read_text())}
    finally:
        os.kill(pid, signal.SIGTERM)
        director.wait_for(lambda: not is_alive(pid), "end of the daemon")


def test_daemon_mode_tells_the_terminal_why_a_start_failed(director):
    director.behave("checkers", "refuse there is no such scheduler")
    ended = director.call()
    assert ended.returncode == 2, ended
    assert "there is no such scheduler" in ended.stderr


def test_a_child_without_permission_ends_the_start_with_exit_4(director):
    director.behave("vrrp", "exit 4")
    ended = director.call("-n")
    assert ended.returncode == 4, ended
    assert "a permission is missing" in ended.stderr


@pytest.mark.parametrize("descriptors", range(14, 24))
def test_a_start_that_runs_out_of_descriptors_ends(director, descriptors):
    """Wherever it runs out: the loader, one child, both children."""
    def scarce():
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    process = subprocess.Popen(director.command("-n"), env=director.env, preexec_fn=scarce,
                               stderr=subprocess.DEVNULL)
    director.process = process
    try:
        assert process.wait(2) == 1
    except subprocess.TimeoutExpired:  # enough of them: it runs, or goes on trying
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) is not None


def test_control_socket_stop(director):
    director.start()
    assert director.ask("stop") == {"ok": True}
    assert director.process.wait(30) == 0


def test_unknown_command_is_an_error_object(director):
    director.start()
    assert "error" in director.ask("dance")


# ---- death, hanging -----------------------------------------------------------------------------

def kill_child(director, role, number=signal.SIGKILL):
    pid = director.child(role)["pid"]
    os.kill(pid, number)
    return pid


def settled_again(director, role, old):
    def check():
        child = director.child(role)
        return child["pid"] not in (None, old) and child["generation"] == 1
    return check


def test_a_killed_child_is_back_at_once_and_gets_the_configuration(director):
    director.start()
    old = kill_child(director, "vrrp")
    director.wait_for(settled_again(director, "vrrp", old), "successor", 5)
    child = director.child("vrrp")
    assert child["restarts"] == 1
    assert "signal 9" in child["last_exit"]
    assert director.child("checkers")["restarts"] == 0


def test_a_crash_loop_of_vrrp_ends_with_exit_1_after_backoff(director):
    director.start()
    director.behave("vrrp", "crash-on-prepare")
    begin = time.monotonic()
    kill_child(director, "vrrp")
    assert director.process.wait(60) == 1
    assert time.monotonic() - begin >= 7  # 0 + 1 + 2 + 4
    assert len([step for step in director.said("vrrp") if step == "started"]) == 5
    assert "giving up so that a peer takes over" in director.log()
    assert "stop: the watchdog asked for it" in director.said("checkers")


def test_a_stopped_child_is_killed_and_replaced(director):
    director.start()
    old = kill_child(director, "checkers", signal.SIGSTOP)
    director.wait_for(settled_again(director, "checkers", old), "successor", 15)
    assert "no sign of life" in director.log()
    assert director.child("vrrp")["restarts"] == 0


@pytest.mark.parametrize("role", ["vrrp", "checkers"])
def test_a_busy_child_is_late_and_not_replaced(director, role):
    director.behave(role, "busy")
    director.start()
    pid = director.child(role)["pid"]
    assert not director.child(role)["late"]

    director.wait_for(lambda: director.child(role)["late"], "lateness", 5)
    director.wait_for(lambda: not director.child(role)["late"], "return", 5)

    assert director.child(role)["pid"] == pid
    assert director.child(role)["restarts"] == 0
    assert director.log().count("but it works: it is late, not dead") == 1


def test_a_child_that_waits_for_something_that_does_not_come_is_replaced(director):
    director.behave("checkers", "hang")
    director.start()
    old = director.child("checkers")["pid"]
    director.behave("checkers", "well")

    director.wait_for(settled_again(director, "checkers", old), "successor", 10)
    assert "signal 6" in director.child("checkers")["last_exit"]
    assert "gave no sign of life for 3." in director.log()


def test_remarks_that_nobody_reads_do_not_stop_the_director(director):
    service = director.config.read_text().partition("virtual_server")[2]
    several = "".join(f"virtual_server 192.0.2.200 {port} {{ alpha_omega_{port}" + "x" * 150
                      + service[service.index("{") + 1:] for port in range(1000, 1500))
    director.config.write_text(BOTH + several)
    read, write = os.pipe()
    director.stderr = None
    director.process = subprocess.Popen(director.command("-n"), env=director.env, stderr=write)
    os.close(write)
    try:
        director.wait_for(lambda: director.status()["generation"] == 1, "start")
        old = kill_child(director, "vrrp")
        director.wait_for(settled_again(director, "vrrp", old), "successor", 10)
        assert len(os.read(read, 1 << 20)) >= 60_000, "the pipe was full"
    finally:
        os.close(read)


def test_dont_respawn(director):
    director.start("-R")
    kill_child(director, "checkers")
    assert director.process.wait(30) == 1
    assert "stop: the watchdog asked for it" in director.said("vrrp")


def test_kill_9_of_the_watchdog_ends_the_children_in_order(director):
    director.start()
    pids = director.pids()
    os.kill(director.status()["pid"], signal.SIGKILL)
    director.wait_for(lambda: not any(is_alive(pid) for pid in pids), "end of the children", 10)
    for role in ("vrrp", "checkers"):
        assert director.said(role)[-1] == "ended"
        assert director.said(role)[-2].startswith("stop: ")


def test_a_child_that_does_not_stop_is_killed(director):
    director.start()
    director.behave("vrrp", "slow-stop")
    begin = time.monotonic()
    director.signal(signal.SIGTERM)
    assert director.process.wait(60) == 0
    assert time.monotonic() - begin >= 10


def test_addresses_are_released_when_no_vrrp_process_will(director):
    director.start()
    pid = director.status()["pid"]
    inside = ["nsenter", "-t", str(pid), "-n", "ip"]
    subprocess.run([*inside, "link", "set", "lo", "up"], check=True)
    subprocess.run([*inside, "address", "add", "192.0.2.200/32", "dev", "lo"], check=True)
    director.behave("vrrp", "crash-on-prepare")
    kill_child(director, "vrrp")
    director.wait_for(lambda: "192.0.2.200" not in subprocess.run(
        [*inside, "address"], text=True, capture_output=True).stdout, "release", 10)


# ---- reload -------------------------------------------------------------------------------------

def test_hup_with_the_unchanged_file_prepares_and_commits_generation_2(director):
    director.start()
    before = director.pids()
    director.signal(signal.SIGHUP)
    director.wait_for(lambda: director.status()["last_reload"] is not None, "reload")
    status = director.status()
    assert status["last_reload"]["ok"] and status["generation"] == 2
    assert director.pids() == before
    assert director.said("vrrp")[-2:] == ["prepare 2 sealed", "commit 2"]


def test_hup_with_a_broken_file_gives_diagnostics_and_nothing_else(director):
    director.start()
    steps = director.steps("vrrp"), director.steps("checkers")
    director.config.write_text("vrrp_instance VI_1 {\n  interface\n}\n")
    director.signal(signal.SIGHUP)
    director.wait_for(lambda: director.status()["last_reload"] is not None, "reload")
    status = director.status()
    assert not status["last_reload"]["ok"] and status["generation"] == 1
    assert "director.conf:2:" in status["last_reload"]["message"]
    assert (director.steps("vrrp"), director.steps("checkers")) == steps


def test_reload_by_socket_waits_for_the_outcome(director):
    director.start()
    answer = director.ask("reload")
    assert answer["ok"] is True and answer["generation"] == 2
    assert ": error: " not in answer["diagnostics"]
    director.behave("checkers", "refuse too many services")
    answer = director.ask("reload")
    assert answer["ok"] is False and "too many services" in answer["diagnostics"]
    director.wait_for(lambda: director.said("vrrp")[-1] == "abort 3", "the other child's abort")
    director.config.unlink()
    assert "director.conf" in director.ask("reload")["diagnostics"]
    assert director.status()["generation"] == 2


def test_a_role_appears_and_disappears_by_reload(director):
    whole = director.config.read_text()
    director.config.write_text(whole.split("virtual_server")[0])
    director.start()
    director.config.write_text(whole)
    assert director.ask("reload")["ok"]
    pid = director.child("checkers")["pid"]
    director.config.write_text(whole.split("virtual_server")[0])
    assert director.ask("reload", force=True)["ok"]
    director.wait_for(
        lambda: director.child("checkers")["state"] == "stopped" and not is_alive(pid), "stop"
    )


@pytest.mark.parametrize("ask", ["socket", "hangup"])
def test_a_file_in_which_nothing_is_left_waits_for_force(director, ask):
    director.start()
    before = director.pids()
    director.config.write_text("".join(f"# {line}\n" for line in BOTH.splitlines()) +
                               "global_defs {\n router_id left\n}\n")
    if ask == "socket":
        answer = director.ask("reload")
    else:
        director.signal(signal.SIGHUP)
        director.wait_for(lambda: director.status()["last_reload"] is not None, "reload")
        answer = {"ok": director.status()["last_reload"]["ok"], "diagnostics": director.log()}
    assert answer["ok"] is False
    assert ("no vrrp_instance any more (1 is in use) and no virtual_server any more (1 is in use)"
            in answer["diagnostics"])
    assert director.pids() == before and director.status()["generation"] == 1
    assert director.ask("reload", force=True)["ok"]
    director.wait_for(lambda: not director.pids(), "end of both children")


def test_a_child_that_dies_in_the_barrier_aborts_the_reload(director):
    director.start()
    director.behave("vrrp", "crash-on-prepare")
    answer = director.ask("reload")
    assert answer["ok"] is False and "while it prepared" in answer["diagnostics"]
    director.behave("vrrp", "")
    director.wait_for(lambda: director.child("vrrp")["generation"] == 1, "old generation")


# ---- systemd ------------------------------------------------------------------------------------

def test_systemd_hears_ready_reloading_watchdog_and_stopping(director):
    path = director.dir / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        server.settimeout(20)
        director.env.update(NOTIFY_SOCKET=str(path), WATCHDOG_USEC="400000")
        director.start()
        director.ask("reload")
        time.sleep(1)
        director.signal(signal.SIGTERM)
        director.process.wait(30)
        heard = []
        while not any(line.startswith("STOPPING=1") for line in heard):
            heard.append(server.recv(4096).decode())
    states = [line for line in heard if not line.startswith("WATCHDOG=1")]
    assert states[0].startswith("READY=1")
    assert states[1].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert states[2].startswith("READY=1")
    assert "WATCHDOG=1" in heard
