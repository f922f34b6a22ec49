"""Writes and reads on-call shifts as iCalendar (RFC 5545), without a database.

The person of an event stands in its ATTENDEE: by e-mail, and always by user name in the
parameter X-TIERLINE-USER, so that a feed read back names the same people.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

PRODUCT = "-//Tierline//On call//EN"
USER = "X-TIERLINE-USER"
MAX_BYTES = 2_000_000
MAX_EVENTS = 5_000


@dataclass(frozen=True)
class Entry:
    """One shift as a calendar shows it; `key` stays the same for the same shift."""

    key: str
    start: datetime
    end: datetime
    name: str
    username: str
    email: str
    what: str


@dataclass(frozen=True)
class Found:
    """One event of a file, recurrences unrolled: who it names, if anybody, and when."""

    start: datetime
    end: datetime
    username: str
    email: str
    summary: str


def write_calendar(name: str, entries: Iterable[Entry], made_at: datetime) -> bytes:
    """The shifts as one iCalendar file in UTC; the same shifts give the same events."""
    book = icalendar.Calendar()
    book.add("prodid", PRODUCT)
    book.add("version", "2.0")
    book.add("method", "PUBLISH")
    book.add("x-wr-calname", name)
    for entry in entries:
        event = icalendar.Event()
        event.add("uid", entry.key)
        event.add("dtstamp", made_at.astimezone(UTC))
        event.add("dtstart", entry.start.astimezone(UTC))
        event.add("dtend", entry.end.astimezone(UTC))
        event.add("summary", f"{entry.name}: {entry.what}")
        # An address is required; whoever has no e-mail gets one that leads nowhere.
        attendee = icalendar.vCalAddress(f"mailto:{entry.email or 'nobody@invalid'}")
        attendee.params["CN"] = icalendar.vText(entry.name)
        attendee.params[USER] = icalendar.vText(entry.username)
        event.add("attendee", attendee, encode=False)
        book.add_component(event)
    return bytes(book.to_ical())


def read_events(text: bytes, start: datetime, end: datetime, zone: str) -> list[Found]:
    """The events of a file between two instants, in order of time, recurrences unrolled.

    Times without a zone, and whole days, are meant in `zone`. Raises ValueError with a sentence
    for what is no iCalendar file, or too large a one.
    """
    if len(text) > MAX_BYTES:
        raise ValueError(f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        book = icalendar.Calendar.from_ical(text)
        events = recurring_ical_events.of(book).between(start, end)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as trouble:
        raise ValueError(f"This is not a readable iCalendar file: {trouble}") from None
    if len(events) > MAX_EVENTS:
        raise ValueError(f"More than {MAX_EVENTS} events; give a shorter range.")
    found = [_found(event, ZoneInfo(zone)) for event in events]
    return sorted(found, key=lambda each: (each.start, each.end, each.username, each.email))


def _found(event: Any, zone: ZoneInfo) -> Found:
    attendees = event.get("ATTENDEE") or event.get("ORGANIZER") or []
    first = (attendees if isinstance(attendees, list) else [attendees])[:1]
    address = str(first[0]) if first else ""
    email = address[len("mailto:") :] if address.lower().startswith("mailto:") else ""
    starts, ends = event.start, event.end
    return Found(
        start=_instant(starts, zone),
        end=_instant(ends, zone),
        username=str(first[0].params.get(USER, "")) if first else "",
        email="" if email.endswith("@invalid") else email,
        summary=str(event.get("SUMMARY", "")),
    )


def _instant(moment: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.min)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)
