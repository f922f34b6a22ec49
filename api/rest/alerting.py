"""What monitors say, and what is done with it: alerts, their sources, rules and maintenance."""

from typing import Any, Final

from django.db.models import QuerySet
from rest_framework import serializers

from api.paging import Order
from api.rest.catalog import BY_NAME, BY_NUMBER
from api.rest.references import PersonName, Reference, ServiceName, TeamName
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import INSIDE, PK, Deed, Subject
from roles.models import Person
from roles.models.tokens import Scope
from tickets import alertrules
from tickets.models import Alert, AlertRule, AlertSource, Maintenance, Ticket
from tickets.sources import create_source, issue_key

CONDITIONS_MAX: Final = 50
ALL_MET = "All must hold; none always do. A path in the alert, how to compare, and with what."


class SourceName(Reference):
    """A source of alerts, by its slug."""

    model = AlertSource
    default_error_messages = {"unknown": "There is no source of this name that is in use."}


class Condition(StrictSerializer):
    """One thing that must hold of an alert; `is` is `equals`, `contains`, `like` and so on."""

    field = Text(max_length=200, help_text="Such as summary, severity or labels.cluster.")
    value: Any = serializers.JSONField(
        required=False, help_text="A text, or a list of texts of which one will do."
    )

    def get_fields(self) -> dict[str, serializers.Field]:
        """With two members that are words of Python."""
        more: dict[str, Any] = {
            "is": Text(max_length=20),
            "not": serializers.BooleanField(required=False),
        }
        return {**super().get_fields(), **more}


# ---- What is read --------------------------------------------------------------------------------


class AlertView(serializers.ModelSerializer):
    """One problem as one monitor sees it."""

    source: Any = serializers.SlugRelatedField("slug", read_only=True)
    ticket: Any = serializers.SlugRelatedField("key", read_only=True, allow_null=True)

    class Meta:
        model = Alert
        fields = (
            *("uid", "source", "dedup_key", "state", "summary", "severity", "ticket", "count"),
            *("flap_count", "started_at", "ended_at", "first_seen_at", "last_seen_at", "details"),
        )
        read_only_fields = fields


class SourceView(serializers.ModelSerializer):
    """A sender of alerts and what keeps its storms small; never its key."""

    requester: Any = serializers.SlugRelatedField("username", read_only=True)
    service: Any = serializers.SlugRelatedField("slug", read_only=True, allow_null=True)
    team: Any = serializers.SlugRelatedField("slug", read_only=True, allow_null=True)

    class Meta:
        model = AlertSource
        fields = (
            *("slug", "name", "product", "requester", "service", "team", "is_active"),
            *("last_seen_at", "grouping", "group_field", "storm_limit", "flap_limit"),
            *("auto_resolve_s", "reads_directory", "is_signed"),
        )
        read_only_fields = fields


class KeyView(serializers.Serializer):
    """A source with its new key, which is never shown again."""

    source: Any = SourceView()
    key = serializers.CharField()


class RuleView(serializers.ModelSerializer):
    """What is done with alerts that meet all conditions; the lowest position that fits decides."""

    source: Any = serializers.SlugRelatedField("slug", read_only=True, allow_null=True)
    service: Any = serializers.SlugRelatedField("slug", read_only=True, allow_null=True)
    team: Any = serializers.SlugRelatedField("slug", read_only=True, allow_null=True)
    conditions = Condition(many=True, read_only=True)

    class Meta:
        model = AlertRule
        fields = (
            *("id", "name", "source", "position", "conditions", "act", "severity", "service"),
            *("team", "kind", "restricted", "group_field", "is_active"),
        )
        read_only_fields = fields


class MaintenanceView(serializers.ModelSerializer):
    """A stretch of time in which matching alerts are kept and open no ticket."""

    source: Any = serializers.SlugRelatedField("slug", read_only=True, allow_null=True)
    conditions = Condition(many=True, read_only=True)

    class Meta:
        model = Maintenance
        fields = ("id", "name", "source", "conditions", "starts_at", "ends_at", "reason")
        read_only_fields = fields


# ---- What is written -----------------------------------------------------------------------------


def _conditions() -> Any:
    bounds: dict[str, Any] = {"max_length": CONDITIONS_MAX, "help_text": ALL_MET}
    return Condition(many=True, required=False, **bounds)


class NewSource(StrictSerializer):
    """A sender of alerts; without a requester it gets a service account of its own."""

    slug = serializers.SlugField(max_length=64)
    product = serializers.ChoiceField(AlertSource.Product.choices)
    name = Text(max_length=120, required=False)
    requester = PersonName(required=False)
    service = ServiceName(required=False, allow_null=True)
    team = TeamName(required=False, allow_null=True)
    key = Text(max_length=200, required=False, help_text="One that its senders hold already.")
    reads_directory = serializers.BooleanField(required=False)


