"""The room in Slack from the page of a major incident, and decisions kept there."""

import pytest
from django.urls import reverse

from notifications.models import ContactMethod
from roles.instants import database_now
from tests.notifications.slack import slack_rooms
from tickets.incidents import declare_major
from tickets.models import Ticket


@pytest.fixture
def slack(settings, monkeypatch):
    with slack_rooms(settings, monkeypatch) as found:
        yield found


@pytest.fixture
def major(stage) -> Ticket:
    slow = stage.tickets["slow"]
    declare_major(ticket=slow, actor=stage.mara, reason="Nobody can order.", severity=1)
    return Ticket.objects.get(pk=slow.pk)


def act(client, ticket: Ticket, slug: str, **given):
    return client.post(reverse(f"web:act-{slug}", args=[ticket.key]), given, follow=True)


def test_a_room_is_opened_after_a_question_and_filled_again(stage, sign_in, slack, major):
    ContactMethod.objects.create(
        person=stage.mara, channel="slack", address="U0MARA001", verified_at=database_now()
    )
    client = sign_in(stage.mara)
    room = reverse("web:major", args=[major.key])
    assert "Open a room in Slack" in client.get(room).content.decode()
    asked = client.get(reverse("web:act-open-war-room", args=[major.key])).content.decode()
    assert "A channel is made" in asked
    assert not slack.calls
    opened = act(client, major, "open-war-room").content.decode()
    assert "1 person was asked in. Not reached in Slack: " in opened
    assert "channel=C0ROOM001" in opened
    assert "asked Mara Lindt into the room; not reached there: " in opened
    assert "Open a room in Slack" not in opened
    assert "1 person was asked in" in act(client, major, "fill-war-room").content.decode()


def test_without_an_app_or_the_right_no_room_is_offered(stage, sign_in, slack, major, settings):
    room = reverse("web:major", args=[major.key])
    assert "Open a room in Slack" not in sign_in(stage.ines).get(room).content.decode()
    settings.SLACK_BOT_TOKEN = ""
    assert "Open a room in Slack" not in sign_in(stage.mara).get(room).content.decode()


def test_a_decision_is_kept_in_the_rooms_timeline(stage, sign_in, major):
    client = sign_in(stage.ines)
    page = act(client, major, "decide", text="Roll back to Friday's release").content.decode()
    assert "kept a decision" in page
    assert "Roll back to Friday" in page
