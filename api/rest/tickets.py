"""Tickets: the list, one ticket, and opening one."""

from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import PreconditionFailed
from api.idempotency import once
from api.paging import Order
from api.rest.catalog import CategoryRef, PersonRef, ServiceRef, TeamRef, TierRef
from api.rest.filters import TicketFilters
from api.rest.headers import IDEMPOTENCY
from api.rest.neighbours import bring_near
from api.rest.references import CategoryName, PersonName, ServiceName
from api.rest.resource import (
    Resource,
    StrictSerializer,
    Text,
    digest_of,
    sees_internal,
    tags_in,
)
from escalation.outlook import next_steps
from roles.instances import read_rows
from roles.instants import database_now
from roles.models import Person
from roles.people import is_allowed, roles_of
from roles.refusals import Forbidden
from tickets import states, timeline
from tickets.access import allowed_actions, may, tie_to_new, with_ties
from tickets.models import Kind, Source, Ticket
from tickets.opening import open_ticket
from tickets.priority import LEVELS
from tickets.queries import discreet
from tickets.scopes import SeenTicket
from tickets.states import LABELS

LEVEL_CHOICES = list(LEVELS.items())
STATUSES = [(status, LABELS[status]) for status in sorted(states.ALL)]
CREATED = 201
LEVEL_HELP = "1 (high), 2 or 3 (low)."
AROUND = ("team__tier", "requester", "assignee", "owner", "owner_team", "service", "category")
INTERNAL = (
    "acknowledged_at",
    "owner",
    "owner_team",
    "next_due_at",
    "next_step_at",
    "breached_at",
    "handover_count",
    "chase_count",
    "restricted",
)
"""Members that are null for readers who see nothing internal."""
INNER_FILTERS: Final = {"breached", "due_before", "escalated", "major"}
"""Filters by such members."""


def _instant(name: str) -> Callable[[Ticket], str | None]:
    def read(ticket: Ticket) -> str | None:
        at: datetime | None = getattr(ticket, name)
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at is not None else None

    return read


def _near(path: str, key: str) -> Callable[[Ticket], dict[str, str] | None]:
    def read(ticket: Ticket) -> dict[str, str] | None:
        row: Any = ticket
        for step in path.split("."):
            row = getattr(row, step) if row is not None else None
        return {key: getattr(row, key), "name": row.name} if row is not None else None

    return read


READ: dict[str, Callable[[Ticket], Any]] = {
    **{
        name: attrgetter(name)
        for name in (
            *("key", "kind", "subject", "status", "priority", "impact", "urgency", "source"),
            *("asset", "tags", "resolution_code", "reopen_count", "handover_count"),
            *("chase_count", "restricted", "description", "resolution", "pending_reason"),
        )
    },
    **{
        name: _instant(name)
        for name in (
            *("opened_at", "began_at", "detected_at", "resolved_at", "closed_at", "wake_at"),
            *("acknowledged_at", "next_due_at", "next_step_at", "breached_at"),
        )
    },
    **{name: _near(name, "username") for name in ("requester", "assignee", "owner")},
    **{name: _near(name, "slug") for name in ("team", "owner_team", "service", "category")},
    "tier": _near("team.tier", "slug"),
    "updated_at": _instant("last_event_at"),
    "version": attrgetter("last_seq"),
}
"""How each member is read; the framework's own way costs several times as much for a page."""


class TicketView(serializers.ModelSerializer):
    """A ticket in a list. Members about the service's inner workings are null for requesters."""

    told_to_some = INTERNAL

    requester = PersonRef(read_only=True)
    assignee = PersonRef(read_only=True, allow_null=True)
    team = TeamRef(read_only=True, allow_null=True)
    tier = TierRef(source="team.tier", read_only=True, allow_null=True)
    owner_team = TeamRef(read_only=True, allow_null=True)
    owner = PersonRef(read_only=True, allow_null=True)
    service = ServiceRef(read_only=True, allow_null=True)
    category = CategoryRef(read_only=True, allow_null=True)
    updated_at = serializers.DateTimeField(source="last_event_at", read_only=True, allow_null=True)
    version = serializers.IntegerField(source="last_seq", read_only=True)

    class Meta:
        model = Ticket
        fields: tuple[str, ...] = (
            *("key", "kind", "subject", "status", "priority", "impact", "urgency", "source"),
            *("requester", "team", "tier", "assignee", "service", "category", "asset", "tags"),
            *("opened_at", "updated_at", "began_at", "detected_at", "resolved_at", "closed_at"),
            *("resolution_code", "reopen_count", "wake_at", "version"),
            *INTERNAL,
        )
        read_only_fields = fields

    def to_representation(self, instance: Ticket) -> dict[str, Any]:
        """The ticket as this reader may see it."""
        # Making the members of a serializer costs more than reading them; they are only there when
        # some of them have been picked out.
        names = self.__dict__.get("fields", self.Meta.fields)
        shown = {name: self._told(name, instance) for name in names}
        if not sees_internal(self.context["request"].user):
            shown.update({name: None for name in INTERNAL if name in shown})
        return shown

    def _told(self, name: str, ticket: Ticket) -> Any:
        read = READ.get(name)
        return read(ticket) if read is not None else getattr(self, f"get_{name}")(ticket)


