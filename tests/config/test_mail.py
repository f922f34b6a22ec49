"""The mail catcher over real SMTP, and the reader of what it kept."""

import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from config.mailbox import list_messages, read_message

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def catcher(settings, tmp_path) -> Iterator[int]:
    settings.MAIL_FOLDER = tmp_path / "mail"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "config.catcher", str(settings.MAIL_FOLDER), str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port
    process.terminate()
    assert process.wait(10) == 0


def send(port: int, subject: str, body: str = "Hello") -> None:
    message = EmailMessage()
    message["From"] = "Tierline <tierline@localhost>"
    message["To"] = "ana@example.org"
    message["Subject"] = subject
    message["X-Tierline-Key"] = "k-1"
    message.set_content(body)
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as link:
        link.send_message(message)


def test_a_caught_message_reads_as_it_was_sent(catcher):
    send(catcher, "Größe: 5 €", "Zeile eins\nline two — €\n")
    (caught,) = list_messages()
    assert caught.subject == "Größe: 5 €"
    assert caught.recipients == "ana@example.org"
    assert caught.body.splitlines() == ["Zeile eins", "line two — €"]
    assert caught.headers["X-Tierline-Key"] == "k-1"
    assert read_message(caught.id) == caught


def test_the_newest_message_comes_first_and_the_list_has_an_end(catcher):
    for number in range(5):
        send(catcher, f"number {number}")
    assert [m.subject for m in list_messages(3)] == ["number 4", "number 3", "number 2"]
    middle = list_messages()[2]
    assert [m.subject for m in list_messages(since=middle.at)][-1] == "number 2"


@pytest.mark.parametrize("wrong", ["", "../secret-key", "0" * 20, f"{'0' * 20}-1-1", "a/b"])
def test_no_name_leads_out_of_the_mail_folder(settings, tmp_path, wrong):
    settings.MAIL_FOLDER = tmp_path / "mail"
    (tmp_path / "secret-key.eml").write_text("secret")
    assert read_message(wrong) is None


def test_a_port_that_is_taken_is_said_once_and_waited_for(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "config.catcher", str(tmp_path / "mail"), str(port)]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"Port {port} is not free (")
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    send(port, "At last")
    process.terminate()
    assert process.wait(10) == 0
    assert process.stdout.read() == ""
