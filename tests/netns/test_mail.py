"""Mail about instances and servers: what it says, that it arrives, and that no relay, however it
behaves, costs an advert or a script."""

from __future__ import annotations

import os
import shutil
import signal
import time
from email.message import EmailMessage

import pytest

from tests.lab.director import Director
from tests.lab.mail_servers import HOSTILE, OpenSmtpd, PlayedRelay, Postfix, polite
from tests.lab.netns import Lab, eventually

from .test_checkers_probes import CONNECT, SERVER, Checkers, Listener, service
from .test_pipes import Reader
from .test_scripts import Rival, script, text
from .test_vrrp_director import OURS, PEER, Scene, advert, config, packet, send

MASTER = "[LB1] VRRP Instance VI_1 - Entering MASTER state"
BACKUP = "[LB1] VRRP Instance VI_1 - Entering BACKUP state"


def globals_with(extra: str = "", relay: str = PEER, receivers: str = "night@example.org") -> str:
    return (f"global_defs {{\n router_id LB1\n smtp_server {relay}\n smtp_alert true\n"
            f" notification_email {{\n{receivers}\n }}\n notification_email_from ha@example.org\n"
            f"{'' if 'helo' in extra else ' smtp_helo_name lb1.example.org'}\n{extra}\n}}\n")


@pytest.fixture
def scene(lab: Lab) -> Scene:
    return Scene(lab)


def mail_status(scene: Scene) -> dict:
    found = scene.director.status("watchdog").get("notifications") or {}
    return found.get("mail", {"sent": 0, "waiting": 0, "failed": 0, "last_error": None})


def arrive(relay, count: int, timeout: float = 15) -> list[EmailMessage]:
    assert eventually(lambda: len(relay.letters()) >= count, timeout) is not None, relay.letters()
    return relay.letters()


def test_a_letter_for_each_change_in_order_and_none_for_the_stop(scene: Scene) -> None:
    relay = PlayedRelay(scene.peer)
    scene.start(globals_with(receivers='"Night Shift" <night@example.org>\nday@example.org')
                + config())
    scene.becomes("MASTER")
    arrive(relay, 2)
    rival = Rival(scene)
    scene.becomes("BACKUP")
    letters = arrive(relay, 3)[1:]
    rival.stop()
    assert scene.director.stop() == 0

    assert relay.subjects() == [BACKUP, MASTER, BACKUP]
    assert [to for to, _ in relay.received] == [["night@example.org", "day@example.org"]] * 3
    first = letters[0]
    assert first["From"] == "ha@example.org"
    assert [(one.display_name, one.addr_spec) for one in first["To"].addresses] == [
        ("Night Shift", "night@example.org"), ("", "day@example.org")]
    assert abs(first["Date"].datetime.timestamp() - time.time()) < 60
    assert first["Message-ID"].endswith("@lb1.example.org>")
    assert letters[0]["Message-ID"] != letters[1]["Message-ID"]
    assert "VI_1 is MASTER now" in first.get_content()
    assert set(relay.helo) == {"EHLO lb1.example.org"}


def test_the_letter_waits_for_a_relay_that_comes_later(scene: Scene) -> None:
    scene.start(globals_with() + config())
    scene.becomes("MASTER")
    assert eventually(lambda: mail_status(scene)["waiting"] == 1, 8) is not None
    assert "cannot be reached: Connection refused" in mail_status(scene)["last_error"]["message"]
    assert "scripts-mail-waits" in scene.director.log() or "letters wait" in scene.director.log()
    relay = PlayedRelay(scene.peer)
    arrive(relay, 1, 20)
    assert relay.subjects() == [MASTER]
    assert eventually(lambda: mail_status(scene)["sent"] == 1, 5) is not None
    assert mail_status(scene)["waiting"] == 0 and mail_status(scene)["overtaken"] == 1


