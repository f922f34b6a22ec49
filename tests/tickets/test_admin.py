"""Tickets, the catalog and alert sources in the admin: read by the one scope, written by rules."""

import re
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from roles.instants import database_now
from roles.models import AuditEntry, Duty, DutyAssignment, Membership, Person
from roles.people import forget_roles
from tests.story import Story
from tickets.assignment import take, watch
from tickets.lifecycle import comment
from tickets.models import Alert, AlertSource, Category, EventBody, Route, Service, TicketLink
from tickets.sources import create_source, source_by_key

LISTS = (
    "service", "category", "route", "alertsource", "alert", "ticket", "timelineevent",
    "eventbody", "clearance", "watcher", "ticketlink",
)  # fmt: skip


def address(model: str, act: str = "changelist", *args: object) -> str:
    return reverse(f"admin:tickets_{model}_{act}", args=args)


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.fixture
def story(db) -> Story:
    return Story(start=database_now() - timedelta(hours=1))


@pytest.fixture
def door(story):
    """Signs somebody in, with a duty if one is named, and let into the admin."""

    def sign_in(person: Person, duty: str = "") -> Client:
        if duty:
            row, _ = Duty.objects.get_or_create(slug=duty, defaults={"name": duty})
            DutyAssignment.objects.create(duty=row, person=person)
        person.is_staff = True
        person.save()
        forget_roles(person)
        client = Client()
        client.force_login(person)
        return client

    return sign_in


@pytest.fixture
def admin(story, door) -> Client:
    """An administrator who works at the service desk too."""
    person = story.person("ada")
    Membership.objects.create(team=story.desk, person=person)
    return door(person, "administrator")


@pytest.fixture
def auditor(story, door) -> Client:
    return door(story.person("zack"), "auditor")


def test_every_list_opens_for_administrators_and_auditors(story, admin, auditor):
    ticket = story.open(description="It said no.")
    watch(ticket=ticket, actor=story.agent, clock=story.clock)
    for model in LISTS:
        for client in (admin, auditor):
            assert client.get(address(model)).status_code == 200, model


def test_a_ticket_is_read_with_its_timeline_and_written_by_nobody(story, admin):
    ticket = story.open()
    comment(ticket=ticket, actor=story.agent, text="Looking at it.", public=False)
    shown = admin.get(address("ticket", "change", ticket.pk))
    text = shown.content.decode()
    assert "Looking at it." in text
    assert "Ann" in text
    forged = {"status": "closed", "subject": "Other", "priority": 1}
    assert admin.post(address("ticket", "change", ticket.pk), forged).status_code == 403
    assert admin.get(address("ticket", "add")).status_code == 403
    assert admin.post(address("ticket", "delete", ticket.pk), {"post": "yes"}).status_code == 403
    fresh = story.fresh(ticket)
    assert (fresh.status, fresh.subject) == ("waiting_for_support", ticket.subject)


def test_no_row_of_the_history_is_added_changed_or_deleted(story, admin):
    ticket = story.open(description="It said no.")
    watch(ticket=ticket, actor=story.agent, clock=story.clock)
    event = ticket.events.first()
    rows = {
        "timelineevent": event.pk,
        "eventbody": EventBody.objects.first().pk,
        "watcher": ticket.watchers.get().pk,
    }
    for model, pk in rows.items():
        assert admin.get(address(model, "change", pk)).status_code == 200
        assert admin.post(address(model, "change", pk), {"text": "Other"}).status_code == 403
        assert admin.post(address(model, "delete", pk), {"post": "yes"}).status_code == 403
        assert admin.get(address(model, "add")).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"}
    admin.post(address("timelineevent"), chosen)
    assert ticket.events.filter(pk=event.pk).exists()


def test_releasing_and_cancelling_go_through_the_timeline(story, door):
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    client = door(story.agent, "qa-reviewer")
    chosen = {"action": "release_chosen", "_selected_action": [ticket.pk]}
    assert "Done for 1" in said(client.post(address("ticket"), chosen))
    assert story.fresh(ticket).status == "waiting_for_support"
    chosen["action"] = "cancel_chosen"
    assert "This is required" in said(client.post(address("ticket"), chosen))
    assert story.fresh(ticket).is_open
    client.post(address("ticket"), {**chosen, "reason": "Opened twice"})
    fresh = story.fresh(ticket)
    assert fresh.status == "cancelled"
    last = fresh.events.filter(kind="cancelled").get()
    assert (last.actor_id, last.body.text) == (story.agent.pk, "Opened twice")


def test_who_may_not_cancel_a_ticket_may_not_here_either(story, auditor, door):
    ticket = story.open()
    chosen = {"action": "cancel_chosen", "_selected_action": [ticket.pk], "reason": "No"}
    for client in (auditor, door(story.expert, "qa-reviewer")):
        assert "You may not cancel" in said(client.post(address("ticket"), chosen))
    assert story.fresh(ticket).is_open


