"""Answers who is on call: for many teams at once, at any time, for a range; and where nobody is."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Exists, OuterRef, Q, QuerySet

from roles import rotation
from roles.models import (
    DutyAssignment,
    Override,
    Person,
    Rotation,
    Schedule,
    ScheduleRevision,
    Team,
)
from roles.rotation import Phase, RotationSpec, Shift
from roles.written import Written, any_of
from roles.zones import zone_exists

NEVER_THERE = datetime(1970, 1, 1, tzinfo=UTC)
LOOK_AHEAD = (timedelta(days=8), timedelta(days=62), timedelta(days=400))

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gap:
    """Nobody of the team serves from `start` up to `end`; `why` names a broken layer, if any."""

    team_id: int
    start: datetime
    end: datetime
    why: str = ""


@dataclass
class Rosters:
    """What decides who serves some teams between two instants, read once."""

    phases: dict[int, list[Phase]] = field(default_factory=dict)
    overrides: dict[int, list[Shift]] = field(default_factory=dict)
    absent: Mapping[int, datetime] = field(default_factory=dict)
    troubles: dict[int, list[str]] = field(default_factory=dict)

    def served(self, team_id: int, start: datetime, end: datetime) -> list[Shift]:
        """The team's final shifts in that range."""
        phases, overrides = self.phases.get(team_id, []), self.overrides.get(team_id, [])
        return rotation.served(phases, overrides, start, end, self.absent)


def on_call(team_ids: Iterable[int], at: datetime) -> dict[int, list[int]]:
    """By team id, the ids of the people on call at `at`: at most one each, [] for a gap.

    Also for the past: the layers of that time count, and so does whoever has left since. An
    override wins over rotations, a higher rotation over a lower one. A layer that cannot be read
    serves nobody, is logged, and shows in `broken_layers`; no other team feels it. Three queries,
    whatever the number of teams.
    """
    named = named_for(team_ids, at)
    absent = _absent({person_id for found in named.values() for person_id in found})
    return {team_id: serving(found, absent, at) for team_id, found in named.items()}


def named_for(team_ids: Iterable[int], at: datetime) -> dict[int, list[int]]:
    """By team id, whom the schedules name at `at`, who comes first first; absent people too.

    Two queries.
    """
    wanted = list(dict.fromkeys(team_ids))
    candidates: dict[int, list[int]] = defaultdict(list)
    for team_id, person_id in STANDING_IN.all(teams=wanted, at=at):
        candidates[team_id].append(person_id)
    rows = HOLDING_NOW.all(teams=wanted, at=at, just_after=at + timedelta.resolution)
    layers = _layers(rows, {})
    for (team_id, _), specs in layers.items():
        turns = (rotation.on_duty(spec, at) for spec in reversed(specs))
        candidates[team_id].extend(person_id for person_id in turns if person_id is not None)
    return {team_id: candidates[team_id] for team_id in wanted}


def serving(named: Sequence[int], absent: Mapping[int, datetime], at: datetime) -> list[int]:
    """The first of those named who is there at `at`, as a list of at most one."""
    return [pk for pk in named if pk not in absent or at < absent[pk]][:1]


def final_shifts(team: Team, start: datetime, end: datetime) -> list[Shift]:
    """Who really serves the team's schedule between two instants; absences are gaps.

    In the past the layers of that time count. Raises ValueError when the range is backward.
    """
    if end < start:
        raise ValueError("The range ends before it starts.")
    return read_rosters([team.pk], start, end).served(team.pk, start, end)


def shifts_of(person: Person, start: datetime, end: datetime) -> dict[int, list[Shift]]:
    """By team id, what the person really serves between two instants, in any active team."""
    teams = list(Schedule.objects.filter(team__is_active=True).values_list("team_id", flat=True))
    rosters = read_rosters(teams, start, end)
    served = {team: rosters.served(team, start, end) for team in teams}
    mine = {team: [s for s in found if s.person_id == person.pk] for team, found in served.items()}
    return {team: found for team, found in mine.items() if found}


def gaps(team: Team, start: datetime, end: datetime) -> list[Gap]:
    """The stretches between two instants in which nobody of the team is on call."""
    return _gaps(read_rosters([team.pk], start, end), team.pk, start, end)


def coming_gaps(within: timedelta, now: datetime) -> list[Gap]:
    """The gaps of all active teams from `now` on, in order of time.

    A team without a schedule, or whose newest layers are none at all, has said that it has
    nobody on call, and is not warned of. Five queries.
    """
    until = now + within
    schedules = Schedule.objects.filter(team__is_active=True)
    team_ids = list(schedules.values_list("team_id", flat=True))
    rosters = read_rosters(team_ids, now, until)
    meant = [t for t in team_ids if t in rosters.phases and not _is_retired(rosters, t, until)]
    found = [gap for team_id in meant for gap in _gaps(rosters, team_id, now, until)]
    return sorted(found, key=lambda gap: (gap.start, gap.team_id))


def next_shift(team: Team, after: datetime) -> Shift | None:
    """The first stretch, at or after an instant, in which somebody of the team serves.

    It starts at `after` itself when somebody serves then. None when nobody will within 400 days.
    """
    for ahead in LOOK_AHEAD:
        found = final_shifts(team, after, after + ahead)
        if found:
            return found[0]
    return None


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


def broken_layers(team_ids: Iterable[int], at: datetime) -> dict[int, list[str]]:
    """By team id, a sentence for each layer in force that cannot serve anybody."""
    return read_rosters(team_ids, at, at + timedelta.resolution).troubles