def test_the_newest_state_takes_the_place_of_one_that_could_not_leave(scene: Scene) -> None:
    scene.start(globals_with() + config())
    scene.becomes("MASTER")
    assert eventually(lambda: mail_status(scene)["waiting"] == 1, 8) is not None
    rival = Rival(scene)
    scene.becomes("BACKUP")
    assert eventually(lambda: mail_status(scene)["overtaken"] == 2, 5) is not None
    rival.stop()
    relay = PlayedRelay(scene.peer)
    arrive(relay, 1, 25)
    assert relay.subjects()[0] in (BACKUP, MASTER)  # the rival is gone: master again, perhaps
    assert "older message" in relay.letters()[0].get_content()


def test_letters_outlive_the_process_that_sends_them(scene: Scene) -> None:
    scene.start(globals_with() + config())
    scene.becomes("MASTER")
    assert eventually(lambda: mail_status(scene)["waiting"] == 1, 8) is not None
    pid = scene.director.status("watchdog")["scripts_pid"]
    scene.machine.run("kill", "-KILL", str(pid))
    assert eventually(lambda: scene.director.status("watchdog")["scripts_pid"] not in (None, pid),
                      5) is not None
    relay = PlayedRelay(scene.peer)
    assert [one["Subject"] for one in arrive(relay, 1, 20)] == [MASTER]


def test_a_receiver_that_is_refused_does_not_cost_the_others_their_letter(scene: Scene) -> None:
    relay = PlayedRelay(scene.peer)

    def answer(stage: str, count: list[int] = [0]) -> bytes:  # noqa: B006
        if stage != "RCPT":
            return polite(stage)
        count[0] += 1
        return b"550 no such user\r\n" if count[0] % 2 else b"250 fine\r\n"

    relay.answer = answer
    scene.start(globals_with(receivers="gone@example.org\nnight@example.org") + config())
    scene.becomes("MASTER")
    arrive(relay, 2)
    assert [to for to, _ in relay.received] == [["night@example.org"]] * 2
    assert eventually(lambda: mail_status(scene)["sent"] == 2, 5) is not None
    assert mail_status(scene)["refused_receivers"] == 2
    assert "gone@example.org" in scene.director.log()


def test_who_does_not_want_mail_about_faults_gets_none(scene: Scene) -> None:
    relay = PlayedRelay(scene.peer)
    scene.start(globals_with("no_email_faults") + config())
    scene.becomes("MASTER")
    arrive(relay, 2)
    scene.machine.ip("link set eth0 down")
    scene.becomes("FAULT")
    scene.machine.ip("link set eth0 up")
    scene.becomes("MASTER")
    letters = arrive(relay, 3, 20)
    assert all("FAULT" not in one["Subject"] for one in letters)


@pytest.mark.alone
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_relay_of_ill_will_costs_an_advert_or_a_script(scene: Scene, kind: str) -> None:
    relay = PlayedRelay(scene.peer)
    out = scene.director.directory / "out"
    master = script(scene, "master", f"echo master >> {out}")

    def text_of(number: int) -> str:  # another host name in the greeting: tried at once
        return globals_with(f"smtp_connect_timeout 1\n smtp_helo_name lb{number}") + config(
            extra=f'notify_master "{master}"')

    stages = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "text"]
    relay.answer = lambda asked: HOSTILE[kind]() if asked == stages[0] else polite(asked)
    scene.start(text_of(0))
    scene.becomes("MASTER")
    began = time.time()
    for number, stage in enumerate(stages):
        relay.answer = lambda asked, at=stage: HOSTILE[kind]() if asked == at else polite(asked)
        before = relay.connections
        if "letters wait" in scene.director.log() or number:
            scene.director.write_config(text_of(number + 1))
            assert scene.director.ctl("reload").returncode == 0
        if kind == "refuses" and stage != "greeting":
            break  # the letter is gone
        assert eventually(lambda old=before: relay.connections > old, 12) is not None, stage
        time.sleep(1.5)
    time.sleep(2 if kind == "refuses" else 0)
    assert eventually(lambda: text(out) == "master\n", 3) is not None, scene.director.log()
    gaps = scene.gaps(began)
    assert gaps and 0.9 < min(gaps) and max(gaps) < 1.1, gaps
    # Who refuses EHLO alone is asked with HELO, and takes the letter.
    assert kind == "refuses" or not relay.received
    assert scene.director.stop() == 0


