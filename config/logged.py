"""Incident logs of another product as recorded tickets, in memory: nothing of them is stored."""

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from pathlib import Path

from api.importers.history import compose
from api.importers.places import make_example_targets, make_places
from api.importers.servicenow import BadExport, Row, read
from escalation import sla
from insights.simulation.recorded import Recorded, Told, recorded
from tickets.timeline import Entry

SUFFIXES = (".csv", ".csv.gz")

Incidents = Sequence[Sequence[Row]]


def read_logs(folder: Path, zone: tzinfo) -> Incidents:
    """The incidents of every ServiceNow log in a folder, as they were opened.

    Raises BadExport for a folder without logs, or a log that cannot be read.
    """
    files = sorted(path for path in folder.glob("*") if path.name.endswith(SUFFIXES))
    if not files:
        raise BadExport(f"{folder} has no log: no file that ends in {' or '.join(SUFFIXES)}.")
    incidents: dict[str, Sequence[Row]] = {}
    for path in files:
        incidents |= read(path, zone).incidents
    return sorted(incidents.values(), key=lambda rows: (rows[0].opened_at, rows[0].number))


def opened_between(incidents: Incidents, since: datetime, until: datetime) -> Incidents:
    """Those incidents that were opened in the window."""
    return [rows for rows in incidents if since <= rows[0].opened_at < until]


def logged_history(incidents: Incidents) -> Iterator[Recorded]:
    """The incidents as recorded tickets, one at a time.

    The teams, people and categories that they name are made where this site has none, and example
    targets where it has no targets: to be called in a transaction that is rolled back.
    """
    places = make_places(incidents)
    make_example_targets(places.organisation)
    targets = sla.Targets()
    for number, rows in enumerate(incidents, start=1):
        history = compose(rows, (number, f"LOG-{number:06d}"), places, targets)
        events = [told(entry, seq) for seq, entry in enumerate(history.entries, start=1)]
        yield recorded(history.ticket, events)


def told(entry: Entry, seq: int) -> Told:
    """An entry that was never stored, as a simulation reads events."""
    changed = {
        **entry.facts.get("set", {}),
        **{name: now for name, (_, now) in entry.changed.items()},
    }
    facts = {**entry.facts, "set": changed}
    at = entry.at
    if at is None:
        raise ValueError("An entry of the past has its own time.")
    is_timed = entry.kind in sla.CLOCK_EVENTS
    return Told(
        at=at,
        kind=entry.kind,
        seq=seq,
        actor_id=entry.actor_id,
        changed=changed,
        by=str(entry.facts.get("by", "")),
        fact=sla.fact_from(at, entry.kind, facts, is_public=entry.is_public) if is_timed else None,
    )
