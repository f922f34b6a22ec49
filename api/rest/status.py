"""What the status page shows: the services, and the majors that concern the caller."""

from typing import Any, Final

from rest_framework import serializers

from api.rest.subject import Look
from escalation.nextwords import next_words_due
from roles.instants import database_now
from roles.models import Person
from tickets.models import Major, Phase
from tickets.outages import Outage, offered_services, outages
from tickets.subscriptions import subscribed_services

PHASES: Final = [*Phase.choices, ("", "Not said")]


class OfferedView(serializers.Serializer):
    """A service whose majors one may hear of: `POST /api/v1/subscriptions/`."""

    slug = serializers.CharField()
    name = serializers.CharField()
    subscribed = serializers.BooleanField(help_text="Whether the caller is told of its majors.")


class WordView(serializers.Serializer):
    """One public update."""

    at = serializers.DateTimeField()
    phase = serializers.ChoiceField(PHASES)
    text = serializers.CharField()


class OutageView(serializers.Serializer):
    """A major incident that is under way, or over for a week at most (`ended_at`)."""

    title = serializers.CharField(help_text="The service's name, where it has one.")
    service = serializers.CharField(allow_null=True)
    severity = serializers.ChoiceField(Major.Severity.choices)
    began_at = serializers.DateTimeField()
    declared_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    next_update_at = serializers.DateTimeField(
        allow_null=True, help_text="When the next word is due; what was promised or is owed."
    )
    ticket = serializers.CharField(allow_null=True, help_text="Null unless the caller may read it.")
    updates = WordView(many=True, help_text="The newest first.")


class StatusView(serializers.Serializer):
    """What does not work at the moment, and what of it is over since a week."""

    at = serializers.DateTimeField()
    under_way = OutageView(many=True)
    over = OutageView(many=True)
    services = OfferedView(many=True)


def _status(reader: Person) -> dict[str, Any]:
    now = database_now()
    found = outages(reader, now)
    due = next_words_due([each.major for each in found])
    alive: list[dict[str, Any]] = []
    over: list[dict[str, Any]] = []
    for each in found:
        shown = _shown(each) | {"next_update_at": due[each.major.ticket_id]}
        (alive if each.major.is_under_way else over).append(shown)
    heard = subscribed_services(reader)
    services = [
        {"slug": service.slug, "name": service.name, "subscribed": service.pk in heard}
        for service in offered_services()
    ]
    return {"at": now, "under_way": alive, "over": over, "services": services}


def _shown(outage: Outage) -> dict[str, Any]:
    major = outage.major
    service = major.ticket.service
    return {
        "title": outage.title,
        "service": service.slug if service else None,
        "severity": major.severity,
        "began_at": major.proposed_at,
        "declared_at": major.decided_at,
        "ended_at": major.ended_at,
        "ticket": outage.ticket.key if outage.ticket else None,
        "updates": outage.words,
    }


LOOKS: Final = (
    Look(
        slug="status",
        summary="The status page: majors that concern the caller, with their public updates.",
        read=_status,
        answer=StatusView,
        many=False,
    ),
)