@pytest.mark.alone
def test_adverts_keep_their_rhythm_while_a_relay_hangs(scene: Scene) -> None:
    relay = PlayedRelay(scene.peer, lambda stage: HOSTILE["is silent"]())
    scene.start(globals_with("smtp_connect_timeout 2") + config())
    scene.becomes("MASTER")
    began = time.time()
    assert eventually(lambda: relay.connections >= 2 and len(scene.gaps(began)) > 3, 20) is not None
    gaps = scene.gaps(began)
    assert 0.9 < min(gaps) and max(gaps) < 1.1, gaps
    began = time.time()
    assert scene.director.stop() == 0  # a letter that waits does not hold up the stop for long
    assert time.time() - began < 6


def test_a_name_that_nobody_resolves_costs_letters_only(scene: Scene) -> None:
    scene.start(globals_with(relay="relay.invalid") + config())
    scene.becomes("MASTER")
    began = time.time()
    assert eventually(lambda: mail_status(scene)["last_error"], 25) is not None
    assert "relay.invalid cannot be found" in mail_status(scene)["last_error"]["message"]
    assert max(scene.gaps(began) or [1]) < 1.1
    assert scene.director.log().count("cannot be found") == 1


def test_another_relay_is_used_at_once_after_a_reload(scene: Scene) -> None:
    scene.start(globals_with(relay=OURS) + config())
    scene.becomes("MASTER")
    assert eventually(lambda: mail_status(scene)["waiting"] == 1, 8) is not None
    relay = PlayedRelay(scene.peer)
    scene.director.write_config(globals_with() + config())
    scene.director.process.send(signal.SIGHUP)
    assert [one["Subject"] for one in arrive(relay, 1, 6)] == [MASTER]


@pytest.mark.parametrize("server", [Postfix, OpenSmtpd])
def test_a_real_relay_takes_it(scene: Scene, server: type) -> None:
    if why := server.why_missing():
        pytest.skip(why)
    relay = server(scene.peer)
    relay.start()
    assert eventually(relay.listens, 10) is not None, relay.log()
    scene.start(globals_with(receivers='"Zoë" <night@example.org>\nnobody@example.org')
                + config())
    scene.becomes("MASTER")
    letter = arrive(relay, 2, 30)[1]
    assert letter["Subject"] == MASTER
    assert "Zoë" in letter["To"] and not letter.defects
    assert "VI_1 is MASTER now" in letter.get_content()
    assert eventually(lambda: mail_status(scene)["sent"] == 2, 5) is not None
    assert mail_status(scene)["refused_receivers"] == 2


def test_many_letters_at_once_share_a_few_sessions(scene: Scene) -> None:
    relay = PlayedRelay(scene.peer)
    names = [f"VI_{number}" for number in range(1, 201)]
    scene.start(globals_with() + "".join(
        f"vrrp_instance {name} {{\n state BACKUP\n interface eth0\n virtual_router_id {number}\n"
        f" priority 100\n virtual_ipaddress {{\n 10.9.1.{number}\n }}\n}}\n"
        for number, name in enumerate(names, 1)))
    masters = [f"[LB1] VRRP Instance {name} - Entering MASTER state" for name in names]
    assert eventually(lambda: set(masters) <= set(relay.subjects()), 40) is not None
    assert sum("MASTER" in subject for subject in relay.subjects()) == 200
    assert relay.connections < 50
    assert mail_status(scene)["failed"] == 0


