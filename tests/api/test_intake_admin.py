"""What administrators see and set of senders: sources, rules, a try of a payload, requests."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from roles.models import Membership
from roles.people import forget_roles
from tests.api.intake import opsgenie, pagerduty, plain
from tickets.models import Alert, AlertRule, AlertSource, IntakeRequest, Ticket
from tickets.restriction import restrict
from tickets.sources import source_by_key

MAPPED = {"summary": "what.title", "key": "id", "severity": "sev"}


@pytest.fixture
def admin(story) -> Client:
    """An administrator who works at the service desk too."""
    person = story.person("ada", is_superuser=True, is_staff=True)
    Membership.objects.create(team=story.desk, person=person)
    forget_roles(person)
    client = Client()
    client.force_login(person)
    return client


def place(model: str, act: str = "changelist", *args: object) -> str:
    return reverse(f"admin:tickets_{model}_{act}", args=args)


def try_at(admin: Client, source: AlertSource, payload: object) -> str:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    answer = admin.post(place("alertsource", "try", source.pk), {"payload": text})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_pasted_payload_shows_what_would_become_of_it_and_stores_nothing(story, admin):
    source = plain(story, "json").source
    source.mapping = MAPPED
    source.save()
    rule = {"conditions": [{"field": "sev", "is": "equals", "value": "9"}]}
    AlertRule.objects.create(source=source, name="noise", act="suppress", **rule)
    page = try_at(admin, source, {"what": {"title": "Down"}, "id": 7, "sev": "critical"})
    assert "Down" in page
    assert "P1" in page
    assert "Mail" in page
    assert "rule: noise" in try_at(admin, source, {"what": {"title": "x"}, "sev": 9})
    assert "has nothing at" in try_at(admin, source, {"other": 1})
    assert "This is not JSON" in try_at(admin, source, "{")
    assert "This is not JSON" in try_at(admin, source, "[" * 100_000)
    assert not Alert.objects.exists()
    assert not IntakeRequest.objects.exists()


def test_every_product_can_be_tried(story, admin):
    event = {"summary": "x", "source": "y", "severity": "info"}
    bodies = {
        "alertmanager": {"alerts": [{"status": "firing"}]},
        "grafana": {"alerts": [{"status": "firing"}]},
        "cloudevents": {"id": "1", "source": "s", "type": "t", "specversion": "1.0"},
        "sns": {"Message": "x"},
        "servicenow": {"summary": "x"},
    }
    for product, body in bodies.items():
        assert "1 alert" in try_at(admin, plain(story, product).source, body)
    trigger = {"event_action": "trigger", "payload": event}
    assert "1 alert" in try_at(admin, pagerduty(story).source, trigger)
    og = opsgenie(story).source
    assert "1 alert" in try_at(admin, og, {"message": "x"})
    assert "can not be empty" in try_at(admin, og, {"message": ""})


def test_a_key_that_senders_hold_can_be_given_and_is_kept_as_a_digest(story, admin):
    key = "0123456789abcdef0123456789abcdef"
    form = {"name": "Old PD", "slug": "old-pd", "product": "pagerduty", "given_key": key}
    assert admin.post(place("alertsource", "add"), form).status_code == 302
    assert source_by_key(key, product="pagerduty").slug == "old-pd"
    assert key not in str(AlertSource.objects.values().get())
    again = {**form, "slug": "other"}
    page = admin.post(place("alertsource", "add"), again).content.decode()
    assert "has this key already" in page
    short = {**form, "slug": "short", "given_key": "short"}
    assert "20 to 200" in admin.post(place("alertsource", "add"), short).content.decode()
    assert AlertSource.objects.count() == 1


def test_a_mapping_that_cannot_be_followed_is_not_saved(story, admin):
    source = plain(story, "json").source
    page = admin.get(place("alertsource", "change", source.pk)).content.decode()
    assert "What it sent lately" in page
    assert "Try a payload" in page
    form = {
        "name": "x",
        "slug": "json",
        "product": "json",
        "requester": source.requester_id,
        "grouping": "sender",
        "storm_limit": 60,
        "flap_limit": 5,
        "is_active": "on",
        "rules-TOTAL_FORMS": 0,
        "rules-INITIAL_FORMS": 0,
        "mapping": json.dumps({"colour": "x"}),
    }
    answer = admin.post(place("alertsource", "change", source.pk), form)
    assert "There is no &quot;colour&quot;" in answer.content.decode()
    for no_object in ('["x"]', '"x"'):
        answer = admin.post(
            place("alertsource", "change", source.pk), {**form, "mapping": no_object}
        )
        assert answer.context["adminform"].form.errors["mapping"]
    form["mapping"] = json.dumps(MAPPED)
    assert admin.post(place("alertsource", "change", source.pk), form).status_code == 302
    assert AlertSource.objects.get().mapping == MAPPED


def test_a_rule_without_conditions_is_for_all_alerts(story, admin):
    source = plain(story, "json").source
    form = {"source": source.pk, "name": "All", "position": 1, "act": "take", "is_active": "on"}
    for number, empty in enumerate(("null", "")):
        given = {**form, "name": f"All {number}", "conditions": empty}
        assert admin.post(place("alertrule", "add"), given).status_code == 302
    assert {str(rule.conditions) for rule in AlertRule.objects.all()} == {"[]"}


def test_recent_requests_are_listed_with_their_outcome(story, admin):
    og = opsgenie(story)
    for body in ({"message": "disk full", "alias": "a"}, {"message": "disk full", "alias": "a"}):
        og.post("/v2/alerts", body)
    og.post("/v2/alerts", {"message": ""})
    og.post("/v2/alerts", {"message": "x"}, authorization="GenieKey wrong")
    page = admin.get(place("intakerequest")).content.decode()
    for words in ("Accepted", "Folded", "Refused", "Could not authenticate", "disk full"):
        assert words in page, words
    assert IntakeRequest.objects.count() == 4
    assert og.key not in page


def test_the_list_of_requests_tells_nothing_of_a_restricted_case(story, admin):
    og = opsgenie(story)
    og.post("/v2/alerts", {"message": "zebrafish", "alias": "a"})
    assert "zebrafish" in admin.get(place("intakerequest")).content.decode()
    restrict(ticket=Ticket.objects.get(), actor=story.agent, reason="a break-in")
    for model in ("intakerequest", "alert"):
        assert "zebrafish" not in admin.get(place(model)).content.decode()


@pytest.mark.parametrize("model", ["alertrule", "maintenance", "pulse", "changenotice"])
def test_the_other_lists_open_and_strangers_find_nothing(story, admin, model):
    assert admin.get(place(model)).status_code == 200
    source = plain(story, "json").source
    stranger = Client()
    stranger.force_login(story.agent)
    for where in (place(model), place("alertsource", "try", source.pk), place("intakerequest")):
        assert stranger.get(where).status_code in (302, 403)
