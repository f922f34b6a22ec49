"""Mail that lies, repeats itself, is sealed, or was made to hurt: kept, told, and nobody fooled."""

import time
from datetime import timedelta

import pytest

from api.mail import taking
from api.mail.monitors import alert_of
from api.mail.reading import read
from notifications.models import Message
from notifications.replies import message_id, reply_address
from roles.models import Person
from tests.api.mails import ADDRESS, raw
from tests.api.mailstage import answer, asked, take, talk
from tickets.mailsources import create_mail_source
from tickets.merging import merge
from tickets.models import Attachment, MailSource, ReceivedMail, Ticket
from tickets.restriction import restrict
from tickets.sources import create_source
from web.mails import harmless

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def answers_are_taken(settings, tmp_path):
    settings.MAIL_REPLY_ADDRESS = ADDRESS
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def source(story) -> MailSource:
    made, _ = create_mail_source(slug="support", address=ADDRESS, clock=story.clock)
    return made


# ---- Whose mail it is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lie",
    [
        "=?utf-8?q?rita=40example=2Eorg=2C?= <eve@else.example>",
        "=?utf-8?b?cml0YUBleGFtcGxlLm9yZywg?= <eve@else.example>",
        "=?utf-8?q?=3Crita=40example=2Eorg=3E=2C?= Eve <eve@else.example>",
    ],
)
def test_a_name_holds_no_address(story, source, lie):
    """Mail servers judge the address that stands there, not the words of an encoded name."""
    content = f"From: {lie}\r\nTo: {ADDRESS}\r\nMessage-ID: <l@x>\r\nSubject: x\r\n\r\nx".encode()
    received = take(story, source, content)
    assert received.sender == "eve@else.example"
    assert (received.outcome, received.person) == ("held", None)


def test_an_encoded_name_is_still_a_name():
    mail = read(b"From: =?utf-8?q?M=C3=BCller=2C_Rita?= <Rita@Example.org>\r\n\r\nx")
    assert (mail.sender_name, mail.sender) == ("Müller, Rita", "rita@example.org")


@pytest.mark.parametrize("name", ["Subject", "From", "To", "Message-ID", "References", "Date"])
def test_a_broken_encoded_word_stops_nothing(story, source, name):
    broken = "=?utf-8?b?abcde?= <rita@example.org>"
    head = {"From": "rita@example.org", "Subject": "x", name: broken}
    content = "".join(f"{key}: {value}\r\n" for key, value in head.items()) + "\r\nwords"
    assert take(story, source, content.encode()).outcome == "opened"


@pytest.mark.parametrize("charset", ["utf-8", "cp1252"])
def test_headers_beyond_ascii_are_read_as_they_are_meant(story, source, charset):
    head = "From: Jörg Müller <jörg@example.org>\r\nTo: Köln <x@example.org>\r\nSubject: Grüße\r\n"
    mail = read(f"{head}\r\nx".encode(charset))
    assert (mail.subject, mail.sender_name) == ("Grüße", "Jörg Müller")
    assert mail.sender == "jörg@example.org"
    assert take(story, source, f"{head}\r\nx".encode(charset)).outcome == "held"


def test_a_flood_of_strangers_is_held_though_each_has_another_name(story, source):
    source.unknown, source.hourly_limit = "guest", 3
    source.save()

    def write(number: int) -> ReceivedMail:
        content = raw(sender=f"Eve <e{number}@else.example>", ident=f"<{number}@else.example>")
        return take(story, source, content)

    assert [write(n).outcome for n in range(5)] == ["opened"] * 3 + ["held"] * 2
    assert not Person.objects.filter(email="e4@else.example").exists()
    assert take(story, source, raw(ident="<known@x>")).outcome == "opened", "who is known may write"
    held = ReceivedMail.objects.get(sender="e4@else.example")
    done = taking.process_again(received=held, as_guest=True, clock=story.clock)
    assert done.outcome == "opened"
    story.now += timedelta(hours=2)
    assert write(9).outcome == "opened"


# ---- One id, several mails ----------------------------------------------------------------------


def test_another_mail_of_the_same_message_id_is_not_lost(story, source):
    first = take(story, source, raw("One", ident="<scanner@device>"))
    second = take(story, source, raw("Two", ident="<scanner@device>"))
    assert first.ticket != second.ticket
    assert take(story, source, raw("Two", ident="<scanner@device>")).pk == second.pk
    assert ReceivedMail.objects.count() == Ticket.objects.count() == 2


def test_the_mail_of_a_list_is_the_one_that_came_directly(story, source):
    date = "Mon, 02 Mar 2026 09:00:00 +0000"
    first = take(story, source, raw("Words", Date=date))
    by_list = raw("Words\n\n--\nThe list's footer", subject="[all] Printer", Date=date)
    assert take(story, source, by_list).pk == first.pk


# ---- Restricted cases ---------------------------------------------------------------------------


