"""Replies and notes: what people wrote about a ticket."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.idempotency import once
from api.paging import Order
from api.rest.acts import WORDS_MAX, require_one
from api.rest.catalog import PersonRef
from api.rest.headers import IDEMPOTENCY, IF_MATCH
from api.rest.resource import Resource, StrictSerializer, Text
from api.rest.tickets import require_match, ticket_of
from roles.models import Person
from tickets.access import may
from tickets.answering import Answer, answer
from tickets.attachments import MOST_FILES
from tickets.links import survivor_for
from tickets.models import EventKind, Ticket, TimelineEvent
from tickets.queries import readable_events


class CommentView(serializers.ModelSerializer):
    """One reply or note; its text is empty when it has been erased."""

    author = serializers.SerializerMethodField()
    public = serializers.BooleanField(source="is_public", read_only=True)
    text = serializers.SerializerMethodField()

    class Meta:
        model = TimelineEvent
        fields = ("seq", "at", "author", "public", "text")
        read_only_fields = fields

    @extend_schema_field(PersonRef(allow_null=True))
    def get_author(self, event: TimelineEvent) -> dict[str, Any] | None:
        """Who wrote it; null for the service itself."""
        person = self.context["people"].get(event.actor_id)
        return dict(PersonRef(person).data) if person else None

    def get_text(self, event: TimelineEvent) -> str:
        """What was written."""
        return text_of(event)


def text_of(event: TimelineEvent) -> str:
    """The words of an event; "" when there are none or they have been erased."""
    body = getattr(event, "body", None)
    return body.text if body is not None else ""


def events_of(request: Request, ticket: Ticket) -> QuerySet[TimelineEvent]:
    """The ticket's events as far as the caller may see them."""
    events = TimelineEvent.objects.filter(ticket=ticket.pk).select_related("body")
    events = readable_events(events, request.user)
    return events if may(request.user, "see_internal", ticket) else events.filter(is_public=True)


def actors_of(events: list[TimelineEvent]) -> dict[int, Person]:
    """Who did these, by id: one query."""
    return Person.objects.in_bulk({event.actor_id for event in events if event.actor_id})


class Commenting(StrictSerializer):
    """A public reply, or an internal note; one must say which.

    `attachments` are numbers of files kept before. With `seen`, the number of the last event that
    was read, it is refused where somebody has written meanwhile.
    """

    text = Text(max_length=WORDS_MAX)
    public = serializers.BooleanField()
    attachments = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**62),
        max_length=MOST_FILES,
        required=False,
        source="files",
    )
    seen = serializers.IntegerField(min_value=0, required=False, allow_null=True)


BY_SEQ = {"seq": Order("seq", holds=int), "-seq": Order("seq", True, holds=int)}


class Comments(Resource):
    serializer_class = CommentView
    queryset = TimelineEvent.objects.none()
    orders = BY_SEQ

    @extend_schema(operation_id="tickets_comments_list", responses=CommentView(many=True))
    def get(self, request: Request, key: str) -> Response:
        """Replies, and notes for those who may see them; oldest first."""
        found = events_of(request, ticket_of(request, key)).filter(kind=EventKind.COMMENTED)
        rows = self.paginate_queryset(found) or []
        return self.get_paginated_response(self.show(rows, many=True, people=actors_of(rows)))

    @extend_schema(
        operation_id="tickets_comments_create",
        request=Commenting,
        parameters=[IDEMPOTENCY, IF_MATCH],
        responses={201: CommentView},
    )
    def post(self, request: Request, key: str) -> HttpResponseBase:
        """Add a reply or a note."""
        return once(request, lambda: self._add(request, key))

    def _add(self, request: Request, key: str) -> Response:
        asked = ticket_of(request, key)
        ticket = survivor_for(asked, request.user)
        require_one(request, ticket, ("comment_public", "comment_internal"))
        given = self.read(Commenting)
        with transaction.atomic():
            require_match(request, asked)
            answer(ticket=ticket, actor=request.user, given=Answer(**given), via="api")
            mine = TimelineEvent.objects.filter(ticket=ticket.pk, kind=EventKind.COMMENTED)
            event = mine.select_related("body").order_by("-seq")[0]
        people = {request.user.pk: request.user}
        return Response(self.show(event, people=people), status=201)
