"""/tierline in a chat: the same rights as on the pages, and nothing of a restricted case."""

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import pytest
from django.test import Client

from notifications.models import ContactMethod
from roles.instants import database_now
from roles.models import Person
from tickets.models import Clearance, Ticket, TimelineEvent
from web.chatcommand import answer

ID = "U012AB3CD"


def signed(text: str, user: str = ID, secret: str = "shh") -> tuple[str, dict[str, str]]:
    """A command as Slack sends it: body and headers."""
    body = urlencode({"user_id": user, "command": "/tierline", "text": text})
    sent_at = str(int(time.time()))
    signature = hmac.new(secret.encode(), f"v0:{sent_at}:{body}".encode(), hashlib.sha256)
    return body, {
        "X-Slack-Request-Timestamp": sent_at,
        "X-Slack-Signature": "v0=" + signature.hexdigest(),
    }


def send(body: str, headers: dict[str, str]):
    return Client(enforce_csrf_checks=True).post(
        "/answers/slack/command",
        body,
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )


def say(text: str, user: str = ID, secret: str = "shh"):
    return send(*signed(text, user, secret))


@pytest.fixture
def ines(stage, settings) -> Person:
    settings.SLACK_SIGNING_SECRET = "shh"
    ContactMethod.objects.create(
        person=stage.ines, channel="slack", address=ID, verified_at=database_now()
    )
    return stage.ines


def test_status_says_where_it_stands_and_what_comes_next(stage, ines):
    key = stage.tickets["slow"].key
    said = say(f"status {key.lower()}").json()
    assert said["response_type"] == "ephemeral"
    assert "Checkout is slow" in said["text"]
    assert "acknowledged" in said["text"]


def test_on_call_names_who_serves_each_team(stage, ines):
    everyone = say("oncall").json()["text"]
    assert len(everyone.splitlines()) == len(stage.teams)
    one = say("oncall desk").json()["text"]
    assert one in everyone
    assert "no such team" in say("oncall nowhere").json()["text"]


def test_a_note_goes_to_the_timeline_and_says_that_it_came_from_the_chat(stage, ines):
    key = stage.tickets["slow"].key
    assert say(f"note {key} We restart the pool.").json()["text"] == f"Noted on {key}."
    event = TimelineEvent.objects.filter(ticket__key=key).latest("seq")
    assert (event.actor_id, event.is_public) == (ines.pk, False)
    assert json.loads(event.canonical)["via"] == "chat"


def test_a_refusal_is_said_in_words(stage, ines):
    key = stage.tickets["slow"].key
    assert say(f"update {key} Still at it").json()["text"]
    assert say(f"escalate {key}").json()["text"]


def test_an_unknown_word_and_an_unknown_ticket_are_answered(stage, ines):
    assert "You can say" in say("dance").json()["text"]
    assert "You can say" in say("").json()["text"]
    assert "no such ticket" in say("status INC-999999").json()["text"]


def test_a_restricted_case_is_not_read_out(stage, ines):
    key = stage.tickets["slow"].key
    Ticket.objects.filter(key=key).update(restricted=True)
    unseen = say("status INC-999999").json()["text"]
    assert say(f"status {key}").json()["text"] == unseen


def test_whoever_only_asks_for_help_gets_no_commands(stage):
    requester = stage.tickets["slow"].requester
    assert "You can say" in answer(requester, f"status {stage.tickets['slow'].key}")


def test_a_case_that_its_giver_may_read_is_not_worked_on_in_a_chat(stage, ines):
    ticket = stage.tickets["slow"]
    Clearance.objects.create(ticket=ticket, person=ines, since=database_now())
    Ticket.objects.filter(pk=ticket.pk).update(restricted=True)
    for words in ("status", "note", "escalate"):
        assert "please sign in" in say(f"{words} {ticket.key} We restart the pool.").json()["text"]


def test_a_command_is_answered_in_the_language_and_zone_of_its_giver(stage, ines):
    Person.objects.filter(pk=ines.pk).update(language="de", zone="Asia/Tokyo")
    key = stage.tickets["slow"].key
    ours = say(f"status {key}").json()["text"]
    assert "hat es" in ours
    assert "bestätigt" in ours
    assert " UTC" not in ours
    assert say(f"note {key} Neustart.").json()["text"] == f"Auf {key} notiert."
    assert "Sie können sagen" in say("tanze").json()["text"]
    assert "gibt es für Sie nicht" in say("status INC-999999").json()["text"]
    assert "gibt es nicht" in say("oncall nowhere").json()["text"]


def test_a_command_that_is_played_again_does_nothing(stage, ines):
    """Within five minutes Slack's signature is as good as new."""
    key = stage.tickets["slow"].key
    call = signed(f"note {key} We restart the pool.")
    assert send(*call).json()["text"] == f"Noted on {key}."
    events = TimelineEvent.objects.filter(ticket__key=key).count()
    assert send(*call).status_code == 409
    assert TimelineEvent.objects.filter(ticket__key=key).count() == events


def test_only_slack_itself_and_only_proved_people_are_heard(stage, ines):
    assert say("oncall", secret="guess").status_code == 401
    assert "not proved" in say("oncall", user="U0NOBODY0").json()["text"]
