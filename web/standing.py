"""What a ticket is beside a ticket: a major, a case, a problem, a change, a vendor's work."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet

from escalation.models import Engagement, Run
from tickets.models import Attachment, Lifting, Notice, Ticket


@dataclass(frozen=True)
class Standing:
    """The states that decide which acts make sense; empty where there is no such record."""

    major: str = ""
    has_chat: bool = False
    engagement: str = ""
    change: str = ""
    is_known_error: bool = False
    has_workaround: bool = False
    is_lifting: bool = False
    owes_notice: bool = False
    climbs: bool = False
    is_snoozed: bool = False
    is_linked: bool = False
    is_helping: bool = False
    has_files: bool = False


def with_standing(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """The tickets, each with what its standing follows from; no further query."""
    here = OuterRef("pk")
    active = Run.objects.filter(ticket=here, state=Run.State.ACTIVE)
    working = Engagement.objects.filter(ticket=here, ended_at=None)
    sent = Attachment.objects.filter(ticket=here, event__isnull=False)
    return tickets.annotate(
        has_files=Exists(sent.filter(erased_at=None)),
        is_lifting=Exists(Lifting.objects.filter(ticket=here, confirmed_at=None)),
        owes_notice=Exists(Notice.objects.filter(ticket=here, given_at=None)),
        climbs=Exists(active.exclude(held=Run.Hold.MAJOR)),
        is_snoozed=Exists(active.filter(held=Run.Hold.SNOOZED)),
        engagement_state=working.values("state")[:1],
        major_state=F("major__state"),
        major_chat=F("major__chat_id"),
        change_state=F("change__state"),
        is_known_error=F("problem__is_known_error"),
        has_workaround=F("problem__workaround"),
    )


def standing_of(ticket: Any) -> Standing:
    """How the ticket stands in all of these; one query, none where it was read along."""
    read = ticket
    if not hasattr(read, "major_state"):
        read = with_standing(Ticket.objects.filter(pk=ticket.pk)).get()
    return Standing(
        major=read.major_state or "",
        has_chat=bool(read.major_chat),
        engagement=read.engagement_state or "",
        change=read.change_state or "",
        is_known_error=bool(read.is_known_error),
        has_workaround=bool(read.has_workaround),
        is_lifting=read.is_lifting,
        owes_notice=read.owes_notice,
        climbs=read.climbs,
        is_snoozed=read.is_snoozed,
        is_linked=getattr(ticket, "is_linked", False),
        is_helping=getattr(ticket, "is_helping", False),
        has_files=read.has_files,
    )
