"""Fills an empty site with the example: people, teams, rosters, catalog, targets and policies.

Everything is looked up by its slug first, so that running it again adds only what is missing.
"""

from datetime import date, datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from config.example import (
    canned,
    catalog,
    contacts,
    contracts,
    guidance,
    partners,
    people,
    policies,
    promises,
    teams,
)
from config.example.beside import BESIDE
from config.example.knowledge import fill_shelf
from config.example.rosters import make_roster
from escalation.contracts import set_contract
from escalation.models import HandoverContract, Policy, Target, Vendor
from escalation.policies import draft_policy, publish_policy
from escalation.promises import publish_target
from roles.calendars import PublicHolidays, publish_calendar
from roles.instants import TimeSource, database_now
from roles.models import Calendar, Duty, Organisation, Person, Team, Tier
from roles.teams import add_member, assign_duty, set_heads
from tickets.mailsources import create_mail_source
from tickets.models import AlertSource, Category, MailSource, Route, Service
from tickets.sources import create_source

MAIL_DOMAIN = "example.org"
SOURCE = "prometheus"
MAIL_SOURCE = "help"


@transaction.atomic
def build_site(
    password: str, *, renew_password: bool = False, clock: TimeSource = database_now
) -> str | None:
    """Make whatever of the example site is missing; existing rows keep what people made of them.

    New accounts get the password; with `renew_password` all of the example's accounts do. Returns
    the key of the alert source when it has been made just now.
    """
    now = clock()
    _make_calendars(now, clock)
    _make_places()
    _make_people(password, renew_password)
    _make_teams(clock)
    _assign_duties(clock)
    _make_catalog()
    canned.make_canned_texts()
    partners.make_vendors(MAIL_DOMAIN)
    contacts.make_contact_lists(clock)
    _make_contracts(clock)
    _make_targets(clock)
    _make_policies(clock)
    fill_shelf(clock=clock)
    partners.make_hook(clock)
    key = _make_source(clock)
    _make_mail_source(clock)
    return key


def _make_calendars(now: datetime, clock: TimeSource) -> None:
    for slug, about in teams.CALENDARS.items():
        calendar, _ = Calendar.objects.get_or_create(slug=slug, defaults={"name": about.name})
        if calendar.current is None:
            days = [
                date(year, month, day)
                for year in (now.year, now.year + 1)
                for month, day in about.days_off
            ]
            publish_calendar(
                calendar=calendar,
                zone=about.zone,
                spans=about.spans,
                days_off=days,
                holidays=PublicHolidays(about.country, about.region),
                clock=clock,
            )


def _texts(about: guidance.Guidance | teams.Example) -> dict[str, str]:
    return {
        "name": about.name,
        "responsibilities": about.responsibilities,
        "hands_over": about.hands_over,
        "escalates_to": about.escalates_to,
    }


def _make_places() -> None:
    for slug, (name, may_see_own) in people.ORGANISATIONS.items():
        made = {"name": name, "may_see_own": may_see_own}
        Organisation.objects.get_or_create(slug=slug, defaults=made)
    for rank, (slug, about) in enumerate(guidance.LADDER.items()):
        made = {**_texts(about), "kind": "ladder", "rank": rank, "is_vendor": slug == "l4"}
        Tier.objects.get_or_create(slug=slug, defaults=made)
    for slug, about in guidance.LANES.items():
        Tier.objects.get_or_create(slug=slug, defaults={**_texts(about), "kind": "lane"})
    for slug, about in guidance.DUTIES.items():
        Duty.objects.get_or_create(slug=slug, defaults=_texts(about))


def _make_people(password: str, renew_password: bool) -> None:
    known = set(Person.objects.values_list("username", flat=True))
    digest = make_password(password)  # slow on purpose, so one for all of them
    groups = {row.slug: row for row in Organisation.objects.all()}
    fresh = [
        Person(
            username=username,
            name=about.name,
            email=f"{username}@{MAIL_DOMAIN}",
            organisation=groups.get(about.organisation),
            zone=about.zone,
            is_vip=about.is_vip,
            is_staff=username in people.MANAGERS
            or bool(set(about.duties) & set(people.MAY_OPEN_ADMIN)),
            password=digest,
        )
        for username, about in people.PEOPLE.items()
        if username not in known
    ]
    username, name = people.MONITOR
    if username not in known:
        closed = make_password(None)
        fresh.append(Person(username=username, name=name, kind="service", password=closed))
    Person.objects.bulk_create(fresh)
    if renew_password:
        Person.objects.filter(username__in=people.PEOPLE).update(password=digest)


def _make_teams(clock: TimeSource) -> None:
    everybody = {row.username: row for row in Person.objects.filter(username__in=people.PEOPLE)}
    for slug, about in teams.TEAMS.items():
        made = {
            **_texts(about),
            "tier": Tier.objects.get(slug=about.tier),
            "calendar": Calendar.objects.get(slug=about.calendar),
            "email": f"{slug}@{MAIL_DOMAIN}",
            "is_service_desk": slug == teams.SERVICE_DESK
            and not Team.objects.filter(is_service_desk=True).exists(),
        }
        team, is_new = Team.objects.get_or_create(slug=slug, defaults=made)
        if is_new:
            crew = [everybody[username] for username in about.people]
            _staff(team, crew, everybody[about.manager], clock)
            make_roster(team, crew, everybody, clock)


