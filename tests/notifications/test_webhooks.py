"""Hooks through the outbox: signed, once per cause, tried again, buried with an alarm, secret."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from notifications import webhooks
from notifications.channels.message import OutgoingMessage
from notifications.channels.registry import CHANNELS
from notifications.channels.webhook import WebhookChannel, result_of
from notifications.delivery import deliver_batch
from notifications.models import Hook, Message
from notifications.outbound import Answer
from notifications.outbox import Letter, enqueue
from notifications.sending import outgoing
from notifications.subscriptions import BACKOFF_S, KIND
from roles.instants import fixed
from roles.models import AuditEntry, Person
from roles.refusals import Conflict, Forbidden, Invalid
from tests.notifications.receiver import receiving

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EVENT = {"type": "escalation.fired", "timestamp": "2026-03-02T09:00:00Z", "data": {"n": 1}}


@pytest.fixture
def receiver(settings):
    with receiving() as one:
        settings.WEBHOOK_HOSTS = [one.host]
        yield one


@pytest.fixture(autouse=True)
def fresh_channel(monkeypatch):
    monkeypatch.setitem(CHANNELS, "webhook", WebhookChannel())


def letter(hook: Hook, **changes) -> Letter:
    given = {
        "topic": "note:1",
        "cause": "firing:1",
        "recipient_id": hook.account_id,
        "kind": "webhook",
        "subject": "Page",
        "body": "",
        "channel": "webhook",
        "data": {"event": EVENT},
    }
    return Letter(**{**given, **changes})


def made(receiver) -> tuple[Hook, str]:
    return webhooks.create_hook(slug="chat", url=receiver.url)


def deliver(at=AT) -> Message:
    deliver_batch(clock=fixed(at))
    return Message.objects.get()


@pytest.mark.django_db
def test_an_event_arrives_signed_under_the_key_of_its_message(receiver):
    hook, secret = made(receiver)
    (message,) = enqueue([letter(hook)], now=AT)
    assert deliver().state == "sent"
    [call] = receiver.calls
    assert Webhook(secret).verify(call.body, call.headers) == EVENT
    assert call.headers["webhook-id"] == call.headers["idempotency-key"] == message.key
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(call.body + b" ", call.headers)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [("429 Too Many", ["Retry-After: 120"], 120), ("500 Broken", [], 1), ("404 None", [], 1)],
)
def test_a_receiver_in_trouble_is_tried_again_with_the_same_key(receiver, status, headers, wait_s):
    hook, _ = made(receiver)
    enqueue([letter(hook)], now=AT)
    receiver.says(status, *headers, body=b"not\nnow")
    message = deliver()
    assert (message.state, message.attempts) == ("queued", 1)
    assert message.next_attempt_at >= AT + timedelta(seconds=wait_s)
    assert message.tries.get().detail == f"HTTP {status[:3]} not now"
    receiver.says("204 Thanks")
    assert deliver(AT + timedelta(hours=1)).state == "sent"
    first, second = receiver.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["301 Moved", "308 Moved", "410 Gone"])
def test_a_moved_or_a_gone_receiver_ends_as_a_dead_letter(receiver, status):
    hook, _ = made(receiver)
    enqueue([letter(hook)], now=AT)
    receiver.says(status, f"Location: {receiver.url}")
    assert deliver().state == "dead"
    assert len(receiver.calls) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["302 Found", "303 Other", "307 For now"])
def test_who_leads_elsewhere_for_now_is_not_followed_and_tried_again(receiver, status):
    hook, _ = made(receiver)
    enqueue([letter(hook)], now=AT)
    receiver.says(status, f"Location: {receiver.url}")
    assert deliver().state == "queued"
    assert len(receiver.calls) == 1
    receiver.says("204 Thanks")
    assert deliver(AT + timedelta(hours=1)).state == "sent"


@pytest.mark.django_db
def test_an_event_waits_no_shorter_than_it_must(receiver):
    hook, _ = made(receiver)
    enqueue([letter(hook, kind=KIND)], now=AT)
    receiver.says("500 Broken")
    waits, at = [], AT
    for _ in range(4):
        message = deliver(at)
        waits.append((message.next_attempt_at - at).total_seconds())
        at = message.next_attempt_at
    assert all(wait >= 0.7 * step for wait, step in zip(waits, BACKOFF_S[:4], strict=True)), waits


@pytest.mark.django_db
def test_an_address_that_is_not_allowed_any_more_ends_as_a_dead_letter(receiver, settings):
    hook, _ = made(receiver)
    enqueue([letter(hook)], now=AT)
    settings.WEBHOOK_HOSTS = []
    assert deliver().state == "dead"
    assert not receiver.calls


def outgoing_event() -> OutgoingMessage:
    return OutgoingMessage(
        key="k", topic="note:1", kind="webhook", urgency="low", subject="", body="",
        event=EVENT, secret="whsec_c2VjcmV0",
    )  # fmt: skip


def test_a_receiver_that_hangs_is_left_alone_for_a_while(receiver):
    channel = WebhookChannel()
    receiver.answer = "hang"
    assert not channel.send(outgoing_event(), receiver.url, 0.3).ok
    again = channel.send(outgoing_event(), receiver.url, 0.3)
    assert (again.ok, again.permanent, 0 < again.retry_after_s <= 30) == (False, False, True)
    assert len(receiver.calls) == 1
    with receiving() as other:
        refused = channel.send(outgoing_event(), other.url, 0.3)
    assert refused.permanent  # another address is judged for itself: this one is not named


def test_after_its_rest_one_message_tries_whether_the_receiver_is_back(receiver):
    channel = WebhookChannel(rest_s=0.2)
    receiver.answer = "hang"
    channel.send(outgoing_event(), receiver.url, 0.2)
    receiver.says("200 OK")
    assert not channel.send(outgoing_event(), receiver.url, 1).ok
    time.sleep(0.25)
    assert channel.send(outgoing_event(), receiver.url, 1).ok
    assert channel.send(outgoing_event(), receiver.url, 1).ok


def test_the_words_of_a_refusal_are_kept_in_one_short_line():
    result = result_of(Answer(503, b"\x00bad\r\n" + b"x" * 1000))
    assert result.detail.startswith("HTTP 503 bad xxx")
    assert len(result.detail) < 220


@pytest.mark.django_db
def test_a_hook_that_is_switched_off_is_not_called(receiver):
    hook, _ = made(receiver)
    webhooks.change_hook(hook=hook, name="Chat", url=hook.url, is_active=False)
    enqueue([letter(hook)], now=AT)
    assert deliver().state == "dropped"
    assert not receiver.calls


@pytest.mark.django_db
def test_a_secret_stands_nowhere_and_ends_with_the_next_one(receiver, caplog):
    hook, secret = made(receiver)
    (message,) = enqueue([letter(hook)], now=AT)
    leaving = outgoing(message, AT)
    assert (leaving.secret, secret in repr(leaving)) == (secret, False)
    stored = [str(Hook.objects.values().get()), str(list(AuditEntry.objects.values()))]
    assert not any(secret in text or secret[6:] in text for text in stored)
    assert hook.nonce not in stored[1]
    new = webhooks.issue_secret(hook=hook)
    assert new != secret
    assert webhooks.secret_of(Hook.objects.get()) == new
    assert hook.nonce not in str(list(AuditEntry.objects.values()))


@pytest.mark.django_db
def test_only_administrators_make_hooks(receiver):
    agent = Person.objects.create(username="ann", name="Ann")
    hook, _ = made(receiver)
    with pytest.raises(Forbidden):
        webhooks.create_hook(slug="other", url=receiver.url, actor=agent)
    with pytest.raises(Forbidden):
        webhooks.issue_secret(hook=hook, actor=agent)
    with pytest.raises(Forbidden):
        webhooks.change_hook(hook=hook, name="", url=hook.url, is_active=False, actor=agent)


@pytest.mark.django_db
def test_a_hook_needs_a_free_name_and_a_safe_address(receiver):
    made(receiver)
    with pytest.raises(Conflict):
        webhooks.create_hook(slug="chat", url=receiver.url)
    with pytest.raises(Invalid) as refused:
        webhooks.create_hook(slug="Chat!", url="http://10.0.0.1/")
    assert set(refused.value.fields) == {"slug", "url"}


@pytest.mark.django_db
def test_the_admin_shows_a_new_hooks_secret_once(client, settings):
    settings.WEBHOOK_HOSTS = ["hooks.internal"]
    root = Person.objects.create(username="root", name="Root", is_superuser=True, is_staff=True)
    client.force_login(root)
    given = {"name": "Chat", "slug": "chat", "url": "http://hooks.internal/in"}
    page = client.post("/admin/notifications/hook/add/", given, follow=True)
    hook = Hook.objects.get()
    assert webhooks.secret_of(hook) in page.content.decode()
    change = f"/admin/notifications/hook/{hook.pk}/change/"
    assert "whsec_" not in client.get(change).content.decode()
    given |= {"is_active": "on", "shape": "standard", "filters": "{}"}
    bad = client.post(change, {**given, "url": "http://elsewhere/"}, follow=True)
    assert "Nothing was changed" in bad.content.decode()
    client.post(change, {**given, "name": "Talk"})
    assert Hook.objects.get().name == "Talk"
    actions = [row.action for row in AuditEntry.objects.order_by("id")]
    assert actions == ["hook.created", "hook.changed"]
