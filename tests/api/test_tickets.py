"""Tickets over REST: opened, listed, read, each as its reader may see them."""

import base64
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.api.conftest import assert_problem
from tests.story import MONDAY, notify, unacknowledged
from tickets.models import Category, Ticket

TICKETS = "/api/v1/tickets/"


def subjects(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["subject"] for row in answer.json()["results"]]


def links(answer) -> dict[str, str]:
    """The Link header's targets by relation, without the host."""
    found = {}
    for part in answer["Link"].split(", "):
        url, _, rel = part.partition(">; rel=")
        assert url.startswith("<http://localhost:8000/api/")
        found[rel.strip('"')] = url[1:].removeprefix("http://localhost:8000")
    return found


def test_a_requester_opens_a_ticket_and_reads_it(story, requester):
    answer = requester.post(TICKETS, {"subject": "Mail is gone", "service": "mail", "impact": 2})
    assert answer.status_code == 201
    shown = answer.json()
    assert shown["status"] == "waiting_for_support"
    assert (shown["requester"]["username"], shown["source"]) == ("rita", "api")
    assert (shown["team"]["slug"], shown["priority"]) == ("desk", 4)
    path = answer["Location"].removeprefix("http://localhost:8000")
    again = requester.get(path)
    assert again.json() == shown
    assert again["ETag"] == answer["ETag"]
    assert again["ETag"].startswith(f'"{shown["version"]}.')


def test_agents_open_for_others_and_requesters_only_for_themselves(story, agent, requester):
    body = {"subject": "Phone is broken", "requester": "rita"}
    assert agent.post(TICKETS, body).json()["requester"]["username"] == "rita"
    refused = requester.post(TICKETS, {"subject": "Mine", "requester": "ann"})
    unknown = requester.post(TICKETS, {"subject": "Mine", "requester": "nobody"})
    assert refused.json() == unknown.json()
    assert_problem(refused, 403, "not_allowed")
    assert requester.post(TICKETS, {"subject": "Mine", "requester": "Rita"}).status_code == 201


def test_a_list_shows_what_its_reader_may_see(story, calling, agent, requester):
    story.open(subject="hers")
    story.open(subject="not hers", requester=story.stranger)
    assert subjects(requester.get(TICKETS)) == ["hers"]
    assert sorted(subjects(agent.get(TICKETS))) == ["hers", "not hers"]
    story.company.may_see_own = True
    story.company.save()
    colleague = story.person("carl", organisation=story.company)
    assert subjects(calling(colleague).get(TICKETS)) == ["hers"]


def test_inner_workings_are_null_for_requesters(story, agent, requester):
    story.target("resolution", 60)
    key = story.open().key
    seen = requester.get(f"{TICKETS}{key}/").json()
    assert seen["next_due_at"] is seen["owner_team"] is seen["next_step"] is None
    known = agent.get(f"{TICKETS}{key}/").json()
    assert known["next_due_at"] is not None
    assert known["owner_team"]["slug"] == "desk"
    assert "take" in known["allowed"]
    assert "take" not in seen["allowed"]


@pytest.mark.parametrize(
    "query",
    ["breached=true", "due_before=2026-03-02T10:00:00Z", "major=true", "ordering=next_due_at"],
)
def test_what_requesters_are_not_shown_they_do_not_learn_by_asking(story, agent, requester, query):
    """A cursor holds the value by which it orders, and a filter answers yes or no."""
    story.target("resolution", 60)
    story.open()
    story.open()
    refused = assert_problem(requester.get(f"{TICKETS}?{query}&limit=1"), 400, "bad_parameter")
    assert refused["errors"][0]["parameter"] == query.partition("=")[0]
    assert agent.get(f"{TICKETS}?{query}&limit=1").status_code == 200


def test_what_was_escalated_to_a_team_is_found_while_it_has_it(story, agent):
    ticket = story.open(subject="up")
    story.open(subject="here")
    agent.act(ticket.key, "take")
    given = {"reason_code": "skill", "reason": "Cache", "tried": "Twice"}
    assert agent.act(ticket.key, "escalate", **given).status_code == 200
    assert subjects(agent.get(f"{TICKETS}?escalated=true")) == ["up"]
    assert subjects(agent.get(f"{TICKETS}?escalated=false")) == ["here"]


