"""Every channel is down for an hour: climbing goes on, and healing brings no flood."""

import re
from collections import Counter
from urllib.parse import parse_qs

import pytest

from notifications.channels import telephony
from notifications.channels.email import EmailChannel
from notifications.channels.registry import CHANNELS
from notifications.delivery import run_delivery
from notifications.models import ContactMethod, Message
from notifications.ways import set_rules
from tests.notifications.mailbox import Mailbox, serving
from tests.notifications.receiver import receiving
from tests.story import Story, page, unacknowledged

CLOSED = 9
KEY = re.compile(r"INC-\d{6,}")


@pytest.fixture
def wire(settings, monkeypatch):
    """A mail server that is not there, and a provider of text messages that fails."""
    box = Mailbox()
    with receiving() as provider, serving(box) as port:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", CLOSED
        settings.WEBHOOK_HOSTS = [provider.host]
        settings.TELEPHONY_URL = f"http://{provider.host}"
        settings.TELEPHONY_ACCOUNT, settings.TELEPHONY_TOKEN = "AC1", "secret"
        settings.TELEPHONY_FROM = "+15005550006"
        monkeypatch.setattr(telephony, "_caller", telephony.Caller(per_second=500.0))
        monkeypatch.setitem(CHANNELS, "email", EmailChannel())
        provider.says("500 No")

        def heal() -> None:
            provider.calls.clear()
            provider.says("201 Created", body=b"{}")
            settings.EMAIL_PORT = port

        yield box, provider, heal


def arrived(wire) -> Counter[tuple[str, str]]:
    """How often each person has heard of each ticket since the healing, on whatever channel."""
    box, provider, _ = wire
    found: Counter[tuple[str, str]] = Counter()
    for mail in box.mails:
        for key in set(KEY.findall(mail["Subject"])):
            found[str(mail["To"]).partition("@")[0], key] += 1
    numbers = dict(
        ContactMethod.objects.filter(channel="sms").values_list("address", "person__username")
    )
    for call in provider.calls:
        said = parse_qs(call.body.decode())
        for key in set(KEY.findall(said["Body"][0])):
            found[numbers[said["To"][0]], key] += 1
    return found


def test_all_channels_are_down_for_an_hour_and_heal(story: Story, wire) -> None:
    for number, person in enumerate((story.agent, story.lead, story.manager)):
        ContactMethod.objects.create(
            person=person, channel="sms", address=f"+49170123456{number}", verified_at=story.now
        )
        both = [("email", 0), ("sms", 60)]
        set_rules(actor=person, urgency="high", rules=both, clock=story.clock)
    story.policy(
        "climb",
        unacknowledged(5, "First", page("on_call")),
        unacknowledged(20, "Second", page("on_call", "lead")),
        unacknowledged(40, "Third", page("on_call", "lead", "manager")),
    )
    tickets = [story.open(subject=f"Trouble {number}") for number in range(2)]
    for _ in range(15):
        story.forward(minutes=4)
        run_delivery(clock=story.clock)
    for ticket in tickets:
        assert story.fired(ticket) == ["First", "Second", "Third"], "climbing went on"
    assert not wire[0].mails
    failed = Message.objects.filter(kind="page", tries__outcome="failed")
    assert failed.exists(), "who was told says so, with every try"
    waiting = Message.objects.filter(state="queued", kind="page")
    expected = set(waiting.values_list("recipient__username", "data__ticket"))
    assert expected, "something is still to be told"
    *_, heal = wire
    heal()
    queued = Message.objects.filter(state="queued")
    for _ in range(60):  # the next try of what is not pressing may be two hours away
        story.forward(minutes=4)
        run_delivery(clock=story.clock)
        if not queued.exists():
            break
    pages = {pair: count for pair, count in arrived(wire).items() if pair in expected}
    assert set(pages) == expected
    assert set(pages.values()) == {1}
    assert not queued.exists()
