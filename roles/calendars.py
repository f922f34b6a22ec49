"""Publishes immutable calendar revisions, and hands out their working time from a cache."""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache

from django.db import transaction

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Calendar, CalendarRevision, Person
from roles.people import require
from roles.refusals import Invalid
from roles.rows import put_row
from roles.worktime import WorkCalendar, check_span
from roles.zones import zone_exists

ROUND_THE_CLOCK = "round-the-clock"
MAX_SPANS = 200
MAX_DAYS_OFF = 2000


@lru_cache(maxsize=1024)
def work_calendar(revision_id: int) -> WorkCalendar:
    """The working time of a revision; kept by this process, since revisions never change.

    Raises CalendarRevision.DoesNotExist.
    """
    revision = CalendarRevision.objects.get(pk=revision_id)
    days_off = [date.fromisoformat(day) for day in revision.days_off]
    return WorkCalendar.build(revision.zone, [_span(s) for s in revision.spans], days_off)


def set_calendar(
    *,
    slug: str,
    name: str,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Calendar:
    """The calendar of that slug, made or renamed; its hours are published.

    Raises Forbidden, and Invalid by field.
    """
    require(actor, "admin")
    values = {"name": name}
    return put_row(Calendar, {"slug": slug}, values, reason=reason, actor=actor, clock=clock)


@transaction.atomic
def round_the_clock() -> int:
    """The id of the calendar revision in which every hour counts, made when first needed."""
    calendar, _ = Calendar.objects.get_or_create(
        slug=ROUND_THE_CLOCK, defaults={"name": "Every hour of the week"}
    )
    revision, is_new = CalendarRevision.objects.get_or_create(
        calendar=calendar,
        number=1,
        defaults={
            "zone": "UTC",
            "spans": [[day, 0, 1440] for day in range(7)],
            "days_off": [],
            "created_at": database_now(),
        },
    )
    if is_new:
        calendar.current = revision
        calendar.save(update_fields=["current"])
    return revision.pk


@transaction.atomic
def publish_calendar(
    *,
    calendar: Calendar,
    zone: str,
    spans: Iterable[Sequence[int]],
    days_off: Iterable[date | str] = (),
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> CalendarRevision:
    """The calendar's new current revision, or its present one when nothing would change.

    New clocks start under it; running ones keep theirs. Raises Forbidden, and Invalid with the
    fields `zone`, `spans` or `days_off`.
    """
    require(actor, "admin")
    hours, days = checked_hours(zone, spans, days_off)
    locked = Calendar.objects.select_for_update().select_related(None).get(pk=calendar.pk)
    present = locked.current
    if present and (present.zone, present.spans, present.days_off) == (zone, hours, days):
        return present
    revision = CalendarRevision.objects.create(
        calendar=locked,
        number=(locked.revisions.order_by("-number").values_list("number", flat=True).first() or 0)
        + 1,
        zone=zone,
        spans=hours,
        days_off=days,
        created_at=clock(),
        created_by=actor,
    )
    locked.current = revision
    locked.save(update_fields=["current"])
    calendar.current = revision
    changes = {"number": revision.number, "zone": zone, "spans": hours, "days_off": days}
    audit.record(
        actor=actor, action="calendar.published", subject=locked, changes=changes, clock=clock
    )
    return revision


def _span(given: Sequence[int]) -> tuple[int, int, int]:
    weekday, start, end = given
    return weekday, start, end


def checked_hours(
    zone: str, spans: Iterable[Sequence[int]], days_off: Iterable[date | str]
) -> tuple[list[list[int]], list[str]]:
    """Spans and days off as they are stored, sorted and each once; raises Invalid by field."""
    problems: dict[str, str] = {}
    hours: list[list[int]] = []
    days: list[str] = []
    if not zone_exists(zone):
        problems["zone"] = f"{zone!r} is not a known time zone; use a name such as Europe/Berlin."
    try:
        hours = sorted(map(list, {_checked_span(span) for span in spans}))
    except (TypeError, ValueError) as trouble:
        problems["spans"] = str(trouble)
    try:
        days = sorted({_iso_day(day) for day in days_off})
    except (TypeError, ValueError) as trouble:
        problems["days_off"] = str(trouble)
    if not hours and "spans" not in problems:
        problems["spans"] = "Give at least one span: no clock could run by hours that never open."
    if len(hours) > MAX_SPANS:
        problems["spans"] = f"At most {MAX_SPANS} spans a week."
    if len(days) > MAX_DAYS_OFF:
        problems["days_off"] = f"At most {MAX_DAYS_OFF} days off."
    if problems:
        raise Invalid("bad_calendar", "These working hours cannot be used.", problems)
    return hours, days


def _checked_span(given: Sequence[int]) -> tuple[int, int, int]:
    parts = list(given)
    if len(parts) != 3 or any(isinstance(p, bool) or not isinstance(p, int) for p in parts):
        raise ValueError(f"{given!r}: use [weekday, start minute, end minute].")
    span = _span(parts)
    check_span(*span)
    return span


def _iso_day(day: date | str) -> str:
    try:
        return date.fromisoformat(day if isinstance(day, str) else date.isoformat(day)).isoformat()
    except (TypeError, ValueError):
        raise ValueError(f"{day!r} is not a day; use a date such as 2026-12-25.") from None
