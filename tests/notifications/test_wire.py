"""Push and webhooks over a bad wire: each way to fail is left at the deadline and judged alike."""

import time

import pytest

from notifications.channels.push import PushChannel
from notifications.channels.webhook import WebhookChannel
from tests.notifications.receiver import receiving
from tests.notifications.test_channels import page
from tests.notifications.test_push import subscription

ROADS = ("push", "webhook")
EVENT = {"type": "ticket.opened", "timestamp": "2026-03-02T09:00:00Z", "data": {"n": 1}}


@pytest.fixture
def receiver(settings):
    with receiving() as found:
        settings.WEBHOOK_HOSTS = [found.host]
        settings.PUBLIC_URL = "https://desk.example"
        yield found


def send(name: str, receiver, deadline_s: float = 5.0):
    if name == "push":
        channel = PushChannel()
        return channel.send(page(), channel.clean(subscription(receiver.url)[0]), deadline_s)
    message = page(event=EVENT, secret="whsec_c2VjcmV0")
    return WebhookChannel().send(message, receiver.url, deadline_s)


@pytest.mark.parametrize("name", ROADS)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "500 No"])
def test_what_passes_comes_again_when_the_other_side_says(receiver, name, status):
    receiver.says(status, "Retry-After: 17")
    result = send(name, receiver)
    assert (result.ok, result.permanent, result.retry_after_s) == (False, False, 17.0)


@pytest.mark.parametrize("name", ROADS)
def test_a_redirect_is_not_followed(receiver, name):
    receiver.says("301 Moved", "Location: http://169.254.169.254/")
    result = send(name, receiver)
    assert (result.ok, result.permanent, len(receiver.calls)) == (False, True, 1)


@pytest.mark.parametrize("name", ROADS)
@pytest.mark.parametrize("way", ["hang", "drip"])
def test_whoever_hangs_or_drips_is_left_at_the_deadline(receiver, name, way):
    receiver.answer = way
    begun = time.monotonic()
    result = send(name, receiver, deadline_s=0.4)
    assert (result.ok, result.permanent) == (False, False)
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("name", ROADS)
@pytest.mark.parametrize("way", ["huge", "reset"])
def test_a_huge_or_torn_answer_counts_as_its_status(receiver, name, way):
    receiver.answer = way
    assert send(name, receiver).ok
