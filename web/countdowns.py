"""Says how long is left, or how late it is, in words that need no colour."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86400
SOON_SHARE = 0.25
SOON_CAP_S = 4 * HOUR_S


@dataclass(frozen=True)
class Countdown:
    """What a reader needs of one deadline; `tone` is calm, soon, late or paused."""

    tone: str
    text: str
    due_at: datetime | None = None
    soon_at: datetime | None = None


def clock_text(at: datetime) -> str:
    """Hour and minute in the reader's zone; with the day when it is not today, and its year."""
    local, today = timezone.localtime(at), timezone.localtime().date()
    if local.date() == today:
        return date_format(local, "H:i")
    is_near = local.year == today.year
    return date_format(local, _("D j M, H:i") if is_near else _("j M Y, H:i"))


def duration_text(seconds: float) -> str:
    """A length of time in at most two units, rounded down: "45 s", "12 min", "3 h 05 min"."""
    whole = int(max(0.0, seconds))
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min"
    if whole < DAY_S:
        minutes = whole % HOUR_S // MINUTE_S
        return f"{whole // HOUR_S} h {minutes:02d} min" if minutes else f"{whole // HOUR_S} h"
    hours = whole % DAY_S // HOUR_S
    return f"{whole // DAY_S} d {hours} h" if hours else f"{whole // DAY_S} d"


def soon_before(due_at: datetime, target_s: float) -> datetime:
    """From when on a deadline counts as near: the last quarter of it, at most four hours."""
    return due_at - timedelta(seconds=min(target_s * SOON_SHARE, SOON_CAP_S))


def countdown(
    due_at: datetime | None, now: datetime, *, target_s: float = HOUR_S, paused: bool = False
) -> Countdown:
    """What to show of a deadline at `now`; a clock without deadline is shown as having none."""
    if paused:
        return Countdown("paused", _("paused"))
    if due_at is None:
        return Countdown("none", _("none"))
    left = (due_at - now).total_seconds()
    soon_at = soon_before(due_at, target_s)
    if left <= 0:
        words = _("late by %(time)s") % {"time": duration_text(-left)}
        return Countdown("late", words, due_at, soon_at)
    tone = "soon" if now >= soon_at else "calm"
    return Countdown(tone, duration_text(left), due_at, soon_at)


def age_text(at: datetime, now: datetime) -> str:
    """How long ago or ahead an instant is: "just now", "5 min ago", "in 2 h 10 min"."""
    seconds = (now - at).total_seconds()
    if -1 < seconds < 5:
        return _("just now")
    if seconds < 0:
        return _("in %(time)s") % {"time": duration_text(-seconds)}
    return _("%(time)s ago") % {"time": duration_text(seconds)}


def coming_text(at: datetime, now: datetime) -> str:
    """How far ahead an instant is: "in 12 min", and "now" once it has come."""
    seconds = (at - now).total_seconds()
    return _("in %(time)s") % {"time": duration_text(seconds)} if seconds >= 1 else _("now")
