"""Views of the queue that people keep for themselves, or share with a team."""

from typing import Any, Final

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.paging import Order
from api.rest.catalog import PersonRef
from api.rest.references import TeamName
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import INSIDE, PK, Deed, Subject
from roles.models import Person
from roles.models.tokens import Scope
from tickets import savedviews
from tickets.models import SavedView
from tickets.priority import LABELS as PRIORITIES
from tickets.states import LABELS as STATUSES


class FiltersView(serializers.Serializer):
    """What the view asks the queue for; "" is no wish."""

    view = serializers.CharField(default="")
    team = serializers.CharField(default="")
    tier = serializers.CharField(default="")
    priority = serializers.CharField(default="")
    status = serializers.CharField(default="")
    q = serializers.CharField(default="")
    sort = serializers.CharField(default="")


class SavedViewView(serializers.ModelSerializer):
    """One view of the queue, the caller's own or one that a colleague shares."""

    owner = PersonRef(read_only=True)
    team: Any = serializers.SlugRelatedField("slug", read_only=True, allow_null=True)
    filters = serializers.SerializerMethodField()

    class Meta:
        model = SavedView
        fields = ("id", "name", "owner", "team", "filters", "created_at")
        read_only_fields = fields

    @extend_schema_field(FiltersView)
    def get_filters(self, view: SavedView) -> Any:
        """What it asks for."""
        return FiltersView(savedviews.kept_in(view)).data


class FiltersBody(StrictSerializer):
    """What to ask the queue for; what is left out is no wish."""

    view = serializers.ChoiceField(
        savedviews.VIEWS, required=False, help_text="A tab of the queue; all open ones without it."
    )
    team = Text(max_length=100, required=False, help_text="A team's slug.")
    tier = Text(max_length=100, required=False, help_text="A tier's slug.")
    priority = serializers.ChoiceField([str(each) for each in sorted(PRIORITIES)], required=False)
    status = serializers.ChoiceField(sorted(STATUSES), required=False)
    q = Text(max_length=200, required=False, help_text="Words, as the queue searches for them.")
    sort = serializers.ChoiceField(savedviews.SORTS, required=False)


class ViewBody(StrictSerializer):
    """Its name, what it asks for, and a team of the caller's whose members see it too."""

    name = Text(max_length=40)
    filters = FiltersBody()
    team = TeamName(required=False, allow_null=True)


def _change(*, actor: Person, view: SavedView, **given: Any) -> SavedView:
    kept = {"name": view.name, "team": view.team}
    return savedviews.change_view(actor=actor, view=view, **{**kept, **given})


def _rows(reader: Person) -> QuerySet[SavedView]:
    return savedviews.seen_by(reader).order_by()


SUBJECTS: Final = (
    Subject(
        slug="saved-views",
        summary="Views of the queue: one's own, and those shared with a team of one's own.",
        view=SavedViewView,
        by=PK,
        rows=_rows,
        orders={"id": Order("pk"), "-id": Order("pk", True)},
        is_called="view",
        reads=INSIDE,
        read_scope=Scope.TICKETS_READ,
        write_scope=Scope.TICKETS_WRITE,
        make=Deed(
            summary="Keep one; the caller's own of the same name is brought up to date.",
            perform=savedviews.keep_view,
            body=ViewBody,
            needs=INSIDE,
            status=201,
        ),
        change=Deed(
            summary="Change one of the caller's own.", perform=_change, body=ViewBody, needs=INSIDE
        ),
        remove=Deed(
            summary="Forget one of the caller's own; its tickets stay.",
            perform=savedviews.delete_view,
            needs=INSIDE,
        ),
    ),
)
