"""How the rooms around a ticket are shown: majors, changes, problems, cases, runbooks, advice."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from api.rest.catalog import PersonRef, TeamRef
from escalation.models import Engagement, Run
from notifications.models import Message
from roles.models import Person
from tickets import problems, stakeholders
from tickets.models import (
    Change,
    ChecklistMark,
    Feedback,
    Lifting,
    Major,
    Notice,
    Problem,
    ReceivedMail,
    Ticket,
    TicketLink,
)


class Mention(serializers.ModelSerializer):
    """Another ticket, as far as it must be known here."""

    class Meta:
        model = Ticket
        fields = ("key", "subject", "status", "priority")
        read_only_fields = fields


class LinkView(serializers.Serializer):
    """How another ticket belongs to this one; `outward` when this one is the subject of it."""

    relation = serializers.ChoiceField(TicketLink.Relation.choices)
    outward = serializers.BooleanField()
    other = Mention()


class SinceView(serializers.Serializer):
    """Somebody around the ticket, and since when."""

    person = PersonRef()
    since = serializers.DateTimeField()


class ClearanceView(SinceView):
    """Somebody who may know of the case; `until` ends an emergency's own clearance."""

    until = serializers.DateTimeField(allow_null=True)


class MajorView(serializers.ModelSerializer):
    """The record of a major incident."""

    key = serializers.CharField(source="ticket.key", read_only=True)
    subject = serializers.CharField(source="ticket.subject", read_only=True)
    proposer = PersonRef(read_only=True, allow_null=True)
    manager = PersonRef(read_only=True, allow_null=True)
    coordinator = PersonRef(read_only=True, allow_null=True)
    technical_lead = PersonRef(read_only=True, allow_null=True)
    scribe = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = Major
        fields: tuple[str, ...] = (
            *("key", "subject", "state", "severity", "reason", "proposer", "proposed_at"),
            *("decided_at", "ended_at", "manager", "coordinator", "technical_lead", "scribe"),
            *("bridge_url", "channel_url", "last_update_at", "next_update_at"),
        )
        read_only_fields = fields


class MajorDetail(MajorView):
    """A major incident with the tickets that hang on it, as far as the reader sees them."""

    children = serializers.SerializerMethodField()

    class Meta(MajorView.Meta):
        fields = (*MajorView.Meta.fields, "children")
        read_only_fields = fields

    def get_children(self, major: Major) -> list[str]:
        """Keys of its children."""
        return keys_seen(self.context["request"].user, stakeholders.children_of(major.ticket))


class ChangeView(serializers.ModelSerializer):
    """The plan of a change, and the decision on it."""

    key = serializers.CharField(source="ticket.key", read_only=True)
    subject = serializers.CharField(source="ticket.subject", read_only=True)
    author = PersonRef(read_only=True)
    submitted_by = PersonRef(read_only=True, allow_null=True)
    decided_by = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = Change
        fields = (
            *("key", "subject", "state", "plan", "test", "back_out", "window_from"),
            *("window_until", "author", "submitted_by", "decided_by", "decided_at", "ended_at"),
        )
        read_only_fields = fields


class ProblemView(serializers.ModelSerializer):
    """What is known of a problem."""

    key = serializers.CharField(source="ticket.key", read_only=True)
    subject = serializers.CharField(source="ticket.subject", read_only=True)

    class Meta:
        model = Problem
        fields: tuple[str, ...] = (
            *("key", "subject", "is_known_error", "cause", "workaround", "diagnosed_at"),
            "published_at",
        )
        read_only_fields = fields


class ProblemDetail(ProblemView):
    """A problem with its repeats, as far as the reader sees them."""

    children = serializers.SerializerMethodField()

    class Meta(ProblemView.Meta):
        fields = (*ProblemView.Meta.fields, "children")
        read_only_fields = fields

    def get_children(self, problem: Problem) -> list[str]:
        """Keys of its repeats."""
        ids = [each.pk for each in problems.children_of(problem.ticket)]
        return keys_seen(self.context["request"].user, ids)


class NoticeView(serializers.ModelSerializer):
    """What an authority must be told, and whether it has been."""

    owed_by = PersonRef(read_only=True, allow_null=True)
    given_by = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = Notice
        fields = ("authority", "since", "owed_by", "given_at", "given_by", "reference")
        read_only_fields = fields


class LiftingView(serializers.ModelSerializer):
    """A proposal to lift the restriction."""

    proposer = PersonRef(read_only=True)
    confirmer = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = Lifting
        fields = ("proposer", "reason", "proposed_at", "confirmer", "confirmed_at")
        read_only_fields = fields


class EngagementView(serializers.ModelSerializer):
    """One call on a vendor."""

    vendor: Any = serializers.SlugRelatedField("slug", read_only=True)

    class Meta:
        model = Engagement
        fields = ("vendor", "state", "reference", "engaged_at", "responded_at", "ended_at")
        read_only_fields = fields


