"""After an outage of every channel: each person hears of each thing once, on one channel."""

from datetime import timedelta

import pytest

from notifications.channels import telephony
from notifications.models import ContactMethod, Message
from tests.notifications.conftest import NOON, deliver, letter, post, tries
from tests.notifications.receiver import receiving

NUMBER = "+491701234567"
CLOSED = 9


@pytest.fixture
def phone(settings, ann, monkeypatch):
    """Ann's number, and a provider that does not work."""
    with receiving() as provider:
        settings.WEBHOOK_HOSTS = [provider.host]
        settings.TELEPHONY_URL = f"http://{provider.host}"
        settings.TELEPHONY_ACCOUNT, settings.TELEPHONY_TOKEN = "AC1", "secret"
        settings.TELEPHONY_FROM = "+15005550006"
        monkeypatch.setattr(telephony, "_caller", telephony.Caller(per_second=50.0))
        ContactMethod.objects.create(person=ann, channel="sms", address=NUMBER, verified_at=NOON)
        provider.says("500 No")
        yield provider


def pages(ann, count: int) -> list[Message]:
    rows = []
    for number in range(count):
        rows += post(letter(ann, cause=f"firing:{number}", urgency="high"))
        deliver(seconds=number * 20)
    return rows


def test_what_failed_on_two_channels_arrives_on_the_first_that_works_alone(
    ann, mailbox, phone, settings
):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, CLOSED
    pages(ann, 3)
    assert set(Message.objects.values_list("channel", flat=True)) == {"email", "sms"}
    settings.EMAIL_PORT = port
    calls = len(phone.calls)
    phone.says("201 Created")
    for minute in range(10, 60):
        deliver(minutes=minute)
    arrived = len(mailbox.mails) + len(phone.calls) - calls
    assert arrived == 1
    assert set(Message.objects.values_list("state", flat=True)) == {"sent", "dropped"}


def test_where_only_one_channel_heals_it_is_that_one(ann, mailbox, phone, settings):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, CLOSED
    pages(ann, 2)
    settings.EMAIL_PORT = port
    for minute in range(10, 60):
        deliver(minutes=minute)
    assert len(mailbox.mails) == 1
    reasons = set(Message.objects.filter(channel="sms").values_list("finished_reason", flat=True))
    assert reasons == {"Told over another channel instead, which took it."}


def test_what_is_taken_along_early_and_fails_again_has_lost_no_try(ann, mailbox):
    mailbox.greylisted["ann@example.org"] = 99
    [first] = post(letter(ann))
    deliver()
    first.refresh_from_db()
    waits_until = first.next_attempt_at
    for number in range(12):
        post(letter(ann, cause=f"event:{number}", topic="ticket:12", urgency="high"))
        Message.objects.filter(pk=first.pk).update(next_attempt_at=waits_until)
        deliver(seconds=0.01 * number)
    first.refresh_from_db()
    assert (first.state, first.attempts) == ("queued", 1)
    assert first.next_attempt_at == waits_until


def test_only_what_failed_is_taken_along_and_only_for_the_same_person_and_thing(ann, mailbox):
    for number, changes in enumerate(({}, {"topic": "ticket:13"}, {"not_before": NOON})):
        post(letter(ann, cause=f"event:{number}", **changes))
    later = Message.objects.order_by("pk")
    failed, elsewhere, planned = later
    ahead = NOON + timedelta(minutes=5)
    Message.objects.filter(pk__in=[failed.pk, elsewhere.pk]).update(
        attempts=1, next_attempt_at=ahead
    )
    Message.objects.filter(pk=planned.pk).update(not_before=ahead, next_attempt_at=ahead)
    post(letter(ann, cause="event:9"))
    deliver()
    assert len(mailbox.mails) == 1
    assert tries(failed) == ["skipped"]
    assert tries(elsewhere) == tries(planned) == []


def test_a_later_page_covers_an_earlier_one_that_only_another_channel_still_has(
    ann, mailbox, phone
):
    [first, later] = post(
        letter(ann, cause="firing:1", urgency="high", channel="sms"),
        letter(ann, cause="firing:2", urgency="high", channel="email", rung=1),
    )
    Message.objects.filter(pk=first.pk).update(attempts=3)
    deliver()
    first.refresh_from_db()
    later.refresh_from_db()
    assert (first.state, later.state) == ("dropped", "sent")
    assert not phone.calls