def test_every_filter_narrows(story, agent):
    Category.objects.create(slug="print", name="Printing")
    story.target("resolution", 60)
    first = story.open(subject="first", impact=1, urgency=1)
    second = story.open(subject="second", requester=story.stranger, service=None, kind="request")
    agent.act(first.key, "take")
    agent.act(second.key, "watch")
    for query, expected in {
        "status=in_progress": ["first"],
        "status=waiting_for_support,in_progress": ["first", "second"],
        "priority=1,2": ["first"],
        "kind=request": ["second"],
        "team=desk": ["first", "second"],
        "team=apps": [],
        "tier=l1": ["first", "second"],
        "service=mail": ["first"],
        "category=print": [],
        "assignee=ann": ["first"],
        "assignee=me": ["first"],
        "assignee=none": ["second"],
        "requester=zoe": ["second"],
        "open=true": ["first", "second"],
        "open=false": [],
        "breached=false": ["first", "second"],
        "breached=true": [],
        "watched=true": ["second"],
        "watched=false": ["first"],
        "major=true": [],
        "major=false": ["first", "second"],
        "escalated=true": [],
        "escalated=false": ["first", "second"],
        "due_before=2026-03-02T10:30:00Z": ["first", "second"],
        "due_before=2026-03-02T09:30:00Z": [],
        "opened_since=2026-03-02T09:00:00Z": ["first", "second"],
        "opened_since=2026-03-02T10:00:00%2B01:00": ["first", "second"],
        "opened_since=2026-03-02T09:00:01": [],
        f"q={second.key}": ["second"],
        "q=FIR": ["first"],
    }.items():
        assert sorted(subjects(agent.get(f"{TICKETS}?{query}"))) == expected, query


@pytest.mark.parametrize(
    "query",
    [
        "status=lost",
        "priority=0",
        "priority=1,x",
        "open=yes",
        "breached=1",
        "opened_since=yesterday",
        "opened_since=2026-13-01",
        "opened_since=0001-01-01T00:00:00%2B14:00",
        "ordering=subject",
        "ordering=requester__password",
        "limit=0",
        "limit=-1",
        "limit=many",
        "cursor=nonsense",
        "cursor=WzFd",
        "colour=red",
        "requester__password__startswith=a",
        "_connector=OR",
        "format=api",
        "q=a%00b",
        "q=" + "x" * 300,
        "status=new&status=closed",
    ],
)
def test_an_unknown_or_wrong_parameter_is_named(agent, query):
    members = assert_problem(agent.get(f"{TICKETS}?{query}"), 400, "bad_parameter")
    assert members["errors"][0]["parameter"] == query.partition("=")[0]


def test_pages_follow_each_other_both_ways(story, agent):
    for number in range(7):
        story.forward(minutes=1)
        story.open(subject=f"t{number}")
    seen, answer = [], agent.get(f"{TICKETS}?limit=3&ordering=opened_at")
    while True:
        seen.append(subjects(answer))
        if "next" not in links(answer):
            break
        assert answer.json()["next"].endswith(links(answer)["next"])
        answer = agent.get(links(answer)["next"])
    assert seen == [["t0", "t1", "t2"], ["t3", "t4", "t5"], ["t6"]]
    back = agent.get(links(answer)["prev"])
    assert subjects(back) == ["t3", "t4", "t5"]
    first = agent.get(links(back)["prev"])
    assert subjects(first) == ["t0", "t1", "t2"]
    assert "prev" not in links(first)
    assert subjects(agent.get(links(back)["first"])) == ["t0", "t1", "t2"]


@pytest.mark.parametrize(
    "ordering", ["-opened_at", "next_due_at", "-next_due_at", "priority", "-updated_at"]
)
def test_no_row_is_lost_or_doubled_between_pages(story, agent, ordering):
    for number in range(9):
        story.forward(minutes=1)
        ticket = story.open(subject=f"t{number}", impact=1 + number % 3)
        due = MONDAY + timedelta(hours=number % 2) if number % 3 else None
        Ticket.objects.filter(pk=ticket.pk).update(next_due_at=due)
    whole = subjects(agent.get(f"{TICKETS}?ordering={ordering}"))
    assert len(set(whole)) == 9
    pages, answer = [], agent.get(f"{TICKETS}?limit=2&ordering={ordering}")
    while "next" in links(answer):
        pages += subjects(answer)
        answer = agent.get(links(answer)["next"])
    assert pages + subjects(answer) == whole
    back = subjects(answer)
    while "prev" in links(answer):
        answer = agent.get(links(answer)["prev"])
        back = subjects(answer) + back
    assert back == whole


