"""Makes room for an imported history: the people, teams, categories and targets that it names.

Everything made here is inactive or belongs to an organisation of its own, so that it can neither
be reached nor chosen for live work until an administrator says so.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q
from django.utils.text import slugify

from api.importers.servicenow import BadExport, Row
from escalation.models import ClockKind, Target
from escalation.promises import publish_target
from roles.calendars import publish_calendar
from roles.models import Calendar, Organisation, Person, Team, Tier
from tickets import states
from tickets.models import Category

SYSTEM = "servicenow"
TITLES = {"servicenow": "ServiceNow history", "jsm": "JSM history", "csv": "Imported history"}
NOBODY = "Unknown caller"
FIRST_TIER, OTHER_TIER = "l1", "l2"
ALL_HOURS = [[day, 0, 1440] for day in range(7)]
HOUR_S = 3600
EXAMPLE_TARGETS = {1: (4, 0.25), 2: (8, 0.5), 3: (24, 2), 4: (72, 8), 5: (120, 24)}
"""Hours to resolution and to acceptance by priority, used where a site has no targets."""


@dataclass(frozen=True)
class Places:
    """What the names in a history are on this site."""

    organisation: Organisation
    desk: Team
    teams: Mapping[str, Team]
    people: Mapping[str, int]
    categories: Mapping[tuple[str, str], int]
    system: str = SYSTEM


def external_ref(number: str, system: str = SYSTEM) -> str:
    """The name under which an incident is known here; unique, so it is imported once."""
    return f"{system}:{number}"


@transaction.atomic
def make_places(
    incidents: Sequence[Sequence[Row]],
    *,
    calendar_slug: str | None = None,
    tiers: Mapping[str, str] | None = None,
    system: str = SYSTEM,
) -> Places:
    """Find or make everything that these incidents of a system name.

    `tiers` says on which tier a group works, by slug; without it the group that most incidents
    begin with works on the first tier, all others on the second. Raises BadExport for a calendar
    or tier that there is not.
    """
    organisation, _ = Organisation.objects.get_or_create(
        slug=system, defaults={"name": TITLES[system]}
    )
    rows = [row for incident in incidents for row in incident]
    desk_group = _first_group(incidents)
    groups = {row.group for row in rows if row.group} | {desk_group}
    calendar = _calendar(calendar_slug, system)
    by_tier = _tier_by_group(groups, desk_group, tiers or {})
    teams = _teams(groups, by_tier, calendar, system)
    people = {row.caller for row in rows} | {row.opened_by for row in rows}
    people |= {row.updated_by for row in rows} | {row.assignee for row in rows}
    return Places(
        organisation=organisation,
        desk=teams[desk_group],
        teams=teams,
        people=_people((people - {""}) | {NOBODY}, organisation, system),
        categories=_categories(
            {(row.category, row.subcategory) for row in rows if row.category}, system
        ),
        system=system,
    )


def _first_group(incidents: Iterable[Sequence[Row]]) -> str:
    """The group that most incidents begin with; the first by name among equals."""
    begun = Counter(incident[0].group for incident in incidents if incident[0].group)
    ranked = sorted(begun.items(), key=lambda item: (-item[1], item[0]))
    return ranked[0][0] if ranked else "Imported incidents"


def _slug(name: str, limit: int, system: str) -> str:
    """A name of our own for a name of theirs: readable, and different for different names."""
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{system}-{slugify(name)[: limit - 25]}-{mark}"


def _calendar(slug: str | None, system: str) -> Calendar:
    """The calendar asked for, else the first one that never closes, made when there is none."""
    if slug is not None:
        found = Calendar.objects.filter(slug=slug, current__isnull=False).first()
        if found is None:
            known = ", ".join(Calendar.objects.order_by("slug").values_list("slug", flat=True))
            raise BadExport(f"There is no calendar {slug!r} here. Known: {known or 'none'}.")
        return found
    for calendar in Calendar.objects.select_related("current").order_by("slug"):
        hours = calendar.current
        if hours is not None and hours.spans == ALL_HOURS and not hours.days_off:
            return calendar
    calendar = Calendar.objects.create(slug=f"{system}-always", name="Around the clock (imported)")
    publish_calendar(calendar=calendar, zone="UTC", spans=ALL_HOURS)
    return calendar


def _tier_by_group(
    groups: Iterable[str], desk_group: str, wanted: Mapping[str, str]
) -> dict[str, Tier]:
    slugs = {group: wanted.get(group, OTHER_TIER) for group in groups}
    slugs[desk_group] = wanted.get(desk_group, FIRST_TIER)
    found = {tier.slug: tier for tier in Tier.objects.filter(slug__in=set(slugs.values()))}
    for slug in sorted(set(slugs.values()) - set(found)):
        found[slug] = _make_tier(slug)
    return {group: found[slug] for group, slug in slugs.items()}


def _make_tier(slug: str) -> Tier:
    rank = {FIRST_TIER: 1, OTHER_TIER: 2}.get(slug)
    if rank is None or Tier.objects.filter(rank=rank).exists():
        raise BadExport(f"There is no tier {slug!r} here; make it, or name another with --tiers.")
    return Tier.objects.create(slug=slug, name=f"L{rank}", kind=Tier.Kind.LADDER, rank=rank)


def _teams(
    groups: Iterable[str], tiers: Mapping[str, Tier], calendar: Calendar, system: str
) -> dict[str, Team]:
    """The site's team of the same name, else an inactive one of our own, by group."""
    ordered = sorted(groups)
    known = set(Team.objects.filter(name__in=ordered).values_list("name", flat=True))
    Team.objects.bulk_create(
        [
            Team(
                slug=_slug(group, 80, system),
                name=group,
                tier=tiers[group],
                calendar=calendar,
                is_active=False,
            )
            for group in ordered
            if group not in known
        ]
    )
    rows = Team.objects.filter(name__in=ordered).select_related("tier", "calendar")
    return {team.name: team for team in rows}


