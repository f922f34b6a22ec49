"""Keeps what somebody has begun to write on a ticket until it is sent or thrown away."""

from roles.instants import TimeSource, database_now
from roles.models import Person
from tickets.access import require
from tickets.acting import fitting
from tickets.models import Draft, Ticket

LONGEST = 20_000


def save_draft(
    *, ticket: Ticket, actor: Person, text: str, public: bool, clock: TimeSource = database_now
) -> Draft | None:
    """Keep the text as it stands; an empty one throws the draft away (None).

    It is nobody's business but the writer's: no event tells of it. Raises Forbidden for who may
    not write so on the ticket, Invalid for a text that is too long.
    """
    require(actor, "comment_public" if public else "comment_internal", ticket)
    if not text.strip():
        drop_draft(ticket=ticket, actor=actor)
        return None
    draft, _ = Draft.objects.update_or_create(
        ticket=ticket,
        person=actor,
        defaults={
            "text": fitting(text, "text", LONGEST),
            "is_public": public,
            "saved_at": clock(),
        },
    )
    return draft


def drop_draft(*, ticket: Ticket, actor: Person) -> None:
    """Throw away what the person had begun to write here."""
    Draft.objects.filter(ticket=ticket.pk, person=actor.pk).delete()
