"""What the caller did to many tickets at once, and taking it back."""

from typing import Any, Final

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.paging import Order
from api.rest.subject import PK, Deed, Subject
from roles.models import Person
from roles.models.tokens import Scope
from tickets import bulk
from tickets.models import BulkAct, Ticket


class BulkActView(serializers.ModelSerializer):
    """One act on many; it can be taken back until then, where that is no null."""

    undo_until = serializers.SerializerMethodField()

    class Meta:
        model = BulkAct
        fields: tuple[str, ...] = ("id", "act", "done_at", "undone_at", "undo_until")
        read_only_fields = fields

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_undo_until(self, act: BulkAct) -> Any:
        """Half an hour after it, unless it is taken back already, or cannot be."""
        return bulk.undo_until(act)


class Left(serializers.Serializer):
    """A ticket that it was not done to, and why."""

    key = serializers.CharField()
    why = serializers.CharField()


class BulkActDetail(BulkActView):
    """One act on many, with what became of each."""

    done = serializers.SerializerMethodField()
    refused = serializers.SerializerMethodField()

    class Meta(BulkActView.Meta):
        fields = (*BulkActView.Meta.fields, "done", "refused")
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_done(self, act: BulkAct) -> Any:
        """The keys of those it was done to, as far as the caller may still know of them."""
        seen = Ticket.objects.visible_to(self.context["request"].user)
        keys = seen.filter(pk__in=[each["ticket"] for each in act.done])
        return list(keys.order_by("pk").values_list("key", flat=True))

    @extend_schema_field(Left(many=True))
    def get_refused(self, act: BulkAct) -> Any:
        """Those it was not done to; one that the caller may know of no more is like none."""
        return bulk.left_of(act, self.context["request"].user)


def _undo(*, actor: Person, act: BulkAct) -> BulkAct:
    return bulk.undo(act=act, actor=actor, via="api")


def _rows(reader: Person) -> QuerySet[BulkAct]:
    return BulkAct.objects.filter(actor=reader.pk)


SUBJECTS: Final = (
    Subject(
        slug="bulk-acts",
        summary="What the caller did to many tickets at once, newest first, for thirty days.",
        view=BulkActView,
        one=BulkActDetail,
        by=PK,
        rows=_rows,
        orders={"-id": Order("pk", True), "id": Order("pk")},
        is_called="act",
        read_scope=Scope.TICKETS_READ,
        write_scope=Scope.TICKETS_WRITE,
        deeds=(
            Deed(
                slug="undo",
                summary="Take it back on each ticket that nothing has happened to since.",
                perform=_undo,
                answer=BulkActDetail,
            ),
        ),
    ),
)
