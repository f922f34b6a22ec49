"""The sections of the catalog: services, categories, and the routes of each."""

from escalation.configuration.places import NAME
from escalation.configuration.records import Field, Record
from escalation.configuration.section import Change, Hand, Item, Section, find, require_row
from escalation.configuration.shapes import Flag, Name, Text
from roles.models import Team, Tier
from tickets.catalog import set_category, set_route, set_service
from tickets.models import Category, Route, Service


def _services() -> dict[str, Item]:
    return {
        row.slug: {
            "name": row.name,
            "description": row.description,
            "owner": row.owner_team.slug if row.owner_team else None,
            "active": row.is_active,
        }
        for row in Service.objects.select_related("owner_team").order_by("slug")
    }


def _write_service(change: Change, hand: Hand) -> None:
    item = change.after
    set_service(
        slug=change.key,
        name=item["name"],
        description=item["description"],
        owner_team=find(Team, item["owner"]),
        is_active=item["active"],
        **hand.because,
    )


SERVICES = Section(
    name="services",
    kind="service",
    record=Record(
        {
            "name": NAME,
            "description": Field(Text(), default=""),
            "owner": Field(Name("team", may_be_none=True), default=None),
            "active": Field(Flag(), default=True),
        },
        whole=False,
    ),
    present=_services,
    write=_write_service,
)


def _categories() -> dict[str, Item]:
    return {
        row.slug: {
            "name": row.name,
            "parent": row.parent.slug if row.parent else None,
            "active": row.is_active,
        }
        for row in Category.objects.select_related("parent").order_by("slug")
    }


def _write_category(change: Change, hand: Hand) -> None:
    item = change.after
    set_category(
        slug=change.key,
        name=item["name"],
        parent=find(Category, item["parent"]),
        is_active=item["active"],
        **hand.because,
    )


CATEGORIES = Section(
    name="categories",
    kind="category",
    record=Record(
        {
            "name": NAME,
            "parent": Field(Name("category", may_be_none=True), default=None),
            "active": Field(Flag(), default=True),
        },
        whole=False,
    ),
    present=_categories,
    write=_write_category,
)


def _routes() -> dict[str, Item]:
    found = {}
    for row in Route.objects.select_related("service", "category", "tier", "team"):
        item = {
            "service": row.service.slug if row.service else None,
            "category": row.category.slug if row.category else None,
            "tier": row.tier.slug,
            "team": row.team.slug,
            "takes_new": row.takes_new,
            "active": row.is_active,
        }
        found[ROUTES.key_of(item)] = item
    return dict(sorted(found.items()))


def _write_route(change: Change, hand: Hand) -> None:
    item = change.after
    set_route(
        service=find(Service, item["service"]),
        category=find(Category, item["category"]),
        tier=require_row(Tier, item["tier"]),
        team=require_row(Team, item["team"]),
        takes_new=item["takes_new"],
        is_active=item["active"],
        **hand.because,
    )


ROUTES = Section(
    name="routes",
    kind="route",
    identity=("service", "category", "tier"),
    record=Record(
        {
            "service": Field(Name("service", may_be_none=True), default=None, is_wording=True),
            "category": Field(Name("category", may_be_none=True), default=None, is_wording=True),
            "tier": Field(Name("tier"), is_wording=True),
            "team": Field(Name("team"), is_wording=True),
            "takes_new": Field(Flag(), default=False, is_wording=True),
            "active": Field(Flag(), default=True, is_wording=True),
        },
        inline=True,
        whole=False,
    ),
    present=_routes,
    write=_write_route,
)
