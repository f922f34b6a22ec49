"""What a look at the calendar finds to do: one statement, answered by small partial indexes.

With nothing due, which is most of the time, this is all that a pass reads. The conditions are those
by which the work is found afterwards; only who is set aside is left to the work itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet

from escalation import breaches, majors, quarantine, recounting
from escalation.models import Run
from roles.plans import Hole, Plan
from tickets import clearance, stragglers, upkeep, waiting

MARK: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands for the present in the statement that is kept; spans before it stand for themselves."""

BEAT: Final = """
    WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true) AS is_set)
    INSERT INTO escalation_heartbeat (name, at, oldest_due_s)
    SELECT %s, %s, %s FROM quick WHERE is_set IS NOT NULL
    ON CONFLICT (name) DO UPDATE SET at = excluded.at, oldest_due_s = excluded.oldest_due_s
"""
"""Nobody waits for the disk to keep it: a heartbeat lost in a crash comes again."""


@dataclass(frozen=True, slots=True)
class Found:
    """Since when the oldest step is due, if any is, and which other work there is, by name."""

    oldest_due_at: datetime | None
    work: frozenset[str]

    @property
    def is_any(self) -> bool:
        """Whether there is anything to do."""
        return self.oldest_due_at is not None or bool(self.work)

    @property
    def is_late(self) -> bool:
        """Whether a breach is to be noted."""
        return not self.work.isdisjoint(("passed", "missed"))

    def oldest_due_s(self, now: datetime) -> float:
        """By how many seconds the oldest due step is late; 0 when nothing is due."""
        return (now - self.oldest_due_at).total_seconds() if self.oldest_due_at else 0.0


def questions(now: datetime) -> dict[str, QuerySet[Any, Any]]:
    """By name, what there may be to do beside the steps that are due.

    Each is put in the order of its index, for the planner takes such rows for frequent and would
    rather read the whole table until it meets one. Children of majors are asked for roughly.
    """
    return {
        "wake": upkeep.waking(now).order_by("wake_at"),
        "free": waiting.over().order_by(),
        "close": upkeep.closing(now).order_by("resolved_at"),
        "hold": majors.under_way().order_by(),
        "let go": majors.held().order_by("ticket"),
        "recount": recounting.waiting(now).order_by(),
        "gather": stragglers.waiting().order_by(),
        "lapse": clearance.lapsing(now).order_by("until"),
        "passed": breaches.passed(now),
        "missed": breaches.missed(),
    }


def glance(now: datetime) -> Found:
    """What is to be done at this moment, all in one statement."""
    plan, spans = _plan()
    with connection.cursor() as cursor:
        plan.execute(cursor, {name: now + span for name, span in spans.items()})
        oldest_due_at, *answers = cursor.fetchone()
    work = zip(questions(now), answers, strict=True)
    return Found(oldest_due_at, frozenset(name for name, is_there in work if is_there))


def due_runs(now: datetime) -> QuerySet[Run]:
    """The runs with a step due, but for those of tickets that are set aside."""
    ready = Run.objects.filter(state=Run.State.ACTIVE, next_at__isnull=False, next_at__lte=now)
    return ready.exclude(ticket__in=quarantine.held_tickets(now))


def count_due(most: int, now: datetime) -> int:
    """How many runs have a step due, counted up to so many."""
    return due_runs(now).order_by()[:most].count()


@cache
def _plan() -> tuple[Plan, Mapping[str, timedelta]]:
    """The statement, asked at the mark and made once; and how far its moments are from the present.

    The present is the only moment in it, so that it can be moved to any other.
    """
    oldest = due_runs(MARK).order_by("next_at").values("next_at")[:1]
    asked = [rows.values("pk")[:1] for rows in questions(MARK).values()]
    parts = [rows.query.sql_with_params() for rows in (oldest, *asked)]
    answers = [f"({parts[0][0]})", *(f"({text}) IS NOT NULL" for text, _ in parts[1:])]
    given = [value for _, values in parts for value in values]
    moments = {value: f"at {value}" for value in given if isinstance(value, datetime)}
    places = [Hole(moments[each]) if isinstance(each, datetime) else each for each in given]
    plan = Plan(f"SELECT {', '.join(answers)}", places)
    return plan, {name: moment - MARK for moment, name in moments.items()}


def beat(name: str, *, at: datetime, oldest_due_s: float = 0.0) -> None:
    """Note that a pass has ended."""
    with connection.cursor() as cursor:
        cursor.execute(BEAT, [name, at, oldest_due_s])
