"""The acknowledge link of a message: asks first, acts once, for one person only."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client

from notifications.links import make_link
from notifications.models import Message
from notifications.outbox import Letter, enqueue
from roles.instants import database_now, fixed
from roles.models import Person
from tickets.models import Ticket


def page_somebody(person: Person, ticket: Ticket) -> Message:
    letter = Letter(
        topic=ticket.topic,
        cause="firing:1",
        recipient_id=person.pk,
        kind="page",
        subject="You are paged",
        body="Please look.",
        data={"ack": True},
    )
    with transaction.atomic():
        (message,) = enqueue([letter], now=database_now())
    return message


@pytest.fixture
def link(stage) -> str:
    message = page_somebody(stage.teo, stage.tickets["slow"])
    return "/m/" + make_link(message).split("/m/")[1]


def acknowledged_by(stage) -> Person | None:
    return Ticket.objects.get(pk=stage.tickets["slow"].pk).acknowledged_by


def test_following_the_link_only_asks(stage, link):
    for _ in range(2):  # as a mail scanner does
        answer = Client().get(link)
        assert answer.status_code == 200
        assert "Checkout is slow" in answer.content.decode()
    assert acknowledged_by(stage) is None


def test_confirming_acknowledges_as_the_person_who_was_written_to(stage, link, sign_in):
    answer = sign_in(stage.omar).post(link)  # whoever's browser it is
    assert answer.status_code == 200
    assert acknowledged_by(stage) == stage.teo


def test_a_link_works_once(stage, link):
    assert Client().post(link).status_code == 200
    for again in (Client().post(link), Client().get(link)):
        assert again.status_code == 409
        assert "Done already" in again.content.decode()


def test_a_changed_or_old_link_does_nothing(stage):
    message = page_somebody(stage.teo, stage.tickets["slow"])
    past = fixed(database_now() - timedelta(days=2))
    old = make_link(message, clock=past).split("/m/")[1]
    assert Client().post(f"/m/{old}").status_code == 410
    assert Client().post("/m/nonsense/").status_code == 404
    assert acknowledged_by(stage) is None


def test_a_link_to_a_case_that_one_may_not_see_shows_nothing(stage):
    message = page_somebody(stage.teo, stage.tickets["case"])
    token = make_link(message).split("/m/")[1]
    answer = Client().get(f"/m/{token}")
    assert answer.status_code == 404
    assert "Invoices" not in answer.content.decode()


def test_confirming_needs_the_form_s_own_token(stage, link):
    assert Client(enforce_csrf_checks=True).post(link).status_code == 403
    assert acknowledged_by(stage) is None
