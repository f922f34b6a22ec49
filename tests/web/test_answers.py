"""Answers from elsewhere: whoever was paged acts from chat, text or call, and nobody else does."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from django.test import Client

from notifications.links import make_link, make_token
from notifications.models import ContactMethod, Message
from notifications.outbox import Letter, enqueue
from notifications.sending import outgoing, reply_code
from roles.instants import database_now
from roles.models import Person
from tickets.assignment import unacknowledge, watch
from tickets.models import Clearance, Ticket, Watcher
from tickets.subscriptions import subscribe, subscribed_services

NUMBER = "+491701234567"


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.SLACK_SIGNING_SECRET = "shh"
    settings.TELEPHONY_TOKEN = "secret"
    settings.PUBLIC_URL = "https://desk.example"


def paged(stage, channels=("sms", "email"), cause="firing:1") -> list[Message]:
    """Teo is paged about the slow shop on several channels, the later ones still queued."""
    ticket, now = stage.tickets["slow"], database_now()
    ContactMethod.objects.get_or_create(
        person=stage.teo, channel="sms", address=NUMBER, defaults={"verified_at": now}
    )
    ContactMethod.objects.get_or_create(
        person=stage.teo, channel="slack", address="U012AB3CD", defaults={"verified_at": now}
    )
    letters = [
        Letter(
            topic=ticket.topic,
            cause=cause,
            recipient_id=stage.teo.pk,
            kind="page",
            subject="You are paged",
            body="Please look.",
            urgency="high",
            channel=channel,
            data={"ack": True, "url": f"/tickets/{ticket.key}"},
        )
        for channel in channels
    ]
    with transaction.atomic():
        found = enqueue(letters, now=now)
    Message.objects.filter(pk=found[0].pk).update(state="sent", sent_at=now, finished_at=now)
    return found


def acknowledged_by(stage) -> Person | None:
    return Ticket.objects.get(pk=stage.tickets["slow"].pk).acknowledged_by


def press(act: str, token: str, user: str = "U012AB3CD", secret: str = "shh", age_s: int = 0):
    payload = {
        "type": "block_actions",
        "user": {"id": user},
        "actions": [{"action_id": act, "value": token}],
    }
    body = "payload=" + quote(json.dumps(payload))
    sent_at = str(int(time.time()) - age_s)
    signed = hmac.new(secret.encode(), f"v0:{sent_at}:{body}".encode(), hashlib.sha256)
    return Client(enforce_csrf_checks=True).post(
        "/answers/slack",
        body,
        content_type="application/x-www-form-urlencoded",
        headers={
            "X-Slack-Request-Timestamp": sent_at,
            "X-Slack-Signature": "v0=" + signed.hexdigest(),
        },
    )


def text_in(body: str, number: str = NUMBER, token: str = "secret", path: str = "/answers/sms"):
    given = {"From": number, "Body": body}
    return from_provider(path, given, token)


def from_provider(path: str, given: dict[str, str], token: str = "secret"):
    text = "https://desk.example" + path + "".join(name + given[name] for name in sorted(given))
    signature = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest())
    return Client(enforce_csrf_checks=True).post(
        path,
        urlencode(given),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature.decode()},
    )


def test_a_button_in_slack_acknowledges_and_takes_back_what_is_queued(stage):
    first, second = paged(stage, ("slack", "sms"))
    answer = press("acknowledge", make_token(first))
    assert "Acknowledged" in answer.json()["text"]
    assert acknowledged_by(stage) == stage.teo
    second.refresh_from_db()
    assert (second.state, second.finished_reason) == ("withdrawn", "acknowledged")
    assert "used already" in press("acknowledge", make_token(first)).json()["text"]


def test_a_button_in_slack_takes(stage):
    [first] = paged(stage, ("slack",))
    said = press("take", make_token(first)).json()["text"]
    ticket = Ticket.objects.get(pk=stage.tickets["slow"].pk)
    assert said in (f"{ticket.key} is yours.",) or "may not" in said
    if "yours" in said:
        assert ticket.assignee == stage.teo


@pytest.mark.parametrize("wrong", [{"secret": "guess"}, {"age_s": 301}])
def test_a_press_that_slack_did_not_sign_now_does_nothing(stage, wrong):
    [first] = paged(stage, ("slack",))
    assert press("acknowledge", make_token(first), **wrong).status_code == 401
    assert acknowledged_by(stage) is None


def test_nobody_presses_anothers_button(stage):
    [first] = paged(stage, ("slack",))
    ContactMethod.objects.create(
        person=stage.omar, channel="slack", address="U0OMAR000", verified_at=database_now()
    )
    for user in ("U0OMAR000", "U0NOBODY0"):
        press("acknowledge", make_token(first), user=user)
    assert acknowledged_by(stage) is None


def test_a_press_on_a_plain_link_of_slack_is_only_noted(stage):
    assert press("open", "").status_code == 200


def test_a_button_in_mattermost_carries_our_own_signature(stage):
    [first] = paged(stage, ("mattermost",))
    client = Client(enforce_csrf_checks=True)

    def push(token: str):
        sent = {"user_id": "x", "context": {"act": "acknowledge", "token": token}}
        return client.post("/answers/mattermost", sent, content_type="application/json")

    assert "not valid" in push(make_token(first)[:-2] + "xx").json()["ephemeral_text"]
    assert acknowledged_by(stage) is None
    assert "Acknowledged" in push(make_token(first)).json()["ephemeral_text"]
    assert acknowledged_by(stage) == stage.teo
    junk = client.post("/answers/mattermost", "[]", content_type="application/json")
    assert junk.status_code == 400


def test_a_reply_by_text_names_its_page(stage):
    first, second = paged(stage)
    answer = text_in(f"ok {reply_code(first)} thanks")
    assert answer["Content-Type"].startswith("text/xml")
    assert "Acknowledged" in answer.content.decode()
    assert acknowledged_by(stage) == stage.teo
    second.refresh_from_db()
    assert second.state == "withdrawn"


def test_a_plain_yes_is_enough_while_one_page_is_open(stage):
    paged(stage)
    assert "Acknowledged" in text_in("OK!").content.decode()
    assert acknowledged_by(stage) == stage.teo


def test_a_plain_yes_to_two_open_pages_acknowledges_neither(stage):
    paged(stage)
    paged(stage, cause="firing:2")
    assert "does not know" in text_in("ok").content.decode()
    assert acknowledged_by(stage) is None


@pytest.mark.parametrize(
    "given", [{"number": "+491709999999"}, {"body": "what is this"}, {"body": "9999"}]
)
def test_a_text_that_answers_nothing_does_nothing_and_says_so(stage, given):
    paged(stage)
    answer = text_in(**{"body": "ok", **given})
    assert "does not know" in answer.content.decode()
    assert acknowledged_by(stage) is None


def test_a_text_that_the_provider_did_not_sign_does_nothing(stage):
    paged(stage)
    assert text_in("ok", token="guess").status_code == 401
    assert acknowledged_by(stage) is None


def test_an_unproved_number_answers_for_nobody(stage):
    paged(stage)
    ContactMethod.objects.filter(address=NUMBER).update(verified_at=None)
    assert "does not know" in text_in("ok").content.decode()


def test_a_key_during_a_call_acknowledges_and_another_key_does_not(stage):
    [first] = paged(stage, ("voice",))
    path = f"/answers/voice/{make_token(first)}"
    assert "Nothing" in from_provider(path, {"Digits": "7"}).content.decode()
    assert acknowledged_by(stage) is None
    assert from_provider(path, {"Digits": "4"}, token="guess").status_code == 401
    assert "Acknowledged" in from_provider(path, {"Digits": "4"}).content.decode()
    assert acknowledged_by(stage) == stage.teo


def test_a_button_on_a_notification_acknowledges_by_the_token_that_came_with_it(stage):
    [first] = paged(stage, ("push",))
    client = Client(enforce_csrf_checks=True)

    def push(token: str):
        return client.post("/answers/push", {"token": token}, content_type="application/json")

    assert "not valid" in push("guess").json()["text"]
    assert acknowledged_by(stage) is None
    assert "Acknowledged" in push(make_token(first)).json()["text"]
    assert acknowledged_by(stage) == stage.teo
    assert client.post("/answers/push", "[]", content_type="application/json").status_code == 400


# ---- Each way stops the same, and nothing else ---------------------------------------------------


def by_mail(stage, sign_in, first):
    path = make_link(first).removeprefix("https://desk.example")
    assert "Acknowledge" in Client().get(path).content.decode()
    return Client().post(path)


def by_page(stage, sign_in, first):
    return sign_in(stage.teo).post(f"/tickets/{stage.tickets['slow'].key}/acknowledge")


WAYS = {
    "mail": by_mail,
    "chat": lambda stage, sign_in, first: press("acknowledge", make_token(first)),
    "text": lambda stage, sign_in, first: text_in(reply_code(first)),
    "call": lambda stage, sign_in, first: from_provider(
        f"/answers/voice/{make_token(first)}", {"Digits": "4"}
    ),
    "push": lambda stage, sign_in, first: Client().post(
        "/answers/push", {"token": make_token(first)}, content_type="application/json"
    ),
    "page": by_page,
}
CHANNELS = {"mail": "email", "chat": "slack", "text": "sms", "call": "voice", "push": "push"}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_acknowledge_stops_what_pages_for_this_ticket_and_nothing_else(
    stage, sign_in, way
):
    first, *rungs = paged(stage, (CHANNELS.get(way, "teams"), "mattermost", "apprise"))
    letter = Letter(
        topic=stage.tickets["slow"].topic,
        cause="firing:1",
        recipient_id=stage.nora.pk,
        kind="page",
        subject="You are paged",
        body="Please look.",
        urgency="high",
    )
    other = replace(letter, topic=stage.tickets["mail"].topic, cause="firing:9")
    news = replace(letter, kind="replied", cause="event:9", urgency="low")
    with transaction.atomic():
        hers, other, news = enqueue([letter, other, news], now=database_now())
    assert WAYS[way](stage, sign_in, first).status_code in (200, 302)
    assert acknowledged_by(stage) == stage.teo
    states = dict(Message.objects.values_list("pk", "state"))
    assert {states[each.pk] for each in (*rungs, hers)} == {"withdrawn"}, "on all channels, to all"
    assert (states[other.pk], states[news.pk]) == ("queued", "queued")


def test_a_page_of_an_earlier_stay_stops_nobody_elses(stage):
    """The ticket went to another team since: whoever has it now was paged anew."""
    [first] = paged(stage, ("slack",))
    later = first.created_at + timedelta(minutes=2)
    Ticket.objects.filter(pk=stage.tickets["slow"].pk).update(entered_at=later)
    assert "moved on" in press("acknowledge", make_token(first)).json()["text"]
    assert "moved on" in by_mail_refused(first)
    assert acknowledged_by(stage) is None


def by_mail_refused(first: Message) -> str:
    path = make_link(first).removeprefix("https://desk.example")
    answer = Client().post(path)
    assert answer.status_code == 409
    return answer.content.decode()


# ---- In the language of whoever answers, and no more than the message said -----------------------


def test_answers_are_in_the_language_of_whoever_was_paged(stage):
    Person.objects.filter(pk=stage.teo.pk).update(language="de")
    [first] = paged(stage, ("voice",))
    path = f"/answers/voice/{make_token(first)}"
    other_key = from_provider(path, {"Digits": "7"}).content.decode()
    assert '<Say language="de-DE">Nichts wurde bestätigt.' in other_key
    assert "weiß nicht" in text_in("was?").content.decode()
    key = stage.tickets["slow"].key
    done = from_provider(path, {"Digits": "4"}).content.decode()
    assert f'<Say language="de-DE">Bestätigt: {key}.' in done
    assert "schon benutzt" in press("acknowledge", make_token(first)).json()["text"]


def test_an_answer_about_a_restricted_case_does_not_name_it(stage):
    [first] = paged(stage, ("sms",))
    ticket = stage.tickets["slow"]
    Clearance.objects.create(ticket=ticket, person=stage.teo, since=database_now())
    Ticket.objects.filter(pk=ticket.pk).update(restricted=True)
    said = text_in(reply_code(first)).content.decode()
    assert "Acknowledged. Paging for it stops." in said
    assert ticket.key not in said


def test_a_text_message_that_is_played_again_answers_nothing(stage):
    """The provider's signature knows no time: an “ok” of yesterday would be as good today."""
    paged(stage)
    given = {"From": NUMBER, "Body": "ok", "MessageSid": "SM1"}
    assert "Acknowledged" in from_provider("/answers/sms", given).content.decode()
    ticket = Ticket.objects.get(pk=stage.tickets["slow"].pk)
    unacknowledge(ticket=ticket, actor=stage.teo)
    paged(stage, cause="firing:2")
    again = from_provider("/answers/sms", given)
    assert again.status_code == 200
    assert "<Message>" not in again.content.decode()
    assert acknowledged_by(stage) is None


