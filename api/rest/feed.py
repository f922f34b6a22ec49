"""The feed of events for integrations, page by page; as a stream it stands at the same address."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import BadParameter
from api.paging import Whole
from api.places import seal, unseal
from api.rest.resource import Resource, StrictSerializer, Text
from api.rest.views import read_params
from roles.models import Person
from tickets.broadcast import bodies_of, standard, type_of
from tickets.feed import entries_after, newest_place, oldest_place
from tickets.models import EventKind, FeedEntry
from tickets.queries import discreet

LIMIT: Final = 100
LIMIT_MAX: Final = 500
TYPES: Final = {type_of(kind.value): str(kind.label) for kind in EventKind}
KINDS: Final = {type_of(kind.value): kind.value for kind in EventKind}


class TicketOfEvent(serializers.Serializer):
    """The ticket as it is when the event is told; what it was stands on its timeline."""

    key = serializers.CharField()
    url = serializers.URLField()
    subject = serializers.CharField()
    status = serializers.CharField()
    kind = serializers.CharField()
    priority = serializers.IntegerField()
    impact = serializers.IntegerField()
    urgency = serializers.IntegerField()
    tier = serializers.CharField(allow_null=True)
    team = serializers.CharField(allow_null=True)
    service = serializers.CharField(allow_null=True)
    category = serializers.CharField(allow_null=True)
    assignee = serializers.CharField(allow_null=True)
    requester = serializers.CharField()
    opened_at = serializers.DateTimeField()


class Happening(serializers.Serializer):
    """What happened: the event of the timeline with that number."""

    seq = serializers.IntegerField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(allow_null=True)
    public = serializers.BooleanField()
    text = serializers.CharField()


class EventData(serializers.Serializer):
    """The ticket, and what happened to it."""

    ticket = TicketOfEvent()
    event = Happening()


class FeedEvent(serializers.Serializer):
    """One event; `id` is the place from which one can go on."""

    id = serializers.CharField()
    type = serializers.CharField()
    timestamp = serializers.DateTimeField()
    data: Any = EventData()


class FeedPage(serializers.Serializer):
    """Events in their order; ask again with `after=last`."""

    results = FeedEvent(many=True)
    next = serializers.URLField(allow_null=True)
    last = serializers.CharField(allow_null=True)


class FeedAsking(StrictSerializer):
    """From which event on, how many at most, and which types."""

    after = Text(max_length=16, required=False, help_text="The `id` of the last event you know.")
    limit = serializers.IntegerField(min_value=1, max_value=LIMIT_MAX, required=False)
    types = Text(max_length=2000, required=False, help_text="Separated by commas.")

    def validate_types(self, text: str) -> list[str]:
        """The kinds meant. Raises ValidationError for a type that does not exist."""
        names = [name for name in text.split(",") if name]
        if unknown := [name for name in names if name not in KINDS]:
            raise serializers.ValidationError(f"Unknown: {', '.join(unknown)[:200]}.")
        return [KINDS[name] for name in names]


class TooOld(exceptions.APIException):
    """The place asked for has been let go of."""

    status_code = 410
    default_code = "too_old"
    default_detail = "The feed is kept for a week; read the tickets anew and begin without `after`."


def place_named(name: str) -> int:
    """The place of that name. Raises BadParameter for none of ours, TooOld for one forgotten."""
    place, oldest = unseal(name), oldest_place()
    if place and oldest is None:
        raise TooOld
    if place is None or place > newest_place():
        raise BadParameter({"after": "This is no event of ours."})
    if oldest is not None and place < oldest - 1:
        raise TooOld
    return place


def read_feed(
    person: Person, place: int, *, limit: int, kinds: Sequence[str] = ()
) -> tuple[list[dict[str, Any]], list[FeedEntry]]:
    """Events after a place as this person may read them, and their entries."""
    rows = entries_after(person, place)
    if kinds:
        rows = rows.filter(event__kind__in=kinds)
    around = ("team__tier", "service", "category", "assignee", "requester")
    entries = list(rows.select_related(*(f"event__ticket__{name}" for name in around))[:limit])
    bodies = bodies_of([entry.event for entry in entries])
    told = []
    for entry, body in zip(entries, bodies, strict=True):
        shown = {"id": seal(entry.pk), **standard(body)}
        happened = shown["data"]["event"]
        happened["text"] = discreet(happened["text"], person)
        told.append(shown)
    return told, entries


class Feed(Resource):
    serializer_class = FeedPage
    queryset = FeedEntry.objects.none()
    pagination_class = Whole

    def known_parameters(self, request: Request) -> tuple[str, ...]:
        """What may be asked."""
        return tuple(FeedAsking().fields)

    @extend_schema(
        operation_id="events_list",
        parameters=[FeedAsking],
        responses={
            200: FeedPage,
            410: OpenApiResponse(description="That event is too long ago."),
        },
        tags=["events"],
    )
    def get(self, request: Request) -> Response:
        """What has happened, as the caller may know it; with `Accept: text/event-stream`, live."""
        asked = read_params(self, FeedAsking)
        limit, after = asked.get("limit", LIMIT), asked.get("after", "")
        place = place_named(after) if after else 0
        told, entries = read_feed(request.user, place, limit=limit, kinds=asked.get("types", ()))
        last = told[-1]["id"] if told else after or None
        more = len(entries) == limit
        body = {"results": told, "next": None, "last": last}
        if not more:
            return Response(body)
        query = {"after": last, "limit": limit, "types": request.query_params.get("types")}
        kept = urlencode({name: value for name, value in query.items() if value})
        body["next"] = f"{settings.PUBLIC_URL}{request.path}?{kept}"
        return Response(body, headers={"Link": f'<{body["next"]}>; rel="next"'})


class EventType(serializers.Serializer):
    """A type of event that can be subscribed to."""

    type = serializers.CharField()
    description = serializers.CharField()


class EventTypes(Resource):
    read_scope = ""
    serializer_class = EventType
    queryset = FeedEntry.objects.none()
    pagination_class = Whole

    @extend_schema(operation_id="event_types_list", responses=EventType(many=True), tags=["events"])
    def get(self, request: Request) -> Response:
        """Every type of event; each has the form that `webhooks` of this document describe."""
        rows = [{"type": name, "description": label} for name, label in TYPES.items()]
        return Response({"results": self.show(rows, many=True), "next": None, "previous": None})
