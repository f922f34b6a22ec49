"""Acts beside the work itself: hand-overs judged, watchers and files taken off, letters again."""

from typing import Any, Final

from rest_framework import serializers

from api.rest.acts import Act
from api.rest.references import PersonName
from api.rest.resource import StrictSerializer, Text
from escalation.feedback import rate_handover
from escalation.models import Escalation, HandoverFeedback
from notifications.delivery import send_again
from notifications.models import Message, MessageState
from roles.models import Person
from roles.refusals import Conflict, Invalid
from tickets import company
from tickets.attachments import erase_file
from tickets.models import Ticket


class RatingHandover(StrictSerializer):
    """What a side says of a hand-over: was it right, and complete; or did it help."""

    escalation = serializers.IntegerField(min_value=1, help_text="As `escalations` lists it.")
    verdict = serializers.ChoiceField(HandoverFeedback.Verdict.choices)
    comment = Text(max_length=2000, required=False, allow_blank=True)


class Erasing(StrictSerializer):
    """Which file, as `attachments` lists it, and why."""

    file = serializers.IntegerField(min_value=1)
    reason = Text(max_length=2000)


class TakingOff(StrictSerializer):
    """Whose watching ends."""

    people = serializers.ListField(child=PersonName(), min_length=1, max_length=50)


def _rate(*, ticket: Ticket, escalation: int, **given: Any) -> object:
    found = Escalation.objects.filter(pk=escalation, ticket=ticket.pk).first()
    if found is None:
        words = "This ticket has no such escalation."
        raise Invalid("unknown_choice", words, {"escalation": words})
    return rate_handover(escalation=found, **given)


def _erase(*, file: int, **given: Any) -> object:
    return erase_file(attachment_id=file, **given)


def _again(*, ticket: Ticket, actor: Person, via: str) -> int:
    dead = Message.objects.filter(topic=ticket.topic, state=MessageState.DEAD)
    count = send_again(dead.values_list("pk", flat=True), actor=actor)
    if not count:
        raise Conflict("not_dead", "No letter about this ticket has died.")
    return count


ACTS: Final = (
    Act(
        "rate-handover",
        "Say, as sender or receiver, how an escalation was.",
        ("see_internal",),
        _rate,
        RatingHandover,
    ),
    Act(
        "take-off",
        "Let watchers be told of its news no longer, all of them in one event.",
        ("invite",),
        company.take_off,
        TakingOff,
    ),
    Act(
        "erase-file",
        "Destroy a file that was sent; that there was one stays on the timeline.",
        ("erase_file",),
        _erase,
        Erasing,
    ),
    Act(
        "send-messages-again",
        "Queue the dead letters about it once more, as an administrator.",
        ("see_internal",),
        _again,
    ),
)
