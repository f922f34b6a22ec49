"""Webhooks: subscriptions to events, their secrets, and the log of what was delivered."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.paging import Order
from api.rest.feed import TYPES
from api.rest.outbox import AttemptView
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import Deed, Look, Subject
from notifications import subscriptions
from notifications.models import Hook, Message
from notifications.webhooks import change_hook, create_hook, issue_secret, leads_to
from roles.instants import database_now
from roles.models import Person
from roles.models.tokens import Scope


class HookView(serializers.ModelSerializer):
    """A webhook and what it subscribes to; never its secret, nor all of its address."""

    url = serializers.SerializerMethodField()
    rotating_until = serializers.SerializerMethodField()

    class Meta:
        model = Hook
        fields = (
            *("slug", "name", "url", "is_active", "ended_because", "events", "filters"),
            *("shape", "rotating_until"),
        )
        read_only_fields = fields

    def get_url(self, hook: Hook) -> str:
        """Where it leads; all of the address may be a right in itself, and is told to nobody."""
        return leads_to(hook)

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_rotating_until(self, hook: Hook) -> Any:
        """Until when the former secret signs too."""
        until = hook.former_until
        return until if until and until > database_now() else None


class SecretView(serializers.Serializer):
    """A webhook with its new secret, which is never shown again."""

    webhook = HookView()
    secret = serializers.CharField()


class DeliveryView(serializers.ModelSerializer):
    """One delivery; its key is the `webhook-id` that the receiver knows it by."""

    tries = AttemptView(many=True, read_only=True)
    event = serializers.SerializerMethodField()

    class Meta:
        model = Message
        fields = (
            *("key", "subject", "state", "attempts", "created_at", "sent_at", "finished_at"),
            *("finished_reason", "next_attempt_at", "tries", "event"),
        )
        read_only_fields = fields

    @extend_schema_field(serializers.DictField())
    def get_event(self, message: Message) -> Any:
        """The body that is sent."""
        return message.data.get("event") or {}


class HookBody(StrictSerializer):
    """Where events go, and which: types such as ticket.resolved, ticket.* for all."""

    url = Text(max_length=500)
    name = Text(max_length=120, required=False, allow_blank=True)
    events = serializers.ListField(child=Text(max_length=60), max_length=100, required=False)
    filters = serializers.DictField(
        child=serializers.ListField(),
        required=False,
        help_text='By team, service, category, priority, kind: {"team": ["desk"]}.',
    )
    shape = serializers.ChoiceField(Hook.Shape.choices, required=False)


class NewHook(HookBody):
    """A webhook under its slug."""

    slug = serializers.SlugField(max_length=64)


class HookChange(HookBody):
    """A webhook elsewhere, with another subscription, or switched off or on."""

    is_active = serializers.BooleanField(required=False)


class Resending(StrictSerializer):
    """Which delivery."""

    key = Text(max_length=36)


_SUBSCRIPTION: Final = ("events", "filters", "shape")


def _make(*, actor: Person, **given: Any) -> dict[str, Any]:
    wanted = {name: given.pop(name) for name in _SUBSCRIPTION if name in given}
    hook, secret = create_hook(actor=actor, **given)
    return {"webhook": _subscribe(hook, actor, wanted), "secret": secret}


def _change(*, hook: Hook, actor: Person, **given: Any) -> Hook:
    wanted = {name: given.pop(name) for name in _SUBSCRIPTION if name in given}
    kept = {"name": hook.name, "url": hook.url, "is_active": hook.is_active}
    changed = change_hook(hook=hook, actor=actor, **{**kept, **given})
    return _subscribe(changed, actor, wanted)


def _subscribe(hook: Hook, actor: Person, wanted: dict[str, Any]) -> Hook:
    if not wanted:
        return hook
    kept = {name: getattr(hook, name) for name in _SUBSCRIPTION}
    return subscriptions.subscribe(hook=hook, actor=actor, known=list(TYPES), **{**kept, **wanted})


def _rotate(*, hook: Hook, actor: Person) -> dict[str, Any]:
    secret = issue_secret(hook=hook, actor=actor)
    return {"webhook": Hook.objects.get(pk=hook.pk), "secret": secret}


SUBJECTS: Final = (
    Subject(
        slug="webhooks",
        summary="Webhooks: other systems that are told of events, or called by policies.",
        view=HookView,
        rows=lambda reader: Hook.objects.all(),
        orders={"slug": Order("slug", holds=str), "-slug": Order("slug", True, holds=str)},
        is_called="hook",
        reads="admin",
        read_scope=Scope.ADMIN_READ,
        make=Deed(
            summary="A new webhook; its secret is shown only now.",
            perform=_make,
            body=NewHook,
            needs="admin",
            answer=SecretView,
            status=201,
        ),
        change=Deed(summary="Change a webhook.", perform=_change, body=HookChange, needs="admin"),
        deeds=(
            Deed(
                slug="rotate",
                summary="A new secret; for a day the former one signs too.",
                perform=_rotate,
                needs="admin",
                answer=SecretView,
            ),
            Deed(
                slug="ping",
                summary="Send a message that says nothing.",
                perform=subscriptions.ping,
                needs="admin",
                answer=DeliveryView,
                status=202,
            ),
            Deed(
                slug="resend",
                summary="Send a delivery once more, under its old id.",
                perform=subscriptions.resend,
                body=Resending,
                needs="admin",
                answer=DeliveryView,
                status=202,
            ),
        ),
        looks=(
            Look(
                slug="deliveries",
                summary="The last two hundred deliveries, newest first, with every try.",
                read=lambda hook, reader: subscriptions.deliveries(hook)[:200],
                answer=DeliveryView,
            ),
        ),
    ),
)
