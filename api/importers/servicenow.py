"""Reads a ServiceNow incident or audit export: rows in, incident histories out; pure.

One row is the record as it stood after one update. Missing values are `?` or empty. The columns
`closed_code`, `resolved_at` and `closed_at` are filled in backwards on every row of a case: whoever
uses them must not let them act before their time.
"""

import csv
import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from pathlib import Path
from sys import intern
from typing import IO, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tickets import states

NEEDED = (
    "number",
    "incident_state",
    "opened_at",
    "sys_updated_at",
    "sys_mod_count",
    "caller_id",
    "impact",
    "urgency",
    "priority",
    "assignment_group",
)
"""Without these columns a file is no incident history; all others may be missing."""

MISSING = frozenset({"?", "", "NULL", "null"})
LONGEST = 100
LONGEST_SUBJECT = 250

STATES: Mapping[str, str] = {
    "New": states.WAITING,
    "Active": states.IN_PROGRESS,
    "In Progress": states.IN_PROGRESS,
    "Work in Progress": states.IN_PROGRESS,
    "Awaiting User Info": states.PENDING_REQUESTER,
    # Evidence comes from whoever has the fault.
    "Awaiting Evidence": states.PENDING_REQUESTER,
    "On Hold": states.PENDING_REQUESTER,
    "Awaiting Vendor": states.PENDING_VENDOR,
    "Awaiting Change": states.PENDING_CHANGE,
    # A problem's cause is removed by a change; until then nobody can go on.
    "Awaiting Problem": states.PENDING_CHANGE,
    "Resolved": states.RESOLVED,
    "Closed": states.CLOSED,
    "Canceled": states.CANCELLED,
    "Cancelled": states.CANCELLED,
}
"""The export's states and ours; any other state leaves the one before in force."""

_NUMBER = re.compile(r"[A-Z]{2,6}\d{3,}")
_LEVEL = re.compile(r"([1-5])\s*-\s*[A-Za-z]+")
_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2})(?::(\d{2}))?")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2})(?::(\d{2}))?")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")


class BadExport(Exception):
    """The file as a whole cannot be read; the text says why."""


class BadRow(Exception):
    """One row cannot be used; the text says why."""


class Row(NamedTuple):
    """One state of one incident, in our words; "" and None where the export says nothing."""

    line: int
    number: str
    state: str
    status: str | None
    update: int
    updated_at: datetime
    updated_by: str
    group: str
    assignee: str
    impact: int
    urgency: int
    priority: int
    category: str
    subcategory: str
    caller: str
    opened_by: str
    opened_at: datetime
    contact: str
    location: str
    symptom: str
    asset: str
    subject: str
    reopens: int
    made_sla: bool | None
    closed_code: str
    resolved_at: datetime | None


class Reject(NamedTuple):
    """A row that was left out, or of which something was; `line` counts the header as 1."""

    line: int
    number: str
    reason: str


