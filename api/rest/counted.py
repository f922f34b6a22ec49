"""What stands behind the dashboards, how things are this moment, and what work costs the caller."""

from typing import Any, Final

from rest_framework import serializers

from api.rest.overviews import DASHBOARD, Period, question_of
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import Look
from insights.figures.behind import Narrower, facts_behind
from insights.figures.moment import tables_of_now
from insights.figures.own import OwnLoad, own_load
from insights.figures.present import Present
from insights.figures.registry import BY_SLUG
from roles.instants import database_now
from roles.models import Person

MOST: Final = 1000
FIGURES: Final = [(slug, slug) for slug in sorted(BY_SLUG)]
NARROWING: Final = ("to", "sort", "tier", "vendor", "policy")


class Behind(Period):
    """Which figure, of which period; the others as the `where` of a dashboard's line has them."""

    figure = serializers.ChoiceField(FIGURES)
    to = Text(max_length=80, required=False)
    sort = Text(max_length=80, required=False)
    tier = Text(max_length=80, required=False)
    vendor = Text(max_length=80, required=False)
    policy = Text(max_length=80, required=False)


class FactView(serializers.Serializer):
    """One fact that the figure counts, such as a promise that was missed, with its ticket."""

    key = serializers.CharField(source="ticket.key")
    subject = serializers.CharField(source="ticket.subject")
    status = serializers.CharField(source="ticket.status")
    priority = serializers.IntegerField(source="ticket.priority")
    team = serializers.CharField(source="ticket.team.slug", default=None, allow_null=True)
    service = serializers.CharField(source="ticket.service.slug", default=None, allow_null=True)
    day = serializers.DateField()
    sort = serializers.CharField(source="tag")
    measured = serializers.IntegerField(source="total", help_text="Whole seconds as a rule.")
    working = serializers.IntegerField(source="work", help_text="The same in working time.")


class LoadView(serializers.Serializer):
    """The caller's own open tickets, and by how many pages of the period they were called."""

    open = serializers.IntegerField()
    oldest_at = serializers.DateTimeField(allow_null=True)
    pages = serializers.IntegerField()
    night_pages = serializers.IntegerField()
    nights = serializers.IntegerField()


class TableView(serializers.Serializer):
    """One table; an empty cell is what is not measured."""

    title = serializers.CharField()
    head = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.ListField())


def _behind(reader: Person, figure: str, **asked: Any) -> Any:
    narrower = Narrower(**{name: asked.pop(name, "") for name in NARROWING})
    facts = facts_behind(BY_SLUG[figure], question_of(asked, database_now()), narrower, reader)
    return facts.select_related("ticket__team", "ticket__service")[:MOST]


def _own(reader: Person, **asked: Any) -> OwnLoad:
    return own_load(reader, question_of(asked, database_now()))


class Days(StrictSerializer):
    """From which day to which; the last four weeks without."""

    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)


LOOKS: Final = (
    Look(
        slug="figure-tickets",
        summary="The newest thousand facts behind one figure, each with its ticket.",
        read=_behind,
        answer=FactView,
        needs=DASHBOARD,
        params=Behind,
    ),
    Look(
        slug="own-load",
        summary="What the work costs the caller, whom alone it is told.",
        read=_own,
        answer=LoadView,
        many=False,
        params=Days,
    ),
    Look(
        slug="now",
        summary="How things stand this moment, as tables: sums, tiers, deadlines, gaps ahead.",
        read=lambda reader: tables_of_now(Present(reader, database_now())),
        answer=TableView,
        needs=DASHBOARD,
    ),
)