def test_a_further_mail_to_what_became_a_case_opens_nothing_that_others_read(story, source):
    first = take(story, source, raw("Somebody steals.", ident="<first@example.org>"))
    restrict(ticket=first.ticket, actor=story.agent, reason="Fraud", clock=story.clock)
    content = raw("It is Bob.", ident="<more@example.org>", In_Reply_To="<first@example.org>")
    received = take(story, source, content)
    assert (received.outcome, received.ticket) == ("held", first.ticket)
    assert Ticket.objects.count() == 1


def test_an_answer_to_what_was_merged_into_a_case_is_held_too(story, source):
    ticket, message = asked(story)
    into = story.open(subject="The same")
    merge(ticket=ticket, into=into, actor=story.agent, reason="The same", clock=story.clock)
    restrict(ticket=into, actor=story.agent, reason="Fraud", clock=story.clock)
    before = talk(into)
    received = take(story, source, answer(message))
    assert (received.outcome, received.ticket) == ("held", into)
    assert talk(into) == before


# ---- What nobody here can read ------------------------------------------------------------------

HEAD = "From: Rita <rita@example.org>\r\nTo: support@desk.example\r\nMIME-Version: 1.0\r\n"
SMIME = (
    f"{HEAD}Subject: Sealed\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; "
    "name=smime.p7m\r\nContent-Disposition: attachment; filename=smime.p7m\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHA6CAMIACAQ==\r\n"
)
PGP = (
    f"{HEAD}Subject: Sealed\r\nContent-Type: multipart/encrypted; boundary=b;"
    ' protocol="application/pgp-encrypted"\r\n\r\n'
    "--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
    "--b\r\nContent-Type: application/octet-stream; name=encrypted.asc\r\n\r\n"
    "-----BEGIN PGP MESSAGE-----\r\nabc\r\n-----END PGP MESSAGE-----\r\n--b--\r\n"
)


@pytest.mark.parametrize("content", [SMIME, PGP], ids=["S/MIME", "OpenPGP"])
def test_an_encrypted_mail_is_kept_and_says_so(story, source, content):
    received = take(story, source, content.encode())
    assert received.outcome == "opened"
    assert "encrypted" in received.reason
    assert "encrypted" in received.ticket.description
    names = set(Attachment.objects.filter(ticket=received.ticket).values_list("name", flat=True))
    assert names & {"smime.p7m", "encrypted.asc"}


def test_a_signed_mail_is_read_as_any_other_and_a_packed_one_says_so(story, source):
    signed = (
        f"{HEAD}Subject: Signed\r\nContent-Type: multipart/signed; boundary=b; "
        'protocol="application/pkcs7-signature"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThe words.\r\n"
        "--b\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nx\r\n--b--\r\n"
    )
    received = take(story, source, signed.encode())
    assert (received.ticket.description, received.reason) == ("The words.", "")
    packed = raw("See there.", ident="<t@x>").replace(
        b"Content-Type: text/plain",
        b"Content-Type: application/ms-tnef; name=winmail.dat\r\nX-Was:",
    )
    assert "winmail.dat" in take(story, source, packed).reason


# ---- Mails that came back, as different servers say it ------------------------------------------

COPY = "From: tierline@localhost\r\nReply-To: {to}\r\nMessage-ID: {ident}\r\nSubject: x\r\n\r\nbody"
EXIM = (
    "From: Mail Delivery System <Mailer-Daemon@mx.example>\r\nSubject: Mail delivery failed\r\n"
    "X-Failed-Recipients: rita@example.org\r\nAuto-Submitted: auto-replied\r\n\r\n"
    "This message was created automatically by mail delivery software.\r\n"
    "------ This is a copy of the message, including all the headers. ------\r\n\r\n" + COPY
)
QMAIL = (
    "From: MAILER-DAEMON@mx.example\r\nReturn-Path: <>\r\nSubject: failure notice\r\n\r\n"
    "Hi. This is the qmail-send program at mx.example.\r\nI'm afraid I wasn't able to deliver your "
    "message.\r\n\r\n<rita@example.org>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n\r\n"
    "--- Below this line is a copy of the message.\r\n\r\n" + COPY
)
UTF8 = (
    "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=global-delivery-status; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
    "--b\r\nContent-Type: message/global-delivery-status\r\n\r\n"
    "Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: utf-8; rita@example.org\r\n"
    "Action: failed\r\nStatus: 5.1.1\r\n"
    "--b\r\nContent-Type: message/global-headers\r\n\r\n" + COPY + "\r\n--b--\r\n"
)
EXCHANGE = UTF8.replace("multipart/report; report-type=global-delivery-status", "multipart/mixed")
EXCHANGE = EXCHANGE.replace("global-delivery-status", "delivery-status")
EXCHANGE = EXCHANGE.replace("message/global-headers", "text/rfc822-headers")


