"""The manager's front page: true numbers, each leading to its rows, for those who may see them."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from escalation.models import Heartbeat, Quarantine
from notifications.models import Message
from roles.instants import database_now
from roles.models import Duty, DutyAssignment, Person
from roles.people import forget_roles
from tests.story import Story, unacknowledged


def holder(person: Person, duty: str) -> Person:
    """The person with that duty, and let into the admin."""
    row, _ = Duty.objects.get_or_create(slug=duty, defaults={"name": duty})
    DutyAssignment.objects.create(duty=row, person=person)
    person.is_staff = True
    person.save()
    forget_roles(person)
    return person


@pytest.fixture
def story(db) -> Story:
    return Story(start=database_now())


@pytest.fixture
def door(story):
    """Signs somebody in."""

    def sign_in(person: Person) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return sign_in


def figures(client: Client) -> dict[str, tuple[str, str]]:
    front = client.get(reverse("admin:index")).context["front"]
    rows = [*front.pressing, *front.tiers, *front.engine]
    return {row.label: (row.value, row.link) for row in rows}


@pytest.fixture
def manager(story, door) -> Client:
    story.manager.is_staff = True
    story.manager.save()
    return door(story.manager)


def test_each_number_of_the_front_page_leads_to_that_many_rows(story, manager):
    story.target("first_response", 30)
    story.target("resolution", 300)
    story.policy("standard", unacknowledged(5, "Up", {"do": "move", "to": "next_tier"}))
    story.now -= timedelta(minutes=40)
    story.open()
    story.open()
    story.forward(minutes=7)
    story.forward(minutes=33)
    story.open()
    Heartbeat.objects.create(name="sweep", at=database_now())
    shown = figures(manager)
    assert shown["Past a deadline"][0] == "2"
    assert shown["Due in the next hour"][0] == "1"
    assert shown["Escalations in 24 hours"][0] == "4"
    assert (shown["L1"][0], shown["L3"][0]) == ("1", "2")
    assert shown["Untouched"][0] == "3"
    assert shown["Last sweep"][0].endswith(" s ago")
    for label, (value, link) in shown.items():
        if link and value.isdecimal():
            rows = manager.get(link).context["cl"].result_count
            assert rows == int(value), label


def test_the_front_page_asks_twelve_queries_at_most(story, manager, django_assert_max_num_queries):
    for _ in range(5):
        story.open()
    manager.get(reverse("admin:index"))
    with django_assert_max_num_queries(12):
        assert manager.get(reverse("admin:index")).status_code == 200


def test_restricted_tickets_count_for_cleared_readers_only(story, manager, door):
    story.target("resolution", 30)
    before = figures(manager)
    secret = story.open(kind="security", restricted=True, actor=story.analyst)
    Quarantine.objects.create(ticket=secret, tries=3, last_tried_at=story.now, since=story.now)
    ended = {"state": "dead", "finished_at": story.now, "finished_reason": "no such mailbox"}
    Message.objects.filter(topic=secret.topic).update(**ended)
    assert figures(manager) == before
    cleared = figures(door(holder(story.analyst, "ciso")))
    assert cleared["Security"][0] == "1"
    assert cleared["Due in the next hour"][0] == "1"


def test_an_engine_that_stands_still_is_said_so(story, manager):
    assert b"the engine stands still" in manager.get(reverse("admin:index")).content
    Heartbeat.objects.create(name="sweep", at=database_now())
    assert b"the engine stands still" not in manager.get(reverse("admin:index")).content


def test_an_administrator_who_reads_no_tickets_is_told_why_none_are_counted(story, door):
    story.open()
    client = door(holder(story.person("ada"), "administrator"))
    shown = client.get(reverse("admin:index")).content.decode()
    assert "do not include reading tickets" in shown
    assert client.get(reverse("admin:tickets_ticket_changelist")).context["cl"].result_count == 0


def test_the_front_page_carries_no_inline_script_or_style(story, manager):
    answer = manager.get(reverse("admin:index"))
    assert "unsafe-inline" not in json.dumps(dict(answer.headers))
    page_text = answer.content.decode()
    assert "<style" not in page_text
    assert " style=" not in page_text
