"""Reads any ticket export by a mapping, as JSM's or one's own, into the rows of a history; pure.

A mapping says which column is which field, and which of their words are which of ours. A ticket may
have one row for each of its updates, as it stood after it, or one row in all: then it is opened,
and stands from its last time on as the row says.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final

import yaml

from api.importers.fields import inner, items, text
from api.importers.servicenow import BadExport, BadRow, Export, Reject, Row, opened
from tickets import states

FIELDS: Final = (
    *("number", "state", "opened_at", "updated_at", "updated_by", "group", "assignee"),
    *("priority", "category", "subcategory", "caller", "opened_by", "contact", "subject"),
    *("asset", "resolution", "resolved_at", "closed_at"),
)
NEEDED: Final = ("number", "opened_at")
OURS: Final = {
    "waiting": states.WAITING,
    "in_progress": states.IN_PROGRESS,
    "pending_requester": states.PENDING_REQUESTER,
    "pending_vendor": states.PENDING_VENDOR,
    "pending_change": states.PENDING_CHANGE,
    "resolved": states.RESOLVED,
    "closed": states.CLOSED,
    "cancelled": states.CANCELLED,
}
"""The words of a mapping for our statuses."""
LEVELS: Final = {1: (1, 1), 2: (1, 2), 3: (2, 2), 4: (2, 3), 5: (3, 3)}
"""Impact and urgency that our matrix makes this priority of, where an export has only that."""
FORMATS: Final = (
    *("%d/%b/%y %I:%M %p", "%d/%b/%Y %I:%M %p", "%d/%b/%y %H:%M", "%d/%b/%Y %H:%M"),
    *("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p"),
)
DEFAULT_PRIORITY: Final = 3
LONGEST: Final = 100
JSM: Final[dict[str, Any]] = {
    "columns": {
        "number": "Issue key",
        "state": "Status",
        "opened_at": "Created",
        "updated_at": "Updated",
        "group": "Project name",
        "assignee": "Assignee",
        "priority": "Priority",
        "category": "Issue Type",
        "caller": "Reporter",
        "opened_by": "Creator",
        "subject": "Summary",
        "resolution": "Resolution",
        "resolved_at": "Resolved",
    },
    "states": {
        "Open": "waiting",
        "To Do": "waiting",
        "Reopened": "waiting",
        "Waiting for support": "waiting",
        "In Progress": "in_progress",
        "Work in progress": "in_progress",
        "Escalated": "in_progress",
        "Under investigation": "in_progress",
        "Waiting for customer": "pending_requester",
        "Pending": "pending_requester",
        "Waiting for approval": "pending_change",
        "Awaiting implementation": "pending_change",
        "Waiting for vendor": "pending_vendor",
        "Resolved": "resolved",
        "Completed": "resolved",
        "Done": "closed",
        "Closed": "closed",
        "Canceled": "cancelled",
        "Cancelled": "cancelled",
        "Declined": "cancelled",
    },
    "priorities": {
        "Blocker": 1,
        "Highest": 1,
        "Critical": 1,
        "High": 2,
        "Major": 2,
        "Medium": 3,
        "Low": 4,
        "Minor": 4,
        "Lowest": 5,
        "Trivial": 5,
    },
}
"""JSM's own words, by which its export is read; a mapping file changes or adds to them."""


@dataclass(frozen=True, slots=True)
class Legend:
    """Which column is which field, and what their words mean."""

    columns: Mapping[str, str]
    states: Mapping[str, str] = field(default_factory=dict)
    priorities: Mapping[str, int] = field(default_factory=dict)
    dates: tuple[str, ...] = ()

    def status(self, word: str) -> str | None:
        """Our status for their word; None for one that nobody has mapped."""
        return self.states.get(word.lower())


def read_mapping(path: Path | None, base: Mapping[str, Any] | None = None) -> Legend:
    """The mapping of a YAML file, on top of a known one. Raises BadExport, by what is wrong."""
    given: Any = {}
    if path is not None:
        try:
            given = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeError, yaml.YAMLError) as problem:
            raise BadExport(f"{path} cannot be read: {problem}") from problem
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise BadExport(f"{path} must be a mapping with columns, states and priorities.")
    parts = {name: {**(base or {}).get(name, {})} for name in ("columns", "states", "priorities")}
    for name, held in parts.items():
        found = given.get(name) or {}
        if not isinstance(found, dict):
            raise BadExport(f"{path}: {name} must be a mapping.")
        held.update({str(key): value for key, value in found.items()})
    if unknown := sorted(set(given) - {*parts, "dates"}):
        raise BadExport(f"{path}: unknown: {', '.join(unknown)}.")
    _check(parts, path)
    dates = given.get("dates") or ()
    return Legend(
        columns={name: str(column) for name, column in parts["columns"].items()},
        states={word.lower(): OURS[status] for word, status in parts["states"].items()},
        priorities={word.lower(): int(level) for word, level in parts["priorities"].items()},
        dates=tuple(map(str, dates if isinstance(dates, list) else [dates])),
    )