def _people(names: Iterable[str], organisation: Organisation, system: str) -> dict[str, int]:
    """Inactive accounts without password and address, by the name in the history."""
    usernames = {_slug(name, 100, system): name for name in sorted(names)}
    stored = Person.objects.filter(username__startswith=f"{system}-")
    known = set(stored.values_list("username", flat=True))
    Person.objects.bulk_create(
        [
            Person(
                username=username,
                name=name,
                password=make_password(None),
                organisation=organisation,
                is_active=False,
            )
            for username, name in usernames.items()
            if username not in known
        ],
        batch_size=2000,
    )
    rows = stored.values_list("username", "pk")
    return {usernames[username]: pk for username, pk in rows if username in usernames}


def _categories(pairs: Iterable[tuple[str, str]], system: str) -> dict[tuple[str, str], int]:
    """Categories with their subcategories below them, by (category, subcategory)."""
    ordered = sorted(set(pairs) | {(category, "") for category, _ in pairs})
    slugs = {pair: _slug(" ".join(filter(None, pair)), 64, system) for pair in ordered}
    found = _stored_categories(slugs.values())
    for depth in (0, 1):  # parents first: their children need their keys
        missing = [
            pair for pair in ordered if bool(pair[1]) == bool(depth) and slugs[pair] not in found
        ]
        Category.objects.bulk_create(
            [
                Category(
                    slug=slugs[pair],
                    name=pair[1] or pair[0],
                    parent_id=found[slugs[pair[0], ""]] if depth else None,
                    is_active=False,
                )
                for pair in missing
            ]
        )
        found = _stored_categories(slugs.values())
    return {pair: found[slug] for pair, slug in slugs.items()}


def _stored_categories(slugs: Iterable[str]) -> dict[str, int]:
    return dict(Category.objects.filter(slug__in=list(slugs)).values_list("slug", "pk"))


@transaction.atomic
def make_example_targets(organisation: Organisation) -> int:
    """Give the imported organisation targets by priority if the site has none that would apply.

    Returns how many were made. They bind nobody else.
    """
    in_force = Target.objects.filter(is_active=True, current__clock=ClockKind.RESOLUTION)
    whose = Q(current__organisation=None) | Q(current__organisation=organisation)
    if in_force.filter(whose).exists():
        return 0
    last = Target.objects.order_by("-position").values_list("position", flat=True).first() or 0
    made = 0
    for priority, hours in EXAMPLE_TARGETS.items():
        for kind, span_h in zip((ClockKind.RESOLUTION, ClockKind.ACCEPTANCE), hours, strict=True):
            made += 1
            target = Target.objects.create(
                slug=f"{organisation.slug}-p{priority}-{kind}",
                name=f"Imported P{priority}: {kind.label.lower()}",
                position=last + made,
            )
            publish_target(
                target=target,
                clock_kind=kind,
                seconds=round(span_h * HOUR_S),
                pauses=sorted(states.PENDING) if kind == ClockKind.RESOLUTION else (),
                priority=priority,
                organisation=organisation,
            )
    return made