class RuleBody(StrictSerializer):
    """Which alerts, and what is done with them; for every source without one."""

    name = Text(max_length=120)
    source: Any = SourceName(required=False, allow_null=True)
    position = serializers.IntegerField(required=False, min_value=0, max_value=100_000)
    conditions: Any = _conditions()
    act = serializers.ChoiceField(AlertRule.Act.choices, required=False)
    severity = Text(max_length=50, required=False, allow_blank=True)
    service = ServiceName(required=False, allow_null=True)
    team = TeamName(required=False, allow_null=True)
    kind = serializers.ChoiceField(["incident", "security"], required=False, allow_blank=True)
    restricted = serializers.BooleanField(required=False)
    group_field = Text(max_length=120, required=False, allow_blank=True)
    is_active = serializers.BooleanField(required=False)


class MaintenanceBody(StrictSerializer):
    """From when to when which alerts rest; those of every source without one."""

    name = Text(max_length=120)
    source: Any = SourceName(required=False, allow_null=True)
    conditions: Any = _conditions()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = Text(max_length=250, required=False, allow_blank=True)


def _make_source(*, actor: Person, **given: Any) -> dict[str, Any]:
    source, key = create_source(actor=actor, **given)
    return {"source": source, "key": key}


def _issue(*, source: AlertSource, actor: Person) -> dict[str, Any]:
    return {"source": source, "key": issue_key(source=source, actor=actor)}


def _alerts(reader: Person) -> QuerySet[Alert]:
    """Those that a ticket has which the reader may know of; a page of the list names the others."""
    seen = Ticket.objects.visible_to(reader).order_by().values("pk")
    return Alert.objects.filter(ticket__in=seen).select_related("source", "ticket")


def _sources(reader: Person) -> QuerySet[AlertSource]:
    return AlertSource.objects.select_related("requester", "service", "team")


SUBJECTS: Final = (
    Subject(
        slug="alerts",
        summary="What monitors have said of open and ended tickets, newest first.",
        view=AlertView,
        by="",
        rows=_alerts,
        orders={"-id": Order("pk", True), "id": Order("pk")},
        reads=INSIDE,
        read_scope=Scope.TICKETS_READ,
    ),
    Subject(
        slug="alert-sources",
        summary="Senders of alerts, each with a key of its own.",
        view=SourceView,
        rows=_sources,
        orders=BY_NAME,
        is_called="source",
        reads="admin",
        read_scope=Scope.ADMIN_READ,
        make=Deed(
            summary="A new source; its key is shown only now.",
            perform=_make_source,
            body=NewSource,
            needs="admin",
            answer=KeyView,
            status=201,
        ),
        deeds=(
            Deed(
                slug="issue-key",
                summary="A new key; the one before ends at once.",
                perform=_issue,
                needs="admin",
                answer=KeyView,
            ),
        ),
    ),
    Subject(
        slug="alert-rules",
        summary="What is done with which alerts; the first that fits decides.",
        view=RuleView,
        by=PK,
        rows=lambda reader: AlertRule.objects.select_related("source", "service", "team"),
        orders=BY_NUMBER,
        is_called="rule",
        reads="admin",
        read_scope=Scope.ADMIN_READ,
        make=Deed(
            summary="A new rule.",
            perform=alertrules.set_rule,
            body=RuleBody,
            needs="admin",
            status=201,
        ),
        change=Deed(
            summary="Change a rule.", perform=alertrules.set_rule, body=RuleBody, needs="admin"
        ),
        remove=Deed(summary="Forget a rule.", perform=alertrules.drop_rule, needs="admin"),
    ),
    Subject(
        slug="maintenance-windows",
        summary="When alerts are kept without opening tickets, such as during a deployment.",
        view=MaintenanceView,
        by=PK,
        rows=lambda reader: Maintenance.objects.select_related("source"),
        orders=BY_NUMBER,
        is_called="window",
        reads="admin",
        read_scope=Scope.ADMIN_READ,
        make=Deed(
            summary="A new window; what fires still when it ends opens its ticket then.",
            perform=alertrules.set_maintenance,
            body=MaintenanceBody,
            needs="admin",
            status=201,
        ),
        change=Deed(
            summary="Change a window, or end it now; what rests is looked at again.",
            perform=alertrules.set_maintenance,
            body=MaintenanceBody,
            needs="admin",
        ),
        remove=Deed(
            summary="Forget a window; what rests and fires still opens its ticket.",
            perform=alertrules.drop_maintenance,
            needs="admin",
        ),
    ),
)
