"""The e-mail itself: headers that cannot be broken, links, and one deadline for the whole send."""

import time

import pytest
from django.core import mail as django_mail

from notifications.channels.email import EmailChannel
from notifications.channels.message import OutgoingMessage
from tests.notifications.mailbox import dripping, free_port, silent


def message(**changes) -> OutgoingMessage:
    given = {
        "key": "5a0d5f5e-0000-5000-8000-000000000001",
        "topic": "ticket:12",
        "kind": "page",
        "urgency": "high",
        "subject": "INC-000012 is overdue",
        "body": "Nobody has answered.\n\nPlease look.",
    }
    return OutgoingMessage(**{**given, **changes})


def send(deadline_s: float = 5, to: str = "ann@example.org", **changes):
    channel = EmailChannel()
    try:
        return channel.send(message(**changes), to, deadline_s)
    finally:
        channel.rest()


def test_a_mail_says_that_a_machine_wrote_it_and_to_which_thread_it_belongs(mailbox):
    assert send().ok
    assert send(key="5a0d5f5e-0000-5000-8000-000000000002").ok
    assert send(key="5a0d5f5e-0000-5000-8000-000000000003", topic="ticket:13").ok
    one, two, other = mailbox.mails
    assert one["Auto-Submitted"] == "auto-generated"
    assert one["Message-ID"] != two["Message-ID"]
    assert one["References"] == two["References"] != other["References"]
    assert "12" not in one["References"].partition("@")[0].split("-")


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x0b", "\u2028", "\x85"])
def test_a_line_break_in_a_subject_reaches_no_header(mailbox, break_):
    assert send(subject=f"Printer{break_}Bcc: eve@example.org").ok
    [mail] = mailbox.mails
    assert mail["Subject"] == "Printer Bcc: eve@example.org"
    assert mail["Bcc"] is None
    assert set(mailbox.asked) == {"ann@example.org"}


def test_a_line_break_in_an_address_is_refused_for_good(mailbox):
    result = send(to="ann@example.org\r\nBcc: eve@example.org")
    assert (result.ok, result.permanent) == (False, True)
    assert not mailbox.asked


def test_an_over_long_subject_is_cut(mailbox):
    assert send(subject="late " * 1000).ok
    assert mailbox.mails[0]["Subject"].strip() == "late " * 39 + "late…"


def test_text_and_html_carry_the_same_words_and_links(mailbox):
    assert send(ack_url="https://desk.example/m/abc/", open_url="https://desk.example/t/1").ok
    [mail] = mailbox.mails
    plain = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    for part in (plain, html):
        assert "Nobody has answered." in part
        assert "https://desk.example/m/abc/" in part
        assert "https://desk.example/t/1" in part


def test_a_mail_without_links_offers_none(mailbox):
    assert send().ok
    [mail] = mailbox.mails
    assert "Acknowledge" not in mail.as_string()
    assert "href" not in mail.get_body(("html",)).get_content()


def test_markup_in_the_words_stays_words(mailbox):
    assert send(subject="<script>1</script>", body='<img src=x onerror="alert(1)">').ok
    html = mailbox.mails[0].get_body(("html",)).get_content()
    assert "<script" not in html
    assert "<img" not in html


def test_a_burst_uses_one_connection_and_outlives_its_loss(mailbox):
    channel = EmailChannel()
    assert channel.send(message(), "ann@example.org", 5).ok
    [session] = channel._idle
    session._backend.connection.sock.close()
    assert channel.send(message(), "ann@example.org", 5).ok
    assert channel._idle == [session]
    channel.rest()
    assert channel._idle == []
    assert len(mailbox.mails) == 2


def test_a_server_that_drips_meets_the_deadline(settings, mailbox):
    with dripping(0.1) as settings.EMAIL_PORT:
        begun = time.monotonic()
        result = send(deadline_s=1)
    assert 0.9 < time.monotonic() - begun < 2
    assert (result.ok, result.permanent) == (False, False)
    assert result.detail == "No answer within 1 s."


def test_a_slow_answer_meets_the_deadline(mailbox):
    mailbox.slow_s["ann@example.org"] = 3
    begun = time.monotonic()
    result = send(deadline_s=0.5)
    assert time.monotonic() - begun < 1.5
    assert result.detail == "No answer within 0.5 s."


def test_a_server_without_the_wanted_tls_gets_no_mail(settings, mailbox):
    settings.EMAIL_USE_TLS = True
    result = send()
    assert (result.ok, result.permanent) == (False, False)
    assert not mailbox.mails


def test_a_server_that_talks_no_tls_at_all_is_a_failure_that_passes(settings, mailbox):
    settings.EMAIL_USE_SSL = True
    result = send()
    assert (result.ok, result.permanent) == (False, False)
    assert not mailbox.mails


def test_a_dead_server_is_a_failure_that_passes(settings, mailbox):
    settings.EMAIL_PORT = free_port()
    result = send()
    assert (result.ok, result.permanent) == (False, False)


def test_another_backend_of_the_site_is_used_as_it_is(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert send().ok
    assert [mail.to for mail in django_mail.outbox] == [["ann@example.org"]]


# ---- A server that is down holds no lane -------------------------------------------------------


def test_a_server_that_never_greets_is_left_at_the_deadline_and_then_alone(settings, mailbox):
    channel = EmailChannel()
    with silent() as (settings.EMAIL_PORT, came):
        first = channel.send(message(), "ann@example.org", 0.4)
        begun = time.monotonic()
        second = channel.send(message(), "bob@example.org", 5)
        assert time.monotonic() - begun < 0.3
    assert (first.ok, first.permanent, first.retry_after_s) == (False, False, None)
    assert (second.ok, second.permanent, 0 < second.retry_after_s <= 30) == (False, False, True)
    assert len(came) == 1


def test_one_slow_recipient_is_not_the_server(mailbox):
    channel = EmailChannel()
    mailbox.slow_s["slow@example.org"] = 3
    for _ in range(2):
        assert not channel.send(message(), "slow@example.org", 0.3).ok
    assert channel.send(message(), "ann@example.org", 5).ok
    for _ in range(3):
        assert not channel.send(message(), "slow@example.org", 0.3).ok
    assert channel.send(message(), "ann@example.org", 5).retry_after_s > 0
    channel.rest()


def test_a_refused_recipient_is_not_the_server(mailbox):
    channel = EmailChannel()
    mailbox.refused.add("gone@example.org")
    for _ in range(4):
        assert channel.send(message(), "gone@example.org", 5).permanent
    assert channel.send(message(), "ann@example.org", 5).ok
    channel.rest()
