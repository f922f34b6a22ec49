"""Warns a team's lead before nobody of the team will be on call."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from escalation.explain import duration, moment
from escalation.models import Heartbeat
from notifications.outbox import Letter, enqueue
from roles.instants import TimeSource, database_now
from roles.models import Person, Team
from roles.oncall import Gap, coming_gaps, holders

log = logging.getLogger(__name__)

AHEAD: Final = timedelta(days=3)
EVERY: Final = timedelta(hours=1)
LOOKED: Final = "gaps"


def warn_now_and_then(*, clock: TimeSource = database_now) -> int:
    """Warn unless somebody has looked within the hour; returns how many people are told anew."""
    now = clock()
    last = Heartbeat.objects.filter(name=LOOKED).values_list("at", flat=True).first()
    if last is not None and now - last < EVERY:
        return 0
    told = warn_of_gaps(clock=clock)
    Heartbeat.objects.update_or_create(name=LOOKED, defaults={"at": now})
    return told


@transaction.atomic
def warn_of_gaps(*, clock: TimeSource = database_now) -> int:
    """Tell the lead of each team of its gaps in the next three days, once for each gap.

    A gap that has begun already is told once a day while it lasts. Without a lead the manager is
    told, without both the administrators.
    """
    now = clock()
    gaps = coming_gaps(AHEAD, now)
    teams = Team.objects.select_related("lead", "manager").in_bulk({gap.team_id for gap in gaps})
    administrators = holders("administrator")
    letters = [
        _letter(gap, teams[gap.team_id], person_id, now)
        for gap in gaps
        for person_id in _told(teams[gap.team_id], administrators)
    ]
    rows = enqueue(letters, now=now)
    return sum(row.created_at == now for row in rows)


def _told(team: Team, administrators: Sequence[int]) -> list[int]:
    heads: list[Person | None] = [team.lead, team.manager]
    present = [person.pk for person in heads if person is not None and person.is_active]
    return present[:1] or list(administrators)


def _letter(gap: Gap, team: Team, person_id: int, now: datetime) -> Letter:
    has_begun = gap.start <= now
    since = f"{now:%Y-%m-%d}" if has_begun else f"{gap.start:%Y-%m-%dT%H:%M:%S}"
    length = duration((gap.end - gap.start).total_seconds())
    about = f"from {moment(gap.start)} to {moment(gap.end)} ({length})"
    head = "is" if has_begun else "will be"
    return Letter(
        topic=f"team:{team.pk}",
        cause=f"gap:{team.pk}:{since}",
        recipient_id=person_id,
        kind="gap",
        subject=f"Nobody {head} on call in {team.name}",
        body=" ".join(filter(None, (f"Nobody {head} on call {about}.", gap.why)))
        + "\n\nAn override or another layer of the schedule closes the gap.",
        urgency="high" if has_begun else "low",
        priority=2 if has_begun else 3,
        data={"url": "/on-call"},
    )
