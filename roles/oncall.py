"""Answers who is on call: for many teams at once, for a range, and for duties across teams."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.contrib.postgres.aggregates import ArrayAgg

from roles import rotation
from roles.models import DutyAssignment, Override, Person, Rotation, Schedule, Team
from roles.rotation import RotationSpec, Shift


def on_call(team_ids: Iterable[int], at: datetime) -> dict[int, list[int]]:
    """By team id, the ids of the people on call at `at`: at most one each, [] for a gap.

    An override wins over rotations, a higher rotation over a lower one; inactive people are
    passed over. Three queries, whatever the number of teams.
    """
    wanted = list(dict.fromkeys(team_ids))
    layers: dict[int, list[int]] = defaultdict(list)
    standing_in = Override.objects.filter(schedule__team__in=wanted, during__contains=at)
    for team_id, person_id in standing_in.values_list("schedule__team_id", "person_id"):
        layers[team_id].append(person_id)
    for team_id, specs in _specs(wanted).items():
        turns = (rotation.on_duty(spec, at) for spec in reversed(specs))
        layers[team_id].extend(person_id for person_id in turns if person_id is not None)
    present = _active({person_id for found in layers.values() for person_id in found})
    return {team_id: [p for p in layers[team_id] if p in present][:1] for team_id in wanted}


def final_shifts(team: Team, start: datetime, end: datetime) -> list[Shift]:
    """Who really serves the team's schedule between two instants; absences are gaps.

    Inactive people are passed over. Raises ValueError when the range is backward.
    """
    if end < start:
        raise ValueError("The range ends before it starts.")
    specs = _specs([team.pk]).get(team.pk, [])
    rows = Override.objects.filter(schedule__team=team, during__overlap=(start, end))
    overrides = [Shift(row.person_id, row.during.lower, row.during.upper) for row in rows]
    named = {p for spec in specs for p in spec.people} | {shift.person_id for shift in overrides}
    absent = named - _active(named)
    return rotation.final_shifts(specs, overrides, start, end, absent)


def holders(duty_slug: str) -> list[int]:
    """The ids of the active people who hold a duty, longest first; [] for an unknown duty."""
    assignments = DutyAssignment.objects.filter(duty__slug=duty_slug, person__is_active=True)
    return list(assignments.order_by("id").values_list("person_id", flat=True))


def duty_on_call(duty_slug: str, at: datetime) -> list[int]:
    """Those holders of a duty who are on call in any team at `at`, else all its holders."""
    found = holders(duty_slug)
    team_ids = Schedule.objects.filter(team__is_active=True).values_list("team_id", flat=True)
    serving = {p for people in on_call(team_ids, at).values() for p in people}
    return [person_id for person_id in found if person_id in serving] or found


def _specs(team_ids: Sequence[int]) -> dict[int, list[RotationSpec]]:
    """The rotations of these teams' schedules, lowest layer first."""
    rows = (
        Rotation.objects.filter(schedule__team__in=team_ids)
        .annotate(people=ArrayAgg("members__person_id", order_by="members__position"))
        .select_related("schedule")
        .order_by("schedule", "position")
    )
    specs: dict[int, list[RotationSpec]] = defaultdict(list)
    for row in rows:
        specs[row.schedule.team_id].append(_spec(row, [p for p in row.people if p is not None]))
    return specs


def _spec(row: Rotation, people: Sequence[int]) -> RotationSpec:
    return RotationSpec(
        zone=row.schedule.zone,
        starts_on=row.starts_on,
        handover_time=row.handover_time,
        handover_weekday=row.handover_weekday,
        shift_days=row.shift_days,
        people=tuple(people),
    )


def _active(person_ids: Iterable[int]) -> set[int]:
    active = Person.objects.filter(pk__in=list(person_ids), is_active=True)
    return set(active.values_list("pk", flat=True))