def test_a_restricted_ticket_is_in_no_list_of_an_uncleared_reader(story, admin, auditor, door):
    secret = story.open(
        kind="security", restricted=True, actor=story.analyst, subject="Strange invoices"
    )
    other = story.open()
    comment(ticket=secret, actor=story.analyst, text="Rule found.", public=False)
    TicketLink.objects.create(source=other, target=secret, relation="related")
    for client in (admin, auditor):
        for model in LISTS:
            text = client.get(address(model)).content.decode()
            assert secret.key not in text, model
            assert "Strange invoices" not in text, model
            assert "Rule found." not in text, model
        page = client.get(address("ticket", "change", other.pk)).content.decode()
        assert secret.key not in page
        assert client.get(address("ticket", "change", secret.pk)).status_code == 302
        found = client.get(address("ticket"), {"q": "invoices"})
        assert found.context["cl"].result_count == 0
    cleared = door(story.analyst, "ciso")
    assert cleared.get(address("ticket", "change", secret.pk)).status_code == 200
    assert secret.key in cleared.get(address("ticketlink")).content.decode()


def test_the_filters_of_the_list_find_what_they_name(story, admin):
    story.target("resolution", 30)
    late, waiting, taken = story.open(), story.open(), story.open()
    take(ticket=taken, actor=story.agent, clock=story.clock)
    story.forward(minutes=60)
    soon = story.open()

    def listed(**query: str) -> set[int]:
        rows = admin.get(address("ticket"), query).context["cl"].result_list
        return {row.pk for row in rows}

    assert listed(progress="untouched") == {late.pk, waiting.pk, soon.pk}
    assert listed(due="late") == {late.pk, waiting.pk, taken.pk}
    assert listed(due="hour") == {soon.pk}
    assert listed(progress="done") == set()
    assert listed(q=late.key) == {late.pk}


def test_the_list_of_tickets_asks_a_fixed_number_of_queries(
    story, admin, django_assert_max_num_queries
):
    for _ in range(12):
        story.open()
    with django_assert_max_num_queries(20):
        assert admin.get(address("ticket")).status_code == 200


def test_a_source_is_made_with_a_key_that_is_shown_once(story, admin):
    form = {"name": "Prometheus", "slug": "prom", "product": "alertmanager"}
    answer = admin.post(address("alertsource", "add"), form)
    assert answer.status_code == 302
    key = re.search(r"ts_\w+", said(answer))[0]
    source = source_by_key(key, product="alertmanager")
    assert source.requester.kind == "service"
    assert key in admin.get(address("alertsource")).content.decode()
    page = admin.get(address("alertsource", "change", source.pk)).content.decode()
    assert key not in page
    assert source.key_digest not in page
    chosen = {"action": "issue_new_keys", "_selected_action": [source.pk]}
    fresh = re.search(r"ts_\w+", said(admin.post(address("alertsource"), chosen)))[0]
    assert source_by_key(key, product="alertmanager") is None
    assert source_by_key(fresh, product="alertmanager") == source
    acts = AuditEntry.objects.filter(subject_type="tickets.alertsource").order_by("id")
    assert [entry.action for entry in acts] == ["source.created", "source.key_issued"]


def test_a_source_of_a_taken_or_wrong_name_is_refused(story, admin, auditor):
    create_source(slug="prom", product="alertmanager")
    for slug in ("prom", "Not A Slug"):
        form = {"name": "Prometheus", "slug": slug, "product": "alertmanager"}
        assert admin.post(address("alertsource", "add"), form).status_code == 200
    assert auditor.get(address("alertsource", "add")).status_code == 403
    assert AlertSource.objects.count() == 1


def test_alerts_are_seen_with_the_tickets_that_one_may_see(story, admin):
    source, _ = create_source(slug="prom", product="alertmanager")
    now = database_now()
    for ticket in (story.open(), story.open(restricted=True, kind="security")):
        Alert.objects.create(
            source=source, dedup_key=ticket.key, ticket=ticket, summary="Disk", started_at=now,
            first_seen_at=now, last_seen_at=now,
        )  # fmt: skip
    assert admin.get(address("alert")).context["cl"].result_count == 1


def test_the_catalog_is_written_by_administrators_and_audited(story, admin, auditor):
    service = {
        "name": "Printing", "slug": "printing", "owner_team": story.apps.pk, "is_active": "on",
        "routes-TOTAL_FORMS": 1, "routes-INITIAL_FORMS": 0,
        "routes-0-tier": story.tiers["l2"].pk, "routes-0-team": story.apps.pk,
    }  # fmt: skip
    assert auditor.post(address("service", "add"), service).status_code == 403
    assert admin.post(address("service", "add"), service).status_code == 302
    made = Service.objects.get(slug="printing")
    assert Route.objects.get(service=made).team == story.apps
    category = {"name": "Paper", "slug": "paper", "is_active": "on"}
    assert admin.post(address("category", "add"), category).status_code == 302
    change = address("category", "change", Category.objects.get().pk)
    admin.post(change, {**category, "name": "Paper jam"})
    told = AuditEntry.objects.get(action="category.changed")
    assert told.changes == {"name": ["Paper", "Paper jam"]}
    assert AuditEntry.objects.filter(action="service.added").exists()


def test_two_routes_for_the_same_rung_are_refused(story, admin):
    same = {"service": story.mail.pk, "tier": story.tiers["l2"].pk, "team": story.platform.pk}
    answer = admin.post(address("route", "add"), same)
    before = Route.objects.count()
    assert answer.status_code in (200, 302)
    assert Route.objects.count() == before == 3
