"""What the desk's page keeps for its people, by program: drafts, views, acts on many, watchers."""

import json
from datetime import timedelta
from uuid import uuid4

from escalation.models import Quarantine
from insights.operations.checks import run_waiting
from roles.instants import database_now
from tests.api.conftest import assert_problem
from tickets.models import BulkAct, Draft, SavedView, Ticket, TimelineEvent, Watcher
from tickets.savedviews import KEPT, SORTS, VIEWS
from web import sorting, tabs
from web.filters import Filters

V1 = "/api/v1/"


def test_a_draft_is_kept_changed_and_thrown_away_by_its_writer_only(story, agent, calling):
    ticket = story.open()
    given = {"ticket": ticket.key.lower(), "text": "We have found it", "public": True}
    kept = agent.post(f"{V1}drafts/", given, idempotency_key='"one"')
    assert kept.status_code == 201, kept.content
    here = f"{V1}drafts/{ticket.key}/"
    assert kept["Location"].endswith(here)
    again = agent.post(f"{V1}drafts/", given, idempotency_key='"one"')
    assert again["Idempotent-Replayed"] == "true"
    changed = agent.call("PATCH", here, {"text": "It is the disk"}, if_match=kept["ETag"])
    assert (changed.json()["text"], changed.json()["public"]) == ("It is the disk", True)
    assert_problem(agent.call("PATCH", here, {"text": "Late"}, if_match=kept["ETag"]), 412)
    assert [row["ticket"] for row in agent.get(f"{V1}drafts/").json()["results"]] == [ticket.key]
    colleague = calling(story.colleague)
    assert colleague.get(f"{V1}drafts/").json()["results"] == []
    assert_problem(colleague.get(here), 404)
    assert agent.call("DELETE", here).status_code == 204
    assert_problem(agent.call("DELETE", here), 404)
    assert not TimelineEvent.objects.filter(ticket=ticket, kind="commented").exists()


def test_a_second_draft_takes_the_place_of_the_first_and_sending_ends_it(story, agent):
    ticket = story.open()
    for text in ("First words", "Better words"):
        agent.post(f"{V1}drafts/", {"ticket": ticket.key, "text": text, "public": False})
    assert Draft.objects.get().text == "Better words"
    said = {"text": "Better words, sent", "public": False}
    assert agent.post(f"{V1}tickets/{ticket.key}/comments/", said).status_code == 201
    assert agent.get(f"{V1}drafts/").json()["results"] == []


def test_a_draft_asks_for_what_its_reply_would_ask_for(story, agent, requester, calling):
    ticket = story.open(requester=story.requester)
    note = {"ticket": ticket.key, "text": "Between us", "public": False}
    assert_problem(requester.post(f"{V1}drafts/", note), 403)
    assert requester.post(f"{V1}drafts/", {**note, "public": True}).status_code == 201
    wrong = agent.post(f"{V1}drafts/", {**note, "text": " "})
    assert assert_problem(wrong, 422)["errors"][0]["pointer"] == "#/text"
    unseen = calling(story.stranger).post(f"{V1}drafts/", note)
    nothing = agent.post(f"{V1}drafts/", {**note, "ticket": "INC-999999"})
    assert assert_problem(unseen, 422)["errors"] == assert_problem(nothing, 422)["errors"]


def test_a_draft_on_a_case_is_gone_for_who_may_know_of_it_no_more(story, calling):
    analyst = calling(story.analyst)
    ticket = story.open(kind="security", requester=story.expert)
    agent = calling(story.agent)
    given = {"ticket": ticket.key, "text": "Half a word", "public": False}
    assert agent.post(f"{V1}drafts/", given).status_code == 201
    assert analyst.act(ticket.key, "restrict", reason="A break-in").status_code == 200
    assert agent.get(f"{V1}drafts/").json()["results"] == []
    assert_problem(agent.get(f"{V1}drafts/{ticket.key}/"), 404)


