"""Mail through relays that want TLS and a password: it arrives, and what is wrong is said in one
sentence, without the password and without a letter in clear text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.mail_servers import PlayedRelay, polite
from tests.lab.netns import Lab, eventually
from tests.lab.submission_servers import (IMPLICIT, NAME, PASSWORD, STARTTLS, USER,
                                          SecureOpenSmtpd, SecurePostfix)

from .test_mail import MASTER, arrive, mail_status
from .test_vrrp_director import PEER, Scene, config


@pytest.fixture
def scene(lab: Lab) -> Scene:
    return Scene(lab)


def text_with(port: int, **words: str) -> str:
    return (f"global_defs {{\n router_id LB1\n smtp_server {PEER} {port}\n smtp_alert true\n"
            " notification_email {\nnight@example.org\n }\n smtp_helo_name lb1.example.org\n"
            + "".join(f" {word} {value}\n" for word, value in words.items()) + "}\n" + config())


def start_relay(scene: Scene, server: type, mechanism: str = "LOGIN"
                ) -> SecurePostfix | SecureOpenSmtpd:
    if why := server.why_missing():
        pytest.skip(why)
    relay = server(scene.peer)
    relay.mechanism = mechanism
    relay.address = PEER
    relay.start()
    assert eventually(relay.listens, 10) is not None, relay.log()
    return relay


def says(scene: Scene, sentence: str) -> None:
    """Once, and the log holds no secret."""
    assert eventually(lambda: sentence in scene.director.log(), 10) is not None, (
        scene.director.log())
    assert scene.director.log().count(sentence) == 1
    assert PASSWORD not in scene.director.log()


def password_file(scene: Scene, text: str = PASSWORD + "\n") -> Path:
    path = scene.director.directory / "relay.password"
    path.write_text(text, encoding="ascii")
    path.chmod(0o600)
    return path


def test_what_is_wrong_is_one_sentence_and_then_the_letter_arrives(scene: Scene) -> None:
    relay = start_relay(scene, SecurePostfix)
    ca = str(relay.directory / "ca.pem")
    login = {"smtp_user": USER, "smtp_password": PASSWORD}

    def then(port: int, sentence: str, **words: str) -> None:
        scene.director.write_config(text_with(port, **words))
        assert scene.director.ctl("reload").returncode == 0
        says(scene, sentence)
        assert not relay.letters()

    scene.start(text_with(25, smtp_tls="starttls", smtp_ca=ca, **login))
    scene.becomes("MASTER")
    says(scene, "the mail relay does not offer STARTTLS: nothing is sent in clear text")
    then(STARTTLS, f"the certificate of the mail relay is not believed for {PEER}: unable to get "
                   "local issuer certificate", smtp_tls="starttls", **login)
    then(STARTTLS, "the certificate of the mail relay is not believed for other.example.org: "
                   "hostname mismatch", smtp_tls="starttls", smtp_ca=ca,
         smtp_tls_name="other.example.org", **login)
    then(IMPLICIT, "smtp_ca cannot be read", smtp_tls="implicit", smtp_ca="/missing", **login)
    wrong = password_file(scene, "Wrong-Horse-1\n")
    then(STARTTLS, f"the mail relay does not take the password of '{USER}': 535",
         smtp_tls="starttls", smtp_ca=ca, smtp_user=USER, smtp_password=f"file:{wrong}")
    assert "Wrong-Horse-1" not in scene.director.log()
    then(25, "TLS with the mail relay failed: wrong version number: nothing is sent in clear text",
         smtp_tls="implicit", smtp_ca=ca, **login)

    scene.director.write_config(text_with(IMPLICIT, smtp_tls="implicit", smtp_ca=ca, **login))
    assert scene.director.ctl("reload").returncode == 0
    assert arrive(relay, 1)[0]["Subject"] == MASTER
    assert f"sasl_username={USER}" in relay.log() and "sasl_method=LOGIN" in relay.log()
    assert PASSWORD not in scene.director.log()
    assert PASSWORD not in str(scene.director.status("watchdog"))


def test_a_password_in_a_file_is_read_for_each_session(scene: Scene) -> None:
    relay = start_relay(scene, SecurePostfix, "PLAIN")
    path = password_file(scene, "Not-Yet-Known\n")
    # As certbot and Kubernetes have them.
    links = [scene.director.directory / name for name in ("live.pem", "live.password")]
    links[0].symlink_to(relay.directory / "ca.pem")
    links[1].symlink_to(path)
    scene.start(text_with(STARTTLS, smtp_tls="starttls", smtp_user=USER, smtp_tls_name=NAME,
                          smtp_ca=str(links[0]), smtp_password=f"file:{links[1]}"))
    scene.becomes("MASTER")
    says(scene, f"the mail relay does not take the password of '{USER}'")
    password_file(scene)
    assert arrive(relay, 1, 10)[-1]["Subject"] == MASTER
    assert "sasl_method=PLAIN" in relay.log()
    assert eventually(lambda: "mail leaves again" in scene.director.log(), 3) is not None


def test_open_smtpd_takes_it_by_auth_plain(scene: Scene) -> None:
    relay = start_relay(scene, SecureOpenSmtpd)
    scene.start(text_with(STARTTLS, smtp_tls="starttls", smtp_user=USER, smtp_password=PASSWORD,
                          smtp_ca=str(relay.directory / "ca.pem")))
    scene.becomes("MASTER")
    assert arrive(relay, 2, 10)[-1]["Subject"] == MASTER
    assert eventually(lambda: mail_status(scene)["sent"] == 2, 5) is not None
    assert "smtp authentication user=holdfast" in relay.log()


@pytest.mark.parametrize("words", [
    {"smtp_tls": "starttls", "smtp_user": USER, "smtp_password": PASSWORD},
    {"smtp_tls": "startls"}, {"smtp_tls_name": NAME}])
def test_a_relay_without_starttls_hears_no_more_than_a_name(scene: Scene, words: dict[str, str]
                                                            ) -> None:
    heard: list[str] = []

    def answer(stage: str) -> bytes:
        heard.append(stage)
        return polite(stage)

    PlayedRelay(scene.peer, answer)
    scene.start(text_with(25, **words))
    scene.becomes("MASTER")
    says(scene, "the mail relay does not offer STARTTLS: nothing is sent in clear text")
    assert set(heard) == {"greeting", "EHLO"}
