"""What happened to a ticket and what its clocks show: timeline, clocks, escalations, firings."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.paging import Order
from api.rest.catalog import PersonRef, TeamRef
from api.rest.comments import BY_SEQ, actors_of, events_of, text_of
from api.rest.resource import Resource, sees_internal
from api.rest.tickets import ticket_of
from escalation.bill import VENDOR, Bill, Share
from escalation.billing import bills
from escalation.clock import read
from escalation.models import Clock, Escalation, Firing, Vendor
from escalation.sla import cycle_of
from roles.calendars import work_calendar
from roles.instants import database_now
from roles.models import Team
from tickets.access import require
from tickets.models import Ticket, TimelineEvent

NEWEST_FIRST = {"-id": Order("pk", True), "id": Order("pk")}


class EventView(serializers.ModelSerializer):
    """One event of the timeline; the facts are null for readers outside the service."""

    actor = serializers.SerializerMethodField()
    public = serializers.BooleanField(source="is_public", read_only=True)
    text = serializers.SerializerMethodField()
    facts = serializers.SerializerMethodField()

    class Meta:
        model = TimelineEvent
        fields = ("seq", "at", "kind", "actor", "public", "text", "facts", "hash")
        read_only_fields = fields

    @extend_schema_field(PersonRef(allow_null=True))
    def get_actor(self, event: TimelineEvent) -> dict[str, Any] | None:
        """Who did it; null for the service itself."""
        person = self.context["people"].get(event.actor_id)
        return dict(PersonRef(person).data) if person else None

    def get_text(self, event: TimelineEvent) -> str:
        """What was written with it."""
        return text_of(event)

    def get_facts(self, event: TimelineEvent) -> dict[str, Any] | None:
        """What changed (`was`, `set`), and whatever else is known of it."""
        return event.facts if sees_internal(self.context["request"].user) else None


class SegmentView(serializers.Serializer):
    """Working time that went by in one place; `of` is the slug of the team or vendor there."""

    place = serializers.CharField(source="place.kind")
    of = serializers.SerializerMethodField()
    seconds = serializers.FloatField()

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_of(self, share: Share) -> str | None:
        """In whose queue or hands."""
        names: dict[tuple[bool, int], str] = self.context["names"]
        return names.get((share.place.kind == VENDOR, share.place.of or 0))


class BillView(serializers.Serializer):
    """Where the time of a clock went: all of it, and what lies beyond the target."""

    whole = SegmentView(many=True)
    late = SegmentView(many=True)
    late_s = serializers.FloatField()


class ClockView(serializers.ModelSerializer):
    """One cycle of one clock, as of now, with where its time went."""

    team = TeamRef(read_only=True, allow_null=True)
    calendar = serializers.CharField(source="calendar.calendar.slug", read_only=True)
    elapsed_s = serializers.SerializerMethodField()
    segments = serializers.SerializerMethodField()

    class Meta:
        model = Clock
        fields = (
            *("kind", "cycle", "state", "ended_as", "team", "calendar", "target_s", "elapsed_s"),
            *("started_at", "due_at", "stopped_at", "breached_at", "pauses", "segments"),
        )
        read_only_fields = fields

    @extend_schema_field(BillView)
    def get_segments(self, clock: Clock) -> Any:
        """The shares of its time by place, the largest first."""
        return BillView(self.context["bills"][clock.pk], context=self.context).data

    def get_elapsed_s(self, clock: Clock) -> float:
        """Working seconds used up; the row knows them only as of its last write."""
        if clock.stopped_at is not None:
            return clock.elapsed_s
        now: datetime = self.context["now"]
        return read(cycle_of(clock), work_calendar(clock.calendar_id), now).elapsed_s


class EscalationView(serializers.ModelSerializer):
    """One escalation: from whom to whom, why, and what became of it."""

    from_team = TeamRef(read_only=True)
    to_team = TeamRef(read_only=True, allow_null=True)
    to_people = PersonRef(many=True, read_only=True)
    actor = PersonRef(read_only=True, allow_null=True)
    accepted_by = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = Escalation
        fields = (
            *("id", "type", "state", "from_team", "to_team", "to_people", "trigger", "actor"),
            *("reason_code", "reason", "tried", "impact", "clock_reading", "opened_at"),
            *("accepted_at", "accepted_by", "ended_at", "hand_back_code", "hand_back_reason"),
        )
        read_only_fields = fields


class FiringView(serializers.ModelSerializer):
    """One execution of a policy's step, and why."""

    policy = serializers.CharField(source="run.policy.slug", read_only=True)
    revision = serializers.IntegerField(source="run.revision.number", read_only=True)
    step = serializers.CharField(source="step.name", read_only=True)
    explain = serializers.SerializerMethodField()

    class Meta:
        model = Firing
        fields = ("id", "policy", "revision", "step", "outcome", "due_at", "fired_at", "explain")
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_explain(self, firing: Firing) -> list[str]:
        """Sentences: rule, time, deeds, who was told and who was left out."""
        return list(firing.explain.get("text", []))