class RunView(serializers.ModelSerializer):
    """One climb under one revision of a policy."""

    policy: Any = serializers.SlugRelatedField("slug", read_only=True)
    revision = serializers.IntegerField(source="revision.number", read_only=True)
    next_step = serializers.CharField(source="next_step.name", read_only=True, allow_null=True)

    class Meta:
        model = Run
        fields = (
            *("id", "policy", "revision", "is_main", "state", "started_at", "stopped_at"),
            *("stop_reason", "held", "held_until", "held_because", "next_at", "next_step"),
        )
        read_only_fields = fields


class StepChoice(serializers.Serializer):
    """A step that `call-step` can carry out now."""

    policy = serializers.CharField(source="run.policy.slug")
    position = serializers.IntegerField(source="step.position")
    name = serializers.CharField(source="step.name")


class MarkView(serializers.ModelSerializer):
    """Who has done a step, and when."""

    by = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = ChecklistMark
        fields = ("by", "at")
        read_only_fields = fields


class PointView(serializers.Serializer):
    """One step of a runbook."""

    item = serializers.IntegerField(source="number")
    text = serializers.CharField()
    done = MarkView(source="mark", allow_null=True)


class ChecklistView(serializers.Serializer):
    """A runbook that applies to the ticket, with what of it is done."""

    article = serializers.IntegerField(source="article.pk")
    revision = serializers.IntegerField(source="revision.pk")
    title = serializers.CharField(source="revision.title")
    points = PointView(many=True)


class FeedbackView(serializers.ModelSerializer):
    """The requester's mark."""

    class Meta:
        model = Feedback
        fields = ("score", "comment", "given_at", "changed_at")
        read_only_fields = fields


class NeedView(serializers.Serializer):
    """One thing that a team asks for before it takes work."""

    slug = serializers.CharField(source="need.slug")
    name = serializers.CharField(source="need.name")
    required: Any = serializers.BooleanField(source="need.required")
    answered = serializers.BooleanField()


class ChoiceView(serializers.Serializer):
    """A team that the ticket can go to, and what to know of it."""

    team = TeamRef()
    reason = serializers.CharField()
    on_shift = serializers.ListField(child=serializers.CharField())
    load = serializers.IntegerField(help_text="Its open tickets that you see.")
    median_accept_s = serializers.FloatField(allow_null=True, help_text="Null: not measured.")
    solved_similar = serializers.IntegerField()
    asks = NeedView(many=True)


class WhomView(serializers.Serializer):
    """Whom to escalate to."""

    advice = serializers.CharField()
    recommended = ChoiceView(allow_null=True)
    alternatives = ChoiceView(many=True)
    similar = ChoiceView(many=True)


class ExplainView(serializers.Serializer):
    """Why things happened, or did not, in sentences."""

    escalated = serializers.ListField(child=serializers.CharField())
    unpaged = serializers.ListField(child=serializers.CharField())


class MessageOfTicket(serializers.ModelSerializer):
    """One message about the ticket, without its words."""

    recipient = PersonRef(read_only=True)

    class Meta:
        model = Message
        fields = (
            *("kind", "recipient", "channel", "urgency", "state", "created_at", "sent_at"),
            *("finished_at", "finished_reason", "attempts"),
        )
        read_only_fields = fields


class MailView(serializers.ModelSerializer):
    """A mail as it came, without its page of HTML; `rest` is what was quoted, and the signature."""

    source: Any = serializers.SlugRelatedField("slug", read_only=True)
    person = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = ReceivedMail
        fields = (
            *("id", "source", "sender", "sender_name", "person", "subject", "text", "rest"),
            *("outcome", "reason", "received_at", "size"),
        )
        read_only_fields = fields


def keys_seen(reader: Person, ids: Iterable[int]) -> list[str]:
    """Keys of those of these tickets that the reader sees."""
    seen = Ticket.objects.visible_to(reader).filter(pk__in=list(ids)).order_by("pk")
    return list(seen.values_list("key", flat=True))


class SimilarView(serializers.Serializer):
    """A ticket that sounds alike: `nearness` is 0 to 1, `how` what solved it."""

    key = serializers.CharField(source="ticket.key")
    subject = serializers.CharField(source="ticket.subject")
    status = serializers.CharField(source="ticket.status")
    team = serializers.CharField(source="ticket.team.slug", default=None, allow_null=True)
    nearness = serializers.FloatField()
    how = serializers.CharField()
    articles = serializers.ListField(child=serializers.CharField())


class CannedView(serializers.Serializer):
    """A text kept ready, filled in for the ticket."""

    name = serializers.CharField()
    text = serializers.CharField()
