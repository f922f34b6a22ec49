"""A ticket with all that makes up its page: read as by the plain query, in words that are kept."""

import pytest
from django.http import Http404

from tickets.models import Clearance, Ticket, TicketLink, Watcher
from web import reading


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
