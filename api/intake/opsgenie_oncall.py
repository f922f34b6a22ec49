"""Opsgenie's reads of who is on call: schedules and their present and next people."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse

from api.intake.door import Fault
from api.intake.opsgenie_door import Asker, told
from api.intake.reading import any_moment
from roles.instants import database_now
from roles.models import Person, Schedule
from roles.oncall import next_shift, on_call


def list_schedules(asker: Asker) -> HttpResponse:
    """Every schedule that serves, in short."""
    return told(asker, [_schedule(row) for row in _schedules(asker)])


def get_schedule(asker: Asker, name: str) -> HttpResponse:
    """One schedule."""
    return told(asker, _schedule(_one(asker, name)))


def all_on_calls(asker: Asker) -> HttpResponse:
    """Who is on call in every schedule."""
    rows, at = list(_schedules(asker)), _at(asker)
    serving = on_call([row.team_id for row in rows], at)
    people = _people([pk for ids in serving.values() for pk in ids])
    is_flat = _is_flat(asker)
    found = [_on_call(row, [people[pk] for pk in serving[row.team_id]], is_flat) for row in rows]
    return told(asker, found)


def on_calls(asker: Asker, name: str) -> HttpResponse:
    """Who is on call in one schedule at a time."""
    row, at = _one(asker, name), _at(asker)
    people = _people(on_call([row.team_id], at)[row.team_id])
    return told(asker, _on_call(row, list(people.values()), _is_flat(asker)))


def next_on_calls(asker: Asker, name: str) -> HttpResponse:
    """Who is on call in one schedule when the present shift is over."""
    row, at = _one(asker, name), _at(asker)
    present = next_shift(row.team, at)
    upcoming = next_shift(row.team, present.end) if present is not None else None
    people = list(_people([upcoming.person_id] if upcoming else []).values())
    body: dict[str, Any] = {"_parent": _parent(row)}
    if _is_flat(asker):
        names = [person.email or person.username for person in people]
        body |= {"nextOnCallRecipients": names, "exactNextOnCallRecipients": names}
    else:
        listed = [_participant(person) for person in people]
        body |= {"nextOnCallParticipants": listed, "exactNextOnCallParticipants": listed}
    return told(asker, body)


def _schedules(asker: Asker) -> QuerySet[Schedule]:
    if not asker.source.reads_directory:
        raise Fault(403, "You are not authorized to read schedules with this key.")
    rows = Schedule.objects.filter(team__is_active=True).select_related("team")
    return rows.order_by("name", "pk")


def _one(asker: Asker, name: str) -> Schedule:
    by_name = asker.params.get("scheduleIdentifierType", "id").lower() == "name"
    by_name = by_name or asker.params.get("identifierType", "id").lower() == "name"
    rows = _schedules(asker)
    if by_name:
        row = rows.filter(name=name).first() or rows.filter(team__slug=name).first()
    else:
        is_number = name.isascii() and name.isdecimal() and len(name) < 10
        row = rows.filter(pk=int(name)).first() if is_number else None
    if row is None:
        raise Fault(404, f"Schedule does not exist for [{name[:200]}].")
    return row


def _at(asker: Asker) -> datetime:
    given = asker.params.get("date", "")
    if not given:
        return database_now()
    at = any_moment(given.replace(" ", "+"))
    if at is None:
        raise Fault(422, "date must be a time in ISO 8601.")
    return at


def _is_flat(asker: Asker) -> bool:
    return asker.params.get("flat", "").lower() == "true"


def _people(ids: list[int]) -> dict[int, Person]:
    return Person.objects.in_bulk(ids)


def _parent(row: Schedule) -> dict[str, Any]:
    return {"id": str(row.pk), "name": row.name, "enabled": True}


def _schedule(row: Schedule) -> dict[str, Any]:
    return {
        **_parent(row),
        "description": "",
        "timezone": row.zone,
        "ownerTeam": {"id": str(row.team_id), "name": row.team.name},
    }


def _on_call(row: Schedule, people: list[Person], is_flat: bool) -> dict[str, Any]:
    if is_flat:
        names = [person.email or person.username for person in people]
        return {"_parent": _parent(row), "onCallRecipients": names}
    return {"_parent": _parent(row), "onCallParticipants": [_participant(p) for p in people]}


def _participant(person: Person) -> dict[str, str]:
    return {"id": str(person.pk), "name": person.email or person.username, "type": "user"}
