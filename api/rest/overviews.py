"""What it all shows: risk, figures, what is worth teaching, and dashboards by mail."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.paging import Order, Whole
from api.rest.references import CategoryName, ServiceName, TeamName
from api.rest.resource import FIELDS, Resource, StrictSerializer
from api.rest.subject import PK, Deed, Look, Subject, require_action
from api.rest.views import answer_look, query_of, read_params
from insights.figures.answers import Told, tell_board
from insights.figures.boards import BOARD_BY_SLUG, BOARDS
from insights.figures.folding import zone_of_days
from insights.figures.mailing import end_mail, order_mail
from insights.figures.models import BoardMail
from insights.figures.moment import NOW
from insights.figures.sums import Question
from insights.lessons import lessons
from insights.models import Estimate
from insights.risk.estimating import open_estimates
from roles.instants import database_now
from roles.models import Person
from roles.models.tokens import Scope
from tickets.models import Kind, Ticket

DASHBOARD: Final = "see_dashboard"
RISKS: Final = 100
USUAL: Final = timedelta(days=27)
PERIOD_MAX: Final = timedelta(days=3660)
NAMES: Final = [(board.slug, board.slug) for board in BOARDS]


# ---- Risk and teaching ---------------------------------------------------------------------------


class ReasonView(serializers.Serializer):
    """What an estimate rests on: the sort of reason, of what, and its numbers."""

    code = serializers.CharField()
    of = serializers.CharField(default="")
    share = serializers.FloatField(allow_null=True, default=None, help_text="Ended badly, 0 to 1.")
    count = serializers.IntegerField(allow_null=True, default=None)
    hours = serializers.FloatField(allow_null=True, default=None)
    number = serializers.IntegerField(allow_null=True, default=None)


class RiskView(serializers.Serializer):
    """An open ticket, and how likely it ends badly."""

    key = serializers.CharField(source="ticket.key")
    subject = serializers.CharField(source="ticket.subject")
    status = serializers.CharField(source="ticket.status")
    priority = serializers.IntegerField(source="ticket.priority")
    team = serializers.CharField(source="ticket.team.slug", default=None, allow_null=True)
    probability = serializers.FloatField()
    at = serializers.DateTimeField()
    reasons = ReasonView(many=True)


class LessonView(serializers.Serializer):
    """What one team passes to another that is solved there fast, or from an article."""

    about = serializers.CharField()
    from_team = serializers.CharField()
    to_team = serializers.CharField()
    times = serializers.IntegerField()
    fast = serializers.IntegerField()
    by_article = serializers.IntegerField()
    articles = serializers.ListField(child=serializers.CharField())
    examples = serializers.ListField(child=serializers.CharField())


def _risk(reader: Person) -> QuerySet[Estimate, Any]:
    rows = open_estimates(Ticket.objects.visible_to(reader)).filter(model__is_used=True)
    return rows.select_related("ticket__team")[:RISKS]


# ---- Figures -------------------------------------------------------------------------------------


class Period(StrictSerializer):
    """From which day to which, and of what; the last four weeks without days."""

    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)
    team = TeamName(required=False)
    service = ServiceName(required=False)
    category = CategoryName(required=False)
    priority = serializers.IntegerField(required=False, min_value=1, max_value=5)
    kind = serializers.ChoiceField(Kind.choices, required=False)


class Asking(Period):
    """Which dashboard, of which period, and of what."""

    board = serializers.ChoiceField(NAMES, required=False)


class FigureView(serializers.Serializer):
    """One figure; `value` is null where nothing was measured, never zero."""

    slug = serializers.CharField()
    name = serializers.CharField()
    definition = serializers.CharField()
    unit = serializers.CharField(help_text="share (0 to 1), time (seconds), count or mean")
    value = serializers.FloatField(allow_null=True)
    working = serializers.FloatField(allow_null=True, help_text="The same in working time.")
    before = serializers.FloatField(allow_null=True, help_text="In the period before.")
    facts = serializers.IntegerField(help_text="How many facts it rests on.")


class LineView(serializers.Serializer):
    """A figure's value for one part; `where` narrows to it."""

    # The stubs take every attribute of that name for the field's own label.
    label = serializers.CharField()  # type: ignore[assignment]
    value = serializers.FloatField(allow_null=True)
    second = serializers.FloatField(allow_null=True)
    facts = serializers.IntegerField()
    where = serializers.DictField(child=serializers.CharField())


class SplitView(serializers.Serializer):
    """A figure split, such as by team; `with_figure` says what the second values are."""

    figure = serializers.CharField()
    by = serializers.CharField()
    with_figure = serializers.CharField(allow_null=True)
    lines = LineView(many=True)


class BoardView(serializers.Serializer):
    """One dashboard for a period, both days included; restricted cases only for who is cleared."""

    board = serializers.CharField()
    name = serializers.CharField()
    since = serializers.DateField()
    until = serializers.DateField()
    boards = serializers.ListField(child=serializers.CharField(), help_text="All there are.")
    figures = FigureView(many=True)
    splits = SplitView(many=True)


