"""Publishes immutable calendar revisions, and hands out their working time from a cache.

A revision stores the public holidays of its country expanded into days, for a stated range of
years, so that a later version of the library never changes what a revision once meant.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import transaction

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Calendar, CalendarRevision, Person
from roles.people import require
from roles.public_holidays import expand
from roles.refusals import Invalid
from roles.rows import put_row
from roles.worktime import FIRST_YEAR, LAST_YEAR, NeverOpen, WorkCalendar, check_span
from roles.zones import zone_exists

ROUND_THE_CLOCK = "round-the-clock"
MAX_SPANS = 200
MAX_DAYS_OFF = 2000
YEARS_BACK, YEARS_AHEAD, MAX_YEARS = 1, 5, 30
CENTURY = timedelta(days=36_525)
WARN_BEFORE = timedelta(days=365)
# Open for less, a target of a year would lie beyond every year that is known (2200).
LEAST_A_YEAR_S = 52 * 3600


@dataclass(frozen=True)
class PublicHolidays:
    """Whose public holidays a calendar keeps closed.

    `years` is the first and the last year to store; None stores last year and the next five, and
    keeps a stored range as long as it reaches a year ahead.
    """

    country: str
    region: str = ""
    years: tuple[int, int] | None = None


@lru_cache(maxsize=1024)
def work_calendar(revision_id: int) -> WorkCalendar:
    """The working time of a revision; kept by this process, since revisions never change.

    Public holidays and own days off are closed, but for the days that are worked all the same.
    Raises CalendarRevision.DoesNotExist.
    """
    revision = CalendarRevision.objects.get(pk=revision_id)
    return WorkCalendar.build(
        revision.zone, [_span(s) for s in revision.spans], closed_days(revision)
    )


def closed_days(revision: CalendarRevision) -> list[date]:
    """Every day that the revision closes, in order: public holidays and own days, less worked."""
    found = {*revision.days_off, *(day for day, _ in revision.holidays)} - {*revision.open_days}
    return [date.fromisoformat(day) for day in sorted(found)]


def comes_in_time(calendar: Calendar, seconds: int) -> bool:
    """Whether so many working seconds pass by this calendar within a hundred years of its revision.

    Beyond the years that are known (up to 2200) no deadline could be given at all.
    """
    current = calendar.current
    if current is None:
        return True
    start = current.created_at
    try:
        return work_calendar(current.pk).add(start, seconds) <= start + CENTURY
    except NeverOpen:
        return False


def running_out(now: datetime) -> list[Calendar]:
    """The calendars in force whose stored public holidays end within a year, soonest first."""
    last_known = (now + WARN_BEFORE).year
    found = Calendar.objects.filter(current__last_year__lt=last_known).select_related("current")
    return list(found.order_by("current__last_year", "name"))


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
    open_days: Iterable[date | str] = (),
    holidays: PublicHolidays | None = None,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> CalendarRevision:
    """The calendar's new current revision, or its present one when nothing would change.

    Own `days_off` add to the public holidays and `open_days` take away from them. New clocks start
    under the revision; running ones keep theirs. Raises Forbidden, and Invalid with the fields
    `zone`, `spans`, `days_off`, `open_days`, `country`, `region` or `years`; hours that are open
    for less than 52 hours in one of the coming years are refused, since a deadline by them might
    lie beyond all years that are known.
    """
    require(actor, "admin")
    hours, days = checked_hours(zone, spans, days_off)
    locked = Calendar.objects.select_for_update().select_related(None).get(pk=calendar.pk)
    now, present = clock(), locked.current
    stored = {
        "zone": zone,
        "spans": hours,
        "days_off": days,
        "open_days": _checked_days("open_days", open_days),
        **_expanded(holidays, present, now.year),
    }
    if present and all(getattr(present, name) == value for name, value in stored.items()):
        return present
    newest = locked.revisions.order_by("-number").values_list("number", flat=True).first()
    revision = CalendarRevision(
        calendar=locked, number=(newest or 0) + 1, created_at=now, created_by=actor, **stored
    )
    _check_open_enough(revision, now.year)
    revision.save()
    locked.current = revision
    locked.save(update_fields=["current"])
    calendar.current = revision
    changes = {"number": revision.number, **stored}
    audit.record(
        actor=actor, action="calendar.published", subject=locked, changes=changes, clock=clock
    )
    return revision


def _expanded(
    wanted: PublicHolidays | None, present: CalendarRevision | None, this_year: int
) -> dict[str, Any]:
    """The columns of a revision that hold the public holidays; raises Invalid by field."""
    if wanted is None or not wanted.country:
        return {
            "country": "",
            "region": "",
            "first_year": None,
            "last_year": None,
            "holidays": [],
        }
    first, last = wanted.years or _range_of(wanted, present, this_year)
    if not FIRST_YEAR <= first <= last <= LAST_YEAR or last - first >= MAX_YEARS:
        problem = {"years": f"Store 1 to {MAX_YEARS} years between {FIRST_YEAR} and {LAST_YEAR}."}
        raise Invalid("bad_calendar", "These working hours cannot be used.", problem)
    try:
        found = expand(wanted.country, wanted.region, first, last)
    except ValueError as trouble:
        field = "region" if "region" in str(trouble) else "country"
        problem = {field: str(trouble)}
        raise Invalid("bad_calendar", "These holidays cannot be used.", problem) from None
    return {
        "country": wanted.country,
        "region": wanted.region,
        "first_year": first,
        "last_year": last,
        "holidays": [[day.isoformat(), name] for day, name in found],
    }


def _range_of(
    wanted: PublicHolidays, present: CalendarRevision | None, this_year: int
) -> tuple[int, int]:
    """The stored range as long as it does, so that publishing again changes nothing by itself."""
    fresh = this_year - YEARS_BACK, this_year + YEARS_AHEAD
    if present is None or (present.country, present.region) != (wanted.country, wanted.region):
        return fresh
    if present.first_year is None or present.last_year is None or present.last_year <= this_year:
        return fresh
    return present.first_year, present.last_year


def _check_open_enough(revision: CalendarRevision, this_year: int) -> None:
    """Refuse hours by which a deadline could lie beyond every year that is known."""
    calendar = WorkCalendar.build(
        revision.zone, [_span(s) for s in revision.spans], closed_days(revision)
    )
    last = max([this_year + 1, *(day.year for day in calendar.days_off)])
    for year in range(this_year, min(last + 1, LAST_YEAR - 1) + 1):
        ends = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        if calendar.measure(*ends) < LEAST_A_YEAR_S:
            problem = {"spans": f"Open for less than 52 hours in {year}: no deadline would come."}
            raise Invalid("bad_calendar", "These working hours cannot be used.", problem)


def _checked_days(field: str, given: Iterable[date | str]) -> list[str]:
    try:
        return sorted({_iso_day(day) for day in given})
    except (TypeError, ValueError) as trouble:
        raise Invalid(
            "bad_calendar", "These working hours cannot be used.", {field: str(trouble)}
        ) from None


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
