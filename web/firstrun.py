"""The first run of a site: what is done, what is still to be done, and doing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import yaml
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from escalation.configuration.applying import apply_text
from escalation.configuration.document import BadFile
from escalation.models import Policy
from roles.models import Calendar, Membership, Person, ScheduleRevision, Team, Tier
from roles.refusals import Invalid
from tickets.models import Ticket

STARTERS: Final = Path(__file__).resolve().parent / "starters"
LADDERS: Final = ("ladder-small", "ladder-full")
POLICIES: Final = ("policy-standard", "policy-office")
HANDOVER: Final = time(9)
"""When turns change hands, on Mondays."""


# ---- What is done, and what is to be done --------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One step of the first run: what it is called, why it matters, and whether it is done."""

    slug: str
    title: str | Promise
    why: str | Promise
    is_done: bool
    told: str = ""


def steps() -> list[Step]:
    """Every step in its order; what is done is read from the site itself, never kept apart."""
    tiers = list(Tier.objects.values_list("name", flat=True))
    hours = list(Calendar.objects.filter(current__isnull=False).values_list("name", flat=True))
    teams = list(Team.objects.filter(is_active=True).values_list("name", flat=True))
    people = Membership.objects.values("person").distinct().count()
    rosters = ScheduleRevision.objects.filter(rotations__isnull=False)
    served = rosters.values("schedule").distinct().count()
    policies = list(Policy.objects.filter(current__isnull=False).values_list("name", flat=True))
    tickets = Ticket.objects.order_by("pk").values_list("key", flat=True)[:1]
    has_desk = Team.objects.filter(is_service_desk=True).exists()
    return [
        Step("ladder", _("Tiers"), _("The rungs that a ticket climbs."), bool(tiers), _told(tiers)),
        Step("hours", _("Hours"), _("When people work."), bool(hours), _told(hours)),
        Step("teams", _("Teams"), _("Who works on which rung."), has_desk, _told(teams)),
        Step("people", _("People"), _("Who works here."), people > 0,
             _counted(people, _("%(n)s person"), _("%(n)s people"))),
        Step("on-call", _("On call"), _("Whom a page reaches."), served > 0,
             _counted(served, _("%(n)s team takes turns"), _("%(n)s teams take turns"))),
        Step("policy", _("Policy"), _("What happens when time runs out."), bool(policies),
             _told(policies)),
        Step("ticket", _("First ticket"), _("See a page arrive."), bool(tickets), _told(tickets)),
    ]  # fmt: skip


def _counted(number: int, one: str | Promise, many: str | Promise) -> str:
    return str(one if number == 1 else many) % {"n": number} if number else ""


def _told(names: Sequence[str]) -> str:
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" +{more}" if more > 0 else "")


def next_step(done: Sequence[Step]) -> Step | None:
    """The first step that is still to be done."""
    return next((step for step in done if not step.is_done), None)


# ---- Doing it: each step is a piece of configuration as code -------------------------------------


def starter(name: str) -> str:
    """The text of a shipped starter file. Raises Invalid for one that is not shipped."""
    if name not in (*LADDERS, *POLICIES):
        raise Invalid("unknown_starter", gettext("Choose one."), {"choice": gettext("Choose one.")})
    return (STARTERS / f"{name}.yaml").read_text(encoding="utf-8")


def apply(actor: Person, text: str) -> None:
    """Make the site what the file says, whole or not at all.

    Raises Forbidden, and Invalid with every reason in one sentence.
    """
    try:
        apply_text(text=text, actor=actor, reason="First run")
    except BadFile as bad:
        raise Invalid("bad_setup", " ".join(bad.lines("")[:5])) from None


def apply_sections(actor: Person, **sections: Any) -> None:
    """Like `apply`, for sections given as mappings and lists."""
    apply(actor, yaml.safe_dump({"version": 1, **sections}, sort_keys=False, allow_unicode=True))


def set_hours(actor: Person, *, zone: str, opens: str, closes: str, country: str) -> None:
    """Office hours on working days, and round the clock beside them."""
    office = {"name": gettext("Office hours"), "zone": zone, "hours": [f"Mon-Fri {opens}-{closes}"]}
    if country:
        office["country"] = country
    always = {"name": gettext("Round the clock"), "zone": "UTC", "hours": ["Mon-Sun 00:00-24:00"]}
    apply_sections(actor, calendars={"office": office, "always": always})


def set_teams(actor: Person, named: Mapping[str, str], *, hours: str) -> None:
    """A team on each tier that has a name, the lowest of them the service desk, with its route."""
    teams: dict[str, Any] = {}
    routes: list[dict[str, Any]] = []
    desk = next(iter(_rungs(named)), "")
    for tier, name in named.items():
        slug = slugify(name)[:80]
        if not slug or slug in teams:
            wrong = gettext("Each team needs a name of its own.")
            raise Invalid("bad_team", wrong, {f"team_{tier}": wrong})
        teams[slug] = {"name": name, "tier": tier, "calendar": hours, "service_desk": tier == desk}
        routes.append({"tier": tier, "team": slug, "takes_new": False})
    if not desk:
        wrong = gettext("Somebody has to take new tickets: name a team on the ladder.")
        raise Invalid("no_desk", wrong, {})
    apply_sections(actor, teams=teams, routes=routes)


def _rungs(named: Mapping[str, str]) -> list[str]:
    rungs = Tier.objects.filter(slug__in=named, rank__gte=1, is_vendor=False).order_by("rank")
    return list(rungs.values_list("slug", flat=True))


def first_day(now: datetime, zone: str) -> date:
    """The day on which turns begin, so that the first of the people is on call now already.

    Yesterday in the small hours, as turns begin at the hour of their hand-over; later today: from
    yesterday on, the second one would serve on a Monday.
    """
    local = now.astimezone(ZoneInfo(zone))
    return local.date() - timedelta(days=local.time() < HANDOVER)


def set_rosters(actor: Person, teams: Sequence[Team], *, zone: str, now: datetime) -> None:
    """Weekly turns among everybody in each of the teams, the first from now on."""
    schedules = {}
    for team in teams:
        members = team.memberships.filter(person__is_active=True).order_by("joined_at", "pk")
        people = list(members.values_list("person__username", flat=True))
        weekly = {
            "name": gettext("Weekly turns"),
            "people": people,
            "starts_on": first_day(now, zone).isoformat(),
            "handover": f"{HANDOVER:%H:%M}",
            "shift_days": 7,
        }
        schedules[team.slug] = {"zone": zone, "layers": [weekly]}
    apply_sections(actor, schedules=schedules)
