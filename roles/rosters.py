"""Writes on-call schedules: immutable revisions of their layers, with their people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db import transaction

from roles import audit
from roles.hours import format_hours
from roles.instants import TimeSource, database_now
from roles.models import (
    Person,
    Rotation,
    RotationMember,
    Schedule,
    ScheduleRevision,
    Team,
)
from roles.models.oncall import MAX_SHIFT_DAYS, MAX_SHIFT_HOURS
from roles.people import require
from roles.refusals import Invalid
from roles.teams import relations_to
from roles.worktime import Span, check_span
from roles.zones import zone_exists

MAX_TURNS = 100
MAX_LAYERS = 20
MAX_RESTRICTIONS = 200


@dataclass(frozen=True, kw_only=True)
class LayerSpec:
    """One layer as people think of it; in a list of layers a later one wins over those before it.

    Give the shift's length in days or in hours. No `zone` means the schedule's own, no
    `restrictions` (weekly spans as calendars have them) all of the time.
    """

    name: str
    people: Sequence[Person]
    starts_on: date
    handover_time: time
    handover_weekday: int = 0
    shift_days: int | None = None
    shift_hours: int | None = None
    zone: str = ""
    restrictions: Sequence[Sequence[int]] = ()


@transaction.atomic
def set_schedule(
    *,
    team: Team,
    zone: str,
    name: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Schedule:
    """The team's one schedule, made or renamed. Raises Forbidden, Invalid (field `zone`)."""
    require(actor, "manage_roster", relations_to(actor, team))
    if not zone_exists(zone):
        raise Invalid("bad_schedule", "Unknown time zone.", {"zone": f"{zone!r} is not known."})
    values = {"zone": zone, "name": name or f"{team.name} on call"}
    present = Schedule.objects.filter(team=team).first()
    if present and (present.zone, present.name) == (values["zone"], values["name"]):
        return present
    schedule, is_new = Schedule.objects.update_or_create(team=team, defaults=values)
    action = "schedule.created" if is_new else "schedule.changed"
    audit.record(actor=actor, action=action, subject=schedule, changes=values, clock=clock)
    return schedule