def test_watchers_are_taken_off_in_one_event(story, agent):
    ticket = story.open()
    people = [story.person("paula"), story.person("percy")]
    for person in people:
        Watcher.objects.create(ticket=ticket, person=person, since=ticket.opened_at)
    names = [person.username for person in people]
    before = ticket.events.count()
    assert agent.act(ticket.key, "take-off", people=names).status_code == 200
    assert agent.get(f"{V1}tickets/{ticket.key}/watchers/").json()["results"] == []
    assert ticket.events.count() == before + 1
    assert_problem(agent.act(ticket.key, "take-off", people=names), 409, "follows_not")
    assert_problem(agent.act(ticket.key, "take-off", people=[]), 422)


def test_a_view_is_kept_shared_changed_and_deleted(story, agent, calling):
    asked = {"view": "all", "priority": "1", "q": "payroll"}
    kept = agent.post(f"{V1}saved-views/", {"name": "Urgent", "filters": asked})
    assert kept.status_code == 201, kept.content
    here = f"{V1}saved-views/{kept.json()['id']}/"
    assert {name: kept.json()["filters"][name] for name in asked} == asked
    assert SavedView.objects.get().query == "view=all&priority=1&q=payroll", "as the queue has it"
    again = agent.post(f"{V1}saved-views/", {"name": "urgent", "filters": {"view": "mine"}})
    assert again.json()["id"] == kept.json()["id"]
    colleague = calling(story.colleague)
    assert_problem(colleague.get(here), 404)
    shared = agent.call("PATCH", here, {"team": "desk"}, if_match=again["ETag"])
    assert (shared.json()["name"], shared.json()["team"]) == ("urgent", "desk"), shared.content
    assert_problem(agent.call("PATCH", here, {"name": "Late"}, if_match=again["ETag"]), 412)
    assert colleague.get(here).json()["filters"]["view"] == "mine"
    assert_problem(colleague.call("PATCH", here, {"name": "Ours"}), 403, "not_yours")
    assert_problem(colleague.call("DELETE", here), 403, "not_yours")
    assert agent.call("DELETE", here).status_code == 204
    assert not SavedView.objects.exists()


def test_a_view_asks_for_nothing_that_the_queue_does_not_know(story, agent, requester):
    given = {"name": "Wrong", "filters": {"view": "none", "sort": "loud", "pages": "2"}}
    wrong = assert_problem(agent.post(f"{V1}saved-views/", given), 422)["errors"]
    assert [each["pointer"] for each in wrong] == ["#/filters/pages"]
    del given["filters"]["pages"]
    wrong = assert_problem(agent.post(f"{V1}saved-views/", given), 422)["errors"]
    assert {each["pointer"] for each in wrong} == {"#/filters/view", "#/filters/sort"}
    known = {view.slug for view in (*tabs.AGENT_VIEWS, *tabs.LEADING_VIEWS)}
    assert set(VIEWS) == known
    assert set(SORTS) == set(sorting.BY_SLUG)
    assert set(KEPT) == set(Filters.__dataclass_fields__) - {"saved", "after"}
    assert_problem(requester.get(f"{V1}saved-views/"), 403)


def test_an_act_on_many_is_taken_back_where_nothing_has_happened_since(story, agent, calling):
    mine, theirs = story.open(), story.open(subject="Other")
    told = agent.post(f"{V1}bulk/", {"act": "take", "keys": [mine.key, theirs.key, "INC-999999"]})
    here = f"{V1}bulk-acts/{told.json()['bulk_act']}/"
    kept = agent.get(here).json()
    assert (kept["act"], kept["done"]) == ("take", [mine.key, theirs.key])
    assert [each["key"] for each in kept["refused"]] == ["INC-999999"]
    assert kept["undo_until"]
    assert_problem(calling(story.colleague).post(f"{here}undo/"), 404)
    assert calling(story.colleague).act(theirs.key, "take").status_code == 200
    undone = agent.post(f"{here}undo/").json()
    assert (undone["act"], undone["done"]) == ("undo take", [mine.key])
    assert undone["refused"] == [
        {"key": theirs.key, "why": "It has changed since; it stays as it is."}
    ]
    assert Ticket.objects.get(pk=mine.pk).assignee is None
    assert Ticket.objects.get(pk=theirs.pk).assignee == story.colleague
    told = TimelineEvent.objects.filter(ticket=mine).latest("seq")
    assert json.loads(told.canonical)["via"] == "api"
    assert_problem(agent.post(f"{here}undo/"), 409, "too_late")
    assert agent.get(here).json()["undo_until"] is None


