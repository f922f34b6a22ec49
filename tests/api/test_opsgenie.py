"""Opsgenie's senders: alerts created, every verb on one, receipts, reads and heartbeats."""

import json
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roles.instants import database_now
from tests.api.intake import Sender, opsgenie, recorded
from tickets.assignment import acknowledge
from tickets.models import Alert, AlertSource, IntakeRequest, Ticket, TimelineEvent
from tickets.restriction import restrict

ODD = "a/b?c#d %&=é/notes"


@pytest.fixture
def og(story) -> Sender:
    return opsgenie(story)


def create(og: Sender, **more):
    body = {"message": "disk full on db1", "alias": "disk", "priority": "P2", **more}
    return og.post("/v2/alerts", body)


def path(alias: str = "disk", verb: str = "", **params: str) -> str:
    query = "&".join(f"{k}={quote(v)}" for k, v in {"identifierType": "alias", **params}.items())
    return f"/v2/alerts/{quote(alias, safe='')}{'/' + verb if verb else ''}?{query}"


def one(og: Sender, alias: str = "disk") -> dict:
    answer = og.get(path(alias))
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def status(og: Sender, answer) -> dict:
    assert answer.status_code == 202, answer.content
    found = og.get(f"/v2/alerts/requests/{answer.json()['requestId']}")
    assert found.status_code == 200
    return found.json()["data"]


def test_an_alert_is_stored_before_it_is_answered(og, story):
    answer = create(og, description="long", tags=["db"], details={"k": "v"}, entity="db1")
    body = answer.json()
    assert answer.status_code == 202
    assert body["result"] == "Request will be processed"
    assert isinstance(body["took"], float)
    assert answer["X-RateLimit-State"] == "OK"
    assert answer["X-Request-Id"] == body["requestId"]
    told = status(og, answer)
    assert (told["isSuccess"], told["action"], told["alias"]) == (True, "Create", "disk")
    alert = one(og)
    assert alert["id"] == told["alertId"] == str(Alert.objects.get().uid)
    assert (alert["status"], alert["acknowledged"], alert["count"]) == ("open", False, 1)
    assert (alert["priority"], alert["description"], alert["entity"]) == ("P2", "long", "db1")
    assert (alert["tags"], alert["details"]) == (["db"], {"k": "v"})
    assert alert["createdAt"].endswith("Z")
    assert Ticket.objects.get().priority == 2


@pytest.mark.parametrize("by", ["id", "request", "tiny", "alias"])
def test_an_alert_is_found_by_each_of_its_names(og, by):
    request_id = create(og).json()["requestId"]
    alert = Alert.objects.get()
    name, kind = {
        "id": (str(alert.uid), "id"),
        "request": (request_id, "id"),
        "tiny": (str(alert.pk), "tiny"),
        "alias": ("disk", "alias"),
    }[by]
    answer = og.get(f"/v2/alerts/{name}?identifierType={kind}")
    assert answer.json()["data"]["id"] == str(alert.uid)


def test_a_second_one_with_the_alias_counts_and_keeps_the_words(og):
    create(og, description="first", tags=["a"])
    create(og, message="other words")
    alert = one(og)
    assert (alert["count"], alert["message"], alert["description"]) == (
        2,
        "disk full on db1",
        "first",
    )
    assert status(og, create(og))["status"] == "Deduplicated alert"
    Alert.objects.update(count=500)
    assert one(og)["count"] == 100


def test_a_closed_alert_never_reopens(og):
    create(og)
    og.post(path(verb="close"), {"user": "ada", "note": "fixed"})
    assert one(og)["status"] == "closed"
    create(og)
    assert one(og)["status"] == "open"
    assert Ticket.objects.count() == Alert.objects.count() == 2


@pytest.mark.parametrize("alias", [None, ""])
def test_without_an_alias_the_id_is_the_alias(og, alias):
    create(og, alias=alias)
    create(og, alias=alias)
    assert Alert.objects.count() == 2
    alert = Alert.objects.first()
    assert alert.dedup_key == str(alert.uid)


def test_an_alias_may_hold_any_character(og):
    long = "x" * 600
    for alias in (ODD, "/", "a/b", "%2F", "close", long):
        create(og, alias=alias)
    for alias in (ODD, "a/b", "%2F", "close"):
        assert one(og, alias)["alias"] == alias
        assert status(og, og.post(path(alias, "acknowledge"), {}))["isSuccess"]
        assert one(og, alias)["acknowledged"]
    for name in (long, long[:512]):
        assert one(og, name)["alias"] == long[:512]
    assert status(og, og.post(path(long, "close"), {}))["isSuccess"]


