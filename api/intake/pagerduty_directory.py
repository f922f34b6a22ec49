"""PagerDuty's REST reads of people, teams, services, schedules and who is on call."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse

from api.intake.door import Fault
from api.intake.pagerduty_door import Caller, door, listed, number_of, paged, reference, stamp
from escalation.models import Policy
from roles.instants import database_now
from roles.models import Person, Schedule, Team
from roles.oncall import final_shifts, read_rosters
from roles.rotation import Shift
from tickets.models import Service

AROUND: Final = timedelta(days=31)
SHOWN: Final = timedelta(days=14)
RANGE_MAX: Final = timedelta(days=400)


@door("GET")
def users(caller: Caller) -> HttpResponse:
    """The people of the service; `query` is part of a name or a whole mail address."""
    caller.needs_directory()
    rows = _users()
    if query := caller.request.GET.get("query", "").strip():
        named = rows.filter(name__icontains=query) | rows.filter(email__iexact=query)
        rows = named.distinct()
    return paged(caller, "users", rows.order_by("name", "pk"), lambda one: _user(caller, one))


@door("GET")
def user(caller: Caller, name: str) -> HttpResponse:
    """One person of the service."""
    row = _row(caller, _users(), "PU", name)
    return JsonResponse({"user": _user(caller, row)})


@door("GET")
def me(caller: Caller) -> HttpResponse:
    """Whose key it is: the source's own account."""
    return JsonResponse({"user": _user(caller, caller.source.requester)})


@door("GET")
def services(caller: Caller) -> HttpResponse:
    """What support is given for."""
    caller.needs_directory()
    rows = Service.objects.filter(is_active=True).order_by("name", "pk")
    return paged(caller, "services", rows, lambda one: _service(caller, one))


@door("GET")
def service(caller: Caller, name: str) -> HttpResponse:
    """One of what support is given for."""
    row = _row(caller, Service.objects.filter(is_active=True), "PV", name)
    return JsonResponse({"service": _service(caller, row)})


@door("GET")
def teams(caller: Caller) -> HttpResponse:
    """Who works."""
    caller.needs_directory()
    rows = Team.objects.filter(is_active=True).order_by("name", "pk")
    return paged(caller, "teams", rows, lambda one: _team(caller, one))


@door("GET")
def team(caller: Caller, name: str) -> HttpResponse:
    """One team."""
    row = _row(caller, Team.objects.filter(is_active=True), "PT", name)
    return JsonResponse({"team": _team(caller, row)})


@door("GET")
def escalation_policies(caller: Caller) -> HttpResponse:
    """The names of the policies; what they do is said in our own form only."""
    caller.needs_directory()
    rows = Policy.objects.filter(current__isnull=False).order_by("position", "pk")
    return paged(caller, "escalation_policies", rows, lambda one: _policy(caller, one))


@door("GET")
def escalation_policy(caller: Caller, name: str) -> HttpResponse:
    """One policy, or the calling of a team's people that an entry of who is on call names."""
    if name.startswith("PET"):
        row = _row(caller, Team.objects.filter(is_active=True), "PET", name)
        told = _policy(caller, row, kind="PET")
    else:
        told = _policy(caller, _row(caller, Policy.objects.exclude(current=None), "PE", name))
    return JsonResponse({"escalation_policy": told})


@door("GET")
def schedules(caller: Caller) -> HttpResponse:
    """The teams' schedules."""
    caller.needs_directory()
    rows = _schedules().order_by("name", "pk")
    return paged(caller, "schedules", rows, lambda one: _schedule(caller, one))


@door("GET")
def schedule(caller: Caller, name: str) -> HttpResponse:
    """One schedule with its final shifts in a range, two weeks from now unless asked otherwise."""
    row = _row(caller, _schedules(), "PS", name)
    since, until = _range(caller, SHOWN)
    shifts = final_shifts(row.team, since, until)
    people = Person.objects.in_bulk({shift.person_id for shift in shifts})
    entries = [
        {
            "start": stamp(shift.start),
            "end": stamp(shift.end),
            "user": _user_reference(caller, people[shift.person_id]),
        }
        for shift in shifts
    ]
    final = {"name": "Final Schedule", "rendered_schedule_entries": entries}
    told = {**_schedule(caller, row), "final_schedule": final}
    return JsonResponse({"schedule": told})