@pytest.mark.parametrize("by", ["id", "address"])
@pytest.mark.parametrize(
    "shape", [EXIM, QMAIL, UTF8, EXCHANGE], ids=["exim", "qmail", "utf8", "exchange"]
)
def test_a_mail_that_came_back_is_known_however_it_is_told(story, source, shape, by):
    ticket, message = asked(story)
    Message.objects.filter(pk=message.pk).update(
        state="sent", sent_at=story.now, finished_at=story.now
    )
    # Some relays replace the Message-ID by one of their own; the signed address stays.
    ident = message_id(message.key) if by == "id" else "<0102@relay.example>"
    content = shape.format(ident=ident, to=reply_address(message) if by == "address" else "x@y")
    received = take(story, source, content.encode())
    assert (received.outcome, received.ticket) == ("bounced", ticket)
    message.refresh_from_db()
    assert message.state == "dead"
    assert "rita@example.org came back" in talk(ticket)[-1][2]


def test_words_about_a_failure_are_no_report(story, source):
    _, message = asked(story)
    Message.objects.filter(pk=message.pk).update(
        state="sent", sent_at=story.now, finished_at=story.now
    )
    words = f"Hi. This is the problem:\nMessage-ID: {message_id(message.key)}\nnever came."
    assert take(story, source, raw(words, ident="<w@x>")).outcome == "opened"
    message.refresh_from_db()
    assert message.state == "sent"


# ---- Monitors, and what people say about them ---------------------------------------------------


@pytest.fixture
def watching(story, source) -> MailSource:
    source.monitor, _ = create_source(slug="icinga", product="alertmanager", clock=story.clock)
    source.save()
    return source


@pytest.mark.parametrize("before", ["Re: ", "Fwd: ", "AW: ", "WG: ", "RE[2]: "])
def test_what_a_person_sends_on_is_no_alert(story, watching, before):
    subject = f"{before}[PROBLEM] disk on web01 is WARNING!"
    received = take(story, watching, raw("Can you look?", subject=subject))
    assert (received.outcome, received.ticket.requester) == ("opened", story.requester)


def test_an_answer_stays_one_whatever_its_subject(story, watching):
    ticket, message = asked(story)
    content = answer(message).replace(
        b"Subject: Re: anything at all", b"Subject: [RECOVERY] disk on web01 is OK!"
    )
    assert (take(story, watching, content).outcome, talk(ticket)[-1][0]) == ("commented", "rita")


def test_names_with_blanks_are_joined_too(story, watching):
    machine = {"sender": "icinga@mon.example", "Auto_Submitted": "auto-generated"}
    for number, (host, service) in enumerate([("Web Server 1", "Disk /var"), ("Host on tour", "")]):
        what = f"{service} on {host}" if service else f"Host {host}"
        bad, good = ("CRITICAL", "OK") if service else ("DOWN", "UP")
        fired = raw(subject=f"[PROBLEM] {what} is {bad}!", ident=f"<p{number}@m>", **machine)
        over = raw(subject=f"[RECOVERY] {what} is {good}!", ident=f"<r{number}@m>", **machine)
        ticket = take(story, watching, fired).ticket
        assert take(story, watching, over).outcome == "alerted"
        assert story.fresh(ticket).status == "resolved"


# ---- Mails made to hurt -------------------------------------------------------------------------


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "undefined", "zip"])
def test_no_charset_of_programmers_is_decoded(charset):
    words = b"a" * 200_000 + b"-" + b"b" * 200_000
    head = f"From: a@b.example\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode()
    begun = time.monotonic()
    assert read(head + words).text == words.decode()
    assert time.monotonic() - begun < 5


def hurting() -> dict[str, bytes]:
    head = b"From: a@b.example\r\nSubject: monit alert --  Timeout x\r\n"
    page = head + b"Content-Type: text/html\r\n\r\n"
    nests = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(300)
    )
    return {
        "open tags": page + b"<a " * 150_000,
        "open values": page + b'<a b="' * 80_000,
        "comments": page + b"<!--" * 120_000,
        "quotes in quotes": page + b"<blockquote>" * 40_000,
        "boxes in boxes": page + b"<div>" * 100_000,
        "unknown in unknown": page + b"".join(b"<x%d></y>" % n for n in range(50_000)),
        "parts in parts": head + nests + b"\r\n" + b"\n" * 5_000_000,
        "empty lines": head + b"\r\nx" + b"\n" * 900_000 + b"x",
        "recipients": b"To: a@b.example\r\n" * 500_000 + head + b"\r\nx",
    }


@pytest.mark.parametrize("name", hurting())
def test_no_mail_is_read_for_minutes(name):
    begun = time.monotonic()
    mail = read(hurting()[name])
    alert_of(mail)
    harmless(mail.html)
    assert time.monotonic() - begun < 15, "the task that fetches ends, and begins with it again"


def test_a_mail_that_cannot_be_read_in_any_way_is_kept_all_the_same(story, source, monkeypatch):
    def stumble(mime, troubles):
        raise MemoryError

    monkeypatch.setattr("api.mail.reading._read", stumble)
    received = take(story, source, raw())
    assert (received.outcome, received.message_id) == ("failed", "<1@example.org>")
    assert bytes(received.raw) == raw()
    monkeypatch.undo()
    assert taking.process_again(received=received, clock=story.clock).outcome == "opened"
