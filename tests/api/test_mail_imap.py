"""Mail is fetched from a real IMAP server: kept before it is flagged, once, whatever breaks."""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from api.mail.imap import TAKEN, BadBox, box_of, poll
from api.mail.polling import poll_all
from tests.api.mails import ADDRESS, raw
from tests.api.mailserver import PASSWORD, Mailbox
from tests.story import Story
from tickets.mailsources import create_mail_source
from tickets.models import MailSource, ReceivedMail, Ticket

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server(dovecot: str) -> Iterator[Mailbox]:
    box = Mailbox(dovecot)
    yield box
    box.stop()


@pytest.fixture
def mailbox(server: Mailbox) -> Mailbox:
    """The server with an empty inbox."""
    with server.open() as imap:
        if int(imap.select("INBOX")[1][0]):  # there is no first mail in an empty folder
            imap.store("1:*", "+FLAGS", r"(\Deleted)")
            imap.expunge()
        imap.delete("Done")
    return server


@pytest.fixture
def story(live_db) -> Story:
    return Story()


@pytest.fixture
def source(story) -> MailSource:
    made, _ = create_mail_source(slug="support", address=ADDRESS, clock=story.clock)
    return made


def mails(count: int, first: int = 0) -> list[bytes]:
    return [raw(f"Words {n}", ident=f"<{n}@example.org>") for n in range(first, first + count)]


def test_mail_is_fetched_once_and_flagged(mailbox, source):
    mailbox.deliver(*mails(3))
    box = box_of(mailbox.address())
    assert poll(source, box) == 3
    assert Ticket.objects.count() == 3
    assert mailbox.count("INBOX", "KEYWORD", TAKEN) == 3
    assert poll(MailSource.objects.get(), box) == 0
    mailbox.deliver(*mails(1, first=3))
    assert poll(MailSource.objects.get(), box) == 1
    row = MailSource.objects.get()
    assert row.uid_validity
    assert row.last_uid == ReceivedMail.objects.order_by("-id").first().uid
    assert (row.trouble, row.polled_at is None) == ("", False)


@pytest.mark.parametrize("tls", [True, False], ids=["TLS", "STARTTLS"])
def test_mail_is_moved_to_another_folder_after_it_is_kept(mailbox, source, tls):
    mailbox.deliver(*mails(2))
    assert poll(source, box_of(mailbox.address(done="Done", tls=tls))) == 2
    assert (mailbox.count(), mailbox.count("Done")) == (0, 2)
    assert Ticket.objects.count() == 2


def test_a_mailbox_that_numbers_its_mails_anew_gives_nothing_twice(mailbox, source):
    mailbox.deliver(*mails(2))
    box = box_of(mailbox.address())
    poll(source, box)
    with mailbox.open() as imap:
        imap.select("INBOX")
        imap.store("1:*", "-FLAGS", f"({TAKEN})")
    MailSource.objects.update(uid_validity=1, last_uid=999_999)
    assert poll(MailSource.objects.get(), box) == 2, "shown again"
    assert Ticket.objects.count() == 2, "and known"
    assert MailSource.objects.get().uid_validity != 1


def test_a_fetch_that_was_killed_between_keeping_and_flagging_goes_on(mailbox, source, live_db):
    mailbox.deliver(*mails(2))
    address = mailbox.address().replace(",", "%2C")
    env = {**os.environ, "DATABASE_URL": live_db.url, "MAILBOXES": f"support={address}"}
    call = "from api.mail.polling import poll_all; poll_all()"
    command = [sys.executable, "manage.py", "shell", "-c", call]
    crash = {**env, "TIERLINE_CRASH_AT": "mail_kept_before_flag"}
    first = subprocess.run(command, cwd=ROOT, env=crash, capture_output=True, check=False)
    assert first.returncode == 137, first.stderr.decode()
    assert (ReceivedMail.objects.count(), mailbox.count("INBOX", "KEYWORD", TAKEN)) == (1, 0)
    again = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=False)
    assert again.returncode == 0, again.stderr.decode()
    assert Ticket.objects.count() == ReceivedMail.objects.count() == 2
    assert mailbox.count("INBOX", "KEYWORD", TAKEN) == 2


