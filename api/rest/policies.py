"""Policies: drafted, compared, published, and moved to when asked."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.paging import Order
from api.rest.catalog import BY_NAME, PersonRef
from api.rest.resource import StrictSerializer, Text
from api.rest.subject import INSIDE, Deed, Look, Subject, set_by
from escalation.difference import difference
from escalation.explain import rule_of
from escalation.models import Policy, PolicyRevision, PolicyStep, Run
from escalation.models.policy import StopOn
from escalation.moving import move_runs
from escalation.policies import Publication, draft_policy, preview, publish_policy
from escalation.register import set_policy
from escalation.runs import steps_of
from roles.models import Person
from roles.people import is_allowed

BY_POSITION: Final = {"position": Order("position", holds=int), **BY_NAME}
STEP: Final = (
    *("name", "trigger", "clock", "percent", "remaining_s", "status", "delay_s", "count"),
    *("window_s", "same", "basis", "conditions", "gates", "actions"),
)


class StepView(serializers.ModelSerializer):
    """One step: when it is due and what it does."""

    class Meta:
        model = PolicyStep
        fields = ("position", *STEP)
        read_only_fields = fields


class PolicyRevisionView(serializers.ModelSerializer):
    """One wording of a policy; without `published_at` it is the draft."""

    published_by = PersonRef(read_only=True, allow_null=True)
    steps = serializers.SerializerMethodField()
    rules = serializers.SerializerMethodField()

    class Meta:
        model = PolicyRevision
        fields: tuple[str, ...] = (
            *("number", "conditions", "repeat_limit", "repeat_after_s", "stop_on", "steps"),
            *("rules", "created_at", "published_at", "published_by"),
        )
        read_only_fields = fields

    @extend_schema_field(StepView(many=True))
    def get_steps(self, revision: PolicyRevision) -> Any:
        """Its steps in order."""
        return StepView(revision.steps.order_by("position"), many=True).data

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_rules(self, revision: PolicyRevision) -> list[str]:
        """Each step's rule in words."""
        return [rule_of(step) for step in steps_of([revision.pk]).get(revision.pk, [])]


class PolicyView(serializers.ModelSerializer):
    """A policy: its place in the order, and the number of the revision in force."""

    revision = serializers.IntegerField(source="current.number", default=None, read_only=True)

    class Meta:
        model = Policy
        fields: tuple[str, ...] = (
            *("slug", "name", "description", "position", "mode", "is_active", "revision"),
        )
        read_only_fields = fields


class PolicyDetail(PolicyView):
    """A policy with the revision in force, and its draft for those who manage policies."""

    current = PolicyRevisionView(read_only=True, allow_null=True)
    draft = serializers.SerializerMethodField()

    class Meta(PolicyView.Meta):
        fields = (*PolicyView.Meta.fields, "current", "draft")
        read_only_fields = fields

    @extend_schema_field(PolicyRevisionView(allow_null=True))
    def get_draft(self, policy: Policy) -> Any:
        """The draft; null where there is none, or the reader does not manage policies."""
        if not is_allowed(self.context["request"].user, "manage_policies"):
            return None
        found = policy.revisions.filter(published_at=None).first()
        return PolicyRevisionView(found).data if found else None


class PolicyBody(StrictSerializer):
    """What a policy is known by; what it does is drafted and published."""

    name = Text(max_length=120)
    description = Text(max_length=20_000, required=False, allow_blank=True)
    position = serializers.IntegerField(min_value=0, max_value=1_000_000)
    mode = serializers.ChoiceField(Policy.Mode.choices, required=False)
    is_active = serializers.BooleanField(required=False)
    reason = Text(max_length=500, required=False, allow_blank=True, help_text="For the audit.")


class NewPolicy(PolicyBody):
    """A policy under its slug."""

    slug = serializers.SlugField(max_length=80)


class DraftBody(StrictSerializer):
    """The whole draft. Each step has the members of a step as it is read."""

    conditions = serializers.ListField(child=serializers.DictField(), required=False, default=list)
    steps = serializers.ListField(child=serializers.DictField(), max_length=100)
    repeat_limit = serializers.IntegerField(min_value=0, max_value=1000, required=False)
    repeat_after_s = serializers.IntegerField(min_value=1, max_value=10_000_000, required=False)
    stop_on = serializers.ListField(child=serializers.ChoiceField(StopOn.choices), required=False)

    def validate_steps(self, steps: Any) -> Any:
        """Only members that a step has. Raises ValidationError."""
        for number, step in enumerate(steps, start=1):
            if unknown := sorted(set(step) - set(STEP)):
                told = f"Step {number} has unknown members: {', '.join(unknown)[:200]}."
                raise serializers.ValidationError(told)
        return steps


