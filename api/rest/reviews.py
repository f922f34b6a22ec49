"""Reviews of what happened, with their actions, and the resolutions that quality looks at."""

from datetime import date
from typing import Any, Final

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.paging import Order
from api.rest.catalog import PersonRef
from api.rest.references import PersonName, TicketKey
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import INSIDE, PK, Deed, Subject
from insights.reviews import keeping
from insights.reviews.models import SECTIONS, Review, ReviewAction, Sample
from insights.reviews.sampling import ASPECTS, score_sample
from roles.models import Person
from roles.models.tokens import Scope
from roles.people import roles_of
from roles.refusals import Invalid
from tickets.models import Ticket
from tickets.queries import hidden_keys, without

NEWEST: Final = {"-id": Order("pk", True), "id": Order("pk")}
QUALITY: Final = "qa_reviewer"


class ReviewActionView(serializers.ModelSerializer):
    """Something that somebody does by a day."""

    owner = PersonRef(read_only=True)
    done_by = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = ReviewAction
        fields = ("id", "text", "owner", "due_on", "added_at", "done_at", "done_by")
        read_only_fields = fields


class ReviewView(serializers.ModelSerializer):
    """What happened on one ticket, why, and what follows; once signed it stays."""

    ticket: Any = serializers.SlugRelatedField("key", read_only=True)
    drafted_by = PersonRef(read_only=True, allow_null=True)
    signed_by = PersonRef(read_only=True, allow_null=True)
    actions = serializers.SerializerMethodField()

    class Meta:
        model = Review
        fields = (
            *("ticket", *SECTIONS, "drafted_at", "drafted_by", "due_at", "changed_at"),
            *("signed_at", "signed_by", "actions"),
        )
        read_only_fields = fields

    def to_representation(self, instance: Review) -> dict[str, Any]:
        """As it is, but without the keys of cases that are closed to the reader."""
        shown: dict[str, Any] = super().to_representation(instance)
        texts = {name: shown[name] for name in SECTIONS if name in shown}
        hidden = hidden_keys(texts.values(), self.context["request"].user)
        return shown | {name: without(text, hidden) for name, text in texts.items()}

    @extend_schema_field(ReviewActionView(many=True))
    def get_actions(self, review: Review) -> Any:
        """What was agreed on, what is still to be done first."""
        return ReviewActionView(review.actions.all(), many=True).data


class ReviewFilters(django_filters.FilterSet):
    signed = django_filters.BooleanFilter(
        field_name="signed_at", lookup_expr="isnull", exclude=True, label="Signed by quality."
    )

    class Meta:
        model = Review
        fields: list[str] = []


class NewReview(StrictSerializer):
    """Of which ticket; it is drafted from the timeline."""

    ticket = TicketKey()


class Sections(StrictSerializer):
    """Other words for some of the sections."""

    summary = Text(required=False, allow_blank=True, max_length=keeping.LONGEST)
    story = Text(required=False, allow_blank=True, max_length=keeping.LONGEST)
    impact = Text(required=False, allow_blank=True, max_length=keeping.LONGEST)
    cause = Text(required=False, allow_blank=True, max_length=keeping.LONGEST)
    went_well = Text(required=False, allow_blank=True, max_length=keeping.LONGEST)
    went_badly = Text(required=False, allow_blank=True, max_length=keeping.LONGEST)


class Agreeing(StrictSerializer):
    """What is to be done, by whom, by which day."""

    text = Text(max_length=keeping.ACTION_MAX)
    owner = PersonName()
    due_on = serializers.DateField()


class Finishing(StrictSerializer):
    """Which action is done."""

    action = serializers.IntegerField(min_value=1)


def _draft(*, actor: Person, ticket: Ticket) -> Review:
    return keeping.draft_review(ticket=ticket, actor=actor, via="api")


def _edit(*, actor: Person, review: Review, **sections: str) -> Review:
    return keeping.edit_review(
        review=review, actor=actor, sections=sections, version=review.version, via="api"
    )


