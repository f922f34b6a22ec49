"""PagerDuty's REST subset: incidents read and changed, people and schedules read."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roles.instants import database_now
from roles.overrides import add_override
from tests.api.intake import Sender, pagerduty, recorded, told_keys
from tickets.assignment import take
from tickets.models import Ticket
from tickets.restriction import restrict

TEST_KEY = "R" * 32
FROM = {"from": "ada@example.org"}


@pytest.fixture
def pd(story) -> Sender:
    return pagerduty(story, reads_directory=True)


def trigger(pd: Sender, key: str = "disk", severity: str = "critical") -> None:
    payload = {"summary": f"{key} is full", "source": "db1", "severity": severity}
    body = {"routing_key": pd.key, "event_action": "trigger", "dedup_key": key, "payload": payload}
    assert pd.post("/v2/enqueue", body).status_code == 202


def only(pd: Sender, query: str = "") -> dict:
    found = pd.get(f"/incidents?{query}").json()["incidents"]
    assert len(found) == 1
    return found[0]


def test_an_incident_is_told_with_all_its_members(pd, story):
    trigger(pd)
    told = only(pd, "incident_key=disk&statuses[]=triggered&statuses[]=resolved")
    assert told["title"] == "disk is full"
    assert (told["status"], told["urgency"], told["type"]) == ("triggered", "high", "incident")
    assert told["self"] == f"http://localhost:8000/pagerduty/incidents/{told['id']}"
    assert told["service"]["summary"] == "Mail"
    assert told["alert_counts"] == {"all": 1, "triggered": 1, "resolved": 0}
    assert pd.get(f"/incidents/{told['id']}").json()["incident"] == told
    take(ticket=Ticket.objects.get(), actor=story.agent)
    told = only(pd)
    assert told["status"] == "acknowledged"
    assert told["assignments"][0]["assignee"]["summary"] == "Ann"
    assert told["acknowledgements"][0]["acknowledger"]["type"] == "user_reference"


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ["a", "b"]),
        ("statuses[]=triggered", ["a"]),
        ("statuses[]=resolved", ["b"]),
        ("statuses[]=acknowledged", []),
        ("urgencies[]=high", ["a"]),
        ("urgencies[]=high&urgencies[]=low", ["a", "b"]),
        ("incident_key=b", ["b"]),
        ("sort_by=created_at:desc", ["b", "a"]),
        ("since=2000-01-01T00:00:00Z&until=2001-01-01", []),
        ("since=2000-01-01T00:00:00%2B00:00", ["a", "b"]),
        ("service_ids[]=PVNOSUCH", []),
        ("limit=1&offset=1", ["b"]),
    ],
)
def test_incidents_are_filtered_and_paged(pd, query, keys):
    trigger(pd, "a")
    trigger(pd, "b", "info")
    resolve = {"routing_key": pd.key, "event_action": "resolve", "dedup_key": "b"}
    pd.post("/v2/enqueue", resolve)
    found = pd.get(f"/incidents?{query}").json()
    assert [one["incident_key"] for one in found["incidents"]] == keys


def test_a_page_says_whether_there_are_more_and_how_many_when_asked(pd):
    for number in range(3):
        trigger(pd, f"a{number}")
    found = pd.get("/incidents?limit=2").json()
    assert (found["limit"], found["offset"], found["more"], found["total"]) == (2, 0, True, None)
    assert pd.get("/incidents?limit=500&total=true").json()["total"] == 3
    assert pd.get("/incidents?limit=500").json()["limit"] == 100
    assert pd.get("/incidents?offset=9990&limit=25").status_code == 400
    for bad in ("statuses[]=nonsense", "since=yesterday"):
        assert pd.get(f"/incidents?{bad}").json()["error"]["code"] == 2001
    with CaptureQueriesContext(connection) as taken:
        pd.get("/incidents?limit=100")
    assert len(taken) <= 3


def test_an_incident_is_made_acknowledged_noted_snoozed_and_resolved(pd, story):
    body = {"type": "incident", "title": "made by REST", "incident_key": "k", "urgency": "low"}
    made = pd.post("/incidents", {"incident": body}, **FROM)
    assert made.status_code == 201
    name = made.json()["incident"]["id"]
    again = pd.post("/incidents", {"incident": body}, **FROM)
    assert again.status_code == 400
    change = {"incident": {"type": "incident_reference", "status": "acknowledged"}}
    assert (
        pd.send("PUT", f"/incidents/{name}", change, **FROM).json()["incident"]["status"]
        == "acknowledged"
    )
    note = pd.post(f"/incidents/{name}/notes", {"note": {"content": "hello"}}, **FROM)
    assert (note.status_code, note.json()["note"]["content"]) == (200, "hello")
    assert len(pd.get(f"/incidents/{name}/notes").json()["notes"]) == 1
    assert pd.post(f"/incidents/{name}/snooze", {"duration": 60}, **FROM).status_code == 201
    assert pd.get(f"/incidents/{name}/alerts").json()["alerts"][0]["alert_key"] == "k"
    assert pd.get(f"/incidents/{name}/log_entries").json()["log_entries"]
    bulk = {"incidents": [{"id": name, "type": "incident_reference", "status": "resolved"}]}
    assert pd.send("PUT", "/incidents", bulk, **FROM).json()["incidents"][0]["status"] == "resolved"
    ticket = Ticket.objects.get()
    assert ticket.events.filter(kind="commented").count() == 1


def test_a_write_says_for_whom(pd):
    trigger(pd)
    name = only(pd)["id"]
    for method, where, body in (
        ("POST", "/incidents", {"incident": {"title": "x"}}),
        ("PUT", "/incidents", {"incidents": []}),
        ("PUT", f"/incidents/{name}", {"incident": {"status": "resolved"}}),
        ("POST", f"/incidents/{name}/notes", {"note": {"content": "x"}}),
    ):
        answer = pd.send(method, where, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, 1008)


def test_bad_writes_are_told_in_the_vendors_form(pd):
    trigger(pd)
    name = only(pd)["id"]
    for where, method, body in (
        ("", "POST", {"incident": {"title": ""}}),
        ("", "POST", {"incident": []}),
        ("", "POST", {}),
        ("", "POST", []),
        ("", "PUT", {"incidents": ["x"]}),
        (f"/{name}", "PUT", {"incident": {"status": "broken"}}),
        (f"/{name}", "PUT", {"incident": {"escalation_level": 2}}),
        (f"/{name}", "PUT", {"incident": {"assignments": [{"assignee": {"id": "PU9"}}]}}),
        (f"/{name}/notes", "POST", {"note": {}}),
        (f"/{name}/snooze", "POST", {"duration": -1}),
        (f"/{name}/snooze", "POST", {}),
    ):
        answer = pd.send(method, f"/incidents{where}", body, **FROM)
        assert answer.status_code == 400, (where, body)
        assert {"message", "code", "errors"} == set(answer.json()["error"])


def test_a_change_that_cannot_be_made_whole_changes_nothing(pd):
    trigger(pd)
    before = only(pd)
    nobody = [{"assignee": {"id": "PU9", "type": "user_reference"}}]
    change = {"title": "changed", "urgency": "low", "assignments": nobody}
    where = f"/incidents/{before['id']}"
    assert pd.send("PUT", where, {"incident": change}, **FROM).status_code == 400
    several = [{"id": before["id"], "title": "changed"}, {"id": before["id"], "status": "odd"}]
    assert pd.send("PUT", "/incidents", {"incidents": several}, **FROM).status_code == 400
    assert only(pd) == before


def test_a_key_sees_its_own_incidents_alone_and_no_restricted_case(pd, story):
    trigger(pd)
    name = only(pd)["id"]
    other = pagerduty(story, "other")
    assert other.get("/incidents").json()["incidents"] == []
    assert other.get(f"/incidents/{name}").json()["error"]["code"] == 2100
    empty = pd.get("/incidents?incident_key=unknown").json()
    missing = pd.get("/incidents/QFFFFF").json()
    restrict(ticket=Ticket.objects.get(), actor=story.agent, reason="a break-in")
    assert pd.get("/incidents?incident_key=disk").json() == empty
    assert pd.get(f"/incidents/{name}").json() == missing
    wrong = pd.get("/incidents", authorization="Token token=wrong")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, 2006)
    assert pd.get("/incidents", authorization=f"Bearer {pd.key}").status_code == 200


def test_people_teams_services_and_schedules_are_read_by_a_key_that_may(pd, story):
    closed = pagerduty(story, "closed")
    names = ("users", "services", "teams", "escalation_policies", "schedules", "oncalls")
    for name in names:
        assert closed.get(f"/{name}").status_code == 403
        found = pd.get(f"/{name}?limit=100&total=true&offset=0").json()
        assert found["total"] == len(found[name])
    assert pd.get("/users?query=ann@example.org").json()["users"][0]["email"] == "ann@example.org"
    assert pd.get("/users/me").json()["user"]["name"] == "pd"
    assert pd.get("/abilities").status_code == 200
    calls = pd.get("/oncalls").json()["oncalls"]
    assert "Ann" in {call["user"]["summary"] for call in calls}
    assert all(call["start"] < call["end"] for call in calls)
    row = pd.get("/schedules").json()["schedules"][0]
    ids = f"schedule_ids[]={row['id']}"
    assert len(pd.get(f"/oncalls?{ids}").json()["oncalls"]) == 1
    whole = pd.get(f"/schedules/{row['id']}?since=2026-01-05&until=2026-01-20").json()["schedule"]
    assert whole["final_schedule"]["rendered_schedule_entries"]
    assert pd.get("/schedules/PS999").status_code == 404
    assert pd.get("/oncalls?since=2026-01-05&until=2025-01-05").status_code == 400


def test_who_is_on_call_is_asked_by_schedule_policy_and_person(pd, story):
    calls = pd.get("/oncalls").json()["oncalls"]
    assert len({call["schedule"]["id"] for call in calls}) > 1
    for name in ("schedule", "escalation_policy", "user"):
        wanted = calls[0][name]["id"]
        found = pd.get(f"/oncalls?{name}_ids[]={wanted}").json()["oncalls"]
        assert found == [call for call in calls if call[name]["id"] == wanted]
        assert pd.get(f"/oncalls?{name}_ids[]=P0000000FFFFFF").json()["oncalls"] == []
    policies = {row["id"] for row in pd.get("/escalation_policies").json()["escalation_policies"]}
    assert not policies & {call["escalation_policy"]["id"] for call in calls}
    whole = pd.get("/oncalls?include[]=users").json()["oncalls"]
    assert "ann@example.org" in {call["user"]["email"] for call in whole}
    begins = database_now().replace(microsecond=0) + timedelta(days=9)
    hour = {"start": begins, "end": begins + timedelta(hours=1)}
    add_override(schedule=story.desk.schedule, person=story.colleague, **hour)
    until = (begins + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
    weeks = f"until={until}"
    shifts = pd.get(f"/oncalls?{weeks}&limit=100").json()["oncalls"]
    first = pd.get(f"/oncalls?{weeks}&limit=100&earliest=true").json()["oncalls"]
    assert len(first) < len(shifts)
    pairs = [(call["schedule"]["id"], call["user"]["id"]) for call in first]
    assert len(set(pairs)) == len(pairs)


def test_every_reference_to_a_person_a_team_or_a_schedule_leads_to_it(pd, story):
    for name, one in (
        ("users", "user"),
        ("services", "service"),
        ("teams", "team"),
        ("escalation_policies", "escalation_policy"),
        ("schedules", "schedule"),
    ):
        for row in pd.get(f"/{name}?limit=100").json()[name]:
            told = pd.get(row["self"].partition("/pagerduty")[2]).json()[one]
            assert (told["id"], told["name"]) == (row["id"], row["name"])
        assert pd.get(f"/{name}/P0000000FFFFFF").json()["error"]["code"] == 2100
        assert pagerduty(story, name[:5]).get(f"/{name}/x").status_code == 403
    call = pd.get("/oncalls").json()["oncalls"][0]
    for name in ("user", "schedule", "escalation_policy"):
        told = pd.get(call[name]["self"].partition("/pagerduty")[2]).json()[name]
        assert told["name"] == call[name]["summary"]


def test_who_asks_too_often_is_told_when_to_come_back(pd, settings):
    settings.INTAKE_REQUESTS_PER_MINUTE = 0
    answer = pd.get("/incidents")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, 2020)
    assert (answer["ratelimit-limit"], answer["ratelimit-remaining"]) == ("0", "0")
    assert 0 < int(answer["ratelimit-reset"]) <= 60


def test_an_incident_is_made_for_somebody_or_not_at_all(pd, story):
    def make(person: str) -> Any:
        who = [{"assignee": {"id": person, "type": "user_reference"}}]
        return pd.post("/incidents", {"incident": {"title": "x", "assignments": who}}, **FROM)

    assert make("PUFFFFFF").status_code == 400
    assert not Ticket.objects.exists()
    people = pd.get("/users?query=ann@example.org").json()["users"]
    told = make(people[0]["id"]).json()["incident"]
    assert told["assignments"][0]["assignee"]["summary"] == "Ann"
    assert Ticket.objects.get().assignee == story.agent


@pytest.mark.needs_captures
def test_the_recorded_calls_are_answered_as_the_recorded_server_did(pd, captures):
    name = ""
    count = 0
    for request in recorded(captures, "pagerduty-python"):
        if request["path"].startswith("/pd"):
            continue
        where = request["path"].replace("Q9C9C16B2D99B4", name)
        body = told_keys(request["body"], **{TEST_KEY: pd.key, "Q9C9C16B2D99B4": name})
        more = {} if "enqueue" in where else FROM
        query = request["query"]
        answer = pd.send(request["method"], f"{where}?{query}", body or None, **more)
        assert answer.status_code == request["response_status"], (where, json.dumps(body))
        if where == "/incidents" and request["method"] == "POST":
            name = answer.json()["incident"]["id"]
        count += 1
    assert count > 20
