"""The same relays behind TLS and a password: Postfix with Cyrus SASL, OpenSMTPD with a table."""

from __future__ import annotations

import pwd
import shutil
import subprocess
from pathlib import Path

from .mail_servers import OpenSmtpd, Postfix

USER, PASSWORD = "holdfast", "Correct-Horse-7"
NAME = "relay.example.org"
STARTTLS, IMPLICIT = 587, 465


def make_certificates(directory: Path, address: str) -> None:
    """ca.pem, and server.pem with server.key for NAME and `address`."""
    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)

    new = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=a CA of the laboratory")
    openssl("req", *new, "-keyout", "server.key", "-out", "server.csr", "-subj", f"/CN={NAME}")
    (directory / "names").write_text(f"subjectAltName=DNS:{NAME},IP:{address}\n", encoding="ascii")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
            "-CAcreateserial", "-extfile", "names", "-out", "server.pem")


def _listening(tcp: str, port: int) -> bool:
    return f":{port:04X} 00000000:0000 0A" in tcp


class SecurePostfix(Postfix):
    """Port 25 in clear text; 587 and 465 want TLS and a password."""

    address = ""  # of the machine, for the certificate
    mechanism = "LOGIN"

    @staticmethod
    def why_missing() -> str | None:
        if not shutil.which("saslpasswd2"):
            return "saslpasswd2 is missing (Debian package sasl2-bin)"
        return Postfix.why_missing()

    def listens(self) -> bool:
        return _listening(self.machine.read("tcp"), IMPLICIT)

    def further_settings(self) -> str:
        at = self.directory
        make_certificates(at, self.address)
        (at / "etc/sasl").mkdir()  # where Debian's Postfix looks, whatever main.cf says
        (at / "etc/sasl/smtpd.conf").write_text(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
            f"mech_list: {self.mechanism}\nsasldb_path: {at}/sasldb2\n", encoding="ascii")
        subprocess.run(["saslpasswd2", "-c", "-p", "-f", at / "sasldb2", "-u", NAME, USER],
                       input=PASSWORD, text=True, check=True)
        shutil.chown(at / "sasldb2", pwd.getpwnam("postfix").pw_uid)
        return (f"smtpd_tls_cert_file = {at}/server.pem\nsmtpd_tls_key_file = {at}/server.key\n"
                f"smtpd_sasl_local_domain = {NAME}\n")

    def further_services(self) -> str:
        demands = ("smtpd_sasl_auth_enable=yes", "smtpd_tls_auth_only=yes",
                   "smtpd_client_restrictions=permit_sasl_authenticated,reject")
        options = "".join(f"  -o {one}\n" for one in demands)
        return (f"{STARTTLS} inet n - n - - smtpd\n{options}  -o smtpd_tls_security_level=encrypt\n"
                f"{IMPLICIT} inet n - n - - smtpd\n{options}  -o smtpd_tls_wrappermode=yes\n")


class SecureOpenSmtpd(OpenSmtpd):
    """587 wants TLS and a password."""

    address = ""

    @classmethod
    def why_missing(cls) -> str | None:
        if why := super().why_missing():
            return why
        version = subprocess.run([cls.root() / "usr/sbin/smtpd", "-h"], capture_output=True,
                                 text=True, check=False).stderr
        if "OpenSMTPD 6." in version:  # "missing private key", its issues 1171 and 1239
            return "OpenSMTPD 6.8 of Debian 12 cannot do TLS with OpenSSL 3"
        return None

    def listens(self) -> bool:
        return _listening(self.machine.read("tcp"), STARTTLS)

    def listens_on(self) -> str:
        at = self.directory
        make_certificates(at, self.address)
        for name in ("server.key", "server.pem"):
            (at / name).chmod(0o600)
        hashed = subprocess.run(["openssl", "passwd", "-6", PASSWORD], capture_output=True,
                                text=True, check=True).stdout.strip()
        return (f'pki "{NAME}" cert "{at}/server.pem"\npki "{NAME}" key "{at}/server.key"\n'
                f'table keys {{ "{USER}" = "{hashed}" }}\n'
                f"listen on 0.0.0.0 port {STARTTLS} tls-require pki \"{NAME}\" "
                "auth <keys>")

    def who(self) -> str:
        return "auth"