def question_of(asked: Mapping[str, Any], now: datetime) -> Question:
    """What is asked of the figures; days are those of the zone in which they are counted."""
    until: date = asked.get("until") or now.astimezone(ZoneInfo(zone_of_days())).date()
    since: date = asked.get("since") or until - USUAL
    since, until = sorted((since, until))
    return Question(
        since=max(since, until - PERIOD_MAX),
        until=until + timedelta(days=1),
        priority=asked.get("priority"),
        kind=asked.get("kind", ""),
        **{name: asked[name].pk for name in ("team", "service", "category") if name in asked},
    )


def _figures(reader: Person, board: str = "", **asked: Any) -> dict[str, Any]:
    now = database_now()
    found = BOARD_BY_SLUG.get(board) or BOARDS[0]
    return _shown(tell_board(found, question_of(asked, now), reader, now=now))


def _shown(told: Told) -> dict[str, Any]:
    tiles = [
        {
            **{name: getattr(tile.figure, name) for name in ("slug", "name", "definition", "unit")},
            **{name: getattr(tile, name) for name in ("value", "working", "before")},
            "facts": tile.weight,
        }
        for tile in told.tiles
    ]
    splits = [
        {
            "figure": split.figure.slug,
            "by": split.panel.by,
            "with_figure": split.second.slug if split.second else None,
            "lines": [
                {
                    **{name: getattr(row, name) for name in ("label", "value", "second")},
                    "facts": row.weight,
                    "where": row.drill,
                }
                for row in split.rows
            ],
        }
        for split in told.splits
    ]
    return {
        "board": told.board.slug,
        "name": told.board.name,
        "since": told.question.since,
        "until": told.question.until - timedelta(days=1),
        "boards": [board.slug for board in BOARDS],
        "figures": tiles,
        "splits": splits,
    }


LOOKS: Final = (
    Look(
        slug="risk",
        summary="Open tickets by how likely they end badly, the likeliest first.",
        read=_risk,
        answer=RiskView,
        needs=DASHBOARD,
    ),
    Look(
        slug="training",
        summary="What lower tiers pass on that they could solve themselves.",
        read=lambda reader: [asdict(each) for each in lessons(reader, database_now())],
        answer=LessonView,
        needs=DASHBOARD,
    ),
    Look(
        slug="figures",
        summary="A dashboard for a period, as plain numbers.",
        read=_figures,
        answer=BoardView,
        many=False,
        needs=DASHBOARD,
        params=Asking,
    ),
)


class Overview(Resource):
    """One thing to be read of the whole service."""

    queryset = Ticket.objects.none()
    pagination_class = Whole
    look: Look

    def known_parameters(self, request: Request) -> tuple[str, ...]:
        """What the look declares."""
        return (FIELDS, *self.look.params().fields)

    def tell(self, request: Request) -> Response:
        """What the look finds."""
        require_action(request.user, self.look.needs)
        params = read_params(self, self.look.params)
        return answer_look(self, self.look, self.look.read(request.user, **params))


def view_of(look: Look) -> type[Overview]:
    """The view class of one look."""

    def get(self: Overview, request: Request) -> Response:
        return self.tell(request)

    describe: Callable[..., Any] = extend_schema(
        operation_id=f"{look.slug}_read",
        description=look.summary,
        parameters=query_of(look.params),
        responses=look.answer(many=True) if look.many else look.answer,
    )
    members = {
        "look": look,
        "serializer_class": look.answer,
        "get": describe(get),
        "__doc__": look.summary,
    }
    return type(f"{look.slug}_overview", (Overview,), members)


# ---- Dashboards by mail --------------------------------------------------------------------------


class BoardMailView(serializers.ModelSerializer):
    """A dashboard that one has sent to oneself; `words` narrow it."""

    words = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = BoardMail
        fields = ("id", "board", "words", "days", "every", "hour", "form", "next_at")
        read_only_fields = fields


class Ordering(StrictSerializer):
    """Which dashboard, how many days back, how often and at which hour of one's own clock."""

    board = serializers.ChoiceField([(NOW, NOW), *NAMES])
    days = serializers.IntegerField(min_value=1, max_value=PERIOD_MAX.days, default=28)
    every = serializers.ChoiceField(BoardMail.Every.choices)
    hour = serializers.IntegerField(min_value=0, max_value=23)
    form = serializers.ChoiceField(BoardMail.Form.choices, required=False)
    team = TeamName(required=False)
    service = ServiceName(required=False)
    category = CategoryName(required=False)


def _order(*, actor: Person, **given: Any) -> BoardMail:
    names = ("team", "service", "category")
    words = {name: given.pop(name).slug for name in names if name in given}
    return order_mail(actor=actor, words=words, **given)


def _end(*, actor: Person, mail: BoardMail) -> None:
    if not end_mail(actor=actor, pk=mail.pk):
        raise Http404


def _mails(reader: Person) -> QuerySet[BoardMail]:
    return BoardMail.objects.filter(person=reader.pk)


SUBJECTS: Final = (
    Subject(
        slug="board-mails",
        summary="Dashboards that one has sent to oneself.",
        view=BoardMailView,
        by=PK,
        rows=_mails,
        orders={"id": Order("pk"), "-id": Order("pk", True)},
        is_called="mail",
        read_scope=Scope.TICKETS_READ,
        write_scope=Scope.TICKETS_WRITE,
        make=Deed(
            summary="Have one sent; the same once more only changes when.",
            perform=_order,
            body=Ordering,
            needs=DASHBOARD,
            status=201,
        ),
        remove=Deed(summary="Send it no more.", perform=_end),
    ),
)