def _agree(*, actor: Person, review: Review, text: str, owner: Person, due_on: date) -> object:
    return keeping.add_action(
        review=review, actor=actor, text=text, owner=owner, due_on=due_on, via="api"
    )


def _finish(*, actor: Person, review: Review, action: int) -> object:
    found = ReviewAction.objects.filter(pk=action, review=review.pk).first()
    if found is None:
        words = "This review has no such action."
        raise Invalid("unknown_choice", words, {"action": words})
    found.review = review
    return keeping.finish_action(action=found, actor=actor, via="api")


def _sign(*, actor: Person, review: Review) -> Review:
    return keeping.sign_review(review=review, actor=actor, via="api")


def _reviews(reader: Person) -> QuerySet[Review]:
    seen = Ticket.objects.visible_to(reader).values("pk")
    rows = Review.objects.filter(ticket__in=seen)
    return rows.select_related("ticket", "drafted_by", "signed_by").prefetch_related(
        "actions__owner", "actions__done_by"
    )


# ---- Samples -------------------------------------------------------------------------------------


class SampleView(serializers.ModelSerializer):
    """A resolution that a rule chose to be looked at, with its marks once it has been."""

    ticket: Any = serializers.SlugRelatedField("key", read_only=True)
    scored_by = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = Sample
        fields = ("id", "ticket", "chosen_at", *ASPECTS, "comment", "scored_at", "scored_by")
        read_only_fields = fields


class Scoring(StrictSerializer):
    """Marks from 1 to 5: was it understood, was the requester told, is it written down, solved."""

    understood = serializers.IntegerField(min_value=1, max_value=5)
    told = serializers.IntegerField(min_value=1, max_value=5)
    documented = serializers.IntegerField(min_value=1, max_value=5)
    solved = serializers.IntegerField(min_value=1, max_value=5)
    comment = Text(max_length=2000, required=False, allow_blank=True, default="")


def _score(*, actor: Person, sample: Sample, comment: str, **scores: int) -> Sample:
    return score_sample(sample=sample, actor=actor, scores=scores, comment=comment)


def _samples(reader: Person) -> QuerySet[Sample]:
    """For quality reviewers; nobody else has any."""
    rows = Sample.objects.select_related("ticket", "scored_by")
    if QUALITY not in roles_of(reader):
        return rows.none()
    return rows.filter(ticket__in=Ticket.objects.visible_to(reader).values("pk"))


SUBJECTS: Final = (
    Subject(
        slug="reviews",
        summary="Reviews of tickets, newest first, by the key of their ticket.",
        view=ReviewView,
        by="ticket__key",
        rows=_reviews,
        orders=NEWEST,
        filters=ReviewFilters,
        is_called="review",
        reads="see_internal",
        read_scope=Scope.TICKETS_READ,
        write_scope=Scope.TICKETS_WRITE,
        make=Deed(
            summary="Begin the review of a solved ticket; the one that there is, if there is one.",
            perform=_draft,
            body=NewReview,
            status=201,
        ),
        change=Deed(summary="Keep other words.", perform=_edit, body=Sections),
        deeds=(
            Deed(slug="agree", summary="Agree on an action.", perform=_agree, body=Agreeing),
            Deed(slug="finish", summary="An action is done.", perform=_finish, body=Finishing),
            Deed(slug="sign", summary="Sign it off, as a quality reviewer.", perform=_sign),
        ),
    ),
    Subject(
        slug="samples",
        summary="Resolutions chosen for quality to look at; for quality reviewers.",
        view=SampleView,
        by=PK,
        rows=_samples,
        orders=NEWEST,
        is_called="sample",
        reads=INSIDE,
        read_scope=Scope.TICKETS_READ,
        write_scope=Scope.TICKETS_WRITE,
        deeds=(Deed(slug="score", summary="Give the marks.", perform=_score, body=Scoring),),
    ),
)
