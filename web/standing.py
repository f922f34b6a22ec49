"""What a ticket is beside a ticket: a major, a case, a problem, a change, a vendor's work."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from escalation.models import Engagement
from tickets.models import Lifting, Notice, Ticket


@dataclass(frozen=True)
class Standing:
    """The states that decide which acts make sense; empty where there is no such record."""

    major: str = ""
    engagement: str = ""
    change: str = ""
    is_known_error: bool = False
    has_workaround: bool = False
    is_lifting: bool = False
    owes_notice: bool = False


def standing_of(ticket: Ticket) -> Standing:
    """How the ticket stands in all of these; one query."""
    lifting = Lifting.objects.filter(ticket=OuterRef("pk"), confirmed_at=None)
    notice = Notice.objects.filter(ticket=OuterRef("pk"), given_at=None)
    working = Engagement.objects.filter(ticket=OuterRef("pk"), ended_at=None)
    row = (
        Ticket.objects.filter(pk=ticket.pk)
        .annotate(
            is_lifting=Exists(lifting),
            owes_notice=Exists(notice),
            engagement_state=working.values("state")[:1],
        )
        .values(
            "major__state",
            "change__state",
            "problem__is_known_error",
            "problem__workaround",
            "engagement_state",
            "is_lifting",
            "owes_notice",
        )
        .get()
    )
    return Standing(
        major=row["major__state"] or "",
        engagement=row["engagement_state"] or "",
        change=row["change__state"] or "",
        is_known_error=bool(row["problem__is_known_error"]),
        has_workaround=bool(row["problem__workaround"]),
        is_lifting=row["is_lifting"],
        owes_notice=row["owes_notice"],
    )