class Events(Resource):
    serializer_class = EventView
    queryset = TimelineEvent.objects.none()
    orders = BY_SEQ

    @extend_schema(operation_id="tickets_events_list", responses=EventView(many=True))
    def get(self, request: Request, key: str) -> Response:
        """The timeline; readers outside the service see its public part."""
        rows = self.paginate_queryset(events_of(request, ticket_of(request, key))) or []
        return self.get_paginated_response(self.show(rows, many=True, people=actors_of(rows)))


class Inside(Resource):
    """What only people of the service see of a ticket."""

    orders = NEWEST_FIRST

    def inner_ticket(self, key: str) -> Ticket:
        """The ticket. Raises Http404, and Forbidden for who sees nothing internal."""
        ticket = ticket_of(self.request, key)
        require(self.request.user, "see_internal", ticket)
        return ticket


class Clocks(Inside):
    serializer_class = ClockView
    queryset = Clock.objects.none()
    orders = {"id": Order("pk"), "-id": Order("pk", True)}

    @extend_schema(operation_id="tickets_clocks_list", responses=ClockView(many=True))
    def get(self, request: Request, key: str) -> Response:
        """Every cycle of every clock of the ticket."""
        clocks = Clock.objects.filter(ticket=self.inner_ticket(key).pk)
        now = database_now()
        found = clocks.select_related("team", "calendar__calendar")
        rows = self.paginate_queryset(found) or []
        billed = bills(rows, now)
        shown = self.show(rows, many=True, now=now, bills=billed, names=_names(billed.values()))
        return self.get_paginated_response(shown)


def _names(found: Iterable[Bill]) -> dict[tuple[bool, int], str]:
    """Slugs of the teams and vendors in these bills, by whether it is a vendor, and id."""
    places = {share.place for bill in found for share in bill.whole}
    teams = {place.of for place in places if place.of and place.kind != VENDOR}
    vendors = {place.of for place in places if place.of and place.kind == VENDOR}
    rows = Team.objects.filter(pk__in=teams).values_list("pk", "slug") if teams else []
    more = Vendor.objects.filter(pk__in=vendors).values_list("pk", "slug") if vendors else []
    return {(False, pk): slug for pk, slug in rows} | {(True, pk): slug for pk, slug in more}


class Escalations(Inside):
    serializer_class = EscalationView
    queryset = Escalation.objects.none()

    @extend_schema(operation_id="tickets_escalations_list", responses=EscalationView(many=True))
    def get(self, request: Request, key: str) -> Response:
        """Every escalation of the ticket, newest first."""
        rows = Escalation.objects.filter(ticket=self.inner_ticket(key).pk)
        around = rows.select_related("from_team", "to_team", "actor", "accepted_by")
        return self.page(around.prefetch_related("to_people"))


class Firings(Inside):
    serializer_class = FiringView
    queryset = Firing.objects.none()

    @extend_schema(operation_id="tickets_firings_list", responses=FiringView(many=True))
    def get(self, request: Request, key: str) -> Response:
        """What the policies did, or passed over, and why; newest first."""
        rows = Firing.objects.filter(ticket=self.inner_ticket(key).pk)
        return self.page(rows.select_related("run__policy", "run__revision", "step"))