def test_servers_and_services_as_keepalived_names_them(lab: Lab) -> None:
    switch = lab.switch("sw")
    machine, other = lab.machines("a", "b")
    lab.cables(switch, (machine, "eth0", "10.77.0.1/24"), (other, "eth0", f"{SERVER}/24"))
    relay = PlayedRelay(other)
    checkers = Checkers(machine, globals_with(relay=SERVER) + service(
        1, f" real_server {SERVER} 8001 {{\n  TCP_CHECK {{\n {CONNECT} }}\n }}\n",
        extra=" smtp_alert\n"))
    checkers.start()
    checkers.wait(1, "down", 10)
    Listener(other, 8001, "close")
    checkers.wait(1, "up", 10)
    assert eventually(lambda: len(relay.received) >= 4, 15) is not None, relay.subjects()
    names = f"[{SERVER}]:tcp:8001 of virtual server [10.77.9.1]:tcp:80"
    assert sorted(relay.subjects()) == sorted(
        [f"[LB1] Realserver {names} - {state}" for state in ("DOWN", "UP")]
        + [f"[LB1] Virtualserver [10.77.9.1]:tcp:80 - {state}" for state in ("DOWN", "UP")])
    down = next(one for one in relay.letters() if "DOWN" in one["Subject"])
    assert "connection refused" in down.get_content().lower() or "quorum" in down.get_content()


def test_a_quorum_that_is_won_after_the_checkers_died_is_news(lab: Lab) -> None:
    switch = lab.switch("sw")
    machine, other = lab.machines("a", "b")
    lab.cables(switch, (machine, "eth0", "10.77.0.1/24"), (other, "eth0", f"{SERVER}/24"))
    relay = PlayedRelay(other)
    checkers = Checkers(machine, globals_with(relay=SERVER) + service(
        1, f" real_server {SERVER} 8001 {{\n  TCP_CHECK {{\n {CONNECT} }}\n }}\n",
        extra=" smtp_alert\n"))
    checkers.start()
    checkers.wait(1, "down", 10)
    lost = "[LB1] Virtualserver [10.77.9.1]:tcp:80 - DOWN"
    assert eventually(lambda: lost in relay.subjects(), 10) is not None, relay.subjects()
    pid = checkers.status()["pid"]
    os.kill(pid, signal.SIGKILL)
    assert eventually(
        lambda: checkers.services() and checkers.status()["pid"] != pid, 10) is not None
    Listener(other, 8001, "close")
    checkers.wait(1, "up", 15)
    won = "[LB1] Virtualserver [10.77.9.1]:tcp:80 - UP"
    assert eventually(lambda: won in relay.subjects(), 10) is not None, relay.subjects()


@pytest.mark.skipif(not shutil.which("keepalived"), reason="there is no keepalived to compare with")
def test_subjects_and_lines_are_those_of_keepalived(lab: Lab) -> None:
    """The same scene played by both: start, master, a rival, master again, no link, stop."""
    def play(number: int, program: str) -> tuple[list[str], list[str]]:
        switch = lab.switch(f"sw{number}")
        machine, peer = lab.machines(f"a{number}", f"b{number}")
        lab.cables(switch, (machine, "eth0", f"{OURS}/24"), (peer, "eth0", f"{PEER}/24"))
        relay = PlayedRelay(peer)
        path = lab.directory / f"fifo{number}"
        director = Director(machine, globals_with(f"vrrp_notify_fifo {path}") + config(), program)
        director.start("-P")
        assert eventually(path.exists, 8) is not None, director.log()
        reader = Reader(path)
        assert eventually(lambda: len(relay.received) == 2, 10) is not None, director.log()
        for priority in (200, 200, 0):  # a rival, who resigns
            send(peer, packet(advert(priority=priority)))
            time.sleep(0.8)
        assert eventually(lambda: len(relay.received) == 4, 10) is not None, relay.subjects()
        subjects = relay.subjects()
        machine.ip("link set eth0 down")
        time.sleep(1)
        machine.ip("link set eth0 up")
        assert eventually(lambda: len(reader.lines) >= 7, 15) is not None, reader.lines
        director.stop()
        assert eventually(lambda: reader.ended, 5) is not None
        return subjects, reader.lines

    assert play(1, "holdfast") == play(2, "keepalived")