def test_an_act_that_cannot_be_taken_back_says_so_at_once(story, agent):
    ticket = story.open()
    body = {"reason": "Opened twice"}
    told = agent.post(f"{V1}bulk/", {"act": "cancel", "keys": [ticket.key], "body": body}).json()
    assert told["bulk_act"] is None
    assert agent.get(f"{V1}bulk-acts/").json()["results"] == []


def test_a_case_is_not_named_among_what_was_done_once_it_is_one(story, agent, calling):
    ticket = story.open(kind="security", requester=story.expert)
    told = agent.post(f"{V1}bulk/", {"act": "watch", "keys": [ticket.key]}).json()
    assert told["bulk_act"], told
    assert (
        calling(story.analyst).act(ticket.key, "restrict", reason="A break-in").status_code == 200
    )
    assert agent.get(f"{V1}bulk-acts/{told['bulk_act']}/").json()["done"] == []
    undone = agent.post(f"{V1}bulk-acts/{told['bulk_act']}/undo/").json()
    assert undone["done"] == []


def test_a_case_is_not_named_among_what_was_refused_either(story, agent, calling):
    ticket = story.open(kind="security", requester=story.expert)
    other, nowhere = story.open(), "INC-999999"
    told = agent.post(f"{V1}bulk/", {"act": "watch", "keys": [story.open().key]}).json()
    BulkAct.objects.update(
        refused=[
            {"key": ticket.key, "why": "It is too late."},
            {"key": other.key, "why": f"It waits for {ticket.key}."},
            {"key": nowhere, "why": "There is no such ticket that you can see."},
        ]
    )
    here = f"{V1}bulk-acts/{told['bulk_act']}/"
    assert agent.get(here).json()["refused"][0]["why"] == "It is too late."
    calling(story.analyst).act(ticket.key, "restrict", reason="A break-in")
    ticket.clearances.filter(person=story.agent).delete()
    like_none = "No ticket that you can see has this key."
    assert agent.get(here).json()["refused"] == [
        {"key": ticket.key, "why": like_none},
        {"key": other.key, "why": "It waits for another ticket."},
        {"key": nowhere, "why": like_none},
    ]


def test_records_of_acts_on_many_go_after_thirty_days(story, agent):
    old = BulkAct.objects.create(
        token=uuid4(), actor=story.agent, act="take", done_at=database_now() - timedelta(days=31)
    )
    agent.post(f"{V1}bulk/", {"act": "watch", "keys": [story.open().key]})
    assert BulkAct.objects.exclude(pk=old.pk).exists()
    assert not BulkAct.objects.filter(pk=old.pk).exists()


def test_a_ticket_that_the_engine_has_set_aside_is_released(story, agent, calling):
    admin, ticket = calling(story.admin), story.open()
    secret = story.open(kind="security", restricted=True, requester=story.expert, service=None)
    now = database_now()
    for each in (ticket, secret):
        Quarantine.objects.create(ticket=each, tries=3, last_tried_at=now, since=now)
    here = f"{V1}held-tickets/"
    assert [row["ticket"] for row in admin.get(here).json()["results"]] == [ticket.key]
    assert_problem(agent.get(here), 403)
    assert_problem(admin.post(f"{here}{secret.key}/release/"), 404)
    assert admin.post(f"{here}{ticket.key}/release/").status_code == 204
    assert [held.ticket for held in Quarantine.objects.all()] == [secret]


def test_a_walk_through_the_past_is_asked_for_and_followed(story, agent, calling):
    admin = calling(story.admin)
    asked = admin.post(f"{V1}verifications/", {"what": "timelines"})
    assert asked.status_code == 202, asked.content
    here = f"{V1}verifications/{asked.json()['id']}/"
    assert asked["Location"].endswith(here)
    assert_problem(admin.post(f"{V1}verifications/", {"what": "timelines"}), 409, "running")
    assert_problem(agent.post(f"{V1}verifications/", {"what": "clocks"}), 403)
    assert run_waiting() == 2, "the one asked for, and that of the other that comes by itself"
    done = admin.get(here).json()
    assert (done["state"], done["found"], done["findings"]) == ("done", 0, [])
