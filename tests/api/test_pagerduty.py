"""PagerDuty's senders: events of both versions, changes, and what the vendor answers to each."""

import json
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api.intake.pagerduty import parse, parse_v1
from api.intake.reading import NotUnderstood
from tests.api.intake import Sender, pagerduty, recorded, told_keys
from tickets.assignment import acknowledge
from tickets.models import Alert, ChangeNotice, IntakeRequest, Ticket, TimelineEvent

TEST_KEY = "R" * 32
EVENT = {
    "event_action": "trigger",
    "payload": {"summary": "disk 99% on db1", "source": "db1", "severity": "error"},
    "dedup_key": "disk/db1?x=1&y#z %",
}


@pytest.fixture
def pd(story) -> Sender:
    return pagerduty(story)


def event(pd: Sender, **more) -> dict:
    return {**EVENT, "routing_key": pd.key, **more}


def act(pd: Sender, action: str, key: str = EVENT["dedup_key"]):
    body = {"routing_key": pd.key, "event_action": action, "dedup_key": key}
    return pd.post("/v2/enqueue", body)


def test_a_trigger_is_stored_before_it_is_answered(pd, story):
    answer = pd.post("/v2/enqueue", event(pd))
    assert answer.status_code == 202
    assert answer.json() == {
        "status": "success",
        "message": "Event processed",
        "dedup_key": EVENT["dedup_key"],
    }
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.priority, ticket.service) == ("disk 99% on db1", 3, story.mail)
    assert Alert.objects.get().details["source"] == "db1"


def test_a_second_trigger_appends_and_leaves_an_acknowledgement_alone(pd, story):
    pd.post("/v2/enqueue", event(pd))
    assert act(pd, "acknowledge").status_code == 202
    ticket = Ticket.objects.get()
    assert ticket.acknowledged_by == pd.source.requester
    more = {"summary": "disk 100%", "source": "db1", "severity": "critical"}
    pd.post("/v2/enqueue", event(pd, payload=more))
    ticket = Ticket.objects.get()
    assert ticket.is_acknowledged
    assert ticket.priority == 1
    assert Alert.objects.get().count == 2


def test_after_a_resolve_a_trigger_opens_another(pd):
    pd.post("/v2/enqueue", event(pd))
    assert act(pd, "resolve").status_code == 202
    assert Ticket.objects.get().status == "resolved"
    pd.post("/v2/enqueue", event(pd))
    assert Ticket.objects.count() == 2


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_what_is_said_of_an_alert_that_is_not_open_is_dropped(pd, story, action):
    assert act(pd, action, "unknown").status_code == 202
    pd.post("/v2/enqueue", event(pd))
    other = pagerduty(story, "other")
    assert act(other, action).status_code == 202
    assert not Ticket.objects.get().is_acknowledged
    assert Ticket.objects.get().is_open
    act(pd, "resolve")
    assert act(pd, action).status_code == 202
    assert IntakeRequest.objects.filter(outcome="ignored").count() == 3


def test_a_trigger_without_a_key_is_always_a_new_alert(pd):
    keys = {
        pd.post("/v2/enqueue", event(pd, dedup_key=value)).json()["dedup_key"]
        for value in (None, "", None)
    }
    assert len(keys) == Ticket.objects.count() == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"event_action": None}, "'event_action' is missing or blank"),
        ({"event_action": "explode"}, "'event_action' is invalid"),
        ({"event_action": 5}, "must be a string"),
        ({"payload": None}, "'payload' is missing or blank"),
        ({"payload": []}, "'payload' is missing or blank"),
        ({"payload": {"source": "x", "severity": "info"}}, "'payload.summary' is missing"),
        ({"payload": {"summary": "x", "severity": "info"}}, "'payload.source' is missing"),
        ({"payload": {"summary": "x", "source": "x"}}, "'payload.severity' is missing"),
        ({"payload": {**EVENT["payload"], "severity": "bogus"}}, "'payload.severity' is invalid"),
        ({"payload": {**EVENT["payload"], "summary": {"a": 1}}}, "must be a string"),
        ({"dedup_key": "x" * 256}, "at most 255"),
        ({"dedup_key": {"a": 1}}, "'dedup_key' is invalid"),
        ({"event_action": "resolve", "dedup_key": None}, "'dedup_key' is missing or blank"),
        ({"routing_key": None}, "'routing_key' is missing or blank"),
        ({"routing_key": "0" * 32}, "Invalid routing key"),
    ],
)
def test_a_bad_event_is_told_what_is_wrong_in_the_vendors_form(pd, change, said):
    answer = pd.post("/v2/enqueue", event(pd, **change))
    assert answer.status_code == 400
    told = answer.json()
    assert (told["status"], told["message"]) == ("invalid event", "Event object is invalid")
    assert any(said in error for error in told["errors"]), told
    assert not Alert.objects.exists()


def test_optional_members_may_be_null_long_or_odd(pd):
    body = event(
        pd,
        client=None,
        client_url=None,
        links=[None, {"href": "javascript:x"}, {"href": "https://example.org/r", "text": "x"}],
        images="none",
        unknown={"kept": "no matter"},
    )
    body["payload"] = {
        **EVENT["payload"],
        "summary": "x" * 3000,
        "timestamp": "yesterday",
        "custom_details": "a text\u0000",
        "component": None,
        "group": "g",
        "class": 5,
    }
    assert pd.post("/v2/enqueue", body).status_code == 202
    details = Alert.objects.get().details
    assert details["details"] == "a text\ufffd"
    assert details["links"] == ["https://example.org/r"]
    assert details["group"] == "g"