def test_acknowledging_and_taking_it_back_act_on_the_ticket(og, story):
    create(og)
    assert status(og, og.post(path(verb="acknowledge"), {"user": "ada"}))["isSuccess"]
    ticket = Ticket.objects.get()
    assert ticket.acknowledged_by == og.source.requester
    event = TimelineEvent.objects.get(ticket=ticket, kind="acknowledged")
    assert event.facts["said_by"] == "ada"
    again = status(og, og.post(path(verb="acknowledge"), {}))
    assert (again["isSuccess"], again["status"]) == (False, "Alert is already acknowledged")
    assert status(og, og.post(path(verb="unacknowledge"), {}))["isSuccess"]
    assert not one(og)["acknowledged"]
    acknowledge(ticket=Ticket.objects.get(), actor=story.agent)
    assert (one(og)["acknowledged"], one(og)["owner"]) == (True, "ann@example.org")


@pytest.mark.parametrize("verb", ["acknowledge", "close", "notes", "tags"])
def test_a_verb_on_no_alert_is_taken_and_its_status_tells(og, verb):
    body = {"note": "x", "tags": ["a"]}
    told = status(og, og.post(path("no-such", verb), body))
    assert (told["isSuccess"], told["status"]) == (False, "Alert does not exist")
    assert told["alertId"] == ""
    create(og)
    og.post(path(verb="close"), {})
    told = status(og, og.post(path(verb="close"), {}))
    assert (told["isSuccess"], told["status"]) == (False, "Alert is already closed")


def test_every_verb_does_what_it_says(og, story):
    create(og, tags=["a"])
    later = (database_now() + timedelta(hours=1)).isoformat()
    calls = [
        ("POST", "notes", {"note": "a note", "user": "ada"}),
        ("POST", "tags", {"tags": ["b", "c"]}),
        ("POST", "details", {"details": {"x": "y"}}),
        ("POST", "snooze", {"endTime": later}),
        ("POST", "assign", {"owner": {"username": "ann@example.org"}}),
        ("POST", "teams", {"team": {"name": "Apps"}}),
        ("POST", "responders", {"responder": {"type": "user", "username": "dora@example.org"}}),
        ("POST", "escalate", {"escalation": {"name": "Default"}}),
        ("PUT", "priority", {"priority": "P1"}),
        ("PUT", "message", {"message": "new text"}),
        ("PUT", "description", {"description": "other"}),
        ("POST", "actions/restart", {"user": "ada"}),
    ]
    for method, verb, body in calls:
        told = status(og, og.send(method, path(verb=verb), body))
        assert told["isSuccess"], (verb, told)
    for query in ({"verb": "tags", "tags": "a,b"}, {"verb": "details", "keys": "x"}):
        assert status(og, og.send("DELETE", path(**query)))["isSuccess"]
    alert = one(og)
    assert (alert["tags"], alert["details"], alert["priority"]) == (["c"], {}, "P1")
    assert (alert["message"], alert["description"]) == ("new text", "other")
    assert alert["snoozed"]
    ticket = Ticket.objects.get()
    assert (ticket.priority, ticket.assignee) == (1, story.agent)
    helping = ticket.involvements.values_list("person__username", flat=True)
    assert {"cleo", "dora"} <= set(helping)
    notes = og.get(path(verb="notes")).json()["data"]
    assert [note["note"] for note in notes] == ["Action restart was called for", "a note"]
    logs = og.get(path(verb="logs", limit="3", order="asc")).json()
    assert len(logs["data"]) == 3
    assert logs["paging"]["next"].startswith("http://localhost:8000/opsgenie/v2/alerts/disk/logs?")
    assert og.get(path(verb="recipients")).json()["data"] == []


def test_a_deleted_alert_is_gone_for_its_sender_and_stays_for_people(og):
    create(og)
    assert status(og, og.send("DELETE", path()))["isSuccess"]
    assert og.get(path()).status_code == 404
    assert og.get("/v2/alerts/count").json()["data"]["count"] == 0
    assert Alert.objects.get().state == "resolved"
    assert Ticket.objects.get().status == "resolved"


