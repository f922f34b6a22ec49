"""Reads the stories of many tickets at once: nine statements, however many there are."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from escalation import sla
from escalation.bill import Stays, bill_of, stays
from escalation.clock import Fact
from escalation.models import Clock, Engagement, Escalation, Firing, Run
from insights.figures.story import (
    HANDOVER_RATED,
    About,
    ClockFact,
    Happening,
    PageFact,
    Story,
    tell,
)
from notifications.models import Message
from roles.calendars import work_calendar
from roles.worktime import WorkCalendar
from tickets.models import EventKind, Ticket, TimelineEvent

NIGHT_ENDS: Final = 7
NIGHT_BEGINS: Final = 22
READ: Final = tuple(
    sorted(
        (set(sla.CLOCK_EVENTS) - {EventKind.COMMENTED})
        | {
            EventKind.ACKNOWLEDGED,
            EventKind.CHASED,
            EventKind.ARTICLE_USED,
            EventKind.RATED,
            HANDOVER_RATED,
        }
    )
)
"""The events that figures follow from; remarks are most of a timeline, and none of them is."""
COLUMNS: Final = (
    *("pk", "kind", "priority", "source", "service_id", "category_id", "restricted", "status"),
    *("opened_at", "began_at", "detected_at", "resolution_code", "resolution", "merged_into_id"),
    "last_seq",
)
Heads = dict[int, int]
"""By ticket id, the last event that was there when it was read."""


def read_stories(ticket_ids: Sequence[int]) -> tuple[list[Story], Heads]:
    """The stories of these tickets, in order of their ids, and up to which event each is told."""
    rows = Ticket.objects.filter(pk__in=ticket_ids).order_by("pk").values(*COLUMNS)
    found = [(row.pop("last_seq"), _about(row)) for row in rows]
    heads = {about.ticket_id: seq for seq, about in found}
    told, facts = _timelines(ticket_ids, heads)
    clocks = _clocks(ticket_ids, facts)
    pages = _pages(ticket_ids)
    owed = _owed(ticket_ids)
    climbs, steps = _climbs(ticket_ids), _steps(ticket_ids)
    stories = []
    for _, about in found:
        story = tell(about, told.get(about.ticket_id, ()))
        story.clocks = clocks.get(about.ticket_id, ())
        story.pages = pages.get(about.ticket_id, ())
        story.owed = owed.get(about.ticket_id, ())
        story.climbs = climbs.get(about.ticket_id, ())
        story.steps = steps.get(about.ticket_id, ())
        story.calendars = _calendars(story)
        stories.append(story)
    return stories, heads


def _about(row: Mapping[str, Any]) -> About:
    return About(
        ticket_id=row["pk"],
        kind=row["kind"],
        priority=row["priority"],
        source=row["source"],
        service=row["service_id"] or 0,
        category=row["category_id"] or 0,
        restricted=row["restricted"],
        status=row["status"],
        opened_at=row["opened_at"],
        began_at=row["began_at"],
        detected_at=row["detected_at"],
        resolution_code=row["resolution_code"],
        has_resolution=bool(row["resolution"]),
        merged=row["merged_into_id"] is not None,
    )


def _timelines(
    ticket_ids: Sequence[int], heads: Heads
) -> tuple[dict[int, list[Happening]], dict[int, list[Fact]]]:
    """Every ticket's events as the figures see them, and as a bill does."""
    rows = TimelineEvent.objects.filter(ticket__in=ticket_ids, kind__in=READ)
    columns = ("ticket_id", "seq", "at", "kind", "is_public", "canonical")
    told: dict[int, list[Happening]] = {}
    facts: dict[int, list[Fact]] = {}
    ordered = rows.order_by("ticket_id", "seq").values_list(*columns)
    for ticket_id, seq, at, kind, is_public, canonical in ordered.iterator():
        if seq > heads.get(ticket_id, 0):
            continue
        about = orjson.loads(canonical)["facts"]
        told.setdefault(ticket_id, []).append(Happening(at, kind, about))
        facts.setdefault(ticket_id, []).append(sla.fact_from(at, kind, about, is_public=is_public))
    return told, facts


