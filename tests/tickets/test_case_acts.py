"""Majors, cases and duplicates can be led from the admin, by those who may and nobody else."""

import pytest
from django.test import Client

from roles.models import Duty, DutyAssignment, Person
from roles.people import forget_roles
from tests.story import Story
from tickets.models import Clearance, Major, Ticket, TicketLink

pytestmark = pytest.mark.django_db


def signed_in(person: Person) -> Client:
    Person.objects.filter(pk=person.pk).update(is_staff=True)
    client = Client()
    client.force_login(Person.objects.get(pk=person.pk))
    return client


def do(client: Client, ticket: Ticket, name: str, **given: object) -> str:
    """Ask for the form, send it, and return what the page says then."""
    url = f"/admin/tickets/ticket/{ticket.pk}/act/{name}/"
    assert client.get(url).status_code == 200
    return client.post(url, given, follow=True).content.decode()


def test_a_major_incident_is_led_from_its_page(story: Story) -> None:
    ticket, child = story.open(), story.open()
    client = signed_in(story.incident_manager)
    page = client.get(f"/admin/tickets/ticket/{ticket.pk}/change/").content.decode()
    assert "Propose a major incident" in page
    assert "Demote" not in page
    do(client, ticket, "propose-major", reason="Nobody gets mail", severity=1)
    do(client, ticket, "accept-major", severity=1)
    assert Major.objects.get(ticket=ticket).state == "accepted"
    assert "may not do what this role asks" in do(client, ticket, "staff-major", scribe="rita")
    do(client, ticket, "staff-major", scribe="bob", bridge_url="https://bridge.example.org/1")
    assert "no ticket with this key" in do(client, ticket, "attach-child", other="INC-424242")
    do(client, ticket, "attach-child", other=child.key.lower())
    assert TicketLink.objects.filter(source=child, target=ticket).exists()
    page = do(
        client, ticket, "update-major", text="Still on it", audience="everybody", next_in_min=30
    )
    assert "Still on it" in page
    page = do(client, ticket, "resolve-major", code="fixed", text="Restarted", with_children="on")
    assert "1 of its children resolved" in page
    assert story.fresh(child).status == story.fresh(ticket).status == "resolved"


def test_what_is_refused_stands_beside_the_field_and_changes_nothing(story: Story) -> None:
    ticket = story.open()
    client = signed_in(story.incident_manager)
    do(client, ticket, "declare-major", reason="Down", severity=2)
    page = do(client, ticket, "update-major", text="Hm", audience="everybody", next_in_min=0)
    assert "From 1 to 1440 minutes." in page
    assert Major.objects.get(ticket=ticket).last_update_at is None


def test_an_act_that_makes_no_sense_or_is_not_ones_own_is_not_there(story: Story) -> None:
    ticket = story.open()
    client = signed_in(story.manager)
    for name in ("accept-major", "demote-major", "confirm-lift", "declare-major", "nonsense"):
        url = f"/admin/tickets/ticket/{ticket.pk}/act/{name}/"
        assert client.get(url).status_code == 404
        assert client.post(url, {"reason": "x", "severity": 2}).status_code == 404
    assert not Major.objects.exists()


def test_duplicates_are_merged(story: Story) -> None:
    gone, kept = story.open(), story.open()
    client = signed_in(story.incident_manager)
    do(client, gone, "merge", other=kept.key, reason="Same outage")
    assert story.fresh(gone).merged_into_id == kept.pk


def test_an_owner_is_named(story: Story) -> None:
    ticket = story.open()
    client = signed_in(story.incident_manager)
    assert "cannot answer" in do(client, ticket, "name-owner", owner="rita", reason="To and fro")
    do(client, ticket, "name-owner", owner="bob", reason="To and fro")
    assert story.fresh(ticket).owner == story.colleague


def test_who_restricts_stays_in_and_others_break_the_glass(story: Story) -> None:
    ticket = story.open(subject="Odd mail rules")
    leader = signed_in(story.incident_manager)
    do(leader, ticket, "restrict", reason="A break-in")
    assert "Odd mail rules" in leader.get(f"/admin/tickets/ticket/{ticket.pk}/change/").text
    root = signed_in(story.admin)
    assert root.get(f"/admin/tickets/ticket/{ticket.pk}/change/").status_code == 302
    given = {"key": ticket.key, "reason": "Nobody answers", "hours": 2}
    assert leader.post("/admin/tickets/ticket/break-glass/", given).status_code == 403
    page = root.post("/admin/tickets/ticket/break-glass/", given, follow=True).content.decode()
    assert "Odd mail rules" in page
    held = Clearance.every.get(ticket=ticket, person=story.admin)
    assert held.until is not None


def test_two_heads_lift_a_restriction(story: Story) -> None:
    ticket = story.open(kind="security", restricted=True, service=None)
    duty = Duty.objects.create(slug="ciso", name="CISO")
    clients = []
    for name in ("quin", "quiz"):
        person = story.person(name)
        DutyAssignment.objects.create(duty=duty, person=person)
        Clearance.objects.create(ticket=ticket, person=person)
        forget_roles(person)
        clients.append(signed_in(person))
    do(clients[0], ticket, "lift", reason="False alarm")
    assert "second person confirms" in do(clients[0], ticket, "confirm-lift")
    do(clients[1], ticket, "confirm-lift")
    assert not story.fresh(ticket).restricted


def test_imported_tickets_are_adopted_from_the_list(story: Story) -> None:
    ticket, ours = story.open(), story.open()
    Ticket.objects.filter(pk=ticket.pk).update(origin="imported")
    client = signed_in(story.incident_manager)
    given = {
        "action": "adopt_chosen",
        "_selected_action": [ticket.pk, ours.pk],
        "reason": "We take over",
    }
    page = client.post("/admin/tickets/ticket/", given, follow=True).content.decode()
    assert "1 tickets adopted." in page
    assert f"{ours.key}: It is one of our own already." in page
    assert story.fresh(ticket).origin == "live"
