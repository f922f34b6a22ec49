"""The table of legal status changes, the FSM methods and the trigger say the same."""

import itertools

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from roles.models import Calendar, Person, Team, Tier
from tickets import states
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    calendar = Calendar.objects.create(slug="always", name="Always")
    tier = Tier.objects.create(slug="l1", name="L1", kind="ladder", rank=1)
    return Team.objects.create(slug="desk", name="Desk", tier=tier, calendar=calendar)


def ticket_in(status: str, team: Team) -> Ticket:
    requester, _ = Person.objects.get_or_create(username="ada", defaults={"name": "Ada"})
    now = timezone.now()
    return Ticket.objects.create(
        key=f"T-{Ticket.objects.count()}",
        subject="s",
        requester=requester,
        origin="imported",
        status=status,
        status_since=now,
        opened_at=now,
        resolved_at=now,
        team=team,
        entry=1,
    )


def fsm_pairs() -> set[tuple[str, str]]:
    field = Ticket._meta.get_field("status")
    return {
        (transition.source, transition.target) for transition in field.get_all_transitions(Ticket)
    }


def test_the_methods_allow_exactly_the_legal_pairs() -> None:
    assert fsm_pairs() == set(states.LEGAL)


@pytest.mark.parametrize("pair", list(itertools.permutations(sorted(states.ALL), 2)))
def test_the_database_allows_exactly_the_legal_pairs(pair: tuple[str, str], team: Team) -> None:
    source, target = pair
    ticket = ticket_in(source, team)

    def change() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE tickets_ticket SET status = %s, assignee_id = NULL, last_seq = last_seq + 1"
                " WHERE id = %s",
                [target, ticket.pk],
            )

    if pair in states.LEGAL:
        change()
    else:
        with pytest.raises(IntegrityError, match="no legal way"):
            change()


def test_a_status_change_without_an_event_is_refused(team: Team) -> None:
    ticket = ticket_in(states.WAITING, team)
    with (
        pytest.raises(IntegrityError, match="needs an event"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE tickets_ticket SET status = 'in_progress' WHERE id = %s", [ticket.pk]
        )


def test_a_live_ticket_is_born_new(team: Team) -> None:
    with pytest.raises(IntegrityError, match="born new"), transaction.atomic():
        Ticket.objects.create(
            key="T-live",
            subject="s",
            requester=Person.objects.create(username="bo", name="Bo"),
            status=states.RESOLVED,
            status_since=timezone.now(),
            opened_at=timezone.now(),
            resolved_at=timezone.now(),
            team=team,
            entry=1,
        )


def test_the_status_is_written_by_transitions_only(team: Team) -> None:
    ticket = ticket_in(states.WAITING, team)
    with pytest.raises(AttributeError):
        ticket.status = states.CLOSED
    with pytest.raises(AttributeError):
        Ticket.objects.update(status=states.CLOSED)


def test_reloading_keeps_the_protection_even_when_it_fails(team: Team) -> None:
    ticket = ticket_in(states.WAITING, team)
    ticket.refresh_from_db()
    assert ticket.status == states.WAITING
    Ticket.objects.filter(pk=ticket.pk).delete()
    with pytest.raises(Ticket.DoesNotExist):
        ticket.refresh_from_db()
    with pytest.raises(AttributeError):
        ticket.status = states.CLOSED
    other = ticket_in(states.WAITING, team)
    with pytest.raises(AttributeError):
        other.status = states.CLOSED


def test_every_open_status_has_a_legal_way_to_every_other_open_one() -> None:
    for start, goal in itertools.permutations(states.OPEN - {states.NEW}, 2):
        steps = [start, *states.path(start, goal)]
        assert all(pair in states.LEGAL for pair in itertools.pairwise(steps))
