"""Readings of the engine: whether due steps are carried out, and which tickets it cannot handle.

Restricted tickets are left out throughout: whoever looks after the machine is not cleared by that.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from escalation.engine import last_sweep_at
from escalation.explain import duration
from escalation.glance import due_runs
from escalation.models import Quarantine, Silence
from escalation.oversight import LATE, last_oversight_at
from escalation.silence import last_watch_at
from insights.operations.reading import Part, Reading, State, judged
from roles.oncall import duty_on_call

LATE_SWEEP: Final = timedelta(seconds=10)
LATE_WATCH: Final = timedelta(seconds=180)
LATE_OVERSIGHT: Final = timedelta(seconds=120)
MOST: Final = 1000
"""Counts of what waits stop here: whether it is a thousand or more makes no difference at night."""


def engine_part(now: datetime) -> Part:
    """How the engine does at this moment."""
    sweep, watch, look = last_sweep_at(), last_watch_at(), last_oversight_at()
    by_worker, by_sender = mend_worker(), mend_sender()
    readings = [
        pass_reading("last_sweep_s", _("Last sweep"), sweep, now=now, patience=LATE_SWEEP,
                     remedy=by_worker),
        *_due(now),
        pass_reading("last_watch_s", _("Silence watch"), watch, now=now, patience=LATE_WATCH,
                     remedy=by_worker),
        pass_reading("last_oversight_s", _("Oversight by the sender"), look, now=now,
                     patience=LATE_OVERSIGHT, remedy=by_sender),
        _quarantined(),
        _silent(),
        _fallback(now),
    ]  # fmt: skip
    return Part("engine", _("Engine"), readings)


def mend_worker() -> str:
    """What to do when the worker does not get on."""
    return _(
        "Look at the process “worker” and its log, and start it again. Nothing is lost: what is"
        " due is carried out when it runs, the most urgent first."
    )


def mend_sender() -> str:
    """What to do when the sender does not get on."""
    return _(
        "Look at the process “sender” and its log, and start it again. Messages wait in the"
        " database, none is lost."
    )


def pass_reading(
    slug: str,
    label: str,
    at: datetime | None,
    *,
    now: datetime,
    patience: timedelta,
    remedy: str,
) -> Reading:
    """When a loop last finished a pass, and whether that is recent enough."""
    if at is None:
        return Reading(slug, label, _("never"), State.BAD, None, remedy)
    age_s = max(0.0, (now - at).total_seconds())
    state = judged(age_s <= patience.total_seconds())
    words = _("%s ago") % duration(age_s)
    return Reading(slug, label, words, state, age_s, "" if state is State.GOOD else remedy)


def _due(now: datetime) -> list[Reading]:
    rows = due_runs(now).filter(ticket__restricted=False)
    oldest = rows.order_by("next_at").values_list("next_at", flat=True).first()
    late_s = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    is_late = late_s > LATE.total_seconds()
    count = rows.order_by()[:MOST].count() if oldest else 0
    return [
        Reading(
            "oldest_due_s",
            _("Oldest due step"),
            _("late by %s") % duration(late_s) if is_late else _("carried out in time"),
            judged(not is_late),
            late_s,
            mend_worker() if is_late else "",
        ),
        Reading("due_count", _("Due now"), many(count), number=count),
    ]


def many(count: int) -> str:
    """A count in words, as far as it was counted."""
    if count >= MOST:
        return _("%(count)s or more") % {"count": f"{MOST:,}"}
    return f"{count:,}" if count else _("none")


def _quarantined() -> Reading:
    count = held_apart().count()
    remedy = _("Read the reason below, mend its cause, then release the ticket.")
    state = judged(not count)
    label = _("Tickets set aside")
    return Reading("quarantined_count", label, many(count), state, count, remedy if count else "")


def held_apart() -> QuerySet[Quarantine]:
    """The unrestricted tickets that the engine has set aside, the longest first."""
    held = Quarantine.objects.filter(since__isnull=False, ticket__restricted=False)
    return held.select_related("ticket").order_by("since")


def _silent() -> Reading:
    open_spans = Silence.objects.filter(ended_at__isnull=True, ticket__restricted=False)
    count = open_spans.count()
    remedy = _(
        "Nothing would happen on these tickets by itself: publish a policy or a target that fits"
        " them. Incident managers have been told of each."
    )
    label = _("Urgent tickets with nothing to come")
    state = judged(not count, State.WATCH)
    return Reading("silent_count", label, many(count), state, count, remedy if count else "")


def _fallback(now: datetime) -> Reading:
    """Who hears of alarms when nobody else can be reached."""
    people = duty_on_call("incident-manager", now) + duty_on_call("administrator", now)
    label, count = _("Who is told of alarms"), len(set(people))
    if not count:
        remedy = _("Give somebody the duty of incident manager or administrator.")
        return Reading("fallback_count", label, _("nobody"), State.BAD, 0, remedy)
    words = ngettext("%s person", "%s people", count) % count
    return Reading("fallback_count", label, words, State.GOOD, count)
