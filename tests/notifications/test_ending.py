"""A browser that takes nothing any more is closed, and its owner told, on another road."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.urls import reverse

from notifications import ways
from notifications.channels.push import PushChannel
from notifications.channels.registry import CHANNELS
from notifications.models import ContactMethod, ContactRule, Message
from roles.instants import fixed
from roles.models import AuditEntry
from tests.notifications.conftest import NOON, deliver, letter, post
from tests.notifications.receiver import receiving
from tests.notifications.test_push import subscription

KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def receiver(settings, monkeypatch):
    settings.PUBLIC_URL = "https://desk.example"
    monkeypatch.setitem(CHANNELS, "push", PushChannel())
    with receiving() as found:
        settings.WEBHOOK_HOSTS = [found.host]
        yield found


@pytest.fixture
def browser(ann, receiver) -> ContactMethod:
    """Ann's browser, proved, which is how she is paged."""
    kept = CHANNELS["push"].clean(subscription(receiver.url, KEY)[0])
    method = ContactMethod.objects.create(
        person=ann, channel="push", address=kept, verified_at=NOON
    )
    ways.set_rules(actor=ann, urgency="high", rules=[("push", 0)], clock=fixed(NOON))
    return method


@pytest.mark.parametrize("status", ["410 Gone", "404 Not Found"])
def test_a_browser_that_is_gone_is_closed_and_its_owner_told_by_mail(
    ann, browser, receiver, mailbox, client, status
):
    receiver.says(status)
    post(letter(ann, urgency="high"))
    for _ in range(3):
        deliver()
    browser.refresh_from_db()
    assert not browser.is_active
    assert browser.ended_because.startswith(f"HTTP {status[:3]}")
    assert not ContactRule.objects.exists()
    assert AuditEntry.objects.get(action="contact_method.ended").subject_id == str(ann.pk)
    paged = Message.objects.filter(kind="page")
    assert {each.channel: each.state for each in paged} == {"push": "dead", "email": "sent"}
    [word] = Message.objects.filter(kind="address_ended")
    assert (word.recipient, word.channel, word.state) == (ann, "email", "sent")
    client.force_login(ann)
    page = client.get(reverse("web:told")).content.decode()
    assert "takes nothing any more" in page
    assert browser.ended_because in page
    assert "A page reaches you at once by Browser" not in page


def test_a_second_message_on_its_way_closes_nothing_twice(ann, browser, receiver, mailbox):
    receiver.says("410 Gone")
    post(letter(ann, urgency="high"), letter(ann, urgency="high", topic="ticket:13", cause="f:2"))
    for _ in range(3):
        deliver()
    assert AuditEntry.objects.filter(action="contact_method.ended").count() == 1
    assert Message.objects.filter(kind="address_ended").count() == 1


def test_a_browser_whose_service_is_only_down_is_kept(ann, browser, receiver, mailbox):
    receiver.says("503 Later")
    post(letter(ann, urgency="high"))
    deliver()
    browser.refresh_from_db()
    assert browser.is_active
    assert ContactRule.objects.filter(channel="push").exists()


def test_a_closed_browser_rings_again_once_it_is_proved_anew(ann, browser, receiver, mailbox):
    receiver.says("410 Gone")
    post(letter(ann, urgency="high"))
    deliver()
    receiver.says("201 Created")
    same = subscription(receiver.url, KEY)[0]
    again = ways.add_method(actor=ann, channel="push", address=same, clock=fixed(NOON))
    assert again == browser
    assert (again.is_active, again.ended_because, again.verified_at) == (True, "", None)