class NextStepView(serializers.Serializer):
    """What happens by itself if nobody acts."""

    what = serializers.CharField()
    rule = serializers.CharField()
    at = serializers.DateTimeField()
    to = serializers.CharField()
    policy = serializers.CharField()


class TicketDetail(TicketView):
    """One ticket, with what the caller may do and what happens next by itself."""

    next_step = serializers.SerializerMethodField()
    allowed = serializers.SerializerMethodField()

    class Meta(TicketView.Meta):
        fields = (
            *TicketView.Meta.fields,
            *("description", "resolution", "pending_reason", "next_step", "allowed"),
        )
        read_only_fields = fields

    def to_representation(self, ticket: Ticket) -> dict[str, Any]:
        """As it is, but without the keys of cases that are closed to the caller."""
        shown: dict[str, Any] = super().to_representation(ticket)
        reader = self.context["request"].user
        return shown | {
            name: discreet(shown[name], reader)
            for name in ("description", "resolution")
            if name in shown
        }

    @extend_schema_field(NextStepView(allow_null=True))
    def get_next_step(self, ticket: Ticket) -> dict[str, Any] | None:
        """Null for a ticket that is not open, for requesters, and in the answer to an opening."""
        if (
            self.context.get("is_new")
            or not ticket.is_open
            or not sees_internal(self.context["request"].user)
        ):
            return None
        step = next_steps([ticket.pk], database_now()).get(ticket.pk)
        return dict(NextStepView(step).data) if step is not None else None

    def get_allowed(self, ticket: Ticket) -> list[str]:
        """Actions of the access table that the caller may do to this ticket."""
        return sorted(allowed_actions(self.context["request"].user, ticket))


class Opening(StrictSerializer):
    """What a new ticket is about."""

    subject = Text(max_length=250)
    description = Text(max_length=20_000, required=False, allow_blank=True)
    kind = serializers.ChoiceField(Kind.choices, required=False)
    impact = serializers.ChoiceField(LEVEL_CHOICES, required=False, help_text=LEVEL_HELP)
    urgency = serializers.ChoiceField(LEVEL_CHOICES, required=False, help_text=LEVEL_HELP)
    service = ServiceName(required=False, allow_null=True)
    category = CategoryName(required=False, allow_null=True)
    requester = Text(required=False, max_length=150, help_text="User name; without it, the caller.")
    asset = Text(max_length=200, required=False, allow_blank=True)
    tags = serializers.ListField(child=Text(max_length=50), max_length=20, required=False)
    began_at = serializers.DateTimeField(required=False, allow_null=True)
    detected_at = serializers.DateTimeField(required=False, allow_null=True)

    def validate_requester(self, name: str) -> Person:
        """Somebody else only for those who may ask for others; so that names cannot be tried."""
        caller: Person = self.context["request"].user
        if name.lower() == caller.username.lower():
            return caller
        if not roles_of(caller) & {"agent", "service"}:
            raise Forbidden("not_allowed", "You may open tickets in your own name only.")
        person: Person = PersonName().run_validation(name)
        return person


def ticket_of(request: Request, key: str) -> Ticket:
    """The ticket of that key as the caller sees it. Raises Http404 for what is unseen."""
    ticket = SEEN.find(request.user, key)
    if ticket is None:
        raise Http404
    return ticket


def _seen_by(person: Person) -> QuerySet[Ticket]:
    return with_ties(Ticket.objects.visible_to(person).select_related(*AROUND), person)


SEEN: Final = SeenTicket(_seen_by)


