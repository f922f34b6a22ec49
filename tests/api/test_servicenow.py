"""ServiceNow's senders: incidents made, found, changed and ended through the Table API."""

from datetime import timedelta
from uuid import UUID

import pytest

from roles.instants import database_now
from tests.api.intake import TABLE, Sender, servicenow
from tickets.assignment import take
from tickets.models import Alert, Ticket
from tickets.restriction import restrict
from tickets.sources import create_source


@pytest.fixture
def snow(story) -> Sender:
    return servicenow(story)


def make(snow: Sender, **more) -> dict:
    body = {"short_description": "disk full", "impact": "1", "urgency": 2, **more}
    answer = snow.post(TABLE, body)
    assert answer.status_code == 201, answer.content
    assert answer["Location"].endswith(f"{TABLE}/{answer.json()['result']['sys_id']}")
    return answer.json()["result"]


def test_an_incident_is_made_with_texts_alone(snow, story):
    told = make(snow, description="long", correlation_id="disk/1", category="hardware")
    assert all(isinstance(value, str) for value in told.values())
    ticket = Ticket.objects.get()
    assert (told["number"], told["state"], told["priority"]) == (ticket.key, "1", "2")
    assert len(told["sys_id"]) == 32
    assert UUID(told["sys_id"]) == Alert.objects.get().uid
    assert (told["category"], told["correlation_id"]) == ("hardware", "disk/1")
    for version in ("v1/", "v2/"):
        where = f"/api/now/{version}table/incident/{told['sys_id']}"
        assert snow.get(where).json()["result"]["number"] == ticket.key


def test_incidents_are_found_by_encoded_query_and_paged(snow):
    for number in range(3):
        make(snow, short_description=f"disk {number}", correlation_id=f"k{number}")
    answer = snow.get(f"{TABLE}?sysparm_limit=2&sysparm_fields=short_description,sys_id")
    assert [sorted(row) for row in answer.json()["result"]] == [["short_description", "sys_id"]] * 2
    assert answer["X-Total-Count"] == "3"
    assert 'rel="next"' in answer["Link"]
    assert answer["Link"].startswith("<http://localhost:8000/servicenow/api/now/table/incident?")
    for query, count in (
        ("correlation_id=k1", 1),
        ("correlation_idINk0,k2", 2),
        ("short_descriptionLIKEdisk^state=1", 3),
        ("short_descriptionSTARTSWITHdisk 0^ORcorrelation_id=k2", 2),
        ("active=true^ORDERBYDESCnumber", 3),
        ("active=false", 0),
        ("correlation_id!=k1", 2),
        ("priority=2^nonsense=1", 3),
        ("state=6", 0),
        ("sys_updated_on>2026-01-01 00:00:00", 3),
        ("sys_updated_on>%3D2099-01-01 00:00:00", 0),
        ("sys_created_on<2026-01-01 00:00:00^active=true", 0),
        ("sys_created_on<javascript:gs.now()", 3),
        ("priority>%3D2^urgency<9", 3),
        ("priority>2", 0),
    ):
        found = snow.get(f"{TABLE}?sysparm_query={query}").json()["result"]
        assert len(found) == count, query
    for odd in (
        "sysparm_limit=x",
        "sysparm_offset=-1",
        "sysparm_query=^^=^LIKE",
        "sysparm_query=%00",
    ):
        assert snow.get(f"{TABLE}?{odd}").status_code == 200
    shown = snow.get(f"{TABLE}?sysparm_display_value=true").json()["result"]
    assert shown[0]["state"] == "New"


def test_an_incident_is_changed_spoken_on_and_resolved(snow, story):
    where = f"{TABLE}/{make(snow, urgency='3', impact='3')['sys_id']}"
    change = {
        "state": "2",
        "work_notes": "looking",
        "comments": "we look",
        "impact": 1,
        "urgency": 1,
    }
    told = snow.send("PATCH", where, change).json()["result"]
    assert (told["priority"], told["state"]) == ("1", "2")
    for query, count in (("state=1", 0), ("state=2", 1), ("stateIN1,2", 1), ("state=6", 0)):
        assert len(snow.get(f"{TABLE}?sysparm_query={query}").json()["result"]) == count, query
    ticket = Ticket.objects.get()
    said = ticket.events.filter(kind="commented").order_by("seq")
    assert [event.is_public for event in said] == [False, True]
    assert ticket.is_acknowledged
    take(ticket=ticket, actor=story.agent)
    told = snow.send("PUT", where, {"state": 6, "close_notes": "new disk"}).json()["result"]
    assert (told["state"], told["close_notes"]) == ("6", "new disk")
    assert snow.send("DELETE", where).status_code == 204
    assert snow.get(where).status_code == 404


@pytest.mark.parametrize(("impact", "urgency"), [(1, 2), (2, 1), (3, 1), (1, 3), (2, 3)])
def test_impact_and_urgency_are_told_as_they_were_given(snow, impact, urgency):
    told = make(snow, impact=impact, urgency=str(urgency))
    assert (told["impact"], told["urgency"]) == (str(impact), str(urgency))


def test_what_people_do_to_the_ticket_is_told_to_who_asks_for_changes(snow, story):
    told = make(snow)
    Alert.objects.update(last_seen_at=database_now() - timedelta(days=3))
    Ticket.objects.update(last_event_at=database_now() - timedelta(days=2))
    since = (database_now() - timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S")
    query = f"{TABLE}?sysparm_query=sys_updated_on>{since}"
    assert snow.get(query).json()["result"] == []
    take(ticket=Ticket.objects.get(), actor=story.agent)
    (found,) = snow.get(query).json()["result"]
    assert (found["sys_id"], found["state"]) == (told["sys_id"], "2")
    assert found["sys_updated_on"] > since


def test_the_same_correlation_while_it_is_open_is_the_same_incident(snow):
    first, second = make(snow, correlation_id="x"), make(snow, correlation_id="x")
    assert first["number"] == second["number"]
    assert make(snow)["number"] != make(snow)["number"]


def test_faults_are_told_in_the_vendors_form(snow, story):
    for answer, status in (
        (snow.get(TABLE, authorization=""), 401),
        (snow.get(TABLE, authorization="Basic eDp5"), 401),
        (snow.get(f"{TABLE}/{'0' * 32}"), 404),
        (snow.get(f"{TABLE}/nonsense"), 404),
        (snow.post(TABLE, {}), 400),
        (snow.post(TABLE, []), 400),
        (snow.post(TABLE, "{"), 400),
        (snow.get("/api/now/table/problem"), 400),
        (snow.send("PATCH", TABLE, {}), 405),
    ):
        assert answer.status_code == status
        assert answer.json()["status"] == "failure"
        assert {"message", "detail"} == set(answer.json()["error"])


def test_a_restricted_case_is_not_told_and_another_key_sees_nothing(snow, story):
    made = make(snow)
    other, key = create_source(slug="other", product="servicenow", service=story.mail)
    stranger = Sender(other, key, "/servicenow", {"authorization": f"Bearer {key}"})
    assert stranger.get(TABLE).json()["result"] == []
    assert stranger.get(f"{TABLE}/{made['sys_id']}").status_code == 404
    restrict(ticket=Ticket.objects.get(), actor=story.agent, reason="a break-in")
    assert snow.get(TABLE).json()["result"] == []
    assert snow.get(TABLE)["X-Total-Count"] == "0"
    assert snow.get(f"{TABLE}/{made['sys_id']}").status_code == 404