@dataclass(slots=True)
class Export:
    """What a file held: the good rows by incident in order of time, and what was wrong."""

    sha256: str
    rows: int = 0
    incidents: dict[str, list[Row]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    notes: list[Reject] = field(default_factory=list)


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name or of a fixed offset such as +02:00. Raises BadExport."""
    if match := _OFFSET.fullmatch(name):
        sign, hours, minutes = match.groups()
        span = timedelta(hours=int(hours), minutes=int(minutes))
        if span < timedelta(hours=24):
            return timezone(span if sign == "+" else -span)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise BadExport(
            f"{name!r} is no known time zone; use a name such as Europe/Berlin, or +02:00."
        ) from problem


def read(path: Path, zone: tzinfo) -> Export:
    """Everything in a CSV file, plain or gzipped; times are read in `zone` and kept in UTC.

    Raises BadExport when it is no such file or ends in the middle.
    """
    try:
        with path.open("rb") as raw:
            export = Export(hashlib.file_digest(raw, "sha256").hexdigest())
        with opened(path) as text:
            _read_rows(csv.reader(text), zone, export)
    except (OSError, EOFError, UnicodeError) as problem:
        raise BadExport(f"{path} cannot be read: {problem}") from problem
    for rows in export.incidents.values():
        rows.sort(key=lambda row: (row.updated_at, row.update))
    return export


def opened(path: Path) -> IO[str]:
    """The file as text, unpacked if it is gzipped; what is no UTF-8 is replaced."""
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
    if zipped:
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _read_rows(reader: "Iterator[list[str]]", zone: tzinfo, export: Export) -> None:
    header = [name.strip() for name in next(reader, [])]
    if absent := [name for name in NEEDED if name not in header]:
        raise BadExport("This is no incident history: no column " + ", ".join(absent) + ".")
    places = {name: place for place, name in enumerate(header)}
    dates = _Dates(zone)
    while True:
        # Every csv reader has line_num; the iterator type it is passed as does not say so.
        line = reader.line_num + 1  # type: ignore[attr-defined]
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            export.rows += 1
            export.rejects.append(Reject(line, "", f"not readable as CSV: {problem}"))
            continue
        if values:
            _take(values, line, places, dates, export)


def _take(
    values: list[str], line: int, places: Mapping[str, int], dates: "_Dates", export: Export
) -> None:
    export.rows += 1
    number = _shown(values[places["number"]]) if len(values) > places["number"] else ""
    try:
        if len(values) != len(places):
            raise BadRow(f"{len(values)} columns instead of {len(places)}")
        row = _row(_Cells(values, places), line, dates)
    except BadRow as problem:
        export.rejects.append(Reject(line, number, str(problem)))
        return
    if row.status is None:
        reason = f"unknown state {row.state or 'missing'}; the state before it was kept"
        export.notes.append(Reject(line, number, reason))
    export.incidents.setdefault(row.number, []).append(row)


class _Cells:
    """One row's values by column, blanks folded; "" for what is missing."""

    __slots__ = ("_places", "_values")

    def __init__(self, values: list[str], places: Mapping[str, int]) -> None:
        self._values, self._places = values, places

    def __getitem__(self, name: str) -> str:
        place = self._places.get(name)
        if place is None:
            return ""
        found = _folded(self._values[place])
        if isinstance(found, str):
            return found
        raise BadRow(f"{name} {found[0]}")

    def long(self, name: str) -> str:
        """A column of free text, cut to the length of a subject."""
        place = self._places.get(name)
        value = "" if place is None else " ".join(self._values[place].split())[:LONGEST_SUBJECT]
        return "" if value in MISSING else value.replace("\x00", "")


@lru_cache(maxsize=100_000)
def _folded(value: str) -> str | tuple[str]:
    """The value with its blanks folded, "" for a missing one; what is wrong with it in a tuple."""
    folded = " ".join(value.split())
    if folded in MISSING:
        return ""
    if len(folded) > LONGEST:
        return (f"is longer than {LONGEST} characters",)
    if "\x00" in folded:
        return ("has a NUL character",)
    return intern(folded)


def _row(cells: _Cells, line: int, dates: "_Dates") -> Row:
    number = cells["number"]
    if not _NUMBER.fullmatch(number):
        raise BadRow(f"number {_shown(number)!r} is no incident number such as INC0000045")
    opened_at = dates.needed("opened_at", cells["opened_at"])
    updated_at = dates.needed("sys_updated_at", cells["sys_updated_at"])
    closed_at = dates.optional("closed_at", cells["closed_at"])
    if closed_at is not None and closed_at < opened_at:
        raise BadRow("closed before it was opened")
    state = cells["incident_state"]
    return Row(
        line=line,
        number=number,
        state=state,
        status=STATES.get(state),
        update=_count("sys_mod_count", cells["sys_mod_count"]),
        updated_at=updated_at,
        updated_by=cells["sys_updated_by"],
        group=cells["assignment_group"],
        assignee=cells["assigned_to"],
        impact=_level("impact", cells["impact"], 3),
        urgency=_level("urgency", cells["urgency"], 3),
        priority=_level("priority", cells["priority"], 5),
        category=cells["category"],
        subcategory=cells["subcategory"],
        caller=cells["caller_id"],
        opened_by=cells["opened_by"],
        opened_at=opened_at,
        contact=cells["contact_type"],
        location=cells["location"],
        symptom=cells["u_symptom"],
        asset=cells["cmdb_ci"],
        subject=cells.long("short_description"),
        reopens=_count("reopen_count", cells["reopen_count"] or "0"),
        made_sla={"true": True, "false": False}.get(cells["made_sla"].lower()),
        closed_code=cells["closed_code"],
        resolved_at=dates.optional("resolved_at", cells["resolved_at"]),
    )


def _level(name: str, text: str, highest: int) -> int:
    """The number in "2 - Medium"; a bare number has lost its letters on the way."""
    match = _LEVEL.fullmatch(text)
    if match is None or int(match[1]) > highest:
        raise BadRow(f"{name} {_shown(text)!r} is not of the form 2 - Medium")
    return int(match[1])


def _count(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise BadRow(f"{name} {_shown(text)!r} is no number")
    return int(text)


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text.strip())[:40]


class _Dates:
    """Reads d/m/yyyy hh:mm, or ISO, in one zone; the same minute is read once."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._parse = lru_cache(maxsize=200_000)(self._read)

    def optional(self, name: str, text: str) -> datetime | None:
        return self.needed(name, text) if text else None

    def needed(self, name: str, text: str) -> datetime:
        found = self._parse(text)
        if found is None:
            raise BadRow(f"{name} {_shown(text)!r} is no date such as 29/2/2016 01:16")
        return found

    def _read(self, text: str) -> datetime | None:
        if match := _DAY_FIRST.fullmatch(text):
            day, month, year, *time = match.groups(default="0")
        elif match := _ISO.fullmatch(text):
            year, month, day, *time = match.groups(default="0")
        else:
            return None
        try:
            local = datetime(int(year), int(month), int(day), *map(int, time), tzinfo=self._zone)
            return local.astimezone(UTC)
        except (ValueError, OverflowError):
            return None
