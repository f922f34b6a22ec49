"""Commands from Mattermost and Microsoft Teams: who may speak, as whom, and once."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta

import pytest
from django.test import Client

from notifications.accounts import TEAMS_ACCOUNT, connect, connect_code
from notifications.models import ContactMethod
from roles.instants import database_now, fixed
from roles.models import AuditEntry, Person
from roles.refusals import Conflict, Invalid
from tickets.models import Ticket, TimelineEvent

SECRET = base64.b64encode(b"a secret of thirty-two bytes....").decode()
ACCOUNT = "8f1c2d3e-0000-4444-8888-123456789abc"


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.TEAMS_WEBHOOK_SECRET, settings.MATTERMOST_COMMAND_TOKEN = SECRET, "mm-token"


# ---- Microsoft Teams ----------------------------------------------------------------------------


def activity(text: str, account: str = ACCOUNT, age_s: int = 0) -> bytes:
    """What an outgoing webhook posts."""
    at = database_now() - timedelta(seconds=age_s)
    said = {
        "type": "message",
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "channelId": "msteams",
        "from": {"id": "29:1abc", "name": "Ann", "aadObjectId": account},
        "textFormat": "plain",
        "text": f"<at>Tierline</at>&nbsp;{text}\n",
    }
    return json.dumps(said).encode()


def send(body: bytes, secret: str = SECRET, kind: str = "HMAC"):
    made = hmac.new(base64.b64decode(secret), body, hashlib.sha256).digest()
    return Client(enforce_csrf_checks=True).post(
        "/answers/teams/command",
        body,
        content_type="application/json",
        headers={"Authorization": f"{kind} {base64.b64encode(made).decode()}"},
    )


def code_of(person: Person) -> str:
    return connect_code(person=person, channel=TEAMS_ACCOUNT)


def test_in_teams_one_proves_ones_account_and_gives_commands(stage, sign_in):
    page = sign_in(stage.ines).get("/you/told").content.decode()
    assert "@Tierline connect " in page
    key = stage.tickets["slow"].key
    assert "not proved" in send(activity(f"note {key} Too early.")).json()["text"]
    assert "You can say" in send(activity(f"connect {code_of(stage.ines)}")).json()["text"]
    assert "Account in Microsoft Teams" in sign_in(stage.ines).get("/you/told").content.decode()
    call = activity(f"note {key} We restart &lt;the&gt; pool.")
    assert send(call).json() == {"type": "message", "text": f"Noted on {key}."}
    event = TimelineEvent.objects.filter(ticket__key=key).latest("seq")
    assert (event.actor_id, event.body.text) == (stage.ines.pk, "We restart <the> pool.")
    assert send(call).status_code == 409, "played again it does nothing"
    assert TimelineEvent.objects.filter(ticket__key=key).latest("seq") == event


@pytest.mark.parametrize(
    "wrong",
    [{"secret": base64.b64encode(b"guess").decode()}, {"kind": "Bearer"}],
)
def test_only_the_sites_own_webhook_is_heard(stage, wrong):
    assert send(activity("oncall"), **wrong).status_code == 401
    assert send(activity("oncall", age_s=400)).status_code == 401


def test_without_a_secret_nobody_is_heard(stage, settings):
    settings.TEAMS_WEBHOOK_SECRET = settings.MATTERMOST_COMMAND_TOKEN = ""
    assert send(activity("oncall"), secret="").status_code == 401
    assert in_mattermost("oncall", token="").status_code == 401


def test_what_teams_shows_is_not_its_markup(stage):
    ContactMethod.objects.create(
        person=stage.ines, channel=TEAMS_ACCOUNT, address=ACCOUNT, verified_at=database_now()
    )
    key = stage.tickets["slow"].key
    Ticket.objects.filter(key=key).update(subject="<b>bold</b> [x](http://evil)")
    said = send(activity(f"status {key}")).json()["text"]
    assert "<b>" not in said
    assert "[x](" not in said


# ---- The code -----------------------------------------------------------------------------------


def test_a_code_is_good_once_for_a_quarter_of_an_hour_and_for_its_person(stage):
    now = database_now()

    def come(code: str, address: str = ACCOUNT, at: datetime = now) -> Person:
        return connect(channel=TEAMS_ACCOUNT, address=address, code=code, clock=fixed(at))

    code = connect_code(person=stage.ines, channel=TEAMS_ACCOUNT, clock=fixed(now))
    ends = code[:-1] + ("a" if code[-1] != "a" else "b")
    as_other = code.replace(str(stage.ines.pk), str(stage.omar.pk), 1)
    for bad in ("", "x", ends, as_other):
        with pytest.raises(Invalid):
            come(bad)
    with pytest.raises(Invalid):
        come(code, at=now + timedelta(minutes=16))
    assert come(code) == stage.ines
    with pytest.raises(Invalid, match="not good any more"):
        come(code, "whoever-reads-it-there")
    theirs = connect_code(person=stage.omar, channel=TEAMS_ACCOUNT, clock=fixed(now))
    with pytest.raises(Conflict, match="somebody else"):
        come(theirs)
    later = now + timedelta(minutes=1)
    again = connect_code(person=stage.ines, channel=TEAMS_ACCOUNT, clock=fixed(later))
    assert come(again, "her-new-account", later) == stage.ines
    held = ContactMethod.objects.get(person=stage.ines, channel=TEAMS_ACCOUNT)
    assert held.address == "her-new-account"
    assert AuditEntry.objects.filter(action="contact_method.proved").count() == 2


def test_nothing_is_sent_to_an_account(stage, sign_in):
    method = ContactMethod.objects.create(
        person=stage.ines, channel=TEAMS_ACCOUNT, address=ACCOUNT, verified_at=database_now()
    )
    client = sign_in(stage.ines)
    page = client.get("/you/told").content.decode()
    assert "Remove …" in page
    assert "Test …" not in page
    answer = client.post(f"/you/told/{method.pk}/test", follow=True)
    assert "it tells who speaks" in answer.content.decode()


# ---- Mattermost ---------------------------------------------------------------------------------


def in_mattermost(text: str, token: str = "mm-token", user: str = "Ines"):
    given = {"token": token, "user_name": user, "command": "/tierline", "text": text}
    return Client(enforce_csrf_checks=True).post("/answers/mattermost/command", given)


def test_in_mattermost_the_token_and_the_proved_name_count(stage):
    assert "not proved" in in_mattermost("oncall").json()["text"]
    ContactMethod.objects.create(
        person=stage.ines, channel="mattermost", address="@ines", verified_at=database_now()
    )
    assert in_mattermost("oncall", token="guess").status_code == 401
    key = stage.tickets["slow"].key
    said = in_mattermost(f"status {key}").json()
    assert said["response_type"] == "ephemeral"
    assert key in said["text"]
    assert in_mattermost(f"note {key} Restarted.").json()["text"] == f"Noted on {key}."
