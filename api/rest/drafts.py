"""What the caller has begun to write on tickets and not sent; nobody else reads it."""

from typing import Any, Final

from django.db.models import QuerySet
from rest_framework import serializers

from api.paging import Order
from api.rest.references import TicketKey
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import Deed, Subject
from roles.models import Person
from roles.models.tokens import Scope
from tickets.drafts import LONGEST, drop_draft, save_draft
from tickets.models import Draft, Ticket


class UnsentView(serializers.ModelSerializer):
    """A reply or note as far as it is written; the page of the ticket goes on with it."""

    ticket: Any = serializers.SlugRelatedField("key", read_only=True)
    public = serializers.BooleanField(source="is_public", read_only=True)

    class Meta:
        model = Draft
        fields = ("ticket", "text", "public", "saved_at")
        read_only_fields = fields


class DraftChange(StrictSerializer):
    """Other words, or for other readers."""

    text = Text(max_length=LONGEST)
    public = serializers.BooleanField()


class NewDraft(DraftChange):
    """On which ticket; for everybody who reads the ticket, or for the service only."""

    ticket = TicketKey()


def _change(*, actor: Person, draft: Draft, **given: Any) -> Draft | None:
    kept = {"text": draft.text, "public": draft.is_public}
    return save_draft(ticket=draft.ticket, actor=actor, **{**kept, **given})


def _drop(*, actor: Person, draft: Draft) -> None:
    drop_draft(ticket=draft.ticket, actor=actor)


def _rows(reader: Person) -> QuerySet[Draft]:
    seen = Ticket.objects.visible_to(reader).values("pk")
    return Draft.objects.filter(person=reader.pk, ticket__in=seen).select_related("ticket")


SUBJECTS: Final = (
    Subject(
        slug="drafts",
        summary="One's own unsent replies and notes, one for a ticket at most, by its key.",
        view=UnsentView,
        by="ticket__key",
        rows=_rows,
        orders={
            "-saved_at": Order("saved_at", True, is_always=True),
            "saved_at": Order("saved_at", is_always=True),
        },
        is_called="draft",
        read_scope=Scope.TICKETS_READ,
        write_scope=Scope.TICKETS_WRITE,
        make=Deed(
            summary="Keep what is written so far, in place of what was kept on this ticket.",
            perform=save_draft,
            body=NewDraft,
            status=201,
        ),
        change=Deed(summary="Keep other words.", perform=_change, body=DraftChange),
        remove=Deed(summary="Throw it away; sending does so too.", perform=_drop),
    ),
)
