"""Word owed to authorities on tickets that nobody works on any more: security is reminded of it.

While a ticket is open its policies look after the notice's clock. A solution ends them, but not the
duty to tell (Article 33 GDPR knows no solved breach), and so not the clock. What is left to do then
is no climb but a reminder: to security on call and to those who hold the CISO's and the legal duty.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from escalation.alarms import raise_alarm
from escalation.clock import REGULATORY, RUNNING
from escalation.letters import agent_letter
from escalation.models import Clock
from escalation.targets import SECURITY_LANE, People
from notifications.models import Message
from notifications.outbox import enqueue
from roles.instants import TimeSource
from roles.models import Team
from tickets import states
from tickets.models import Notice, Origin, Ticket

LEFT: Final = 0.25
"""The share of the time allowed with which the first reminder goes out; the second when it ends."""
SOON, OVER = "soon", "over"
SUBJECTS: Final = {
    SOON: "An authority must be told, and time runs out",
    OVER: "An authority has not been told in time",
}
DUTIES: Final = ("duty:ciso", "duty:legal")


def remind(*, clock: TimeSource) -> int:
    """Remind of each notice that runs out, or has run out, on a ticket that is not open; how many.

    Each once; of a restricted case only people who are cleared hear, or the fallback without facts.
    """
    now = clock()
    coming = {_cause(row, stage): (row, stage) for row in _running() if (stage := _stage(row, now))}
    known = Message.objects.filter(cause__in=coming).values_list("cause", flat=True)
    fresh = coming.keys() - set(known)
    for cause in sorted(fresh):
        row, stage = coming[cause]
        with transaction.atomic():
            _tell(row.ticket, cause, stage, now)
    return len(fresh)


def _running() -> Iterable[Clock]:
    """The clocks of what is owed on tickets without a climb; few are ever owed at a time."""
    owing = Notice.objects.filter(given_at=None).values("ticket")
    rows = Clock.objects.filter(ticket__in=owing, kind=REGULATORY, state=RUNNING)
    closed = rows.exclude(ticket__status__in=states.OPEN)
    return closed.filter(ticket__origin=Origin.LIVE, due_at__isnull=False).select_related("ticket")


def _stage(row: Clock, now: datetime) -> str:
    assert row.due_at is not None
    if row.due_at <= now:
        return OVER
    return SOON if row.due_at - timedelta(seconds=LEFT * row.target_s) <= now else ""


def _cause(row: Clock, stage: str) -> str:
    return f"notice:{stage}:{row.pk}"


def _tell(ticket: Ticket, cause: str, stage: str, now: datetime) -> None:
    lane = Team.objects.filter(tier__slug=SECURITY_LANE, is_active=True).order_by("slug")
    tokens = [*(f"on_call:{team.slug}" for team in lane), *DUTIES]
    found = People([ticket], now).find(ticket, tokens)
    body = "It is solved, but the duty to tell is not: tell the authority and note it here."
    if not found.people:
        raise_alarm(cause=cause, ticket=ticket, subject=SUBJECTS[stage], body=body, now=now)
        return
    letters = [
        replace(
            agent_letter(
                ticket,
                cause=cause,
                recipient_id=person_id,
                kind="notice_due",
                subject=SUBJECTS[stage],
                body=body,
            ),
            urgency="high",
        )
        for person_id in found.ids
    ]
    enqueue(letters, now=now)
