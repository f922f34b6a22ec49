"""Queries whose text is kept: what they find is what the plain query would find."""

import pytest
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from roles.models import Person
from tickets.models import Clearance, Ticket, TicketLink, Watcher
from web import reading
from web.prepared import Prepared


def told(ticket: Ticket) -> dict[str, object]:
    """All that was read of a ticket and of what stands around it, without the moment."""
    held = {
        name: value for name, value in vars(ticket).items() if name not in ("_state", "read_at")
    }
    near = {
        name: vars(row) | {"_state": None} if row else None
        for name, row in ticket._state.fields_cache.items()
    }
    return held | {f"{name}:": value for name, value in near.items()}


def test_a_whole_ticket_is_read_as_by_the_plain_query(stage):
    slow, mail = stage.tickets["slow"], stage.tickets["mail"]
    Watcher.objects.create(ticket=slow, person=stage.teo)
    TicketLink.objects.create(source=slow, target=mail, relation="related")
    for name in ("nora", "teo", "sam", "mara"):
        person = stage.people[name]
        for key in (ticket.key for ticket in stage.tickets.values()):
            plain = reading._whole(person).filter(key=key).first()
            if plain is None:
                with pytest.raises(Http404):
                    reading.whole_ticket(person, key)
                continue
            assert told(reading._find(person, key)) == told(plain), (name, key)


def test_whoever_is_cleared_meanwhile_sees_the_case(stage):
    case = stage.tickets["case"]
    with pytest.raises(Http404):
        reading.whole_ticket(stage.nora, case.key)
    Clearance.objects.create(ticket=case, person=stage.nora)
    assert reading.whole_ticket(stage.nora, case.key) == case


def test_values_stand_where_they_belong_and_nothing_is_asked_while_it_is_made(stage):
    def build(person: int, name: str):
        return Person.objects.filter(pk=person, username=name).select_related("organisation")

    with CaptureQueriesContext(connection) as taken:
        found: Prepared[Person] = Prepared(build, {"person": int, "name": str})
    assert not taken
    assert found.rows(person=stage.ada.pk, name="ada") == [stage.ada]
    assert found.rows(person=stage.ada.pk, name="bo") == []
    with CaptureQueriesContext(connection) as taken:
        assert found.rows(person=stage.bo.pk, name="bo")[0].organisation.slug == "acme"
    assert len(taken) == 1
