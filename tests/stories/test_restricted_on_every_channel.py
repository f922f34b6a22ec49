"""A restricted case on every channel: no word of it leaves, and only to people who are cleared."""

import html
from urllib.parse import unquote_plus

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from notifications.channels import telephony
from notifications.channels.apprise import AppriseChannel
from notifications.channels.mattermost import MattermostChannel
from notifications.channels.push import CURVE, PushChannel
from notifications.channels.registry import CHANNELS, PERSONAL
from notifications.channels.slack import SlackChannel
from notifications.channels.teams import TeamsChannel
from notifications.channels.webhook import WebhookChannel
from notifications.delivery import run_delivery
from notifications.models import ContactMethod, Message
from notifications.subscriptions import subscribe
from notifications.ways import set_rules
from notifications.webhooks import create_hook
from tests.notifications.mailbox import Mailbox, serving
from tests.notifications.receiver import Receiver, receiving
from tests.notifications.test_push import AUTH, opened, subscription
from tests.story import Story, page, unacknowledged
from tickets.clearance import clear
from tickets.feed import relay_all
from tickets.models import Ticket
from tickets.restriction import restrict

BROWSER = ec.generate_private_key(CURVE)
SUBSCRIPTION = subscription("http://HOST/in", BROWSER)[0]
SECRET = ("zebrafish", "Stolen", "aquarium")
NUMBER = "+491701234567"


@pytest.fixture
def wire(settings, monkeypatch):
    """Every channel leads here; what was said is what came over the wire."""
    box = Mailbox()
    with receiving() as receiver, serving(box) as port:
        receiver.says("200 OK", body=b'{"ok":true}')
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.WEBHOOK_HOSTS = [receiver.host]
        settings.TELEPHONY_URL = settings.SLACK_URL = f"http://{receiver.host}"
        settings.TELEPHONY_ACCOUNT, settings.TELEPHONY_TOKEN = "AC1", "secret"
        settings.TELEPHONY_FROM, settings.SLACK_BOT_TOKEN = "+15005550006", "xoxb-1"
        settings.MATTERMOST_HOOK = receiver.url
        monkeypatch.setattr(telephony, "_caller", telephony.Caller(per_second=50.0))
        for name, kind in (
            ("slack", SlackChannel),
            ("mattermost", MattermostChannel),
            ("teams", TeamsChannel),
            ("push", PushChannel),
            ("apprise", AppriseChannel),
            ("webhook", WebhookChannel),
        ):
            monkeypatch.setitem(CHANNELS, name, kind())
        yield receiver, box


def said_on(wire: tuple[Receiver, Mailbox]) -> str:
    receiver, box = wire
    calls = [unquote_plus(_plain(call.body)) for call in receiver.calls]
    mails = [mail.as_string() + mail.get_body(("plain",)).get_content() for mail in box.mails]
    return html.unescape("\n".join([*calls, *mails]))


def _plain(body: bytes) -> str:
    """The words as they arrive; what was encrypted for a browser as that browser reads it."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return opened(body, BROWSER, AUTH).decode()


def case_of(story: Story, **more) -> Ticket:
    words = {"subject": "Stolen zebrafish", "description": "From the aquarium."}
    return story.open(kind="security", restricted=True, service=None, **words, **more)


def reached_over(story: Story, channel: str, address: str) -> None:
    """Everybody hears over this channel, and nothing else."""
    for number, person in enumerate((story.analyst, story.incident_manager, story.agent)):
        if channel != "email":
            ContactMethod.objects.create(
                person=person,
                channel=channel,
                address=address.format(number=number),
                verified_at=story.now,
            )
        for urgency in ("high", "low"):
            set_rules(actor=person, urgency=urgency, rules=[(channel, 0)], clock=story.clock)


ADDRESSES = {
    "email": "",
    "slack": "U012AB3C{number}",
    "mattermost": "@ann{number}",
    "teams": "http://HOST/in",
    "push": "push",
    "apprise": "json://HOST/in",
    "sms": NUMBER,
    "voice": NUMBER,
}


HOOKS = {"webhook"}
"""What calls other systems, which are cleared for nothing."""


def test_every_channel_is_in_the_table():
    assert set(ADDRESSES) | HOOKS == set(CHANNELS)
    assert set(PERSONAL) < set(ADDRESSES)


def address_of(channel: str, receiver: Receiver) -> str:
    if channel == "push":
        kept = PushChannel().clean(SUBSCRIPTION.replace("HOST", receiver.host))
        return kept.replace("{", "{{").replace("}", "}}")
    return ADDRESSES[channel].replace("HOST", receiver.host)


@pytest.mark.parametrize("channel", ADDRESSES)
def test_no_word_of_a_case_leaves_over_any_channel(story: Story, wire, channel):
    receiver, _ = wire
    reached_over(story, channel, address_of(channel, receiver))
    story.policy("any", unacknowledged(5, "Page", page("on_call", "duty:incident-manager")))
    case = case_of(story)
    story.forward(minutes=5)
    run_delivery(clock=story.clock)
    assert Message.objects.filter(channel=channel, kind="page", state="sent").exists()
    said = said_on(wire)
    assert case.key in said or "sign in" in said
    assert not [word for word in SECRET if word in said]
    told = Message.objects.filter(topic=case.topic, kind="page", state="sent")
    assert {message.recipient for message in told} == {story.analyst}


@pytest.mark.parametrize("channel", ADDRESSES)
def test_a_clearance_lost_meanwhile_stops_what_is_queued(story: Story, wire, channel):
    receiver, _ = wire
    reached_over(story, channel, address_of(channel, receiver))
    case = case_of(story)
    clear(
        ticket=case,
        actor=None,
        person=story.incident_manager,
        reason="To help.",
        clock=story.clock,
    )
    case.clearances.filter(person=story.incident_manager).delete()
    run_delivery(clock=story.clock)
    sent = Message.objects.filter(recipient=story.incident_manager, state="sent")
    assert not sent.exists()


@pytest.mark.parametrize("channel", ADDRESSES)
def test_restricting_takes_back_what_was_queued_with_its_words(story: Story, wire, channel):
    receiver, _ = wire
    reached_over(story, channel, address_of(channel, receiver))
    story.policy("any", unacknowledged(5, "Page", page("on_call")))
    case = story.open(subject="Stolen zebrafish", description="From the aquarium.")
    story.forward(minutes=5)
    restrict(ticket=case, actor=None, reason="Theft.", clock=story.clock)
    run_delivery(clock=story.clock)
    assert not [word for word in SECRET if word in said_on(wire)]


def test_no_other_system_hears_of_a_case(story: Story, wire):
    receiver, _ = wire
    hook, _ = create_hook(slug="chat", url=receiver.url, clock=story.clock)
    wanted = {"events": ["ticket.*"], "filters": {}, "known": ["ticket.opened"]}
    subscribe(hook=hook, clock=story.clock, **wanted)
    call = {"do": "call_webhook", "to": "chat"}
    story.policy("any", unacknowledged(5, "Call", call))
    case, plain = case_of(story), story.open(subject="A plain one")
    story.forward(minutes=5)
    relay_all()
    run_delivery(clock=story.clock)
    said = "".join(call.body.decode() for call in receiver.calls)
    assert plain.key in said
    assert case.key not in said
    assert not [word for word in SECRET if word in said]
    assert not Message.objects.filter(topic=case.topic, channel="webhook").exists()
