"""The delivery log of a webhook in the admin, and sending once more from there."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from notifications import webhooks
from notifications.models import Attempt, Hook, Message, MessageState
from notifications.subscriptions import deliveries, ping
from roles.instants import database_now
from roles.models import Duty, DutyAssignment, Person
from roles.people import forget_roles
from tests.notifications.conftest import person
from tests.notifications.test_sealed import CANARY, TARGET


@pytest.fixture
def root(db, client) -> Person:
    root = person("root")
    root.is_staff = root.is_superuser = True
    root.save()
    client.force_login(root)
    return root


@pytest.fixture
def hook(root) -> Hook:
    hook, _ = webhooks.create_hook(slug="chat", url=TARGET)
    return hook


@pytest.fixture
def dead(root, hook) -> Message:
    message, now = ping(hook=hook, actor=root), database_now()
    Attempt.objects.create(
        message=message, number=1, started_at=now, finished_at=now, outcome="failed", detail="503"
    )
    state = {"state": MessageState.DEAD, "attempts": 1, "finished_at": now}
    Message.objects.filter(pk=message.pk).update(finished_reason="It gave up.", **state)
    return message


def log_of(hook: Hook) -> str:
    return reverse("admin:notifications_hook_deliveries", args=[hook.pk])


def press(client, hook: Hook, **given: str) -> str:
    """What the page says next."""
    response = client.post(log_of(hook), given)
    assert response.status_code == 302
    return [str(said) for said in get_messages(response.wsgi_request)][-1]


def test_the_log_tells_each_delivery_with_what_its_last_try_came_to(client, hook, dead):
    page = client.get(reverse("admin:notifications_hook_change", args=[hook.pk])).content.decode()
    assert log_of(hook) in page
    shown = client.get(log_of(hook)).content.decode()
    assert "503" in shown
    assert "Dead letter" in shown
    assert "Send again" in shown
    assert CANARY not in shown


def test_a_delivery_goes_out_once_more_under_its_id(client, hook, dead):
    assert press(client, hook, key=dead.key) == "ping is on its way again."
    again = Message.objects.get(pk=dead.pk)
    assert (again.state, again.key) == (MessageState.QUEUED, dead.key)
    assert press(client, hook, key=dead.key) == "It is still under way."
    assert press(client, hook, key="nothing") == "There is none."
    assert "Send again" not in client.get(log_of(hook)).content.decode()


def test_a_ping_is_sent_from_the_log(client, hook):
    assert "Nothing has been sent yet." in client.get(log_of(hook)).content.decode()
    assert press(client, hook) == "A ping is on its way."
    assert [each.subject for each in deliveries(hook)] == ["ping"]


def test_an_auditor_reads_the_log_and_sends_nothing(client, root, hook, dead):
    root.is_superuser = False
    root.save()
    assert client.get(log_of(hook)).status_code == 403
    auditor = Duty.objects.create(slug="auditor", name="Auditor")
    DutyAssignment.objects.create(duty=auditor, person=root)
    forget_roles(root)
    assert "Send again" not in client.get(log_of(hook)).content.decode()
    assert client.post(log_of(hook), {"key": dead.key}).status_code == 403
    assert client.post(log_of(hook)).status_code == 403
    assert deliveries(hook).count() == 1


def test_a_long_log_costs_as_much_as_a_short_one(
    client, root, hook, dead, django_assert_max_num_queries
):
    for _ in range(20):
        ping(hook=hook, actor=root)
    with django_assert_max_num_queries(14):
        client.get(log_of(hook))
