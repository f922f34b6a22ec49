"""Reads shifts from an iCalendar file into overrides of a schedule, with a plan before."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from roles.ical import Found, read_events
from roles.instants import TimeSource, database_now
from roles.models import Override, Person, Schedule
from roles.overrides import add_override
from roles.people import require
from roles.refusals import Invalid
from roles.teams import relations_to

AHEAD = timedelta(days=366)


@dataclass(frozen=True)
class Wanted:
    """An override that the file asks for; `standing` when it stands like that already."""

    person: Person
    start: datetime
    end: datetime
    summary: str
    standing: bool = False


@dataclass(frozen=True)
class Unusable:
    """An event that becomes nothing, and why."""

    start: datetime
    end: datetime
    summary: str
    why: str


@dataclass(frozen=True)
class ImportPlan:
    """What applying the file would do."""

    wanted: tuple[Wanted, ...]
    unusable: tuple[Unusable, ...]

    @property
    def fresh(self) -> list[Wanted]:
        """The overrides that would be made."""
        return [each for each in self.wanted if not each.standing]


def plan_import(
    *,
    schedule: Schedule,
    ical: bytes,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> ImportPlan:
    """What the file would do to the schedule from now on for a year; changes nothing.

    Events name their person by user name (in our own feeds), by e-mail, or by a title that is an
    e-mail, a user name or somebody's full name. Raises Forbidden, and Invalid for what is no
    iCalendar file.
    """
    require(actor, "manage_roster", relations_to(actor, schedule.team))
    now = clock()
    try:
        events = read_events(ical, now, now + AHEAD, schedule.zone)
    except ValueError as trouble:
        raise Invalid("bad_ical", str(trouble), {"ical": str(trouble)}) from None
    return _plan(schedule, events, now)


@transaction.atomic
def apply_import(
    *,
    schedule: Schedule,
    ical: bytes,
    reason: str = "Imported from a calendar",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> ImportPlan:
    """Make the overrides that `plan_import` tells of, all or none, and return that plan.

    What the plan calls unusable is left out. Applying the same file again changes nothing.
    """
    # Two imports at once would otherwise plan on what the other is about to write.
    Schedule.objects.select_for_update().get(pk=schedule.pk)
    plan = plan_import(schedule=schedule, ical=ical, actor=actor, clock=clock)
    for each in plan.fresh:
        add_override(
            schedule=schedule,
            person=each.person,
            start=each.start,
            end=each.end,
            reason=reason,
            actor=actor,
            clock=clock,
        )
    return plan


def _plan(schedule: Schedule, events: list[Found], now: datetime) -> ImportPlan:
    people = _People()
    rows = Override.objects.filter(schedule=schedule, during__endswith__gt=now)
    taken = [(row.during.lower, row.during.upper, row.person_id) for row in rows]
    wanted: list[Wanted] = []
    unusable: list[Unusable] = []
    for event in events:
        person, start = people.of(event), max(event.start, now)
        why = people.why_not(event, person)
        standing = [t for t in taken if t[0] < event.end and t[1] > start]
        same = person is not None and all(
            lower <= start and upper == event.end and pk == person.pk
            for lower, upper, pk in standing
        )
        if not why and start >= event.end:
            why = "It is over, or has no length; the past stays as it was."
        if not why and standing and not same:
            why = "Another override or event covers part of that time."
        if why or person is None:
            unusable.append(Unusable(event.start, event.end, event.summary, why))
            continue
        wanted.append(Wanted(person, start, event.end, event.summary, bool(standing)))
        taken.append((start, event.end, person.pk))
    return ImportPlan(tuple(wanted), tuple(unusable))


class _People:
    """Everybody who can be named, by what an event may call them."""

    def __init__(self) -> None:
        rows = list(Person.objects.filter(kind=Person.Kind.PERSON))
        self._by_username = {row.username.lower(): row for row in rows}
        self._by_email = {row.email.lower(): row for row in rows if row.email}
        self._by_name: dict[str, Person | None] = {}
        for row in rows:
            # A name that two people have names neither.
            self._by_name[row.name.lower()] = None if row.name.lower() in self._by_name else row

    def of(self, event: Found) -> Person | None:
        if event.username:
            return self._by_username.get(event.username.lower())
        if event.email:
            return self._by_email.get(event.email.lower())
        title = event.summary.strip().lower()
        known = (self._by_email, self._by_username, self._by_name)
        return next((names[title] for names in known if names.get(title)), None)

    def why_not(self, event: Found, person: Person | None) -> str:
        if person is None:
            called = event.username or event.email or event.summary or "nobody"
            return f"Nobody here is known as {called}."
        return "" if person.is_active else f"{person} is not active."