def _check(parts: Mapping[str, Mapping[str, Any]], path: Path | None) -> None:
    where = path or "The mapping"
    if unknown := sorted(set(parts["columns"]) - set(FIELDS)):
        raise BadExport(f"{where}: no fields: {', '.join(unknown)}; there are {', '.join(FIELDS)}.")
    if lacking := [name for name in NEEDED if not parts["columns"].get(name)]:
        raise BadExport(f"{where}: name the columns of {', '.join(lacking)}.")
    for word, status in parts["states"].items():
        if status not in OURS:
            raise BadExport(f"{where}: {word} is none of {', '.join(OURS)}: {status}.")
    for word, level in parts["priorities"].items():
        if isinstance(level, bool) or level not in LEVELS:
            raise BadExport(f"{where}: the priority of {word} is 1 to 5, not {level}.")


def read(path: Path, zone: tzinfo, mapping: Legend) -> Export:
    """Everything in a CSV file, or in the JSON of JSM's search. Raises BadExport."""
    try:
        with path.open("rb") as raw:
            export = Export(hashlib.file_digest(raw, "sha256").hexdigest())
            raw.seek(0)
            is_json = raw.read(64).lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"[")
        with opened(path) as lines:
            records = _issues(json.load(lines), mapping) if is_json else _records(lines, mapping)
            _take(records, zone, mapping, export)
    except (OSError, EOFError, UnicodeError, ValueError, RecursionError, csv.Error) as problem:
        raise BadExport(f"{path} cannot be read: {problem}") from problem
    for number, rows in export.incidents.items():
        rows.sort(key=lambda row: (row.updated_at, row.update))
        export.incidents[number] = _numbered(rows if len(rows) > 1 else _told_apart(rows[0]))
    return export


Record = tuple[int, Mapping[str, str]]
"""A line of the file, and what it says by the names of our fields."""


def _records(lines: Iterable[str], mapping: Legend) -> Iterator[Record]:
    reader = csv.reader(lines)
    header = [name.strip() for name in next(reader, [])]
    absent = [name for name in NEEDED if mapping.columns[name] not in header]
    if absent:
        raise BadExport(
            "This is no such export: no column "
            + ", ".join(f"{mapping.columns[name]!r} ({name})" for name in absent)
            + "."
        )
    places = {
        name: header.index(column) for name, column in mapping.columns.items() if column in header
    }
    for values in reader:
        if values:
            held = {name: values[at] for name, at in places.items() if at < len(values)}
            yield reader.line_num, held


def _take(records: Iterable[Record], zone: tzinfo, mapping: Legend, export: Export) -> None:
    for line, said in records:
        export.rows += 1
        number = " ".join(said.get("number", "").split())[:40]
        try:
            row = _row(line, number, said, zone, mapping)
        except BadRow as problem:
            export.rejects.append(Reject(line, number, str(problem)))
            continue
        if row.status is None and row.state:
            reason = f"unknown state {row.state}; the state before it was kept"
            export.notes.append(Reject(line, number, reason))
        export.incidents.setdefault(number, []).append(row)


def _row(line: int, number: str, said: Mapping[str, str], zone: tzinfo, mapping: Legend) -> Row:
    def plain(name: str, limit: int = LONGEST) -> str:
        return " ".join(said.get(name, "").replace("\x00", "").split())[:limit]

    def moment(name: str) -> datetime | None:
        return _moment(name, said.get(name, "").strip(), zone, mapping.dates)

    opened_at = moment("opened_at")
    if not number or opened_at is None:
        raise BadRow("it has no number" if not number else "it does not say when it was opened")
    resolved_at, closed_at = moment("resolved_at"), moment("closed_at")
    state = plain("state")
    priority = _priority(plain("priority"), mapping)
    impact, urgency = LEVELS[priority]
    return Row(
        line=line,
        number=number,
        state=state,
        status=mapping.status(state),
        update=0,
        updated_at=max(opened_at, moment("updated_at") or closed_at or resolved_at or opened_at),
        updated_by=plain("updated_by") or plain("assignee"),
        group=plain("group"),
        assignee=plain("assignee"),
        impact=impact,
        urgency=urgency,
        priority=priority,
        category=plain("category"),
        subcategory=plain("subcategory"),
        caller=plain("caller"),
        opened_by=plain("opened_by") or plain("caller"),
        opened_at=opened_at,
        contact=plain("contact"),
        location="",
        symptom="",
        asset=plain("asset"),
        subject=plain("subject", 250),
        reopens=0,
        made_sla=None,
        closed_code=plain("resolution", 40),
        resolved_at=resolved_at or closed_at,
    )