def etag_of(ticket: Ticket, shown: Any) -> str:
    """The ticket's version, and a digest of what is shown of it.

    The version is the number of its last event, and alone counts for If-Match. Names, deadlines
    and what comes next change without an event: whoever asks with If-None-Match is told of them.
    """
    return f'"{ticket.last_seq}.{digest_of(shown).strip(chr(34))}"'


def require_match(request: Request, ticket: Ticket) -> None:
    """Keep the ticket still and compare it with If-Match. Raises PreconditionFailed.

    Must run in the transaction of the act; without the header it does nothing.
    """
    if wanted := tags_in(request.headers.get("If-Match", "")):
        version = str(timeline.lock(ticket.pk).last_seq)
        if not {"*", version} & {tag.strip('"').partition(".")[0] for tag in wanted}:
            raise PreconditionFailed


def answer_ticket(request: Request, key: str, *, status: int = 200) -> Response:
    """The ticket after an act; 204 when the act has put it out of the caller's sight."""
    try:
        ticket = ticket_of(request, key)
    except Http404:
        return Response(status=204)
    return show_ticket(request, ticket, status=status)


def show_new(request: Request, ticket: Ticket) -> Response:
    """The answer to an opening, from what is in memory; 204 where the caller does not see it."""
    tie_to_new(ticket, request.user)
    if not may(request.user, "view", ticket):
        return Response(status=204)
    return show_ticket(request, ticket, status=CREATED)


def show_ticket(request: Request, ticket: Ticket, *, status: int = 200) -> Response:
    """The ticket as the caller may see it, with its ETag."""
    context = {"request": request, "is_new": status == CREATED}
    shown = TicketDetail(ticket, context=context).data
    return Response(shown, status=status, headers={"ETag": etag_of(ticket, shown)})


class Tickets(Resource):
    serializer_class = TicketView
    queryset = Ticket.objects.none()
    filterset_class = TicketFilters
    orders = {
        "-opened_at": Order("opened_at", True, is_always=True),
        "opened_at": Order("opened_at", is_always=True),
        "next_due_at": Order("next_due_at"),
        "-next_due_at": Order("next_due_at", True),
        "priority": Order("priority", holds=int, is_always=True),
        "-priority": Order("priority", True, holds=int, is_always=True),
        "updated_at": Order("last_event_at"),
        "-updated_at": Order("last_event_at", True),
    }

    def known_parameters(self, request: Request) -> set[str]:
        """What may be asked; nobody learns by a filter what is not shown to them."""
        known = set(super().known_parameters(request))
        return known if sees_internal(request.user) else known - INNER_FILTERS

    def open_orders(self) -> dict[str, Order]:
        """The orders by what the caller is shown."""
        if sees_internal(self.request.user):
            return self.orders
        return {name: each for name, each in self.orders.items() if each.field not in INTERNAL}

    @extend_schema(operation_id="tickets_list", responses=TicketView(many=True))
    def get(self, request: Request) -> Response:
        """The tickets that the caller may see."""
        visible: QuerySet[Ticket] = Ticket.objects.visible_to(request.user)
        return self.page(visible.defer("description", "resolution"))

    def fetch(self, rows: QuerySet[Ticket]) -> list[Ticket]:
        """The tickets with what they point to, by one statement for each table."""
        tickets = read_rows(rows)
        bring_near(tickets)
        return tickets

    @extend_schema(
        operation_id="tickets_create",
        request=Opening,
        parameters=[IDEMPOTENCY],
        responses={201: TicketDetail, 204: OpenApiResponse(description="Not visible to you.")},
    )
    def post(self, request: Request) -> Any:
        """Open a ticket; it is routed to a team at once."""
        return once(request, lambda: self._open(request))

    def _open(self, request: Request) -> Response:
        if not is_allowed(request.user, "open"):
            raise Forbidden("not_allowed", "You may not open tickets.")
        given = self.read(Opening)
        given.setdefault("requester", request.user)
        ticket = open_ticket(actor=request.user, source=Source.API, via="api", **given)
        answer = show_new(request, ticket)
        answer["Location"] = f"{settings.PUBLIC_URL}{request.path.rstrip('/')}/{ticket.key}/"
        return answer


class OneTicket(Resource):
    serializer_class = TicketDetail
    queryset = Ticket.objects.none()

    @extend_schema(operation_id="tickets_retrieve", responses=TicketDetail)
    def get(self, request: Request, key: str) -> Response:
        """One ticket; its ETag tells its version, and what is shown of it."""
        ticket = ticket_of(request, key)
        shown = self.show(ticket)
        return Response(shown, headers={"ETag": etag_of(ticket, shown)})