def _staff(team: Team, crew: list[Person], manager: Person, clock: TimeSource) -> None:
    lead, *others = crew
    add_member(team=team, person=lead, role="lead", clock=clock)
    for person in others:
        add_member(team=team, person=person, clock=clock)
    if manager not in others:
        add_member(team=team, person=manager, role="manager", clock=clock)
    set_heads(team=team, lead=lead, manager=manager, clock=clock)


def _assign_duties(clock: TimeSource) -> None:
    duties = {row.slug: row for row in Duty.objects.all()}
    for username, about in people.PEOPLE.items():
        for slug in about.duties:
            if not duties[slug].assignments.exists() or slug == "incident-manager":
                person = Person.objects.get(username=username)
                assign_duty(duty=duties[slug], person=person, clock=clock)


def _make_catalog() -> None:
    owners = {row.slug: row for row in Team.objects.all()}
    for slug, (name, owner, description) in catalog.SERVICES.items():
        made = {"name": name, "owner_team": owners[owner], "description": description}
        Service.objects.get_or_create(slug=slug, defaults=made)
    for slug, (name, parent) in catalog.CATEGORIES.items():
        above = Category.objects.get(slug=parent) if parent else None
        Category.objects.get_or_create(slug=slug, defaults={"name": name, "parent": above})
    services = {row.slug: row for row in Service.objects.all()}
    categories = {row.slug: row for row in Category.objects.all()}
    tiers = {row.slug: row for row in Tier.objects.all()}
    for service, category, tier, team, takes_new in catalog.ROUTES:
        Route.objects.get_or_create(
            service=services.get(service),
            category=categories.get(category),
            tier=tiers[tier],
            defaults={"team": owners[team], "takes_new": takes_new},
        )


def _make_contracts(clock: TimeSource) -> None:
    known = {row.slug: row for row in Team.objects.all()}
    for sender, receiver, needs in contracts.CONTRACTS:
        from_team, to_team = known.get(sender), known[receiver]
        if not HandoverContract.objects.filter(from_team=from_team, to_team=to_team).exists():
            set_contract(from_team=from_team, to_team=to_team, needs=needs, clock=clock)


def _make_targets(clock: TimeSource) -> None:
    calendars = {row.slug: row for row in Calendar.objects.all()}
    for position, promise in enumerate(promises.promises(), start=1):
        slug = f"example-{position:02d}"
        made = {"name": promise.name, "position": 10 * position}
        target, is_new = Target.objects.get_or_create(slug=slug, defaults=made)
        if not is_new:
            continue
        publish_target(
            target=target,
            clock_kind=promise.clock,
            seconds=promise.seconds,
            first_seconds=promise.first_seconds,
            pauses=promise.pauses,
            calendar=calendars.get(promise.calendar),
            priority=promise.priority,
            kind=promise.kind,
            service=Service.objects.filter(slug=promise.service).first(),
            organisation=Organisation.objects.filter(slug=promise.organisation).first(),
            vendor=Vendor.objects.filter(slug=promise.vendor).first(),
            clock=clock,
        )


def _make_policies(clock: TimeSource) -> None:
    for position, (slug, about) in enumerate((policies.POLICIES | BESIDE).items(), start=1):
        made = {
            "name": about.name,
            "description": about.description,
            "position": 10 * position,
            "mode": about.mode,
        }
        policy, is_new = Policy.objects.get_or_create(slug=slug, defaults=made)
        if is_new:
            draft_policy(
                policy=policy,
                conditions=about.conditions,
                steps=about.steps,
                repeat_limit=about.repeat_limit,
                repeat_after_s=about.repeat_after_s,
                stop_on=about.stop_on,
                clock=clock,
            )
            publish_policy(policy=policy, clock=clock)


def _make_source(clock: TimeSource) -> str | None:
    username, name = people.MONITOR
    if AlertSource.objects.filter(slug=SOURCE).exists():
        return None
    _, key = create_source(
        slug=SOURCE,
        name=name,
        product=AlertSource.Product.ALERTMANAGER,
        requester=Person.objects.get(username=username),
        team=Team.objects.get(slug="platform-engineering"),
        clock=clock,
    )
    return key


def _make_mail_source(clock: TimeSource) -> None:
    """The address that people write to; whoever lets its mail in gives it a key of its own."""
    if MailSource.objects.filter(slug=MAIL_SOURCE).exists():
        return
    create_mail_source(
        slug=MAIL_SOURCE,
        name="Help by mail",
        address=f"{MAIL_SOURCE}@{MAIL_DOMAIN}",
        monitor=AlertSource.objects.get(slug=SOURCE),
        clock=clock,
    )
