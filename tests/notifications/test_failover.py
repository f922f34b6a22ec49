"""When one road fails a page, the next one is taken at once; nobody is forgotten."""

from datetime import timedelta

import pytest

from notifications import leases, ways
from notifications.models import ContactMethod, Message
from roles.instants import fixed
from tests.notifications.conftest import NOON, deliver, letter, post
from tests.notifications.test_spreading import proved, provider

__all__ = ["provider"]


@pytest.fixture
def dead_mail(settings):
    """No mail server answers."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9


def by_channel() -> dict[str, Message]:
    return {message.channel: message for message in Message.objects.all()}


def test_a_failed_first_rung_brings_the_next_one_forward(ann, provider, dead_mail):
    proved(ann, "sms", "+491701234567")
    proved(ann, "voice", "+491701234567")
    ladder = [("email", 0), ("sms", 300), ("voice", 600)]
    ways.set_rules(actor=ann, urgency="high", rules=ladder, clock=fixed(NOON))
    post(letter(ann, urgency="high"))
    deliver()
    found = by_channel()
    assert found["email"].state == "queued", "it goes on being tried"
    assert found["sms"].next_attempt_at == NOON
    assert found["voice"].next_attempt_at == NOON + timedelta(seconds=600)
    deliver()
    assert by_channel()["sms"].state == "sent"


def test_without_rules_another_proved_address_stands_in(ann, provider, dead_mail):
    proved(ann, "sms", "+491701234567")
    post(letter(ann, urgency="high"))
    deliver()
    deliver()
    assert by_channel()["sms"].state == "sent"
    assert by_channel()["sms"].body == by_channel()["email"].body


def test_a_try_that_was_interrupted_does_not_keep_the_next_channel_back(ann, provider, dead_mail):
    """Else a sender killed in its first try would cost the page its other channels."""
    proved(ann, "sms", "+491701234567")
    post(letter(ann, urgency="high"))
    leases.claim(1, NOON)  # and its sender is gone
    deliver(seconds=leases.LEASE_S + 1)
    deliver(seconds=leases.LEASE_S + 1)
    assert by_channel()["sms"].state == "sent"


def test_low_news_waits_for_its_own_channel(ann, provider, dead_mail):
    proved(ann, "sms", "+491701234567")
    post(letter(ann))
    deliver()
    assert set(by_channel()) == {"email"}


def test_a_final_refusal_falls_over_too(ann, mailbox, provider):
    proved(ann, "sms", "+491701234567")
    ways.set_rules(actor=ann, urgency="high", rules=[("sms", 0)], clock=fixed(NOON))
    provider.says("400 Bad Request", body=b'{"code":21211}')
    post(letter(ann, urgency="high"))
    deliver()
    deliver()
    assert by_channel()["sms"].state == "dead"
    assert by_channel()["email"].state == "sent"
    assert len(mailbox.mails) == 1


def test_a_code_is_sent_nowhere_else(ann, provider, mailbox):
    provider.says("400 Bad Request", body=b'{"code":21211}')
    ways.add_method(actor=ann, channel="sms", address="+491701234567", clock=fixed(NOON))
    deliver()
    deliver()
    assert not mailbox.mails
    assert ContactMethod.objects.get().verified_at is None


def test_each_failure_brings_forward_one_rung_and_a_second_try_none(ann, provider, dead_mail):
    proved(ann, "sms", "+491701234567")
    proved(ann, "voice", "+491701234567")
    ladder = [("email", 0), ("sms", 300), ("voice", 600)]
    ways.set_rules(actor=ann, urgency="high", rules=ladder, clock=fixed(NOON))
    post(letter(ann, urgency="high"))
    deliver()
    deliver(seconds=30)
    deliver(seconds=60)
    assert by_channel()["voice"].next_attempt_at == NOON + timedelta(seconds=600)
