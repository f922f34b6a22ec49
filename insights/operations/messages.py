"""Readings of the outbox: what waits, what is tried again, what is dead, and how channels do.

Letters that need a clearance are left out; letters with a code are nobody's to see.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils.translation import gettext as _

from escalation.explain import duration
from insights.operations.engine import MOST, many, mend_sender, pass_reading
from insights.operations.reading import Part, Reading, State, judged
from notifications.channels.registry import NAMES
from notifications.delivery import last_delivery_at
from notifications.models import Attempt, Message, MessageState, Outcome
from notifications.spreading import CODE

LATE_DELIVERY: Final = timedelta(seconds=30)
LATE_LETTER: Final = timedelta(minutes=5)
LOOKED_AT: Final = 1000
"""So many of the last tries say how channels do; a table of millions is not read for it."""
RECENT: Final = timedelta(hours=1)
SHOWN: Final = 20
FAILED: Final = (Outcome.FAILED, Outcome.REFUSED, Outcome.INTERRUPTED)


def messages_part(now: datetime) -> Part:
    """How messages leave the house at this moment."""
    queued = Message.objects.filter(state=MessageState.QUEUED, clearance="")
    found = queued.aggregate(
        due=Count("pk", filter=Q(next_attempt_at__lte=now)),
        later=Count("pk", filter=Q(next_attempt_at__gt=now, attempts=0)),
        again=Count("pk", filter=Q(next_attempt_at__gt=now, attempts__gt=0)),
        taken=Count("pk", filter=Q(leased_until__gt=now)),
        oldest=Min("next_attempt_at", filter=Q(next_attempt_at__lte=now)),
    )
    label = _("Last round of the sender")
    round_at = last_delivery_at()
    readings = [
        pass_reading(
            "last_delivery_s",
            label,
            round_at,
            now=now,
            patience=LATE_DELIVERY,
            remedy=mend_sender(),
        ),
        _due(found["due"], found["oldest"], now),
        Reading("leased_count", _("Being sent"), many(found["taken"]), number=found["taken"]),
        Reading("later_count", _("For later"), many(found["later"]), number=found["later"]),
        _retried(found["again"]),
        _dead(),
        *channel_readings(now),
    ]
    return Part("messages", _("Messages"), readings)


def _due(count: int, oldest: datetime | None, now: datetime) -> Reading:
    late_s = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    is_late = late_s > LATE_LETTER.total_seconds()
    words = many(count)
    if count:
        words = _("%(count)s, the oldest for %(time)s") % {"count": words, "time": duration(late_s)}
    remedy = mend_sender() if is_late else ""
    return Reading("due_letters_count", _("To be sent"), words, judged(not is_late), count, remedy)


def _retried(count: int) -> Reading:
    state = judged(not count, State.WATCH)
    remedy = _("They failed and are tried again by themselves; the channels below say which do.")
    label = _("To be tried again")
    return Reading("retried_count", label, many(count), state, count, remedy if count else "")


def dead_letters() -> QuerySet[Message]:
    """The dead letters that an administrator may see, newest first."""
    dead = Message.objects.filter(state=MessageState.DEAD, clearance="").exclude(kind=CODE)
    return dead.select_related("recipient").order_by("-pk")


def _dead() -> Reading:
    count = dead_letters().order_by()[:MOST].count()
    remedy = _("Read why below, mend the cause, then send them again.")
    state = judged(not count)
    label = _("Dead letters")
    return Reading("dead_count", label, many(count), state, count, remedy if count else "")


def channel_readings(now: datetime) -> list[Reading]:
    """How each channel did lately, by the last tries of the past hour; none where none was made."""
    return [_channel(row, now) for row in _tries(now)]


def _tries(now: datetime) -> Sequence[dict[str, Any]]:
    newest = Attempt.objects.order_by("-pk").values("pk")[:LOOKED_AT]
    rows = Attempt.objects.filter(
        pk__in=newest, started_at__gt=now - RECENT, message__clearance=""
    ).exclude(outcome__in=(Outcome.STARTED, Outcome.SKIPPED))
    found: Any = (
        rows.order_by("message__channel")
        .values("message__channel")
        .annotate(
            sent=Count("pk", filter=Q(outcome=Outcome.SENT)),
            failed=Count("pk", filter=Q(outcome__in=FAILED)),
            sent_at=Max("finished_at", filter=Q(outcome=Outcome.SENT)),
            failed_at=Max("finished_at", filter=Q(outcome__in=FAILED)),
        )
    )
    return list(found)


def _channel(row: dict[str, Any], now: datetime) -> Reading:
    """A channel whose last try failed rests between tries; one that mends itself is watched."""
    channel, failed = row["message__channel"], row["failed"]
    sent_at, failed_at = row["sent_at"], row["failed_at"]
    is_down = failed_at is not None and (sent_at is None or failed_at > sent_at)
    state = State.BAD if is_down and failed > 1 else judged(not failed, State.WATCH)
    words = _("%(sent)s sent, %(failed)s failed within the hour") % row
    remedy = ""
    if state is State.BAD:
        ago = duration(max(0.0, (now - failed_at).total_seconds()))
        words = _("%(words)s; the last try failed %(ago)s ago") % {"words": words, "ago": ago}
        remedy = _(
            "The channel rests between tries, and pages go over each person's next way. Look at"
            " its settings and at the service behind it."
        )
    label = _("Channel %s") % NAMES.get(channel, channel)
    return Reading(f"channel_{channel}_failed", label, words, state, failed, remedy)
