"""Watches the engine from another process: an alarm when due steps are not carried out.

The sender runs it, because an alarm from an engine that stands still would not come. It reads what
is due in the database, and so trusts no heartbeat: whatever is dead, hung or deaf, what counts is
that a step waits which should not.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from escalation.explain import duration, moment
from escalation.glance import beat, due_runs
from escalation.models import Heartbeat
from notifications.models import Message
from notifications.outbox import Letter, enqueue, withdraw
from roles import oncall
from roles.instants import TimeSource, database_now

LATE: Final = timedelta(seconds=30)
"""How late the oldest step may be; a busy engine is a few seconds behind at most."""
EVERY: Final = timedelta(seconds=15)
NOT_AGAIN: Final = timedelta(minutes=10)
"""While a backlog is worked off, another step becomes the oldest one; that is no news."""
OVERSIGHT: Final = "oversight"
TOPIC: Final = "engine"
COUNTED: Final = 1000
FALLBACK: Final = ("incident-manager", "administrator")


def run_oversight(*, clock: TimeSource = database_now) -> int:
    """One look unless somebody has just had one; returns how many people are told."""
    now = clock()
    last = last_oversight_at()
    if last is not None and now - last < EVERY:
        return 0
    told = oversee(clock=clock)
    beat(OVERSIGHT, at=now)
    return told


def last_oversight_at() -> datetime | None:
    """When the engine was last looked at from outside, by the database's clock."""
    return Heartbeat.objects.filter(name=OVERSIGHT).values_list("at", flat=True).first()


@transaction.atomic
def oversee(*, clock: TimeSource = database_now) -> int:
    """Raise the alarm when the oldest due step is late, once for each standstill; who was told.

    It names no ticket: a restricted one may be among them. When steps are carried out again, an
    alarm that has not gone out yet is taken back.
    """
    now = clock()
    waiting = due_runs(now).order_by("next_at").values_list("next_at", flat=True)
    oldest = waiting.first()
    if oldest is None or now - oldest <= LATE:
        withdraw(topics=[TOPIC], reason="steps are carried out again", now=now)
        return 0
    if Message.objects.filter(topic=TOPIC, created_at__gt=now - NOT_AGAIN).exists():
        return 0
    letters = [_letter(person_id, oldest, len(waiting[:COUNTED]), now) for person_id in _told(now)]
    return sum(row.created_at == now for row in enqueue(letters, now=now))


def _told(now: datetime) -> list[int]:
    """Who can lead meanwhile, and who can mend it: those on call for it, else all who could be."""
    found = [person_id for duty in FALLBACK for person_id in oncall.duty_on_call(duty, now)]
    return list(dict.fromkeys(found))


def _letter(person_id: int, oldest: datetime, count: int, now: datetime) -> Letter:
    many = f"more than {count - 1}" if count == COUNTED else str(count)
    late = duration((now - oldest).total_seconds())
    return Letter(
        topic=TOPIC,
        cause=f"alarm:overdue:{oldest:%Y%m%dT%H%M%S%f}",
        recipient_id=person_id,
        kind="alarm",
        subject="Escalations stand still: due steps are not carried out",
        body=(
            f"The oldest step has been due since {moment(oldest)}, for {late}; tickets with a step"
            f" that waits: {many}. Nobody is paged by a policy until the worker runs again. Look at"
            " its process and its log; meanwhile watch the queue of urgent tickets yourselves."
            " Nothing is lost: when it runs again, the most urgent go first."
        ),
        urgency="high",
        priority=1,
        data={"url": "/admin/"},
    )
