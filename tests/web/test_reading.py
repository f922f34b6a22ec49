"""A ticket with all that makes up its page: read as by the plain query, in words that are kept."""

import pytest
from django.http import Http404

from roles.models import Organisation, Person
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
    sharing = Organisation.objects.create(slug="sharing", name="Sharing", may_see_own=True)
    Ticket.objects.filter(pk=mail.pk).update(organisation=sharing)
    peer = Person.objects.create(username="peer", name="Peer", organisation=sharing)
    assert reading.WHOLE.find(peer, mail.key)
    for person in (*map(stage.people.get, ("nora", "teo", "sam", "mara")), peer):
        name = person.username
        for key in (ticket.key for ticket in stage.tickets.values()):
            plain = reading._whole(person).filter(key=key).first()
            kept = reading.WHOLE.find(person, key)
            assert (kept and told(kept)) == (plain and told(plain)), (name, key)


def test_whoever_is_cleared_meanwhile_sees_the_case(stage):
    case = stage.tickets["case"]
    with pytest.raises(Http404):
        reading.whole_ticket(stage.nora, case.key)
    Clearance.objects.create(ticket=case, person=stage.nora)
    assert reading.whole_ticket(stage.nora, case.key) == case
