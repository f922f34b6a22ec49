"""How people are told: one's own addresses, rules and stand-in, calendar links, subscriptions."""

from datetime import datetime, time
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.paging import Order
from api.rest.catalog import PersonRef
from api.rest.references import PersonName, ServiceName
from api.rest.resource import Resource, StrictSerializer, Text
from api.rest.subject import PK, Deed, Subject
from notifications import ways
from notifications.addresses import shown_address
from notifications.channels.registry import CHANNELS
from notifications.models import ContactMethod, ContactRule, Urgency, Ways
from notifications.spreading import ways_of
from roles.calendarlinks import make_link, revoke_link, token_of
from roles.models import CalendarLink, Person
from roles.models.tokens import Scope
from tickets.models import Service, ServiceSubscriber
from tickets.subscriptions import subscribe, unsubscribe

NEWEST: Final = {"-id": Order("pk", True), "id": Order("pk")}
PERSONAL: Final = [slug for slug in CHANNELS if slug != "webhook"]


# ---- Addresses -----------------------------------------------------------------------------------


class AddressView(serializers.ModelSerializer):
    """One address of one's own; used once it is proved."""

    address = serializers.SerializerMethodField()

    class Meta:
        model = ContactMethod
        fields = ("id", "channel", "address", "verified_at")
        read_only_fields = fields

    def get_address(self, method: ContactMethod) -> str:
        """The address; of one that is itself the right to write there only where it leads."""
        return shown_address(method.channel, method.address)


class NewAddress(StrictSerializer):
    """Where, over which channel; a code is sent there."""

    channel = serializers.ChoiceField(PERSONAL)
    address = Text(max_length=1000)


class Proving(StrictSerializer):
    """The code that came."""

    code = Text(max_length=20)


ADDRESSES: Final = Subject(
    slug="addresses",
    summary="One's own addresses besides the account's mail.",
    view=AddressView,
    by=PK,
    rows=lambda reader: ContactMethod.objects.filter(person=reader.pk, is_active=True),
    orders=NEWEST,
    is_called="method",
    make=Deed(
        summary="One more address; a code is sent there.",
        perform=ways.add_method,
        body=NewAddress,
        status=201,
    ),
    remove=Deed(summary="No such address any more.", perform=ways.remove_method),
    deeds=(
        Deed(
            slug="prove",
            summary="Give the code that came; from then on the address is used.",
            perform=ways.prove_method,
            body=Proving,
        ),
        Deed(slug="send-code", summary="Another code.", perform=ways.send_code_again),
        Deed(slug="test", summary="Send a test there.", perform=ways.send_test),
    ),
)


# ---- Rules, quiet hours, stand-in ----------------------------------------------------------------


class RungView(serializers.Serializer):
    """Over which channel, how long after the first word."""

    channel = serializers.CharField()
    delay_s = serializers.IntegerField()


class LadderView(serializers.Serializer):
    """What holds for pages (`high`) and for other news (`low`)."""

    high = RungView(many=True)
    low = RungView(many=True)


class WaysView(serializers.ModelSerializer):
    """How one is told: own rules, what holds in the end, quiet hours, and who stands in."""

    taker = PersonRef(read_only=True, allow_null=True)
    rules = serializers.SerializerMethodField()
    holds = serializers.SerializerMethodField()

    class Meta:
        model = Ways
        fields = ("quiet_from", "quiet_until", "away_until", "taker", "rules", "holds")
        read_only_fields = fields

    @extend_schema_field(LadderView)
    def get_rules(self, held: Ways) -> dict[str, Any]:
        """One's own rules; none where the team's hold."""
        rows = list(ContactRule.objects.filter(ways=held.person_id))
        return {
            urgency: [
                {"channel": row.channel, "delay_s": row.delay_s}
                for row in rows
                if row.urgency == urgency
            ]
            for urgency in Urgency.values
        }

    @extend_schema_field(LadderView)
    def get_holds(self, held: Ways) -> dict[str, Any]:
        """What holds in the end: own rules, else the team's, else mail at once."""
        told = ways_of([held.person_id]).get(held.person_id)
        return {
            urgency: [
                {"channel": channel, "delay_s": delay_s}
                for channel, delay_s in (told.channels(urgency) if told else [("email", 0)])
            ]
            for urgency in Urgency.values
        }


class Rung(StrictSerializer):
    """Over which channel, after how many seconds."""

    channel = serializers.ChoiceField(PERSONAL)
    delay_s = serializers.IntegerField(min_value=0, max_value=ways.DELAY_MAX_S)


class Ladder(StrictSerializer):
    """In place of the rules for pages (`high`), for other news (`low`), or both."""

    high = Rung(many=True, required=False)
    low = Rung(many=True, required=False)


