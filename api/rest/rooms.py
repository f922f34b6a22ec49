"""The room in a chat of a major incident: made and filled, without a transaction around it.

Both speak to the chat for seconds, in which nothing of the database may be held.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.idempotency import once_outside
from api.rest.acts import Act, require_one
from api.rest.catalog import PersonRef
from api.rest.headers import IDEMPOTENCY, IF_MATCH
from api.rest.resource import Resource
from api.rest.tickets import require_match, ticket_of
from tickets import warroom
from tickets.models import Major, Ticket

_RUN: Final = ("run_major",)
ACTS: Final = (
    Act(
        "open-war-room",
        "Make a channel for the major incident, ask its people in and pin what is known.",
        _RUN,
        warroom.open_room,
        is_outside=True,
    ),
    Act(
        "fill-war-room",
        "Ask in whoever should be there by now, and pin what is known.",
        _RUN,
        warroom.fill_room,
        is_outside=True,
    ),
)


class RoomView(serializers.Serializer):
    """Where the room is, who was asked in, and who has to be called in another way."""

    channel_url = serializers.SerializerMethodField()
    asked = PersonRef(many=True)
    missing = PersonRef(many=True)

    @extend_schema_field(serializers.URLField())
    def get_channel_url(self, filled: warroom.Filled) -> str:
        """Where a browser or the app opens the channel."""
        return str(self.context["channel_url"])


class Arranging(Resource):
    """One act on the room as an address: POST does it and tells whom it has reached."""

    serializer_class = RoomView
    queryset = Ticket.objects.none()
    act: Act

    def post(self, request: Request, key: str) -> HttpResponseBase:
        return once_outside(request, lambda: self._perform(request, key))

    def _perform(self, request: Request, key: str) -> Response:
        ticket = ticket_of(request, key)
        require_one(request, ticket, self.act.needs)
        given = self.read(self.act.body)
        with transaction.atomic():
            require_match(request, ticket)
        filled = self.act.perform(ticket=ticket, actor=request.user, via="api", **given)
        places = Major.objects.filter(ticket=ticket.pk, state=Major.State.ACCEPTED)
        channel_url = places.values_list("channel_url", flat=True).first() or ""
        return Response(self.show(filled, channel_url=channel_url))


def view_of(act: Act) -> type[Arranging]:
    """The view class of one act on the room."""
    describe = extend_schema(
        operation_id=f"tickets_{act.name}",
        description=act.summary,
        request=None,
        parameters=[IDEMPOTENCY, IF_MATCH],
        responses={200: RoomView},
    )

    def post(self: Arranging, request: Request, key: str) -> HttpResponseBase:
        return Arranging.post(self, request, key)

    members: Mapping[str, Any] = {"act": act, "post": describe(post), "__doc__": act.summary}
    return type(act.name, (Arranging,), dict(members))