def test_a_cursor_of_another_order_is_refused(story, agent):
    for number in range(3):
        story.open(subject=f"t{number}")
    following = links(agent.get(f"{TICKETS}?limit=1"))["next"]
    assert_problem(agent.get(following + "&ordering=priority"), 400, "bad_parameter")


def test_a_cursor_without_a_value_is_refused_where_every_ticket_has_one(story, agent):
    nowhere = base64.urlsafe_b64encode(b'["-opened_at",null,1,false]').decode().rstrip("=")
    assert_problem(agent.get(f"{TICKETS}?cursor={nowhere}"), 400, "bad_parameter")


def test_a_list_shows_each_ticket_as_the_ticket_itself_is_shown(story, agent, requester):
    Category.objects.create(slug="print", name="Printing")
    story.target("resolution", 60)
    taken = agent.post(TICKETS, {"subject": "Taken", "service": "mail", "category": "print"})
    agent.act(taken.json()["key"], "take")
    story.open(subject="bare", requester=story.stranger, service=None)
    for caller in (agent, requester):
        for row in caller.get(TICKETS).json()["results"]:
            alone = caller.get(f"{TICKETS}{row['key']}/").json()
            assert row == {name: alone[name] for name in row}


def test_too_large_a_page_is_cut_to_the_largest(story, agent):
    story.open()
    assert agent.get(f"{TICKETS}?limit=5000").status_code == 200


def test_a_list_costs_the_same_for_one_ticket_and_for_twenty(story, agent, requester):
    def cost(caller) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert caller.get(TICKETS).status_code == 200
        return len(caught)

    story.open()
    cost(agent), cost(requester)  # the first use of a token is noted
    before = cost(agent), cost(requester)
    for _ in range(19):
        story.open()
    assert (cost(agent), cost(requester)) == before
    assert max(before) <= 7


def test_unseen_and_restricted_look_like_nothing(story, agent, requester):
    hidden = story.open(subject="secret", restricted=True, requester=story.stranger)
    other = story.open(subject="not hers", requester=story.stranger)
    nothing = agent.get(f"{TICKETS}INC-999999/")

    def same(answer, key: str) -> bool:
        expected = nothing.content.replace(b"INC-999999", key.encode())
        return (answer.status_code, answer.content) == (404, expected)

    assert same(agent.get(f"{TICKETS}{hidden.key}/"), hidden.key)
    assert same(requester.get(f"{TICKETS}{other.key}/"), other.key)
    assert "secret" not in subjects(agent.get(TICKETS))
    for path in ("events/", "comments/", "clocks/"):
        assert_problem(agent.get(f"{TICKETS}{hidden.key}/{path}"), 404)
    assert_problem(agent.post(f"{TICKETS}{hidden.key}/take/"), 404)


def test_a_browsers_session_reads_and_needs_its_csrf_token_to_write(story):
    client = Client(enforce_csrf_checks=True)
    client.force_login(story.agent)
    key = story.open().key
    assert client.get(f"{TICKETS}{key}/").status_code == 200
    assert_problem(client.post(f"{TICKETS}{key}/take/"), 403)
    client.get("/api/v1/docs/")
    token = client.cookies["csrftoken"].value
    answer = client.generic("POST", f"{TICKETS}{key}/take/", headers={"X-CSRFToken": token})
    assert answer.status_code == 200


def test_both_forms_of_an_address_answer(story, agent):
    key = story.open().key
    assert agent.get(f"/api/v1/tickets/{key}").json() == agent.get(f"{TICKETS}{key}/").json()
    assert agent.post("/api/v1/tickets", {"subject": "No slash"}).status_code == 201


def test_an_opening_takes_sixteen_statements_at_most(story, agent):
    story.target("resolution", 60)
    story.policy("desk", unacknowledged(5, "remind", notify("assignee")))
    agent.post(TICKETS, {"subject": "The first use of a token is noted"})
    with CaptureQueriesContext(connection) as caught:
        answer = agent.post(TICKETS, {"subject": "Counted", "service": "mail"})
    assert answer.status_code == 201
    assert len(caught) <= 16
    told = answer.json()
    assert told["next_due_at"]
    assert told["next_step_at"]
    assert agent.get(f"{TICKETS}{told['key']}/").json() | {"next_step": None} == told