# ---- One press ends the news -------------------------------------------------------------------


def test_a_mail_program_ends_watching_with_one_press(stage):
    ticket = stage.tickets["slow"]
    watch(ticket=ticket, actor=stage.omar)
    with transaction.atomic():
        [message] = enqueue(
            [
                Letter(
                    topic=ticket.topic,
                    cause="event:1",
                    recipient_id=stage.omar.pk,
                    kind="replied",
                    subject="News",
                    body="…",
                    data={"leave": True},
                )
            ],
            now=database_now(),
        )
    link = make_link(message, "leave").removeprefix("https://desk.example")
    client = Client(enforce_csrf_checks=True)
    assert "Stop watching?" in client.get(link).content.decode()
    assert Watcher.objects.filter(ticket=ticket, person=stage.omar).exists()
    posted = client.post(
        link, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    assert posted.status_code == 200
    assert not Watcher.objects.filter(ticket=ticket, person=stage.omar).exists()
    assert client.get(link.replace("/leave", "x/leave")).status_code == 404


def test_a_subscriber_ends_news_of_a_service_with_one_press(stage):
    ticket, service = stage.tickets["slow"], stage.service
    Ticket.objects.filter(pk=ticket.pk).update(service=service)
    subscribe(actor=stage.omar, service=service)
    letter = Letter(
        topic=ticket.topic,
        cause="event:1",
        recipient_id=stage.omar.pk,
        kind="major_updated",
        subject="News",
        body="…",
        data={"leave": "unsubscribe"},
    )
    with transaction.atomic():
        [message] = enqueue([letter], now=database_now())
    link = outgoing(message, database_now()).leave_url.removeprefix("https://desk.example")
    client = Client(enforce_csrf_checks=True)
    assert service.name in client.get(link).content.decode()
    assert subscribed_services(stage.omar) == {service.pk}
    form = "application/x-www-form-urlencoded"
    assert client.post(link, "List-Unsubscribe=One-Click", content_type=form).status_code == 200
    assert subscribed_services(stage.omar) == set()
    as_watcher = link.replace("/unsubscribe", "/leave")
    assert client.post(as_watcher).status_code == 404, "each link does what it was made for"