@pytest.mark.parametrize(
    ("method", "where", "body", "member"),
    [
        ("POST", "", {"message": ""}, "message"),
        ("POST", "", {"message": None}, "message"),
        ("POST", "", {"message": ["x"]}, "message"),
        ("POST", "", {"message": "x", "priority": "P9"}, "priority"),
        ("POST", "", {"message": "x", "tags": 5}, "tags"),
        ("POST", "", {"message": "x", "details": "y"}, "details"),
        ("POST", "", {"message": "x", "description": {}}, "description"),
        ("POST", "", [1], "body"),
        ("POST", "/x/notes", {}, "note"),
        ("POST", "/x/notes", {"note": " "}, "note"),
        ("POST", "/x/snooze", {"endTime": "yesterday"}, "endTime"),
        ("POST", "/x/snooze", {"endTime": "2020-01-01T00:00:00Z"}, "endTime"),
        ("POST", "/x/assign", {"owner": {}}, "owner"),
        ("POST", "/x/escalate", {}, "escalation"),
        ("PUT", "/x/priority", {"priority": "high"}, "priority"),
        ("PUT", "/x/message", {"message": ""}, "message"),
        ("PUT", "/x/message", {"message": {"a": 1}}, "message"),
        ("POST", "/x/assign", {"owner": {"id": {"a": 1}}}, "owner"),
        ("POST", "/x/acknowledge", {"user": {"a": 1}}, "user"),
    ],
)
def test_a_bad_body_names_the_member_and_stores_nothing(og, method, where, body, member):
    answer = og.send(method, f"/v2/alerts{where}", body)
    told = answer.json()
    assert answer.status_code == 422
    assert set(told) == {"message", "took", "requestId", "errors"}
    assert list(told["errors"]) == [member]
    assert not Alert.objects.exists()


def test_over_long_values_are_cut_and_null_ones_are_none(og):
    answer = create(
        og,
        message="m" * 500,
        alias="a" * 900,
        description="d" * 20_000,
        tags=["t" * 99] * 3 + [f"t{n}" for n in range(40)],
        actions=None,
        responders=[None, {"name": "Ops", "type": "team"}, {"x": 1}],
        visibleTo="x",
        details={"n": 5, "deep": {"a": [1]}, "none": None},
        note="n" * 30_000,
        source="s" * 300,
        entity=None,
    )
    assert answer.status_code == 202
    alert = Alert.objects.get()
    assert (len(alert.summary), len(alert.dedup_key)) == (130, 512)
    assert len(alert.details["tags"]) == 20
    assert len(alert.details["description"]) == 15_000
    assert alert.details["details"]["n"] == "5"
    assert alert.details["responders"] == [{"name": "Ops", "type": "team"}]


def test_a_key_sees_its_own_alerts_alone(og, story):
    create(og)
    other = opsgenie(story, "other")
    assert other.get(path()).status_code == 404
    assert other.get("/v2/alerts").json()["data"] == []
    assert not status(other, other.post(path(verb="close"), {}))["isSuccess"]
    request_id = create(og).json()["requestId"]
    assert other.get(f"/v2/alerts/requests/{request_id}").status_code == 404
    for key in ("", "GenieKey", "GenieKey wrong", f"Bearer {og.key}"):
        answer = og.get("/v2/alerts", authorization=key)
        assert (answer.status_code, answer.json()["message"]) == (401, "Could not authenticate")


def test_a_restricted_case_is_not_told_to_its_sender(og, story):
    create(og)
    restrict(ticket=Ticket.objects.get(), actor=story.agent, reason="a break-in")
    reads = ["/v2/alerts", "/v2/alerts/count", path(), path(verb="notes"), path(verb="logs")]
    after = [og.get(read) for read in reads]
    assert [answer.status_code for answer in after] == [200, 200, 404, 404, 404]
    assert after[0].json()["data"] == []
    assert after[1].json()["data"] == {"count": 0}
    told = status(og, og.post(path(verb="close"), {}))
    assert told["alertId"] == told["alias"] == ""


def test_an_act_on_a_restricted_case_is_answered_like_one_on_nothing_and_done_all_the_same(
    og, story
):
    create(og)
    restrict(ticket=Ticket.objects.get(), actor=story.agent, reason="a break-in")
    later = (database_now() + timedelta(hours=1)).isoformat()
    bodies = {"acknowledge": {}, "notes": {"note": "x"}, "snooze": {"endTime": later}, "close": {}}
    for verb, body in bodies.items():
        told = [status(og, og.post(path(alias, verb), body)) for alias in ("disk", "unheard-of")]
        assert {**told[0], "processedAt": ""} == {**told[1], "processedAt": ""}, verb
    assert Alert.objects.get().state == "resolved"
    again = status(og, create(og))
    assert (again["isSuccess"], again["status"]) == (True, "Created alert")


def test_lists_page_with_absolute_links_and_clamp(og):
    for number in range(5):
        create(og, alias=f"a{number}", message=f"m{number}")
    found = og.get("/v2/alerts?limit=2&offset=2&sort=createdAt&order=asc").json()
    assert [alert["alias"] for alert in found["data"]] == ["a2", "a3"]
    base = "http://localhost:8000/opsgenie/v2/alerts?"
    assert all(link.startswith(base) for link in found["paging"].values())
    assert "offset=4" in found["paging"]["next"]
    assert "offset=0" in found["paging"]["prev"]
    assert "offset=4" in found["paging"]["last"]
    for odd in ("limit=5000", "limit=-1", "limit=x", "offset=x", "sort=nonsense", "limit=0"):
        assert og.get(f"/v2/alerts?{odd}").status_code == 200
    assert "prev" not in og.get("/v2/alerts").json()["paging"]