def test_version_1_answers_200_with_its_incident_key(pd):
    body = {"service_key": pd.key, "event_type": "trigger", "description": "down", "details": {}}
    answer = pd.post("/generic/2010-04-15/create_event.json", {**body, "incident_key": "web"})
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "success",
        "message": "Event processed",
        "incident_key": "web",
    }
    for kind in ("acknowledge", "resolve"):
        body = {"service_key": pd.key, "event_type": kind, "incident_key": "web"}
        assert pd.post("/generic/2010-04-15/create_event.json", body).status_code == 200
    ticket = Ticket.objects.get()
    assert ticket.is_acknowledged
    assert Alert.objects.get().state == "resolved"
    bad = pd.post("/generic/2010-04-15/create_event.json", {"service_key": pd.key})
    assert bad.status_code == 400
    assert bad.json()["errors"] == ["'event_type' is missing or blank"]


def test_event_rules_take_the_key_from_the_address(pd):
    body = {k: v for k, v in event(pd).items() if k != "routing_key"}
    assert pd.post(f"/x-ere/{pd.key}", body).status_code == 202
    assert pd.post(f"/x-ere/{pd.key}", {"title": "from anywhere", "id": 7}).status_code == 202
    assert sorted(Alert.objects.values_list("dedup_key", flat=True)) == ["7", EVENT["dedup_key"]]
    assert pd.post("/x-ere/unknown", body).status_code == 400


def test_a_change_is_kept_and_opens_nothing(pd):
    body = {
        "routing_key": pd.key,
        "payload": {"summary": "deploy 1.2.3", "timestamp": "2026-01-01T10:00:00Z", "source": "ci"},
        "links": [{"href": "https://example.org/b/7"}],
    }
    answer = pd.post("/v2/change/enqueue", body)
    assert (answer.status_code, answer.json()) == (
        202,
        {"status": "success", "message": "Change event processed"},
    )
    kept = ChangeNotice.objects.get()
    assert (kept.summary, kept.origin) == ("deploy 1.2.3", "ci")
    assert kept.at == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert not Ticket.objects.exists()
    assert pd.post("/v2/change/enqueue", {"routing_key": pd.key}).status_code == 400


def test_no_address_of_the_mount_redirects_and_each_takes_a_last_slash(pd, story):
    assert pd.post("/v2/enqueue/", event(pd)).status_code == 202
    for path in ("", "/", "/v2", "/v3/enqueue", "/v2/enqueue/more"):
        answer = pd.post(path, event(pd))
        assert answer.status_code == 404
        assert "errors" in answer.json()
    assert pd.get("/v2/enqueue").status_code == 405


def test_a_host_name_of_its_own_shows_the_vendors_addresses_alone(pd, settings):
    settings.INTAKE_HOSTS = {"events.example.org": "pagerduty"}
    settings.ALLOWED_HOSTS = ["events.example.org", "testserver"]
    own = Sender(pd.source, pd.key, "", {"host": "events.example.org"})
    assert own.post("/v2/enqueue", event(pd)).status_code == 202
    assert own.get("/sign-in").status_code == 404
    assert own.get("/").status_code == 404
    assert Ticket.objects.count() == 1


def test_whoever_has_it_in_the_product_is_seen_as_having_acknowledged(pd, story):
    pd.post("/v2/enqueue", event(pd))
    ticket = Ticket.objects.get()
    acknowledge(ticket=ticket, actor=story.agent)
    assert act(pd, "acknowledge").status_code == 202
    assert TimelineEvent.objects.filter(ticket=ticket, kind="acknowledged").count() == 1
    assert Ticket.objects.get().acknowledged_by == story.agent


def test_a_repeat_costs_three_statements(pd):
    pd.post("/v2/enqueue", event(pd))
    pd.post("/v2/enqueue", event(pd))
    with CaptureQueriesContext(connection) as taken:
        assert pd.post("/v2/enqueue", event(pd)).status_code == 202
    assert len(taken) <= 3, [query["sql"][:100] for query in taken]


def test_a_new_ticket_costs_a_bounded_number_of_statements(pd, story):
    story.target("resolution", 240)
    for key in ("a", "b"):
        pd.post("/v2/enqueue", event(pd, dedup_key=key))
    with CaptureQueriesContext(connection) as taken:
        pd.post("/v2/enqueue", event(pd, dedup_key="c"))
    assert Ticket.objects.count() == 3
    # Opening and its clocks and climbs are most of it; what intake adds to them is a dozen.
    assert len(taken) <= 44, [query["sql"][:90] for query in taken]


@pytest.mark.parametrize(
    "wrong", [None, [], "x", 5, {"routing_key": 5}, {"event_action": "trigger"}]
)
def test_the_parsers_refuse_what_is_no_event(wrong):
    for read in (parse, parse_v1):
        with pytest.raises(NotUnderstood):
            read(wrong)


@pytest.mark.needs_captures
def test_the_recorded_events_are_answered_as_the_recorded_server_did(pd, captures):
    count = 0
    for request in recorded(captures, "pagerduty-python"):
        if "enqueue" not in request["path"]:
            continue
        body = told_keys(request["body"], **{TEST_KEY: pd.key})
        path = request["path"].removeprefix("/pd")
        answer = pd.post(path, body, user_agent=request["headers"]["User-Agent"])
        assert answer.status_code == request["response_status"], (path, json.dumps(body))
        count += 1
    assert count == 14
    assert ChangeNotice.objects.count() == 2
