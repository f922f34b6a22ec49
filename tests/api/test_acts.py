"""Acts over REST: each does what its page does, answers with the ticket, and is refused alike."""

from datetime import timedelta

import pytest

from api.rest.acts import ACTS
from tests.api.conftest import appoint, assert_problem
from tests.story import notify, unacknowledged
from tickets.merging import merge
from tickets.models import Category, TimelineEvent
from tickets.restriction import restrict

TICKETS = "/api/v1/tickets/"


@pytest.fixture
def key(story) -> str:
    return story.open().key


def done(answer, **expected) -> dict:
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert {name: shown[name] for name in expected} == expected
    return shown


def test_a_ticket_lives_its_whole_life_over_rest(story, agent, requester, key):
    done(agent.act(key, "acknowledge"))
    done(agent.act(key, "unacknowledge"), acknowledged_at=None)
    done(agent.act(key, "take"), status="in_progress")
    done(agent.act(key, "release"), status="waiting_for_support", assignee=None)
    done(agent.act(key, "take"))
    done(agent.act(key, "pend", status="pending_requester", reason="Which?"))
    assert requester.post(f"{TICKETS}{key}/comments/", {"text": "This.", "public": True})
    done(agent.act(key, "pend", status="pending_vendor", reason="Parts"), status="pending_vendor")
    done(agent.act(key, "resume"), status="in_progress")
    done(agent.act(key, "resolve", code="fixed", text="Done."), resolution_code="fixed")
    done(requester.act(key, "reopen", reason="No."), status="waiting_for_support", reopen_count=1)
    done(requester.act(key, "chase", text="Well?"))
    done(agent.act(key, "take"))
    done(agent.act(key, "resolve", code="workaround", text="Now."))
    done(requester.act(key, "confirm"), status="closed")


def test_an_escalation_goes_up_is_accepted_and_comes_back(story, calling, agent, key):
    done(agent.act(key, "take"))
    shown = done(agent.act(key, "escalate", reason_code="skill", reason="Needs a specialist."))
    assert shown["team"]["slug"] == "apps"
    engineer = calling(story.engineer)
    assert done(engineer.act(key, "accept"))["acknowledged_at"]
    back = done(engineer.act(key, "hand-back", reason_code="incomplete", reason="Logs?"))
    assert back["team"]["slug"] == "desk"
    (record,) = engineer.get(f"{TICKETS}{key}/escalations/").json()["results"]
    assert (record["state"], record["reason"]) == ("handed_back", "Needs a specialist.")
    done(agent.act(key, "escalate", reason_code="time", reason="Quick.", to_team="platform"))


def test_the_rest_of_the_acts(story, calling, agent, key):
    Category.objects.create(slug="print", name="Printing")
    lead = calling(story.lead)
    shown = done(lead.act(key, "assign", assignee="bob"), status="in_progress")
    assert shown["assignee"] == {"username": "bob", "name": "Bob"}
    done(agent.act(key, "impact", impact=1, urgency=1, reason="All of them"), priority=1)
    done(lead.act(key, "priority", priority=3, reason="Not that bad"), priority=3)
    done(lead.act(key, "priority", priority=None, reason="It is"), priority=1)
    done(agent.act(key, "classify", service=None, category="print"), service=None)
    done(agent.act(key, "involve", person="dora", reason="Knows this."))
    other = story.open(subject="The same again")
    done(agent.act(key, "link", other=other.key.lower(), relation="related"))
    done(agent.act(key, "watch"))
    done(agent.act(key, "unwatch"))
    done(agent.act(key, "move", to_team="apps"))
    done(calling(story.engineer).act(key, "cancel", reason="Twice."), status="cancelled")


def test_an_owner_is_named_over_rest_and_the_work_stays(story, calling, agent, key):
    manager = calling(story.incident_manager)
    shown = done(manager.act(key, "owner", owner="bob", reason="It went to and fro"))
    assert (shown["owner"]["username"], shown["team"]["slug"]) == ("bob", "desk")
    assert_problem(agent.act(key, "owner", owner="ann", reason="Me"), 403, "not_allowed")
    assert_problem(manager.act(key, "owner", owner="zoe", reason="Her"), 422)
    assert done(manager.act(key, "owner", owner=None, reason="Solved soon"))["owner"] is None


def test_every_act_says_by_which_door_it_came(story, agent, key):
    agent.act(key, "take")
    event = TimelineEvent.objects.filter(kind="taken").get()
    assert '"via":"api"' in event.canonical


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.slug)
def test_an_act_refused_changes_nothing(story, calling, key, act):
    """Somebody who may see the ticket, but do nothing to it: an auditor."""
    auditor = story.person("otto")
    appoint(auditor, "auditor")
    before = TimelineEvent.objects.count()
    answer = calling(auditor).act(key, act.slug)
    assert_problem(answer, 403, "not_allowed")
    assert TimelineEvent.objects.count() == before