def test_a_page_of_alerts_costs_a_fixed_number_of_statements(og):
    for number in range(12):
        create(og, alias=f"a{number}")
    with CaptureQueriesContext(connection) as taken:
        assert len(og.get("/v2/alerts?limit=100").json()["data"]) == 12
    assert len(taken) <= 3


def test_a_repeat_costs_three_statements(og):
    create(og)
    create(og)
    with CaptureQueriesContext(connection) as taken:
        create(og)
    assert len(taken) <= 3, [query["sql"][:90] for query in taken]


def test_webhooks_for_other_products_take_their_key_from_the_query(og):
    body = {"ruleName": "CPU", "state": "alerting", "ruleId": 7, "message": "too hot"}
    for kind in ("netdata", "zendesk", "grafana"):
        answer = og.post(f"/v1/json/{kind}?apiKey={og.key}", body, authorization="")
        assert answer.status_code == 202, kind
    assert Alert.objects.get().count == 3
    og.post(f"/v1/json/grafana?apiKey={og.key}", {**body, "state": "ok"}, authorization="")
    assert Alert.objects.get().state == "resolved"
    assert og.post("/v1/json/grafana?apiKey=x", body, authorization="").status_code == 401
    assert og.post(f"/v1/json/x?apiKey={og.key}", {}, authorization="").status_code == 400


def test_the_successors_prefix_takes_the_same(story):
    jsm = opsgenie(story, base="/jsm/ops/integration")
    assert create(jsm).status_code == 202
    assert one(jsm)["alias"] == "disk"
    assert status(jsm, jsm.post(path(verb="close"), {}))["isSuccess"]


def test_a_host_name_of_its_own_shows_the_vendors_addresses_alone(og, settings):
    settings.INTAKE_HOSTS = {"api.opsgenie.example.org": "opsgenie"}
    settings.ALLOWED_HOSTS = ["api.opsgenie.example.org"]
    headers = {**og.headers, "host": "api.opsgenie.example.org"}
    own = Sender(og.source, og.key, "", headers)
    assert create(own).status_code == 202
    assert (
        own.get("/v2/alerts?limit=1")
        .json()["paging"]["first"]
        .startswith("http://api.opsgenie.example.org/v2/alerts?")
    )
    assert own.get("/tickets").json()["message"] == "There is no such address here."


@pytest.mark.parametrize("where", ["", "/", "/v2", "/v3/alerts", "/v2/policies"])
def test_an_unknown_address_is_not_found_in_the_vendors_form(og, where):
    answer = og.post(where, {})
    assert answer.status_code == 404
    assert {"message", "took", "requestId"} == set(answer.json())


@pytest.mark.needs_captures
def test_the_recorded_requests_are_answered_as_the_recorded_server_did(og, captures, story):
    ops = story.team("ops", "l2", [story.person("ada")])
    assert ops.name == "Ops"
    ids: list[str] = []
    for request in recorded(captures, "opsgenie-sdk"):
        where, query = request["path"], request["query"]
        if where.startswith("/v2/alerts/requests/"):
            where = f"/v2/alerts/requests/{ids[-1]}"
        elif where.startswith("/v2/alerts/0e68beb9"):
            where = f"/v2/alerts/{Alert.objects.get().uid}"
        elif query == "identifierType=tiny":
            where = f"/v2/alerts/{Alert.objects.get().pk}"
        body = request["body"] or None
        if isinstance(body, dict) and "endTime" in body:
            body["endTime"] = (database_now() + timedelta(hours=1)).isoformat()
        answer = og.send(request["method"], f"{where}?{query}", body)
        if "no-such" in where and request["method"] == "POST":
            assert not status(og, answer)["isSuccess"]
        assert answer.status_code == request["response_status"], (where, json.dumps(body))
        if answer.status_code == 202:
            ids.append(answer.json()["requestId"])
    assert IntakeRequest.objects.filter(is_success=False, status=202).count() == 1


@pytest.mark.parametrize(
    "where",
    ["/v2/alerts/a%00b?identifierType=alias", "/v2/heartbeats/a%00", "/v2/alerts?query=a%00",
     "/v2/alerts/%FF?identifierType=alias", "/v2/schedules/a%00?scheduleIdentifierType=name"],
)  # fmt: skip
def test_what_no_database_can_look_for_is_no_fault_of_ours(og, where):
    AlertSource.objects.update(reads_directory=True)
    assert og.get(where).status_code in (400, 404, 422)
