"""Brings another product's configuration to this site: people first, then the document.

A plan does everything and takes it back, so that what a domain function would refuse is known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import yaml
from django.db import transaction

from api.importers.bundle import Bundle, LeftOut, Newcomer, Site, Stint
from escalation.configuration.applying import apply_text
from roles.instants import TimeSource, database_now
from roles.models import Calendar, Membership, Override, Person, Schedule, Team, Tier
from roles.newcomers import add_person
from roles.overrides import add_override
from roles.refusals import Conflict, Invalid

Translate = Callable[[Site, datetime], Bundle]
ALWAYS: Final = {"name": "Around the clock", "zone": "UTC", "hours": ["Mon-Sun 00:00-24:00"]}


@dataclass(slots=True)
class Brought:
    """What was done, or would be, in lines for people."""

    lines: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    changes: int = 0


class _TakeBack(Exception):
    """Rolls a plan back."""


def bring(
    newcomers: Sequence[Newcomer],
    translate: Translate,
    *,
    product: str,
    tier: str = "",
    calendar: str = "",
    plan: bool = False,
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Brought:
    """Make the people, teams, schedules, services and policies that the translator found.

    `tier` and `calendar` are those of teams that are new. With `plan` nothing stays. Raises BadFile
    where the site refuses something, Invalid for a tier or calendar that there is not.
    """
    found = Brought()
    try:
        with transaction.atomic():
            usernames = _people(newcomers, found, actor, clock)
            teams = dict(Team.objects.values_list("name", "slug"))
            now = clock()
            bundle = translate(Site(usernames, teams), now)
            document = _fitted(bundle.document(), tier, calendar)
            text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000)
            reason = f"Taken over from {product}"
            outcome = apply_text(text=text, reason=reason, actor=actor, clock=clock)
            found.lines += outcome.plan.lines()
            found.changes += len(outcome.plan.changes)
            for stint in bundle.stints:
                _stand_in(stint, reason, found, actor, clock)
            found.left_out = sorted({*found.left_out, *bundle.left_out})
            if plan:
                raise _TakeBack
    except _TakeBack:
        pass
    return found


def _people(
    newcomers: Sequence[Newcomer], found: Brought, actor: Person | None, clock: TimeSource
) -> dict[str, str]:
    """User names by address: of those who are here, and of those who are made."""
    wanted = {each.email.lower(): each for each in newcomers}
    present = {person.email.lower(): person for person in Person.objects.exclude(email="")}
    usernames = {}
    for email, each in wanted.items():
        person = present.get(email)
        if person is not None and not person.is_active:
            why = "the account here is switched off, and stays so"
            found.left_out.append(LeftOut(f"user {each.email}", why))
            continue
        if person is None:
            try:
                person = add_person(
                    actor=actor, name=each.name, email=each.email, zone=each.zone, clock=clock
                )
            except Invalid as refusal:
                why = " ".join(refusal.fields.values()) or refusal.detail
                found.left_out.append(LeftOut(f"user {each.email}", why))
                continue
            if each.phone:
                person.phone = each.phone
                person.save(update_fields=["phone"])
            found.lines.append(f"+ people.{person.username}: {each.name} <{each.email}>")
            found.changes += 1
        usernames[email] = person.username
    return usernames


def _fitted(document: dict[str, Any], tier: str, calendar: str) -> dict[str, Any]:
    """The document with what a new team needs; a team that is here keeps its own ways."""
    present = {team.slug: team for team in Team.objects.all()}
    teams = document.get("teams", {})
    if any(slug not in present for slug in teams):
        tier, calendar = _tier(tier), calendar or _calendar(document)
        if not Calendar.objects.filter(slug=calendar).exists() and calendar != "always":
            problem = f"There is no calendar {calendar!r} here."
            raise Invalid("no_calendar", problem, {"calendar": problem})
    for slug, team in teams.items():
        if slug not in present:
            team["tier"], team["calendar"] = tier, calendar
            continue
        team.pop("lead", None)
        places = Membership.objects.filter(team=present[slug])
        here = dict(places.values_list("person__username", "role"))
        team["members"] = {**team["members"], **here}
    return document


def _tier(slug: str) -> str:
    """The tier asked for, else the second rung of the ladder, else the highest there is."""
    known = list(Tier.objects.filter(kind=Tier.Kind.LADDER, is_vendor=False).order_by("rank"))
    if slug and Tier.objects.filter(slug=slug).exists():
        return slug
    if slug or not known:
        named = ", ".join(tier.slug for tier in known) or "none yet: make one first"
        problem = f"Name a tier of this site; it has {named}."
        raise Invalid("no_tier", problem, {"tier": problem})
    second = [tier for tier in known if tier.rank == 2]
    return (second or known[-1:])[0].slug


def _calendar(document: dict[str, Any]) -> str:
    """A calendar that never closes: `always`, made by the document where the site has none."""
    if not Calendar.objects.filter(slug="always").exists():
        document["calendars"] = {"always": ALWAYS}
    return "always"


def _stand_in(
    stint: Stint, reason: str, found: Brought, actor: Person | None, clock: TimeSource
) -> None:
    schedule = Schedule.objects.get(team__slug=stint.team)
    person = Person.objects.get(email__iexact=stint.email)
    present = Override.objects.filter(schedule=schedule, person=person, during__contains=stint.end)
    ours = Override.objects.filter(
        schedule=schedule, person=person, during__overlap=(stint.start, stint.end)
    )
    if present.exists() or any(row.during.upper == stint.end for row in ours):
        return
    what = f"{stint.email} for {stint.team} from {stint.start:%Y-%m-%d %H:%M} UTC"
    try:
        add_override(
            schedule=schedule,
            person=person,
            start=stint.start,
            end=stint.end,
            reason=reason,
            actor=actor,
            clock=clock,
        )
    except (Conflict, Invalid) as refusal:
        why = " ".join(refusal.fields.values()) or refusal.detail
        found.left_out.append(LeftOut(f"override {what}", why))
        return
    found.lines.append(f"+ overrides: {what}")
    found.changes += 1