def test_an_illegal_transition_is_a_conflict(story, agent, key):
    assert_problem(agent.act(key, "resume"), 409, "illegal_transition")
    agent.act(key, "cancel", reason="x")
    assert_problem(agent.act(key, "take"), 409, "not_open")
    assert_problem(agent.act(key, "accept"), 409)


def test_a_lost_update_is_refused(story, agent, key):
    path = f"{TICKETS}{key}/take/"
    tag = agent.get(f"{TICKETS}{key}/")["ETag"]
    agent.act(key, "acknowledge")
    assert_problem(agent.post(path, if_match=tag), 412, "changed_since")
    assert_problem(agent.post(path, if_match=f"W/{tag}"), 412)
    fresh = agent.get(f"{TICKETS}{key}/")["ETag"]
    assert agent.post(path, if_match=f'"0", {fresh}').status_code == 200
    assert agent.post(f"{TICKETS}{key}/release/", if_match="*").status_code == 200


def test_what_changes_without_an_event_is_told_and_keeps_nobody_from_acting(story, agent, key):
    path = f"{TICKETS}{key}/"
    tag = agent.get(path)["ETag"]
    assert agent.get(path, if_none_match=tag).status_code == 304
    story.desk.name = "Help desk"
    story.desk.save()
    again = agent.get(path, if_none_match=tag)
    assert (again.status_code, again.json()["team"]["name"]) == (200, "Help desk")
    assert agent.post(f"{path}take/", if_match=tag).status_code == 200


def test_what_is_said_on_a_merged_ticket_names_no_case(story, agent, calling, requester):
    gone, into = story.open(), story.open(subject="The same")
    merge(ticket=gone, into=into, actor=story.agent, reason="The same", clock=story.clock)
    said = {"text": "More", "public": True}
    tag = requester.get(f"{TICKETS}{gone.key}/")["ETag"]
    assert requester.post(f"{TICKETS}{gone.key}/comments/", said, if_match=tag).status_code == 201
    restrict(ticket=into, actor=story.agent, reason="Fraud", clock=story.clock)
    for caller in (requester, calling(story.colleague)):
        for public in (True, False):
            for more in ({}, {"seen": 1}):
                body = {**said, "public": public, **more}
                refused = caller.post(f"{TICKETS}{gone.key}/comments/", body)
                problem = assert_problem(refused, 403)
                assert into.key not in str(problem)
                assert gone.key in problem["detail"]


BAD = [
    ("resolve", {"code": "fixed"}, "#/text"),
    ("resolve", {"code": "magic", "text": "x"}, "#/code"),
    ("resolve", {"code": "fixed", "text": "   "}, "#/text"),
    ("resolve", {"code": "fixed", "text": "x" * 20_001}, "#/text"),
    ("resolve", {"code": "fixed", "text": None}, "#/text"),
    ("resolve", {"code": "fixed", "text": ["x"]}, "#/text"),
    ("resolve", {"code": "fixed", "text": 5}, "#/text"),
    ("resolve", {"code": "fixed", "text": "a\u0000b"}, "#/text"),
    ("resolve", {"code": ["fixed"], "text": "x"}, "#/code"),
    ("resolve", {"code": "fixed", "text": "x", "status": "closed"}, "#/status"),
    ("take", {"assignee": "bob"}, "#/assignee"),
    ("take", ["x"], "#"),
    ("take", '"x"', "#"),
    ("take", 7, "#"),
    ("pend", {"status": "closed", "reason": "x"}, "#/status"),
    ("pend", {"status": "pending_vendor", "reason": "x" * 251}, "#/reason"),
    ("pend", {"status": "pending_vendor", "reason": "x", "wake_at": "soon"}, "#/wake_at"),
    ("pend", {"status": "pending_vendor", "reason": "x", "wake_at": 12}, "#/wake_at"),
    ("escalate", {"reason_code": "policy", "reason": "x"}, "#/reason_code"),
    ("escalate", {"reason_code": "skill", "reason": "x", "to_team": "none"}, "#/to_team"),
    ("escalate", {"reason_code": "skill", "reason": "x", "to_team": {"a": 1}}, "#/to_team"),
    ("escalate", {"reason_code": "skill", "reason": "x", "to_team": "a\u0000"}, "#/to_team"),
    ("involve", {"reason": "x"}, "#/team"),
    ("involve", {"reason": "x", "team": "apps", "person": "dora"}, "#/team"),
    ("involve", {"reason": "x", "person": "nobody"}, "#/person"),
    ("impact", {"impact": 0, "urgency": 1}, "#/impact"),
    ("impact", {"impact": True, "urgency": 1}, "#/impact"),
    ("impact", {"impact": 1e99, "urgency": 1}, "#/impact"),
    ("impact", {"impact": {"a": 1}, "urgency": 1}, "#/impact"),
    ("classify", {"service": "mail"}, "#/category"),
    ("move", {"to_team": "desk" * 100}, "#/to_team"),
    ("link", {"other": "INC-999999", "relation": "related"}, "#/other"),
    ("link", {"other": "a\u0000", "relation": "related"}, "#/other"),
    ("link", {"other": ["x"], "relation": "twin"}, "#/relation"),
    ("cancel", {}, "#/reason"),
    ("comments", {"text": "x"}, "#/public"),
    ("comments", {"text": "x", "public": "maybe"}, "#/public"),
    ("comments", {"text": "x", "public": True, "author": "bob"}, "#/author"),
]


