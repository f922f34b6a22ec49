"""Writes overrides: somebody serves a stretch in place of the layers; the past stays as it was."""

from datetime import datetime

from django.db import IntegrityError, transaction

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Override, Person, Schedule, Swap
from roles.people import require
from roles.refusals import Conflict, Invalid
from roles.teams import relations_to


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
    """The new override: `person` serves from `start` up to `end` in place of the layers.

    What of it has passed already is cut off. Heads of the team and administrators put in anybody;
    a member only themself (`stand_in`). Raises Forbidden, Invalid with the fields at fault, and
    Conflict where another override covers part of that time.
    """
    relations = relations_to(actor, schedule.team)
    is_own = actor is not None and actor.pk == person.pk
    require(actor, "stand_in" if is_own and "own_team" in relations else "manage_roster", relations)
    now = clock()
    _check_override(person, start, end, reason, now)
    start = max(start, now)
    override = write_override(
        schedule=schedule,
        person=person,
        start=start,
        end=end,
        reason=reason,
        actor=actor,
    )
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
    """Give what is still to come of the stretch back to the layers; what was served stays.

    For heads of the team, administrators, and the one who put themself in. Raises Forbidden, and
    Conflict for an override that is over.
    """
    locked = Override.objects.select_for_update(of=("self",)).get(pk=override.pk)
    own = actor is not None and locked.person_id == locked.created_by_id == actor.pk
    relations = relations_to(actor, locked.schedule.team)
    require(actor, "stand_in" if own and "own_team" in relations else "manage_roster", relations)
    now = clock()
    if locked.during.upper <= now:
        raise Conflict("override_over", "This override is over; the past stays as it was.")
    audit.record(
        actor=actor, action="override.removed", subject=override, reason=reason, clock=clock
    )
    _cut_off(locked, now)


def write_override(
    *,
    schedule: Schedule,
    person: Person,
    start: datetime,
    end: datetime,
    reason: str,
    actor: Person | None,
    swap: Swap | None = None,
) -> Override:
    """The stored row. Raises Conflict where another override covers part of that time."""
    try:
        with transaction.atomic():
            return Override.objects.create(
                schedule=schedule,
                person=person,
                during=(start, end),
                reason=reason,
                swap=swap,
                created_by=actor,
            )
    except IntegrityError as trouble:
        if "roles_override_no_overlap" not in str(trouble):
            raise
        raise Conflict(
            "override_overlaps", "Another override of this schedule covers part of that time."
        ) from None


def make_room(schedule: Schedule, start: datetime, end: datetime) -> None:
    """Cut the overrides of a schedule out of a range; what lies before and after stays theirs."""
    rows = Override.objects.select_for_update().filter(
        schedule=schedule, during__overlap=(start, end)
    )
    for row in rows:
        begins, ends = row.during.lower, row.during.upper
        row.delete()
        for part in ((begins, min(ends, start)), (max(begins, end), ends)):
            if part[0] < part[1]:
                row.pk, row.during = None, part
                row.save(force_insert=True)


def _cut_off(override: Override, now: datetime) -> None:
    if override.during.lower >= now:
        override.delete()
        return
    override.during = (override.during.lower, now)
    override.save(update_fields=["during"])


def _check_override(
    person: Person, start: datetime, end: datetime, reason: str, now: datetime
) -> None:
    problems: dict[str, str] = {}
    if start.tzinfo is None or end.tzinfo is None:
        problems["start"] = "Give times with their zone."
    elif end <= start:
        problems["end"] = "The end must be later than the start."
    elif end <= now:
        problems["end"] = "That time has passed; the past stays as it was."
    if not person.is_active:
        problems["person"] = f"{person} is not active."
    if len(reason) > 500:
        problems["reason"] = "At most 500 characters."
    if problems:
        raise Invalid("bad_override", "This override cannot be used.", problems)
