"""A real IMAP server for one test: Debian's Dovecot with one mailbox, over TLS alone."""

import getpass
import grp
import imaplib
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

USER, PASSWORD = "support", "s3cret,/word"
PATIENCE_S = 20
CONFIG = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
default_login_user = {login}
default_internal_user = {internal}
default_internal_group = {group}
mail_location = maildir:{home}/mail
disable_plaintext_auth = yes
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail
}}
first_valid_uid = 1
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Mailbox:
    """The running server, and its one mailbox as a mail program sees it."""

    def __init__(self, program: str) -> None:
        # Not below pytest's own folder: no other account may look into that.
        self.home = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.port, self.plain = _free_port(), _free_port()
        self._server = self._start(program)

    def address(self, *, folder: str = "INBOX", done: str = "", tls: bool = True) -> str:
        """Where Tierline fetches, as it stands in the settings."""
        secret = PASSWORD.replace(",", "%2C").replace("/", "%2F")
        scheme, port = ("imaps", self.port) if tls else ("imap", self.plain)
        more = f"&done={done}" if done else ""
        ca = f"{self.home}/cert.pem"
        return f"{scheme}://{USER}:{secret}@localhost:{port}/{folder}?ca={ca}{more}"

    def deliver(self, *mails: bytes) -> None:
        """Put mails into the inbox."""
        with self.open() as imap:
            for mail in mails:
                assert imap.append("INBOX", "", imaplib.Time2Internaldate(time.time()), mail)

    def count(self, folder: str = "INBOX", *criteria: str) -> int:
        """How many mails of the folder fit."""
        with self.open() as imap:
            assert imap.select(folder)[0] == "OK", folder
            return len(imap.search(None, *(criteria or ("ALL",)))[1][0].split())

    def open(self) -> imaplib.IMAP4_SSL:
        """A connection of its own, signed in."""
        context = ssl.create_default_context(cafile=f"{self.home}/cert.pem")
        imap = imaplib.IMAP4_SSL("localhost", self.port, ssl_context=context)
        imap.login(USER, PASSWORD)
        return imap

    def renumber(self) -> None:
        """Give every mail a new number, as a restored mailbox has."""
        for index in (self.home / "mail").glob("dovecot*"):
            index.unlink()

    def stop(self) -> None:
        self._server.terminate()
        self._server.wait(timeout=PATIENCE_S)
        shutil.rmtree(self.home, ignore_errors=True)

    def _start(self, program: str) -> subprocess.Popen[bytes]:
        # Dovecot never serves mail to root: then it is somebody else's.
        is_root = os.geteuid() == 0
        owner = pwd.getpwnam("nobody") if is_root else pwd.getpwuid(os.getuid())
        own_group = grp.getgrgid(os.getgid()).gr_name
        names: dict[str, Any] = {
            "home": self.home,
            # The accounts that Debian's package makes for it, where it may change to them.
            "login": "dovenull" if is_root else getpass.getuser(),
            "internal": "dovecot" if is_root else getpass.getuser(),
            "group": "dovecot" if is_root else own_group,
            "password": PASSWORD,
            "uid": owner.pw_uid,
            "gid": owner.pw_gid,
            "port": self.port,
            "plain": self.plain,
        }
        (self.home / "dovecot.conf").write_text(CONFIG.format(**names))
        _certify(self.home)
        self.home.chmod(0o755)
        (self.home / "mail").mkdir()
        if is_root:
            os.chown(self.home / "mail", owner.pw_uid, owner.pw_gid)
        server = subprocess.Popen(
            [program, "-F", "-c", str(self.home / "dovecot.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and server.poll() is None:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return server
            time.sleep(0.05)
        server.kill()
        log = self.home / "log"
        told = log.read_text() if log.exists() else ""
        raise AssertionError(f"Dovecot does not start: {server.stderr.read()!r} {told}")


def _certify(home: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", f"{home}/key.pem", "-out", f"{home}/cert.pem"]
    subprocess.run(command, check=True, capture_output=True)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
