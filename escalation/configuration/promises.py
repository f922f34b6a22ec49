"""The sections of promises: targets, and the vendors with whom there is a contract."""

from typing import Any

from escalation.configuration.places import NAME
from escalation.configuration.reading import Reading
from escalation.configuration.records import Field, Record
from escalation.configuration.section import Change, Hand, Item, Section, find
from escalation.configuration.shapes import Choice, Duration, Flag, Many, Name, Text, Whole
from escalation.models import ClockKind, Target, Vendor, VendorContact
from escalation.promises import publish_target
from escalation.register import set_contacts, set_target, set_vendor
from roles.models import Calendar, Organisation, Team
from tickets import states
from tickets.models import Kind, Service

POSITION = Field(Whole(0), default=None)
"""Left out of a new item, it stands after the last one."""


def _vendors() -> dict[str, Item]:
    rows = Vendor.objects.select_related("team", "calendar").prefetch_related("contacts")
    return {
        row.slug: {
            "name": row.name,
            "contract": row.contract,
            "terms": row.terms,
            "team": row.team.slug if row.team else None,
            "calendar": row.calendar.slug if row.calendar else None,
            "contacts": [_contact(each) for each in row.contacts.all()],
            "url": row.url,
            "active": row.is_active,
        }
        for row in rows.order_by("slug")
    }


def _contact(row: VendorContact) -> Item:
    """A contact as a file tells it: what is empty, or the first level, is left out."""
    told = {name: getattr(row, name) for name in CONTACT.fields}
    return {name: value for name, value in told.items() if value != CONTACT.fields[name].default}


def _write_vendor(change: Change, hand: Hand) -> None:
    item = dict(change.after)
    contacts = item.pop("contacts")
    vendor = set_vendor(
        slug=change.key,
        team=find(Team, item.pop("team")),
        calendar=find(Calendar, item.pop("calendar")),
        is_active=item.pop("active"),
        **item,
        **hand.because,
    )
    set_contacts(vendor=vendor, contacts=contacts, **hand.because)


CONTACT = Record(
    {
        "level": Field(Whole(1, 9), default=1),
        "role": Field(Text(120, may_be_empty=False)),
        "name": Field(Text(120), default=""),
        "email": Field(Text(254), default=""),
        "phone": Field(Text(40), default=""),
    },
    inline=True,
)
VENDORS = Section(
    name="vendors",
    kind="vendor",
    record=Record(
        {
            "name": NAME,
            "contract": Field(Text(120), default=""),
            "terms": Field(Text(), default=""),
            "team": Field(Name("team", may_be_none=True), default=None),
            "calendar": Field(Name("calendar", may_be_none=True), default=None),
            "contacts": Field(Many(CONTACT), default=[]),
            "url": Field(Text(200), default=""),
            "active": Field(Flag(), default=True),
        },
        whole=False,
    ),
    present=_vendors,
    write=_write_vendor,
)

NARROWED = {
    "calendar": Calendar,
    "service": Service,
    "organisation": Organisation,
    "team": Team,
    "vendor": Vendor,
}


def _targets() -> dict[str, Item]:
    rows = Target.objects.select_related(*(f"current__{name}" for name in NARROWED))
    found = {}
    for row in rows.order_by("position", "id"):
        now = row.current
        names = {name: getattr(now, name) if now else None for name in NARROWED}
        found[row.slug] = {
            "name": row.name,
            "position": row.position,
            "active": row.is_active,
            "clock": now.clock if now else "",
            "allowed": now.seconds if now else None,
            "first": now.first_seconds if now else None,
            "pauses": sorted(set(now.pauses)) if now else [],
            "priority": now.priority if now else None,
            "kind": now.kind if now else "",
            **{name: held.slug if held else None for name, held in names.items()},
        }
    return found


def _write_target(change: Change, hand: Hand) -> None:
    item = change.after
    target = set_target(
        slug=change.key,
        name=item["name"],
        position=item["position"],
        is_active=item["active"],
        **hand.because,
    )
    if change.rewords:
        narrowed: dict[str, Any] = {
            name: find(model, item[name]) for name, model in NARROWED.items()
        }
        publish_target(
            target=target,
            clock_kind=item["clock"],
            seconds=item["allowed"],
            first_seconds=item["first"],
            pauses=item["pauses"],
            priority=item["priority"],
            kind=item["kind"],
            **narrowed,
            **hand.by,
        )


SERIES = (ClockKind.NEXT_UPDATE, ClockKind.STAKEHOLDER_UPDATE)


def _check_target(item: Item, path: str, reading: Reading) -> None:
    if item.get("first") is not None and item.get("clock") not in SERIES:
        known = " and ".join(SERIES)
        reading.wrong_at(f"{path}.first", f"Only {known} have a first word of their own.")


TARGETS = Section(
    name="targets",
    kind="target",
    record=Record(
        {
            "name": Field(Text(120, may_be_empty=False)),
            "position": POSITION,
            "active": Field(Flag(), default=True),
            "clock": Field(Choice(tuple(ClockKind.values)), is_wording=True),
            "allowed": Field(Duration(1), is_wording=True),
            "first": Field(Duration(1), default=None, is_wording=True),
            "calendar": Field(Name("calendar", may_be_none=True), default=None, is_wording=True),
            "pauses": Field(
                Many(Choice(tuple(sorted(states.OPEN))), unordered=True, inline=True),
                default=[],
                is_wording=True,
            ),
            "priority": Field(Whole(1, 5, may_be_none=True), default=None, is_wording=True),
            "kind": Field(
                Choice(tuple(Kind.values), may_be_empty=True), default="", is_wording=True
            ),
            "service": Field(Name("service", may_be_none=True), default=None, is_wording=True),
            "organisation": Field(
                Name("organisation", may_be_none=True), default=None, is_wording=True
            ),
            "team": Field(Name("team", may_be_none=True), default=None, is_wording=True),
            "vendor": Field(Name("vendor", may_be_none=True), default=None, is_wording=True),
        },
        whole=False,
    ),
    present=_targets,
    write=_write_target,
    check=_check_target,
)