@pytest.mark.parametrize(("slug", "body", "pointer"), BAD)
def test_a_bad_body_is_told_what_is_bad_and_changes_nothing(story, agent, key, slug, body, pointer):
    agent.act(key, "take")
    before = TimelineEvent.objects.count()
    members = assert_problem(agent.post(f"{TICKETS}{key}/{slug}/", body), 422)
    assert pointer in [error["pointer"] for error in members["errors"]]
    assert TimelineEvent.objects.count() == before


@pytest.mark.parametrize(
    "member",
    [
        *("restricted", "status", "team", "owner", "next_due_at", "breached_at", "priority"),
        *("key", "id", "organisation", "source", "opened_at", "external_ref", "assignee"),
        *("created_by", "actor"),
    ],
)
def test_nothing_but_what_may_be_written_can_be_written(agent, member):
    members = assert_problem(agent.post(TICKETS, {"subject": "x", member: 1}), 422)
    assert members["errors"] == [
        {"pointer": f"#/{member}", "detail": "This member is not known here."}
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"subject": ""},
        {"subject": None},
        {"subject": 5},
        {"subject": "x" * 251},
        {"subject": "x", "tags": "a"},
        {"subject": "x", "tags": ["y" * 51]},
        {"subject": "x", "tags": ["y"] * 21},
        {"subject": "x", "kind": "disaster"},
        {"subject": "x", "began_at": "0000-00-00"},
        {"subject": "x", "service": 3},
        {"subject": "x", "requester": "nobody"},
        [],
        None,
        '"x"',
    ],
)
def test_a_bad_opening_opens_nothing(story, agent, body):
    answer = agent.call("POST", TICKETS, body if body is not None else "null")
    assert_problem(answer, 422)
    assert not TimelineEvent.objects.exists()


# ---- Comments and history ----


def test_notes_are_for_the_service_and_replies_for_everybody(story, agent, requester, key):
    path = f"{TICKETS}{key}/comments/"
    note = agent.post(path, {"text": "Looks odd.", "public": False})
    assert (note.status_code, note.json()["author"]["username"]) == (201, "ann")
    reply = agent.post(path, {"text": "We look.", "public": True})
    assert reply.json()["text"] == "We look."
    both = agent.get(path).json()["results"]
    assert [row["text"] for row in both] == ["Looks odd.", "We look."]
    assert [row["text"] for row in requester.get(path).json()["results"]] == ["We look."]
    assert_problem(requester.post(path, {"text": "x", "public": False}), 403)


def test_the_timeline_is_public_in_parts(story, agent, requester, key):
    agent.post(f"{TICKETS}{key}/comments/", {"text": "Odd.", "public": False})
    every = agent.get(f"{TICKETS}{key}/events/").json()["results"]
    assert [row["seq"] for row in every] == list(range(1, len(every) + 1))
    assert every[0]["kind"] == "opened"
    assert every[0]["facts"]["set"]["status"] == "new"
    public = requester.get(f"{TICKETS}{key}/events/").json()["results"]
    assert 0 < len(public) < len(every)
    assert all(row["public"] and row["facts"] is None for row in public)


def test_clocks_run_and_firings_explain_themselves(story, agent, requester):
    story.target("resolution", 60)
    story.policy("standard", unacknowledged(5, "Tell the desk", notify("on_call")))
    key = story.open().key
    step = agent.get(f"{TICKETS}{key}/").json()["next_step"]
    assert step["what"] == "Tell the desk"
    story.forward(minutes=6)
    (clock,) = agent.get(f"{TICKETS}{key}/clocks/").json()["results"]
    assert (clock["kind"], clock["state"], clock["target_s"]) == ("resolution", "running", 3600)
    assert clock["elapsed_s"] > timedelta(minutes=6).total_seconds() - 1
    (firing,) = agent.get(f"{TICKETS}{key}/firings/").json()["results"]
    assert firing["step"] == "Tell the desk"
    assert any("not acknowledged for" in line for line in firing["explain"])
    for part in ("clocks", "firings", "escalations"):
        assert_problem(requester.get(f"{TICKETS}{key}/{part}/"), 403, "not_allowed")
