"""The outbox as administrators see it: what was told, what failed, and once more."""

from typing import Any, Final

import django_filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.paging import Order
from api.rest.catalog import PersonRef
from api.rest.subject import PK, Deed, Subject
from notifications.delivery import send_again
from notifications.models import Attempt, Message, MessageState, Urgency
from roles.models import Person
from roles.models.tokens import Scope
from roles.refusals import Conflict


class AttemptView(serializers.ModelSerializer):
    """One try at a message."""

    class Meta:
        model = Attempt
        fields = ("number", "started_at", "finished_at", "outcome", "detail")
        read_only_fields = fields


class MessageView(serializers.ModelSerializer):
    """One intent to tell one person one thing; `about` is null where its letter does not say it."""

    recipient = PersonRef(read_only=True)
    about = serializers.SerializerMethodField()
    cause = serializers.SerializerMethodField()

    class Meta:
        model = Message
        fields: tuple[str, ...] = (
            *("id", "key", "kind", "recipient", "channel", "urgency", "priority", "state"),
            *("about", "cause", "subject", "attempts", "created_at", "sent_at"),
            *("next_attempt_at", "finished_at", "finished_reason"),
        )
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_about(self, message: Message) -> str | None:
        """Its topic, such as ticket:17."""
        return None if message.data.get("veiled") else message.topic

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_cause(self, message: Message) -> str | None:
        """The event or firing that it tells of."""
        return None if message.data.get("veiled") else message.cause


class MessageDetail(MessageView):
    """One message with its words and every try at it."""

    tries = AttemptView(many=True, read_only=True)

    class Meta(MessageView.Meta):
        fields = (*MessageView.Meta.fields, "body", "tries")
        read_only_fields = fields


class MessageFilters(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=MessageState.choices)
    urgency = django_filters.ChoiceFilter(choices=Urgency.choices)
    channel = django_filters.CharFilter(max_length=20, label="Such as email or webhook.")
    recipient = django_filters.CharFilter(field_name="recipient__username", label="User name.")

    class Meta:
        model = Message
        fields: list[str] = []


def _rows(reader: Person) -> Any:
    """What needs a clearance is shown to nobody here: an administrator has none by office."""
    rows = Message.objects.filter(clearance="").select_related("recipient")
    return rows.prefetch_related("tries")


def _again(*, message: Message, actor: Person) -> int:
    count = send_again([message.pk], actor=actor)
    if not count:
        raise Conflict("not_dead", "Only a dead letter can be sent again.")
    return count


SUBJECTS: Final = (
    Subject(
        slug="messages",
        summary="Messages, newest first; those that need a clearance are left out.",
        view=MessageView,
        one=MessageDetail,
        by=PK,
        rows=_rows,
        orders={"-id": Order("pk", True), "id": Order("pk")},
        filters=MessageFilters,
        is_called="message",
        reads="admin",
        read_scope=Scope.ADMIN_READ,
        deeds=(
            Deed(
                slug="send-again",
                summary="Queue a dead letter once more, under its old key.",
                perform=_again,
                needs="admin",
            ),
        ),
    ),
)