def _clocks(
    ticket_ids: Sequence[int], facts: Mapping[int, Sequence[Fact]]
) -> dict[int, list[ClockFact]]:
    """The cycles that are over or were missed; only a cycle that has ended is billed."""
    vendors = _vendors(ticket_ids)
    found: dict[int, list[ClockFact]] = {}
    been: dict[int, Stays] = {}
    rows = Clock.objects.filter(ticket__in=ticket_ids).order_by("ticket_id", "kind", "cycle")
    for row in rows.iterator():
        if row.stopped_at is None and row.breached_at is None:
            continue
        bill = None
        if row.breached_at is not None and row.stopped_at is not None:
            if row.ticket_id not in been:
                been[row.ticket_id] = stays(facts.get(row.ticket_id, ()))
            calendar = work_calendar(row.calendar_id)
            bill = bill_of(sla.cycle_of(row), calendar, been[row.ticket_id], row.stopped_at)
        engaged = vendors.get(row.ticket_id, ())
        fact = ClockFact(
            kind=row.kind,
            team=row.team_id or 0,
            ended_as=row.ended_as,
            stopped_at=row.stopped_at,
            breached_at=row.breached_at,
            vendor=_vendor_at(engaged, row.started_at),
            bill=bill,
        )
        found.setdefault(row.ticket_id, []).append(fact)
    return found


def _vendors(ticket_ids: Sequence[int]) -> dict[int, list[tuple[datetime, int]]]:
    rows = Engagement.objects.filter(ticket__in=ticket_ids).order_by("ticket_id", "engaged_at")
    found: dict[int, list[tuple[datetime, int]]] = {}
    for ticket_id, at, vendor_id in rows.values_list("ticket_id", "engaged_at", "vendor_id"):
        found.setdefault(ticket_id, []).append((at, vendor_id))
    return found


def _vendor_at(engaged: Sequence[tuple[datetime, int]], at: datetime) -> int:
    return next((vendor for since, vendor in reversed(engaged) if since <= at), 0)


def _pages(ticket_ids: Sequence[int]) -> dict[int, list[PageFact]]:
    """Each call to each person once, whatever the channels, at its first message."""
    topics = [f"ticket:{ticket_id}" for ticket_id in ticket_ids]
    rows = Message.objects.filter(topic__in=topics, kind="page").order_by("pk")
    columns = ("topic", "cause", "recipient_id", "recipient__zone", "created_at")
    seen: set[tuple[str, str, int]] = set()
    found: dict[int, list[PageFact]] = {}
    for topic, cause, person, zone, at in rows.values_list(*columns):
        if (topic, cause, person) not in seen:
            seen.add((topic, cause, person))
            day, is_night = night_of(at, zone)
            fact = PageFact(person, at, day, is_night)
            found.setdefault(int(topic.partition(":")[2]), []).append(fact)
    return found


def night_of(at: datetime, zone: str) -> tuple[date, bool]:
    """The local day of a call, and whether it came at night: from 22 to 7 by the person's clock.

    What comes before 7 in the morning belongs to the night of the day before.
    """
    there = at.astimezone(_zone(zone))
    if there.hour < NIGHT_ENDS:
        return there.date() - timedelta(days=1), True
    return there.date(), there.hour >= NIGHT_BEGINS


@lru_cache(maxsize=500)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _owed(ticket_ids: Sequence[int]) -> dict[int, list[tuple[datetime, int, int, bool]]]:
    """Hand-overs for which a contract asked for something, and whether that is still owed."""
    rows = Escalation.objects.filter(ticket__in=ticket_ids, to_team__isnull=False)
    asked = rows.exclude(answers={}, owed=[], owed_at=None).order_by("ticket_id", "pk")
    columns = ("ticket_id", "opened_at", "from_team_id", "to_team_id", "owed")
    found: dict[int, list[tuple[datetime, int, int, bool]]] = {}
    for ticket_id, at, sender, receiver, owed in asked.values_list(*columns):
        found.setdefault(ticket_id, []).append((at, sender, receiver or 0, bool(owed)))
    return found


def _climbs(ticket_ids: Sequence[int]) -> dict[int, list[tuple[datetime, int]]]:
    rows = Run.objects.filter(ticket__in=ticket_ids, is_main=True).order_by("started_at", "pk")
    found: dict[int, list[tuple[datetime, int]]] = {}
    for ticket_id, at, policy in rows.values_list("ticket_id", "started_at", "policy_id"):
        found.setdefault(ticket_id, []).append((at, policy))
    return found


def _steps(ticket_ids: Sequence[int]) -> dict[int, list[tuple[datetime, int]]]:
    fired = Firing.objects.filter(run__ticket__in=ticket_ids, outcome=Firing.Outcome.FIRED)
    columns = ("run__ticket_id", "fired_at", "run__policy_id")
    found: dict[int, list[tuple[datetime, int]]] = {}
    for ticket_id, at, policy in fired.order_by("pk").values_list(*columns):
        found.setdefault(ticket_id, []).append((at, policy))
    return found


def _calendars(story: Story) -> dict[int, WorkCalendar]:
    numbers: Iterable[int] = {pk for stay in story.stays for pk in stay.calendars.values()}
    return {number: work_calendar(number) for number in numbers}
