"""The room of a major incident, by program."""

import pytest
from django.db import connection

from api.idempotency import LONGEST_RUN, RUNNING
from api.models import IdempotencyKey
from notifications.channels import slackrooms
from notifications.models import ContactMethod
from roles.instants import database_now
from tests.api.conftest import assert_problem
from tests.notifications.slack import slack_rooms
from tickets.incidents import declare_major
from tickets.models import Major, TimelineEvent

V1 = "/api/v1/"


@pytest.fixture
def slack(settings, monkeypatch):
    with slack_rooms(settings, monkeypatch) as found:
        yield found


@pytest.fixture
def major(story):
    ticket = story.open()
    declare_major(ticket=ticket, actor=story.incident_manager, reason="All are down", severity=1)
    return ticket


@pytest.fixture
def manager(story, calling):
    ContactMethod.objects.create(
        person=story.incident_manager,
        channel="slack",
        address="U0MARA001",
        verified_at=database_now(),
    )
    return calling(story.incident_manager)


def test_a_room_is_made_filled_and_told_of(story, manager, agent, slack, major):
    here = f"{V1}tickets/{major.key}/open-war-room/"
    assert_problem(agent.post(here), 403)
    assert_problem(manager.call("POST", here, {}, if_match='"0"'), 412)
    assert not slack.calls
    opened = manager.post(here)
    assert opened.status_code == 200, opened.content
    assert [each["username"] for each in opened.json()["asked"]] == [
        story.incident_manager.username
    ]
    assert "channel=C0ROOM001" in opened.json()["channel_url"]
    assert Major.objects.get(ticket=major.pk).chat_id == "C0ROOM001"
    assert_problem(manager.post(here), 409, "has_room")
    filled = manager.post(f"{V1}tickets/{major.key}/fill-war-room/")
    assert filled.json()["asked"] == opened.json()["asked"]
    kinds = TimelineEvent.objects.filter(ticket=major, kind__startswith="room_")
    assert list(kinds.order_by("seq").values_list("kind", flat=True)) == [
        *("room_opened", "room_filled", "room_filled"),
    ]


def test_a_room_asked_for_twice_under_one_key_is_made_once(manager, slack, major):
    here = f"{V1}tickets/{major.key}/open-war-room/"
    first = manager.post(here, idempotency_key='"room"')
    calls = len(slack.calls)
    again = manager.post(here, idempotency_key='"room"')
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert len(slack.calls) == calls
    other = manager.post(f"{V1}tickets/{major.key}/fill-war-room/", idempotency_key='"room"')
    assert_problem(other, 422, "key_reused")


def test_a_room_that_was_refused_may_be_asked_for_again_under_its_key(
    manager, slack, major, settings
):
    here = f"{V1}tickets/{major.key}/open-war-room/"
    settings.SLACK_BOT_TOKEN = ""
    assert_problem(manager.post(here, idempotency_key='"room"'), 409, "no_chat")
    assert not IdempotencyKey.objects.exists()
    settings.SLACK_BOT_TOKEN = "xoxb-1"
    assert manager.post(here, idempotency_key='"room"').status_code == 200


def test_rooms_are_made_one_by_one_and_on_no_restricted_case(story, agent, manager, slack):
    ticket = story.open()
    many = agent.post(f"{V1}bulk/", {"act": "open-war-room", "keys": [ticket.key]})
    assert assert_problem(many, 422)["errors"][0]["pointer"] == "#/act"
    assert_problem(manager.act(ticket.key, "open-war-room"), 409, "no_major")
    secret = story.open(kind="security", restricted=True, requester=story.expert, service=None)
    assert_problem(manager.act(secret.key, "open-war-room"), 404)
    assert not slack.calls


def test_nothing_of_the_database_is_held_while_slack_is_spoken_to(
    manager, slack, major, monkeypatch
):
    depths = []
    post = slackrooms._caller.post

    def noted(*given, **named):
        depths.append(len(connection.savepoint_ids))
        return post(*given, **named)

    monkeypatch.setattr(slackrooms._caller, "post", noted)
    outermost = len(connection.savepoint_ids)
    here = f"{V1}tickets/{major.key}/open-war-room/"
    assert manager.post(here, idempotency_key='"room"').status_code == 200
    assert depths
    assert set(depths) == {outermost}


def test_the_same_request_meanwhile_is_told_to_wait_unless_the_first_has_died(
    manager, slack, major, monkeypatch
):
    here, meanwhile = f"{V1}tickets/{major.key}/open-war-room/", []
    post = slackrooms._caller.post

    def asked_again(*given, **named):
        if not meanwhile:
            meanwhile.append(manager.post(here, idempotency_key='"room"'))
        return post(*given, **named)

    monkeypatch.setattr(slackrooms._caller, "post", asked_again)
    assert manager.post(here, idempotency_key='"room"').status_code == 200
    assert_problem(meanwhile[0], 409, "still_running")
    IdempotencyKey.objects.update(status=RUNNING)
    assert_problem(manager.post(here, idempotency_key='"room"'), 409, "still_running")
    IdempotencyKey.objects.update(created_at=database_now() - LONGEST_RUN)
    assert_problem(manager.post(here, idempotency_key='"room"'), 409, "has_room")


def test_the_status_page_is_read_by_everybody_whom_a_major_concerns(
    story, agent, requester, manager, major, calling
):
    given = {"text": "Mail works again in the north.", "phase": "fixing", "next_in_min": 20}
    assert manager.post(f"{V1}tickets/{major.key}/update-major/", given).status_code == 200
    inside = {"text": "The database is gone.", "audience": "inside"}
    assert manager.post(f"{V1}tickets/{major.key}/update-major/", inside).status_code == 200
    seen = []
    for caller in (agent, requester, calling(story.colleague), calling(story.stranger)):
        answer = caller.get(f"{V1}status/")
        assert answer.status_code == 200, answer.content
        assert b"database" not in answer.content
        seen.append(answer.json())
    assert [[row["ticket"] for row in each["under_way"]] for each in seen[:2]] == [[major.key]] * 2
    (row,) = seen[1]["under_way"]
    assert (row["title"], row["service"], row["severity"]) == ("Mail", "mail", 1)
    assert [(word["phase"], word["text"]) for word in row["updates"]] == [
        ("fixing", "Mail works again in the north.")
    ]
    assert row["next_update_at"] is not None
    assert seen[3]["under_way"] == [], "a stranger's organisation is another"
    assert [each["subscribed"] for each in seen[1]["services"]] == [False]
    assert requester.post(f"{V1}subscriptions/", {"service": "mail"}).status_code == 201
    given = {"code": "fixed", "text": "Done"}
    assert manager.act(major.key, "resolve-major", **given).status_code == 200
    after = requester.get(f"{V1}status/").json()
    assert (after["under_way"], [each["subscribed"] for each in after["services"]]) == ([], [True])
    (over,) = after["over"]
    assert over["ended_at"] is not None
    assert over["next_update_at"] is None
    assert_problem(calling(story.agent, "catalog:read").get(f"{V1}status/"), 403)
    assert_problem(calling(None).get(f"{V1}status/"), 401)
