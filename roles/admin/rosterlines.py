"""Words of the schedule pages: who serves when, where nobody does, and who is on call at a time."""

from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from roles import oncall
from roles.instants import database_now
from roles.models import Person, Schedule
from roles.zones import zone_exists

AHEAD = timedelta(days=14)


def serving_by_team(team_ids: Collection[int]) -> dict[int, str]:
    """By team, who serves at this moment; teams with a gap are left out."""
    found = oncall.on_call(team_ids, database_now())
    people = Person.objects.in_bulk({pk for serving in found.values() for pk in serving})
    return {team_id: str(people[serving[0]]) for team_id, serving in found.items() if serving}


def serving_at(schedule: Schedule, at: datetime) -> str | None:
    """Who serves, or served, the schedule at that time; None in a gap."""
    [*people] = oncall.on_call([schedule.team_id], at)[schedule.team_id]
    return str(Person.objects.get(pk=people[0])) if people else None


def troubles_of(schedule: Schedule) -> list[str]:
    """A sentence for each layer that cannot serve anybody."""
    return oncall.broken_layers([schedule.team_id], database_now()).get(schedule.team_id, [])


def gap_lines(schedule: Schedule) -> list[str]:
    """The stretches of the coming fortnight in which nobody serves, one a line."""
    now = database_now()
    found = oncall.gaps(schedule.team, now, now + AHEAD)
    return [_stretch(schedule, gap.start, gap.end) for gap in found]


def shift_lines(schedule: Schedule) -> list[str]:
    """The final shifts of the coming fortnight, one a line."""
    now = database_now()
    found = oncall.final_shifts(schedule.team, now, now + AHEAD)
    people = Person.objects.in_bulk({shift.person_id for shift in found})
    return [
        f"{_stretch(schedule, shift.start, shift.end)}  {people[shift.person_id]}"
        for shift in found
    ]


def _stretch(schedule: Schedule, start: datetime, end: datetime) -> str:
    zone = ZoneInfo(schedule.zone if zone_exists(schedule.zone) else "UTC")
    first, last = start.astimezone(zone), end.astimezone(zone)
    return f"{first:%a %Y-%m-%d %H:%M} to {last:%a %Y-%m-%d %H:%M} ({last:%Z})"
