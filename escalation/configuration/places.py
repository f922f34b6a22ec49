"""The sections of places and hours: calendars, tiers, duties, teams."""

from typing import Any

from escalation.configuration.records import Field, Record
from escalation.configuration.section import Change, Hand, Item, Section, find, require_row
from escalation.configuration.shapes import (
    DAY,
    YEARS,
    ZONE,
    Choice,
    Flag,
    Hours,
    Many,
    Name,
    Table,
    Text,
    Whole,
)
from roles.calendars import PublicHolidays, publish_calendar, set_calendar
from roles.hours import parse_hours
from roles.models import Calendar, Duty, Membership, Person, Team, Tier
from roles.places import set_duty, set_team, set_tier
from roles.teams import add_member, remove_member, set_heads

TEXTS = ("responsibilities", "hands_over", "escalates_to")
NAME = Field(Text(200, may_be_empty=False))
GUIDANCE = {name: Field(Text(), default="") for name in TEXTS}


def _texts(row: Tier | Duty | Team) -> Item:
    return {name: getattr(row, name) for name in TEXTS}


def _picked(item: Item, *names: str) -> dict[str, Any]:
    return {name: item[name] for name in names}


# ---- Calendars ----


def _calendars() -> dict[str, Item]:
    found = {}
    for row in Calendar.objects.select_related("current").order_by("slug"):
        current = row.current
        found[row.slug] = {
            "name": row.name,
            "zone": current.zone if current else None,
            "hours": Hours.normal(current.spans) if current else [],
            "days_off": list(current.days_off) if current else [],
            "open_days": list(current.open_days) if current else [],
            "country": current.country if current else "",
            "region": current.region if current else "",
            "holiday_years": f"{current.first_year}-{current.last_year}"
            if current and current.country
            else None,
        }
    return found


def _write_calendar(change: Change, hand: Hand) -> None:
    item = change.after
    calendar = set_calendar(slug=change.key, name=item["name"], **hand.because)
    if change.differs(*CALENDARS.wording, "holiday_years"):
        publish_calendar(
            calendar=calendar,
            zone=item["zone"],
            spans=parse_hours("\n".join(item["hours"])),
            days_off=item["days_off"],
            open_days=item["open_days"],
            holidays=PublicHolidays(item["country"], item["region"], _years_of(change)),
            **hand.by,
        )


def _years_of(change: Change) -> tuple[int, int] | None:
    """The years whose holidays are stored, as the file says; None leaves them to the calendar.

    Those that the site has belong to the country that it has.
    """
    years = change.after["holiday_years"]
    moved = change.before is not None and change.differs("country", "region")
    if years is None or (moved and not change.differs("holiday_years")):
        return None
    first, last = map(int, years.split("-"))
    return first, last


def _settled(item: Item) -> Item:
    return item if item["country"] else {**item, "holiday_years": None}


CALENDARS = Section(
    name="calendars",
    kind="calendar",
    record=Record(
        {
            "name": NAME,
            "zone": Field(ZONE, is_wording=True),
            "hours": Field(Hours(), is_wording=True),
            "days_off": Field(Many(DAY, unordered=True), default=[], is_wording=True),
            "open_days": Field(Many(DAY, unordered=True), default=[], is_wording=True),
            "country": Field(Text(2), default="", is_wording=True),
            "region": Field(Text(20), default="", is_wording=True),
            # Not part of the wording: a file that names none keeps those that the site has stored.
            "holiday_years": Field(YEARS, default=None, may_be_left_out=True),
        },
        whole=False,
    ),
    present=_calendars,
    write=_write_calendar,
    settle=_settled,
)

# ---- Tiers and lanes ----


def _tiers() -> dict[str, Item]:
    return {
        row.slug: {
            "name": row.name,
            "kind": row.kind,
            "rank": row.rank,
            "vendor": row.is_vendor,
            **_texts(row),
        }
        for row in Tier.objects.all()
    }


def _write_tier(change: Change, hand: Hand) -> None:
    item = change.after
    values = _picked(item, "name", "kind", "rank", *TEXTS)
    set_tier(slug=change.key, is_vendor=item["vendor"], **values, **hand.because)


TIERS = Section(
    name="tiers",
    kind="tier",
    record=Record(
        {
            "name": NAME,
            "kind": Field(Choice(tuple(Tier.Kind.values))),
            "rank": Field(Whole(0, 1000, may_be_none=True), default=None),
            "vendor": Field(Flag(), default=False),
            **GUIDANCE,
        },
        whole=False,
    ),
    present=_tiers,
    write=_write_tier,
)

# ---- Duties ----


def _duties() -> dict[str, Item]:
    rows = Duty.objects.order_by("slug")
    return {row.slug: {"name": row.name, **_texts(row)} for row in rows}


def _write_duty(change: Change, hand: Hand) -> None:
    set_duty(slug=change.key, **change.after, **hand.because)


DUTIES = Section(
    name="duties",
    kind="duty",
    record=Record({"name": NAME, **GUIDANCE}, whole=False),
    present=_duties,
    write=_write_duty,
)

# ---- Teams ----


def _teams() -> dict[str, Item]:
    members: dict[int, dict[str, str]] = {}
    places = Membership.objects.order_by("person__username")
    for team_id, username, role in places.values_list("team_id", "person__username", "role"):
        members.setdefault(team_id, {})[username] = role
    rows = Team.objects.select_related("tier", "calendar", "lead", "manager").order_by("slug")
    return {
        row.slug: {
            "name": row.name,
            "tier": row.tier.slug,
            "calendar": row.calendar.slug,
            "email": row.email,
            "lead": row.lead.username if row.lead else None,
            "manager": row.manager.username if row.manager else None,
            "members": members.get(row.pk, {}),
            "service_desk": row.is_service_desk,
            "active": row.is_active,
            **_texts(row),
        }
        for row in rows
    }


def _write_team(change: Change, hand: Hand) -> None:
    item = change.after
    team = set_team(
        slug=change.key,
        tier=find(Tier, item["tier"]),
        calendar=find(Calendar, item["calendar"]),
        is_service_desk=item["service_desk"],
        is_active=item["active"],
        **_picked(item, "name", "email", *TEXTS),
        **hand.because,
    )
    if change.differs("lead", "manager"):
        heads = {name: find(Person, item[name], "username") for name in ("lead", "manager")}
        set_heads(team=team, lead=heads["lead"], manager=heads["manager"], **hand.by)
    if change.differs("members"):
        _write_members(team, change, hand)


def _write_members(team: Team, change: Change, hand: Hand) -> None:
    before = change.before["members"] if change.before else {}
    wanted = change.after["members"]
    for username in sorted(before.keys() - wanted.keys()):
        person = require_row(Person, username, "username")
        remove_member(team=team, person=person, **hand.because)
    for username, role in wanted.items():
        if before.get(username) != role:
            person = require_row(Person, username, "username")
            add_member(team=team, person=person, role=role, **hand.by)


TEAMS = Section(
    name="teams",
    kind="team",
    record=Record(
        {
            "name": NAME,
            "tier": Field(Name("tier")),
            "calendar": Field(Name("calendar")),
            "email": Field(Text(254), default=""),
            "lead": Field(Name("person", may_be_none=True), default=None),
            "manager": Field(Name("person", may_be_none=True), default=None),
            "members": Field(
                Table("person", Choice(tuple(Membership.Role.values))),
                default={},
            ),
            "service_desk": Field(Flag(), default=False),
            "active": Field(Flag(), default=True),
            **GUIDANCE,
        },
        whole=False,
    ),
    present=_teams,
    write=_write_team,
)