class Away(StrictSerializer):
    """Until when, and who takes the pages meanwhile."""

    until = serializers.DateTimeField()
    taker = PersonName()


class WaysBody(StrictSerializer):
    """What is to be different. Quiet hours are given with both ends; `away` null ends it."""

    quiet_from = serializers.TimeField(required=False, allow_null=True)
    quiet_until = serializers.TimeField(required=False, allow_null=True)
    away = Away(required=False, allow_null=True)
    rules = Ladder(required=False)


class OwnWays(Resource):
    read_scope = ""
    write_scope = Scope.ADMIN_WRITE
    serializer_class = WaysView
    queryset = Ways.objects.none()

    @extend_schema(operation_id="me_ways_retrieve")
    def get(self, request: Request) -> Response:
        """How the caller is told."""
        return Response(self.show(_ways(request)))

    @extend_schema(operation_id="me_ways_update", request=WaysBody, responses=WaysView)
    def patch(self, request: Request) -> Response:
        """Change how the caller is told; all of it or nothing."""
        given = self.read(WaysBody)
        with transaction.atomic():
            _change(request.user, given)
        return Response(self.show(_ways(request)))


def _ways(request: Request) -> Ways:
    rows = Ways.objects.select_related("taker")
    return rows.filter(person=request.user.pk).first() or Ways(person=request.user)


def _change(actor: Any, given: dict[str, Any]) -> None:
    if {"quiet_from", "quiet_until"} & set(given):
        begins: time | None = given.get("quiet_from")
        ways.set_quiet_hours(actor=actor, begins=begins, ends=given.get("quiet_until"))
    for urgency, rungs in given.get("rules", {}).items():
        rules = [(rung["channel"], rung["delay_s"]) for rung in rungs]
        ways.set_rules(actor=actor, urgency=urgency, rules=rules)
    if "away" not in given:
        return
    if given["away"] is None:
        ways.come_back(actor=actor)
    else:
        until: datetime = given["away"]["until"]
        ways.go_away(actor=actor, until=until, taker=given["away"]["taker"])


# ---- Calendar links and subscriptions ------------------------------------------------------------


class CalendarLinkView(serializers.ModelSerializer):
    """A private address for calendar programs; whoever has it reads the shifts."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = CalendarLink
        fields = ("id", "name", "created_at", "url")
        read_only_fields = fields

    def get_url(self, link: CalendarLink) -> str:
        """Where one's own shifts are read; `team/SLUG.ics` in place of `mine.ics` for a team's."""
        return f"{settings.PUBLIC_URL}/calendar/{token_of(link)}/mine.ics"


class NewLink(StrictSerializer):
    """Where it is used."""

    name = Text(max_length=200, required=False, allow_blank=True)


def _make_link(*, actor: Person, name: str = "") -> CalendarLink:
    return make_link(person=actor, name=name, actor=actor)


class SubscriptionView(serializers.ModelSerializer):
    """A service whose major incidents one hears of."""

    service: Any = serializers.SlugRelatedField("slug", read_only=True)

    class Meta:
        model = ServiceSubscriber
        fields = ("service", "since")
        read_only_fields = fields


class Subscribing(StrictSerializer):
    """Of which service."""

    service = ServiceName()


def _subscribe(*, actor: Person, service: Service) -> ServiceSubscriber:
    subscribe(actor=actor, service=service)
    return ServiceSubscriber.objects.get(person=actor, service=service)


def _unsubscribe(*, actor: Person, subscription: ServiceSubscriber) -> None:
    unsubscribe(actor=actor, service=subscription.service)


SUBJECTS: Final = (
    ADDRESSES,
    Subject(
        slug="calendar-links",
        summary="One's own private addresses for calendar programs.",
        view=CalendarLinkView,
        by=PK,
        rows=lambda reader: CalendarLink.objects.filter(person=reader.pk, revoked_at=None),
        orders=NEWEST,
        is_called="link",
        read_scope=Scope.ADMIN_READ,
        write_scope=Scope.ROSTER_WRITE,
        make=Deed(summary="Make one more.", perform=_make_link, body=NewLink, status=201),
        remove=Deed(summary="It opens nothing any more.", perform=revoke_link),
    ),
    Subject(
        slug="subscriptions",
        summary="Services whose major incidents one hears of.",
        view=SubscriptionView,
        by="service__slug",
        rows=lambda reader: ServiceSubscriber.objects.filter(person=reader.pk).select_related(
            "service"
        ),
        orders=NEWEST,
        is_called="subscription",
        write_scope=Scope.TICKETS_WRITE,
        make=Deed(
            summary="Hear of its major incidents.", perform=_subscribe, body=Subscribing, status=201
        ),
        remove=Deed(summary="Hear of them no more.", perform=_unsubscribe),
    ),
)