@pytest.mark.parametrize("after", [4_000, 9_000, 20_000, 40_000])
def test_a_line_cut_at_any_place_loses_nothing_and_takes_nothing_twice(mailbox, source, after):
    mailbox.deliver(*(raw("word " * 2_000, ident=f"<{n}@example.org>") for n in range(5)))
    address = mailbox.address()
    with cutting(mailbox.port, after) as port, pytest.raises(BadBox):
        poll(source, box_of(address.replace(f":{mailbox.port}/", f":{port}/")))
    assert MailSource.objects.get().trouble
    kept = ReceivedMail.objects.count()
    assert kept < 5
    assert poll(MailSource.objects.get(), box_of(address)) >= 5 - kept
    assert Ticket.objects.count() == ReceivedMail.objects.count() == 5
    assert mailbox.count("INBOX", "KEYWORD", TAKEN) == 5
    assert MailSource.objects.get().trouble == ""


@contextmanager
def cutting(port: int, after: int) -> Iterator[int]:
    """A port that leads to the server until it has let so many bytes of it through."""

    def carry(near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", port)) as far:
            left = after
            while left > 0:
                for ready in select.select([near, far], [], [], 10)[0]:
                    told = ready.recv(min(left, 4096))
                    if not told:
                        return
                    (near if ready is far else far).sendall(told)
                    left -= len(told) if ready is far else 0

    with socket.create_server(("127.0.0.1", 0)) as door:
        Thread(target=lambda: carry(door.accept()[0]), daemon=True).start()
        yield door.getsockname()[1]


def test_a_mailbox_in_trouble_is_said_and_keeps_no_other_waiting(mailbox, source, settings):
    wrong = mailbox.address().replace("s3cret", "wrong")
    create_mail_source(slug="other", address="other@desk.example")
    settings.MAILBOXES = {"other": "imaps://x:y@127.0.0.1:1/INBOX", "support": mailbox.address()}
    mailbox.deliver(*mails(1))
    assert poll_all() == 1
    assert MailSource.objects.get(slug="other").trouble
    with pytest.raises(BadBox):
        poll(source, box_of(wrong))
    said = MailSource.objects.get(slug="support").trouble
    assert "AUTH" in said.upper()
    assert PASSWORD not in said
    with pytest.raises(BadBox):
        poll(source, box_of(mailbox.address().partition("?ca=")[0]))
    assert "certificate" in MailSource.objects.get(slug="support").trouble.lower()


def test_odd_mail_is_fetched_like_any_other(mailbox, source):
    odd = [
        b"no mail at all",
        b"From: \xff\r\n\r\n" + b"x" * 5000,
        raw(files=(("f", b"y" * 10**6),)),
    ]
    mailbox.deliver(*odd)
    assert poll(source, box_of(mailbox.address())) == 3
    assert sorted(ReceivedMail.objects.values_list("outcome", flat=True)) == [
        "failed",
        "failed",
        "opened",
    ]


@pytest.mark.parametrize("address", ["", "pop://a:b@c", "imap://host", "imaps://a:b@c:port/x"])
def test_a_mailbox_without_tls_or_a_name_is_refused(address):
    with pytest.raises(BadBox):
        box_of(address)


def test_the_pipe_keeps_a_mail_or_asks_to_try_later(source, live_db):
    command = [sys.executable, "manage.py", "take_mail"]
    env = {**os.environ, "DATABASE_URL": live_db.url}

    def pipe(slug: str, content: bytes, **more: str) -> int:
        done = subprocess.run(
            [*command, slug],
            cwd=ROOT,
            env={**env, **more},
            input=content,
            capture_output=True,
            check=False,
        )
        return done.returncode

    assert pipe("support", raw()) == 0
    assert pipe("support", raw()) == 0
    assert Ticket.objects.count() == 1
    assert pipe("none", raw()) == os.EX_NOUSER
    assert pipe("support", b"") == os.EX_DATAERR
    gone = "postgresql://nobody@127.0.0.1:1/none"
    assert pipe("support", raw(ident="<n@x>"), DATABASE_URL=gone) == os.EX_TEMPFAIL