def _priority(word: str, mapping: Legend) -> int:
    """Ours for their word; a bare number, or one in front, is itself; else the middle."""
    known = mapping.priorities.get(word.lower())
    if known is not None:
        return known
    number = re.match(r"[Pp]?([1-5])\b", word)
    return int(number[1]) if number else DEFAULT_PRIORITY


def _moment(name: str, said: str, zone: tzinfo, formats: tuple[str, ...]) -> datetime | None:
    if not said:
        return None
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        for each in (*formats, *FORMATS):
            try:
                found = datetime.strptime(said, each)  # noqa: DTZ007 (the zone comes next)
                break
            except ValueError:
                continue
        else:
            raise BadRow(f"{name} {said[:40]!r} is no date that is known; name its form") from None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRow(f"{name} {said[:40]!r} is no possible date") from None


def _told_apart(row: Row) -> list[Row]:
    """The one row of a ticket as what must have happened: opened, and then what it says."""
    first = row._replace(
        state="", status=states.WAITING, updated_at=row.opened_at, assignee="", closed_code=""
    )
    if row.status in (None, states.WAITING):
        return [first._replace(assignee=row.assignee)]
    if row.status != states.CLOSED:
        at = row.resolved_at if row.status == states.RESOLVED and row.resolved_at else None
        return [first, row._replace(updated_at=at or row.updated_at)]
    solved_at = row.resolved_at or row.updated_at
    solved = row._replace(status=states.RESOLVED, updated_at=solved_at, resolved_at=solved_at)
    return [first, solved, row._replace(updated_at=max(row.updated_at, solved_at))]


def _numbered(rows: Iterable[Row]) -> list[Row]:
    return [row._replace(update=number) for number, row in enumerate(rows)]


# ---- JSM's search API ----

JSM_FIELDS: Final = {
    "status": "state",
    "priority": "priority",
    "assignee": "assignee",
    "resolution": "resolution",
}
"""The fields of JSM's change log, and ours."""


def _issues(page: Any, mapping: Legend) -> Iterator[Record]:
    """Each issue as a record for each of its changes; several pages may stand in a list."""
    pages = page if isinstance(page, list) else [page]
    line = 0
    for each in pages:
        for issue in items(each.get("issues") if isinstance(each, Mapping) else None):
            for record in _changes(issue, mapping):
                line += 1
                yield line, record
    if not line:
        raise BadExport("This is no answer of JSM's search: it has no issues.")


def _changes(issue: Mapping[str, Any], mapping: Legend) -> Iterator[Mapping[str, str]]:
    now = _issue(issue, mapping)
    histories = sorted(
        items(inner(issue, "changelog").get("histories")), key=lambda each: text(each, "created")
    )
    if not histories:
        yield now
        return
    state = dict(now)
    for history in reversed(histories):
        for item in items(history.get("items")):
            if name := JSM_FIELDS.get(text(item, "field").lower()):
                state[name] = text(item, "fromString")
    state |= {"updated_at": now["opened_at"], "updated_by": now["opened_by"]}
    yield dict(state)
    for history in histories:
        for item in items(history.get("items")):
            if name := JSM_FIELDS.get(text(item, "field").lower()):
                state[name] = text(item, "toString")
        state["updated_at"] = text(history, "created")
        state["updated_by"] = text(inner(history, "author"), "displayName")
        yield dict(state)


def _issue(issue: Mapping[str, Any], mapping: Legend) -> dict[str, str]:
    fields = inner(issue, "fields")

    def named(name: str) -> str:
        held = fields.get(name)
        if isinstance(held, list):
            held = held[0] if held else None
        for part in ("displayName", "name", "value"):
            if text(held, part):
                return text(held, part)
        return text(fields, name)

    found = {
        "number": text(issue, "key"),
        "state": named("status"),
        "opened_at": text(fields, "created"),
        "updated_at": text(fields, "updated"),
        "assignee": named("assignee"),
        "priority": named("priority"),
        "category": named("issuetype"),
        "caller": named("reporter"),
        "opened_by": named("creator") or named("reporter"),
        "subject": text(fields, "summary"),
        "resolution": named("resolution"),
        "resolved_at": text(fields, "resolutiondate"),
        "group": named("project"),
    }
    for name, column in mapping.columns.items():
        # A mapping may name a field of the site's own, such as customfield_10010.
        if column in fields:
            found[name] = named(column)
    return found