class MovingClimbs(StrictSerializer):
    """Why running climbs go on under the revision in force."""

    reason = Text(max_length=2000)


class MovedClimbs(serializers.Serializer):
    """How many climbs went on, and how many the revision no longer fits."""

    moved = serializers.IntegerField()
    left = serializers.IntegerField()


class PolicyDifference(serializers.Serializer):
    """What a revision changes, and which open tickets climb under an older one."""

    revision = serializers.IntegerField(source="revision.number")
    sentences = serializers.ListField(source="difference.sentences", child=serializers.CharField())
    added = serializers.ListField(source="difference.added", child=serializers.CharField())
    removed = serializers.ListField(source="difference.removed", child=serializers.CharField())
    changed = serializers.SerializerMethodField()
    touched_count = serializers.IntegerField(source="touched.count")
    touched_keys = serializers.ListField(source="touched.keys", child=serializers.CharField())

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_changed(self, published: Publication) -> list[str]:
        """Names of the steps that stay and change."""
        return [step.name for step in published.difference.changed]


class PolicyHistory(PolicyRevisionView):
    """A published revision, and what it changed from the one before."""

    changes = serializers.SerializerMethodField()

    class Meta(PolicyRevisionView.Meta):
        fields = (*PolicyRevisionView.Meta.fields, "changes")
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_changes(self, revision: PolicyRevision) -> list[str]:
        """The difference in sentences."""
        published = PolicyRevision.objects.filter(policy=revision.policy_id)
        older = published.exclude(published_at=None).filter(number__lt=revision.number)
        before = older.order_by("-number").first()
        return difference(before, revision).sentences if before else []


def _published(policy: Policy, reader: Person) -> Any:
    rows = policy.revisions.exclude(published_at=None).select_related("published_by")
    return rows.order_by("-number")[:50]


def _climbing(policy: Policy, reader: Person) -> list[dict[str, Any]]:
    """How many tickets climb under each revision; restricted ones are counted for nobody."""
    runs = Run.objects.filter(
        revision__policy=policy.pk, state=Run.State.ACTIVE, ticket__restricted=False
    )
    found: dict[int, int] = {}
    for number in runs.values_list("revision__number", flat=True):
        found[number] = found.get(number, 0) + 1
    return [{"revision": number, "climbs": count} for number, count in sorted(found.items())]


class Climbs(serializers.Serializer):
    """How many ordinary tickets climb under a revision."""

    revision = serializers.IntegerField()
    climbs = serializers.IntegerField()


SUBJECT: Final = set_by(
    set_policy,
    Subject(
        slug="policies",
        summary="Escalation policies in the order in which they are tried.",
        view=PolicyView,
        one=PolicyDetail,
        rows=lambda reader: Policy.objects.select_related("current__published_by"),
        orders=BY_POSITION,
        is_called="policy",
        reads=INSIDE,
        deeds=(
            Deed(
                slug="draft",
                summary="Put a draft in the place of the present one; nothing running is touched.",
                perform=draft_policy,
                body=DraftBody,
                needs="manage_policies",
            ),
            Deed(
                slug="publish",
                summary="Put the draft in force; climbs under way stay where they are.",
                perform=publish_policy,
                needs="manage_policies",
                answer=PolicyDifference,
            ),
            Deed(
                slug="move",
                summary="Let running climbs go on under the revision in force.",
                perform=lambda **given: move_runs(via="api", **given),
                body=MovingClimbs,
                needs="manage_policies",
                answer=MovedClimbs,
            ),
        ),
        looks=(
            Look(
                slug="diff",
                summary="What publishing the draft would change, and whom it would touch.",
                read=lambda policy, reader: preview(policy=policy, actor=reader),
                answer=PolicyDifference,
                many=False,
                needs="manage_policies",
            ),
            Look(
                slug="revisions",
                summary="The revisions published last, and what each changed.",
                read=_published,
                answer=PolicyHistory,
            ),
            Look(
                slug="climbs",
                summary="How many tickets climb under which revision.",
                read=_climbing,
                answer=Climbs,
            ),
        ),
    ),
    new=NewPolicy,
    body=PolicyBody,
    needs="manage_policies",
    made="A new policy; what it does is drafted next.",
    changed="Change a policy's name or place.",
)
SUBJECTS: Final = (SUBJECT,)