@door("GET")
def oncalls(caller: Caller) -> HttpResponse:
    """Who is on call now, or in a range, in each schedule.

    `schedule_ids[]`, `escalation_policy_ids[]` and `user_ids[]` choose; `earliest` leaves the first
    shift of each person in a schedule, and `include[]=users` tells people whole.
    """
    caller.needs_directory()
    since, until = _range(caller, timedelta(seconds=1))
    rows = list(_schedules().order_by("name", "pk"))
    if names := caller.values("schedule_ids"):
        wanted = _numbers("PS", names)
        rows = [row for row in rows if row.pk in wanted]
    if names := caller.values("escalation_policy_ids"):
        wanted = _numbers("PET", names)
        rows = [row for row in rows if row.team_id in wanted]
    # Whole days, so that a shift longer than what is looked at is told alike all day.
    first, last = _midnight(since - AROUND), _midnight(until + AROUND)
    rosters = read_rosters([row.team_id for row in rows], first, last)
    found = [
        (row, shift)
        for row in rows
        for shift in rosters.served(row.team_id, first, last)
        if shift.start < until and shift.end > since
    ]
    if names := caller.values("user_ids"):
        wanted = _numbers("PU", names)
        found = [(row, shift) for row, shift in found if shift.person_id in wanted]
    if caller.request.GET.get("earliest", "").lower() == "true":
        found = _earliest(found)
    people = Person.objects.in_bulk({shift.person_id for _, shift in found})
    tell = _user if "users" in caller.values("include") else _user_reference
    items = [
        {
            "user": tell(caller, people[shift.person_id]),
            "schedule": reference(caller, "PS", row.pk, row.name),
            "escalation_policy": reference(caller, "PET", row.team_id, row.team.name),
            "escalation_level": 1,
            "start": stamp(shift.start),
            "end": stamp(shift.end),
        }
        for row, shift in found
    ]
    return listed(caller, "oncalls", items)


@door("GET")
def abilities(caller: Caller) -> HttpResponse:
    """What the account can do; nothing that we do not."""
    return JsonResponse({"abilities": ["teams", "urgencies", "manual_alert_grouping"]})


def _row(caller: Caller, rows: QuerySet[Any], kind: str, name: str) -> Any:
    """The row of that name. Raises Fault where there is none, or the key may not read it."""
    caller.needs_directory()
    number = number_of(kind, name)
    row = rows.filter(pk=number).first() if number is not None else None
    if row is None:
        raise Fault(404, "Not Found")
    return row


def _users() -> QuerySet[Person]:
    return Person.objects.filter(is_active=True, memberships__isnull=False).distinct()


def _numbers(kind: str, names: list[str]) -> set[int | None]:
    return {number_of(kind, name) for name in names}


def _earliest(found: list[tuple[Schedule, Shift]]) -> list[tuple[Schedule, Shift]]:
    """Of each person in a schedule the first shift alone."""
    first: dict[tuple[int, int], tuple[Schedule, Shift]] = {}
    for row, shift in sorted(found, key=lambda pair: (pair[0].name, pair[1].start)):
        first.setdefault((row.pk, shift.person_id), (row, shift))
    return list(first.values())


def _range(caller: Caller, span: timedelta) -> tuple[datetime, datetime]:
    since = caller.moment("since") or database_now()
    until = caller.moment("until") or since + span
    if not since < until <= since + RANGE_MAX:
        raise Fault(400, "until must lie after since, within 400 days.")
    return since, until


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _schedules() -> Any:
    return Schedule.objects.filter(team__is_active=True).select_related("team")


def _user_reference(caller: Caller, person: Person) -> dict[str, Any]:
    return reference(caller, "PU", person.pk, person.name)


def _user(caller: Caller, person: Person) -> dict[str, Any]:
    return {
        **_user_reference(caller, person),
        "type": "user",
        "name": person.name,
        "email": person.email,
        "time_zone": person.zone or "UTC",
        "role": "user",
    }


def _service(caller: Caller, row: Service) -> dict[str, Any]:
    base = reference(caller, "PV", row.pk, row.name)
    return {**base, "type": "service", "name": row.name, "status": "active"}


def _team(caller: Caller, row: Team) -> dict[str, Any]:
    return {**reference(caller, "PT", row.pk, row.name), "type": "team", "name": row.name}


def _policy(caller: Caller, row: Policy | Team, kind: str = "PE") -> dict[str, Any]:
    base = reference(caller, kind, row.pk, row.name)
    more = {"num_loops": 0, "escalation_rules": [], "services": [], "teams": []}
    return {**base, "type": "escalation_policy", "name": row.name, **more}


def _schedule(caller: Caller, row: Schedule) -> dict[str, Any]:
    base = reference(caller, "PS", row.pk, row.name)
    more = {"name": row.name, "time_zone": row.zone, "description": None}
    return {**base, "type": "schedule", **more}
