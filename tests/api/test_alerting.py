"""Alerts, their sources, rules and maintenance as programs read and write them."""

from datetime import timedelta

import pytest
from django.urls import reverse

from roles.instants import database_now
from roles.models import AuditEntry
from tests.api.conftest import assert_problem
from tests.tickets.alerts import firing
from tickets.alertcare import look_after
from tickets.ingest import accept
from tickets.models import AlertRule, AlertSource, Maintenance, Ticket
from tickets.sources import source_by_key

V1 = "/api/v1/"
ON_DB = [{"field": "labels.team", "is": "equals", "value": "DB"}]


@pytest.fixture
def admin(story, calling):
    return calling(story.admin)


@pytest.fixture
def source(story, admin):
    given = {"slug": "checks", "product": "alertmanager", "service": story.mail.slug}
    told = admin.post(f"{V1}alert-sources/", given)
    assert told.status_code == 201, told.content
    assert "key" not in told.json()["source"]
    found = source_by_key(told.json()["key"], product="alertmanager")
    assert found == AlertSource.objects.get()
    return found


def say(*alerts):
    """What a monitor tells just now; how each was taken."""
    return [one.result for one in accept(source=AlertSource.objects.get(), alerts=alerts)]


def window(admin, **more):
    now = database_now()
    given = {
        "name": "Deployment",
        "starts_at": (now - timedelta(minutes=1)).isoformat(),
        "ends_at": (now + timedelta(hours=1)).isoformat(),
    }
    answer = admin.post(f"{V1}maintenance-windows/", given | more)
    assert answer.status_code == 201, answer.content
    return answer


def test_a_source_gets_a_key_once_and_another_in_its_place(admin, agent, source):
    here = f"{V1}alert-sources/checks/"
    former = source.key_digest
    fresh = admin.post(f"{here}issue-key/").json()["key"]
    assert source_by_key(fresh, product="alertmanager") == source
    assert AlertSource.objects.get().key_digest != former
    assert "key" not in admin.get(here).content.decode().replace("key_", "")
    assert_problem(agent.get(here), 403)
    assert_problem(agent.post(f"{here}issue-key/"), 403)
    taken = admin.post(f"{V1}alert-sources/", {"slug": "checks", "product": "json"})
    assert_problem(taken, 409, "slug_taken")


def test_a_rule_decides_from_when_it_is_made_until_it_is_forgotten(admin, agent, source):
    given = {"name": "Not ours", "source": "checks", "conditions": ON_DB, "act": "suppress"}
    rule = admin.post(f"{V1}alert-rules/", given)
    assert rule.status_code == 201, rule.content
    here = f"{V1}alert-rules/{rule.json()['id']}/"
    assert rule.json()["conditions"] == ON_DB
    assert say(firing("a")) == ["suppressed"]
    off = admin.call("PATCH", here, {"is_active": False}, if_match=rule["ETag"])
    assert off.json()["is_active"] is False
    assert_problem(admin.call("PATCH", here, {"position": 5}, if_match=rule["ETag"]), 412)
    assert say(firing("b")) == ["opened"]
    assert_problem(agent.call("DELETE", here), 403)
    assert admin.call("DELETE", here).status_code == 204
    assert not AlertRule.objects.exists()
    acts = AuditEntry.objects.filter(subject_type="tickets.alertrule").values_list("action")
    assert [act for (act,) in acts.order_by("pk")] == [
        "alertrule.added",
        "alertrule.changed",
        "alertrule.deleted",
    ]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"conditions": [{"field": "x", "is": "near"}]}, "#/conditions"),
        ({"conditions": [{"field": "x", "is": "equals", "loud": 1}]}, "#/conditions/0/loud"),
        ({"source": "nowhere"}, "#/source"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "#/"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused_by_its_member(admin, source, change, pointer):
    now = database_now()
    given = {"name": "x", "starts_at": now.isoformat(), "ends_at": now + timedelta(hours=1)}
    given |= {"ends_at": given["ends_at"].isoformat()} | change
    wrong = assert_problem(admin.post(f"{V1}maintenance-windows/", given), 422)
    assert [each["pointer"] for each in wrong["errors"]] == [pointer]
    assert not Maintenance.objects.exists()


def end_now(admin, here):
    given = {"ends_at": database_now().isoformat()}
    assert admin.call("PATCH", here, given).status_code == 200


def forget(admin, here):
    assert admin.call("DELETE", here).status_code == 204


@pytest.mark.parametrize("end", [end_now, forget])
def test_what_rests_is_looked_at_again_once_its_window_is_over(admin, source, end):
    """Else it would rest until the end that the window had, and nobody would hear of it."""
    here = f"{V1}maintenance-windows/{window(admin).json()['id']}/"
    say(firing("a"))
    assert not Ticket.objects.exists()
    look_after()
    assert not Ticket.objects.exists()
    end(admin, here)
    look_after()
    assert Ticket.objects.get().subject == "a is full"


def test_a_window_ended_on_its_page_wakes_what_rests_too(story, admin, source, client):
    kept = Maintenance.objects.get(pk=window(admin).json()["id"])
    say(firing("a"))
    url = reverse("admin:tickets_maintenance_delete", args=[kept.pk])
    client.force_login(story.admin)
    assert client.post(url, {"post": "yes"}).status_code == 302
    look_after()
    assert Ticket.objects.count() == 1


def test_a_window_that_is_longer_keeps_resting_what_rests(admin, source):
    kept = window(admin)
    say(firing("a"))
    later = (database_now() + timedelta(hours=5)).isoformat()
    here = f"{V1}maintenance-windows/{kept.json()['id']}/"
    assert admin.call("PATCH", here, {"ends_at": later}).status_code == 200
    look_after()
    assert not Ticket.objects.exists()


def test_alerts_are_read_with_their_tickets_by_who_may_know_of_them(
    story, admin, agent, requester, source
):
    say(firing("a"), firing("b"))
    ticket = Ticket.objects.order_by("pk")[0]
    listed = agent.get(f"{V1}alerts/").json()["results"]
    assert [each["dedup_key"] for each in listed] == ["b", "a"]
    (one,) = agent.get(f"{V1}tickets/{ticket.key}/alerts/").json()["results"]
    assert (one["dedup_key"], one["source"], one["ticket"]) == ("a", "checks", ticket.key)
    assert_problem(requester.get(f"{V1}alerts/"), 403)