def read_rosters(team_ids: Iterable[int], start: datetime, end: datetime) -> Rosters:
    """Everything that decides who serves these teams in that range. Four queries."""
    wanted = list(team_ids)
    troubles: dict[int, list[str]] = {}
    revisions = _holding(wanted, start, end)
    layers = _layers(_rotations(revisions), troubles)
    phases: dict[int, list[Phase]] = defaultdict(list)
    for row in revisions.select_related("schedule").order_by("schedule", "number"):
        specs = tuple(layers.get((row.schedule.team_id, row.pk), ()))
        phases[row.schedule.team_id].append(Phase(row.valid_from, specs))
    overrides: dict[int, list[Shift]] = defaultdict(list)
    standing_in = Override.objects.filter(
        schedule__team__in=wanted, during__overlap=(start, end)
    ).select_related("schedule")
    for each in standing_in:
        shift = Shift(each.person_id, each.during.lower, each.during.upper)
        overrides[each.schedule.team_id].append(shift)
    named = {p for specs in layers.values() for spec in specs for p in spec.people}
    named |= {shift.person_id for found in overrides.values() for shift in found}
    return Rosters(dict(phases), dict(overrides), _absent(named), troubles)


def _gaps(rosters: Rosters, team_id: int, start: datetime, end: datetime) -> list[Gap]:
    why = " ".join(rosters.troubles.get(team_id, ()))
    found = rotation.gaps(rosters.served(team_id, start, end), start, end)
    return [Gap(team_id, begins, ends, why) for begins, ends in found]


def _is_retired(rosters: Rosters, team_id: int, at: datetime) -> bool:
    holding = [phase for phase in rosters.phases[team_id] if phase.begins <= at]
    return not holding or (not holding[-1].specs and team_id not in rosters.troubles)


def _holding(team_ids: Sequence[int], start: datetime, end: datetime) -> QuerySet[ScheduleRevision]:
    """The revisions that hold at any moment of the range."""
    newer = ScheduleRevision.objects.filter(
        schedule=OuterRef("schedule"), number__gt=OuterRef("number")
    )
    taken_over = newer.filter(Q(valid_from__lte=start) | Q(valid_from__lte=OuterRef("valid_from")))
    return ScheduleRevision.objects.filter(
        any_of("schedule__team", team_ids), ~Exists(taken_over), valid_from__lt=end
    )


def _rotations(revisions: QuerySet[ScheduleRevision]) -> QuerySet[Rotation]:
    """The layers of these revisions, lowest first, with the people in their order."""
    return (
        Rotation.objects.filter(revision__in=revisions.order_by().values("pk"))
        .annotate(people=ArrayAgg("members__person_id", order_by="members__position"))
        .select_related("revision__schedule")
        .order_by("revision_id", "position")
    )


# Who is on call now is asked at every step that may fire, and for every ticket's page.
STANDING_IN: Final = Written(
    lambda teams, at: Override.objects.filter(
        any_of("schedule__team", teams), during__contains=at
    ).values_list("schedule__team_id", "person_id"),
    teams=list[int],
    at=datetime,
)
HOLDING_NOW: Final = Written(
    lambda teams, at, just_after: _rotations(_holding(teams, at, just_after)),
    teams=list[int],
    at=datetime,
    just_after=datetime,
)


def _layers(
    rows: Iterable[Rotation], troubles: dict[int, list[str]]
) -> dict[tuple[int, int], list[RotationSpec]]:
    """By team and revision id, the layers that can be read; the trouble of others to `troubles`."""
    found: dict[tuple[int, int], list[RotationSpec]] = defaultdict(list)
    for row in rows:
        team_id = row.revision.schedule.team_id
        try:
            found[team_id, row.revision_id].append(_spec(row))
        except (TypeError, ValueError) as trouble:
            _report(row.pk, f"{row.name}: {trouble}")
            troubles.setdefault(team_id, []).append(f"{row.name}: {trouble}")
    return found


def _spec(row: Rotation) -> RotationSpec:
    people = [person for person in row.people if person is not None]  # type: ignore[attr-defined]
    if not people:
        raise ValueError("nobody is in this layer.")
    if not zone_exists(row.zone):
        raise ValueError(f"the time zone {row.zone!r} is not known here.")
    return RotationSpec(
        zone=row.zone,
        starts_on=row.starts_on,
        handover_time=row.handover_time,
        handover_weekday=row.handover_weekday,
        shift_days=row.shift_days,
        shift_hours=row.shift_hours,
        people=tuple(people),
        restrictions=tuple((day, start, end) for day, start, end in row.restrictions),
    )


@lru_cache(maxsize=256)
def _report(layer_id: int, trouble: str) -> None:
    """Log a broken layer; once a process, since the engine asks every second."""
    log.error("on-call layer %s serves nobody: %s", layer_id, trouble)


def _absent(person_ids: Iterable[int]) -> dict[int, datetime]:
    """Since when the switched-off ones among these people, or unknown ones, are away."""
    wanted = set(person_ids)
    rows = Person.objects.filter(pk__in=wanted).values_list("pk", "is_active", "left_at")
    known = {pk: None if is_active else left_at or NEVER_THERE for pk, is_active, left_at in rows}
    away = {pk: known.get(pk, NEVER_THERE) for pk in wanted}
    return {pk: since for pk, since in away.items() if since is not None}