@transaction.atomic
def publish_schedule(
    *,
    schedule: Schedule,
    layers: Sequence[LayerSpec],
    valid_from: datetime | None = None,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> ScheduleRevision:
    """The schedule's new revision, or its newest one when nothing would change.

    It holds from `valid_from` (now, unless given) and takes the place of everything planned for
    later; the past keeps its layers. Only the first revision may begin in the past. No layers at
    all mean that nobody is on call on purpose. Raises Forbidden, and Invalid with fields such as
    `layers.1.people` (counted from 1) or `valid_from`.
    """
    require(actor, "manage_roster", relations_to(actor, schedule.team))
    _check_layers(layers, reason)
    # Two writers would otherwise number their revisions alike.
    Schedule.objects.select_for_update().get(pk=schedule.pk)
    now = clock()
    newest = newest_revision(schedule)
    begins = now if valid_from is None else valid_from
    if newest is not None:
        if newest.valid_from <= begins and _plain(schedule, layers) == _stored(newest):
            return newest
        if begins < now:
            problem = {"valid_from": "The past stays as it was: begin now or later."}
            raise Invalid("bad_schedule", "This schedule cannot be used.", problem)
    revision = ScheduleRevision.objects.create(
        schedule=schedule,
        number=newest.number + 1 if newest else 1,
        valid_from=begins,
        reason=reason,
        created_at=now,
        created_by=actor,
    )
    _write_layers(revision, layers)
    audit.record(
        actor=actor,
        action="schedule.published",
        subject=schedule,
        changes={"number": revision.number, "valid_from": begins, "layers": _stored(revision)},
        reason=reason,
        clock=clock,
    )
    return revision


def newest_revision(schedule: Schedule) -> ScheduleRevision | None:
    """The revision published last, which may begin only later; None before the first."""
    return ScheduleRevision.objects.filter(schedule=schedule).order_by("-number").first()


def layers_of(revision: ScheduleRevision) -> list[LayerSpec]:
    """The revision's layers, lowest first, as `publish_schedule` takes them. Three queries."""
    rows = revision.rotations.order_by("position").prefetch_related("members__person")
    zone = revision.schedule.zone
    return [
        LayerSpec(
            name=row.name,
            people=[member.person for member in row.members.all()],
            starts_on=row.starts_on,
            handover_time=row.handover_time,
            handover_weekday=row.handover_weekday,
            shift_days=row.shift_days,
            shift_hours=row.shift_hours,
            zone="" if row.zone == zone else row.zone,
            restrictions=tuple(tuple(span) for span in row.restrictions),
        )
        for row in rows
    ]


def _write_layers(revision: ScheduleRevision, layers: Sequence[LayerSpec]) -> None:
    rows = [
        Rotation(
            revision=revision,
            position=position,
            name=layer.name,
            zone=layer.zone or revision.schedule.zone,
            starts_on=layer.starts_on,
            handover_time=layer.handover_time,
            handover_weekday=layer.handover_weekday,
            shift_days=layer.shift_days,
            shift_hours=layer.shift_hours,
            restrictions=[list(span) for span in _spans(layer)],
        )
        for position, layer in enumerate(layers)
    ]
    Rotation.objects.bulk_create(rows)
    RotationMember.objects.bulk_create(
        RotationMember(rotation=row, position=turn, person=person)
        for row, layer in zip(rows, layers, strict=True)
        for turn, person in enumerate(layer.people)
    )


def _stored(revision: ScheduleRevision) -> list[dict[str, Any]]:
    return _plain(revision.schedule, layers_of(revision))


def _plain(schedule: Schedule, layers: Sequence[LayerSpec]) -> list[dict[str, Any]]:
    """The layers by value, for the audit and to see whether anything would change."""
    return [
        {
            "name": layer.name,
            "people": [person.username for person in layer.people],
            "zone": layer.zone or schedule.zone,
            "starts_on": layer.starts_on.isoformat(),
            "handover_time": layer.handover_time.isoformat(),
            "handover_weekday": layer.handover_weekday,
            "shift_days": layer.shift_days,
            "shift_hours": layer.shift_hours,
            "restrictions": format_hours(_spans(layer)),
        }
        for layer in layers
    ]


def _spans(layer: LayerSpec) -> list[Span]:
    return sorted({(day, start, end) for day, start, end in layer.restrictions})


def _check_layers(layers: Sequence[LayerSpec], reason: str) -> None:
    problems: dict[str, str] = {}
    if len(layers) > MAX_LAYERS:
        problems["layers"] = f"At most {MAX_LAYERS} layers."
    if len(reason) > 500:
        problems["reason"] = "At most 500 characters."
    for number, layer in enumerate(layers, start=1):
        found = _layer_problems(layer)
        problems |= {f"layers.{number}.{name}": problem for name, problem in found.items()}
    if problems:
        raise Invalid("bad_schedule", "This schedule cannot be used.", problems)


def _layer_problems(layer: LayerSpec) -> dict[str, str]:
    problems: dict[str, str] = {}
    if not layer.name or len(layer.name) > 200:
        problems["name"] = "A layer needs a name of 1 to 200 characters."
    if not layer.people or len(layer.people) > MAX_TURNS:
        problems["people"] = f"Name 1 to {MAX_TURNS} people, in the order of their turns."
    elif inactive := [person.username for person in layer.people if not person.is_active]:
        problems["people"] = f"Not active: {', '.join(inactive)}."
    if layer.zone and not zone_exists(layer.zone):
        problems["zone"] = f"{layer.zone!r} is not a known time zone."
    if not 0 <= layer.handover_weekday <= 6:
        problems["handover_weekday"] = "Use 0 for Monday to 6 for Sunday."
    if (layer.shift_days is None) == (layer.shift_hours is None):
        problems["shift_days"] = "Give the length of a shift either in days or in hours."
    elif layer.shift_days is not None and not 1 <= layer.shift_days <= MAX_SHIFT_DAYS:
        problems["shift_days"] = f"A shift lasts 1 to {MAX_SHIFT_DAYS} days."
    elif layer.shift_hours is not None and not 1 <= layer.shift_hours <= MAX_SHIFT_HOURS:
        problems["shift_hours"] = f"A shift lasts 1 to {MAX_SHIFT_HOURS} hours."
    try:
        spans = _spans(layer)
        for span in spans:
            check_span(*span)
        if len(spans) > MAX_RESTRICTIONS:
            problems["restrictions"] = f"At most {MAX_RESTRICTIONS} spans a week."
    except (TypeError, ValueError) as trouble:
        problems["restrictions"] = str(trouble)
    return problems
