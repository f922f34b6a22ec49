"""Writes on-call schedules: their rotations and the overrides of single stretches."""

from collections.abc import Sequence
from datetime import date, datetime, time

from django.db import IntegrityError, transaction

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Override, Person, Rotation, RotationMember, Schedule, Team
from roles.people import require
from roles.refusals import Conflict, Invalid
from roles.teams import relations_to
from roles.zones import zone_exists

MAX_TURNS = 100


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
    schedule, is_new = Schedule.objects.update_or_create(team=team, defaults=values)
    action = "schedule.created" if is_new else "schedule.changed"
    audit.record(actor=actor, action=action, subject=schedule, changes=values, clock=clock)
    return schedule


@transaction.atomic
def set_rotation(
    *,
    schedule: Schedule,
    people: Sequence[Person],
    starts_on: date,
    handover_time: time,
    handover_weekday: int = 0,
    shift_days: int = 7,
    position: int = 0,
    name: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Rotation:
    """The rotation at that position, made or replaced with its people in the order given.

    Raises Forbidden, and Invalid with the fields at fault.
    """
    require(actor, "manage_roster", relations_to(actor, schedule.team))
    _check_rotation(people, handover_weekday, shift_days, position)
    # Two writers of one position would otherwise leave the turns of both.
    Schedule.objects.select_for_update().get(pk=schedule.pk)
    values = {
        "name": name or f"Rotation {position + 1}",
        "starts_on": starts_on,
        "handover_time": handover_time,
        "handover_weekday": handover_weekday,
        "shift_days": shift_days,
    }
    rotation, _ = Rotation.objects.update_or_create(
        schedule=schedule, position=position, defaults=values
    )
    rotation.members.all().delete()
    RotationMember.objects.bulk_create(
        RotationMember(rotation=rotation, position=turn, person=person)
        for turn, person in enumerate(people)
    )
    changes = {**values, "position": position, "people": [person.username for person in people]}
    audit.record(actor=actor, action="rotation.set", subject=rotation, changes=changes, clock=clock)
    return rotation


@transaction.atomic
def remove_rotation(
    *,
    rotation: Rotation,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> None:
    """Take a layer off its schedule. Raises Forbidden."""
    require(actor, "manage_roster", relations_to(actor, rotation.schedule.team))
    audit.record(
        actor=actor, action="rotation.removed", subject=rotation, reason=reason, clock=clock
    )
    rotation.delete()


@transaction.atomic
def add_override(
    *,
    schedule: Schedule,
    person: Person,
    start: datetime,
    end: datetime,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Override:
    """The new override: `person` serves from `start` up to `end` in place of the rotation.

    Raises Forbidden, Invalid with the fields at fault, and Conflict where another override
    covers part of that time.
    """
    require(actor, "manage_roster", relations_to(actor, schedule.team))
    _check_override(person, start, end, reason)
    try:
        with transaction.atomic():
            override = Override.objects.create(
                schedule=schedule,
                person=person,
                during=(start, end),
                reason=reason,
                created_by=actor,
            )
    except IntegrityError as trouble:
        if "roles_override_no_overlap" not in str(trouble):
            raise
        raise Conflict(
            "override_overlaps", "Another override of this schedule covers part of that time."
        ) from None
    changes = {"person": person.username, "start": start, "end": end}
    audit.record(
        actor=actor,
        action="override.added",
        subject=override,
        changes=changes,
        reason=reason,
        clock=clock,
    )
    return override


@transaction.atomic
def remove_override(
    *,
    override: Override,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> None:
    """Give the stretch back to the rotation. Raises Forbidden."""
    require(actor, "manage_roster", relations_to(actor, override.schedule.team))
    audit.record(
        actor=actor, action="override.removed", subject=override, reason=reason, clock=clock
    )
    override.delete()


def _check_rotation(
    people: Sequence[Person], handover_weekday: int, shift_days: int, position: int
) -> None:
    problems: dict[str, str] = {}
    if not people or len(people) > MAX_TURNS:
        problems["people"] = f"Name 1 to {MAX_TURNS} people, in the order of their turns."
    elif inactive := [person.username for person in people if not person.is_active]:
        problems["people"] = f"Not active: {', '.join(inactive)}."
    if not 0 <= handover_weekday <= 6:
        problems["handover_weekday"] = "Use 0 for Monday to 6 for Sunday."
    if not 1 <= shift_days <= 366:
        problems["shift_days"] = "A shift lasts 1 to 366 days."
    if not 0 <= position <= 99:
        problems["position"] = "Use a position from 0 to 99."
    if problems:
        raise Invalid("bad_rotation", "This rotation cannot be used.", problems)


def _check_override(person: Person, start: datetime, end: datetime, reason: str) -> None:
    problems: dict[str, str] = {}
    if start.tzinfo is None or end.tzinfo is None:
        problems["start"] = "Give times with their zone."
    elif end <= start:
        problems["end"] = "The end must be later than the start."
    if not person.is_active:
        problems["person"] = f"{person} is not active."
    if len(reason) > 500:
        problems["reason"] = "At most 500 characters."
    if problems:
        raise Invalid("bad_override", "This override cannot be used.", problems)
