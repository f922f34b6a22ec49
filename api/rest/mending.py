"""What administrators mend by program: tickets that were set aside, walks through the past."""

from typing import Any, Final

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.paging import Order
from api.rest.catalog import PersonRef
from api.rest.resource import StrictSerializer
from api.rest.subject import PK, Deed, Subject
from escalation.models import Quarantine
from escalation.quarantine import set_free
from insights.operations.checks import ask_verification, findings_for
from insights.operations.engine import held_apart
from insights.operations.models import Verification
from roles.models import Person
from roles.models.tokens import Scope

NEWEST: Final = {"-id": Order("pk", True), "id": Order("pk")}


class HeldView(serializers.ModelSerializer):
    """A ticket that the engine could not evaluate three times, and leaves alone since."""

    ticket: Any = serializers.SlugRelatedField("key", read_only=True)

    class Meta:
        model = Quarantine
        fields = ("ticket", "since", "tries", "last_tried_at", "last_error")
        read_only_fields = fields


def _release(*, actor: Person, held: Quarantine) -> bool:
    return set_free(ticket_id=held.ticket_id, actor=actor)


def _held(reader: Person) -> QuerySet[Quarantine]:
    return held_apart().order_by()


class VerificationView(serializers.ModelSerializer):
    """One walk through all timelines or all clocks, with how far it has come."""

    asked_by = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = Verification
        fields: tuple[str, ...] = (
            *("id", "what", "state", "asked_by", "asked_at", "total", "done", "found"),
            *("ended_at", "trouble"),
        )
        read_only_fields = fields


class VerificationDetail(VerificationView):
    """One walk with the first of what it found."""

    findings = serializers.SerializerMethodField()

    class Meta(VerificationView.Meta):
        fields = (*VerificationView.Meta.fields, "findings")
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_findings(self, row: Verification) -> Any:
        """In a sentence each; cases that are closed to the caller are left out."""
        return findings_for(self.context["request"].user, row)


class Verifying(StrictSerializer):
    """What is to be verified."""

    what = serializers.ChoiceField(Verification.What.choices)


SUBJECTS: Final = (
    Subject(
        slug="held-tickets",
        summary="Tickets that the engine has set aside; cases are left out.",
        view=HeldView,
        by="ticket__key",
        rows=_held,
        orders=NEWEST,
        is_called="held",
        reads="see_audit",
        read_scope=Scope.ADMIN_READ,
        deeds=(
            Deed(
                slug="release",
                summary="Let the engine try it again, within a second.",
                perform=_release,
                needs="admin",
            ),
        ),
    ),
    Subject(
        slug="verifications",
        summary="Walks through the past, newest first; each night one of each comes by itself.",
        view=VerificationView,
        one=VerificationDetail,
        by=PK,
        rows=lambda reader: Verification.objects.select_related("asked_by"),
        orders=NEWEST,
        reads="see_audit",
        read_scope=Scope.ADMIN_READ,
        make=Deed(
            summary="Ask for one now; read how far it is at its address.",
            perform=ask_verification,
            body=Verifying,
            needs="admin",
            status=202,
        ),
    ),
)
