"""Everything that can be done to a ticket: one address for each act, one domain function behind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.idempotency import once
from api.rest.headers import IDEMPOTENCY, IF_MATCH
from api.rest.references import CategoryName, PersonName, ServiceName, TeamName, TicketKey
from api.rest.resource import Nothing, Resource, StrictSerializer, Text
from api.rest.tickets import (
    LEVEL_CHOICES,
    TicketDetail,
    answer_ticket,
    require_match,
    ticket_of,
)
from escalation import contracts, handover
from escalation.models import Escalation
from roles.refusals import Forbidden
from tickets import assignment, lifecycle, links, owning, triage
from tickets.access import allowed_actions
from tickets.models import Ticket, TicketLink
from tickets.priority import LABELS as PRIORITIES
from tickets.states import LABELS

WORDS_MAX = 20_000
REASONS = [pair for pair in Escalation.Reason.choices if pair[0] != Escalation.Reason.POLICY.value]
"""Why a person escalates; the last reason is kept for policies."""
HOLDS = [(status, LABELS[status]) for status in sorted(lifecycle.HOLDS)]


class Assigning(StrictSerializer):
    """Somebody of the team that has the ticket."""

    assignee = PersonName()


class Escalating(StrictSerializer):
    """Why, and to whom; without a team to the next tier."""

    reason_code = serializers.ChoiceField(REASONS)
    reason = Text(max_length=WORDS_MAX)
    to_team = TeamName(required=False, allow_null=True)
    tried = Text(max_length=WORDS_MAX, required=False, allow_blank=True)
    impact = Text(max_length=WORDS_MAX, required=False, allow_blank=True)
    answers = serializers.DictField(
        child=Text(max_length=WORDS_MAX, allow_blank=True),
        required=False,
        help_text="What the receiver's contract asks for, by its slug.",
    )
    urgent = serializers.BooleanField(
        required=False, help_text="A P1 or P2 goes without these answers, and owes them."
    )


class Completing(StrictSerializer):
    """Answers to what is owed, by slug."""

    answers = serializers.DictField(child=Text(max_length=WORDS_MAX))


class HandingBack(StrictSerializer):
    """Why it does not belong here."""

    reason_code = serializers.ChoiceField(Escalation.HandBackReason.choices)
    reason = Text(max_length=WORDS_MAX)


class Involving(StrictSerializer):
    """A team's people on call, or one person; not both."""

    reason = Text(max_length=WORDS_MAX)
    team = TeamName(required=False, allow_null=True)
    person = PersonName(required=False, allow_null=True)


class Moving(StrictSerializer):
    """Another team, without escalating."""

    to_team = TeamName()
    reason = Text(max_length=WORDS_MAX, required=False, allow_blank=True)


class Pending(StrictSerializer):
    """Whom the ticket waits for, what for, and when to look again; a change by its key."""

    status = serializers.ChoiceField(HOLDS)
    reason = Text(max_length=250)
    wake_at = serializers.DateTimeField(required=False, allow_null=True)
    change = TicketKey(required=False, allow_null=True)


class Resolving(StrictSerializer):
    """What solved it; the requester reads the text."""

    code = serializers.ChoiceField(list(lifecycle.RESOLUTION_CODES.items()))
    text = Text(max_length=WORDS_MAX)


class Reasoned(StrictSerializer):
    """One reason in words."""

    reason = Text(max_length=2000)


class Chasing(StrictSerializer):
    """What has changed, if anything."""

    text = Text(max_length=2000, required=False, allow_blank=True, default="")


class Rating(StrictSerializer):
    """Impact and urgency, 1 (high) to 3 (low); the priority follows by the matrix."""

    impact = serializers.ChoiceField(LEVEL_CHOICES)
    urgency = serializers.ChoiceField(LEVEL_CHOICES)
    reason = Text(max_length=2000, required=False, allow_blank=True)


class Overriding(StrictSerializer):
    """A priority against the matrix, 1 to 5; null lifts it."""

    priority = serializers.ChoiceField(sorted(PRIORITIES), allow_null=True)
    reason = Text(max_length=2000)


class Classifying(StrictSerializer):
    """What the ticket is about; null for unknown."""

    service = ServiceName(allow_null=True)
    category = CategoryName(allow_null=True)


class Owning(StrictSerializer):
    """Who answers for the ticket until it is solved; null leaves it to the owning team."""

    owner = PersonName(allow_null=True)
    reason = Text(max_length=2000)


class Linking(StrictSerializer):
    """How this ticket belongs together with another one."""

    other = TicketKey()
    relation = serializers.ChoiceField(TicketLink.Relation.choices)


@dataclass(frozen=True)
class Act:
    """One act; `needs` are actions of the access table, one of which must be allowed.

    An act without needs is one whose domain function alone can tell. One that `is_outside` speaks
    to another system, and so has a view of its own, without a transaction.
    """

    slug: str
    summary: str
    needs: tuple[str, ...]
    perform: Callable[..., object]
    body: type[StrictSerializer] = Nothing
    is_outside: bool = False

    @property
    def name(self) -> str:
        """The act as a Python word."""
        return self.slug.replace("-", "_")


ACTS = (
    Act("take", "Make the caller the assignee and start work.", ("take",), assignment.take),
    Act("assign", "Give it to somebody of its team.", ("assign",), assignment.assign, Assigning),
    Act("release", "Put it back into its team's queue.", ("take",), assignment.release),
    Act("acknowledge", "Say that it has been seen; paging stops.", (), assignment.acknowledge),
    Act("unacknowledge", "Take that back; paging goes on.", (), assignment.unacknowledge),
    Act(
        "escalate",
        "Pass it to the next tier or another team.",
        ("escalate", "push_any"),
        handover.escalate,
        Escalating,
    ),
    Act(
        "complete-handover",
        "Give what the present hand-over still owes.",
        ("comment_internal",),
        contracts.complete_handover,
        Completing,
    ),
    Act("accept", "Take the hand-over.", ("accept",), handover.accept),
    Act(
        "hand-back",
        "Return it to the team that escalated it.",
        ("hand_back",),
        handover.hand_back,
        HandingBack,
    ),
    Act("involve", "Pull people in.", ("escalate",), handover.involve, Involving),
    Act(
        "move",
        "Put it into another team's queue without escalating.",
        ("triage", "push_any"),
        assignment.move,
        Moving,
    ),
    Act("pend", "Put it on hold.", ("pend",), lifecycle.pend, Pending),
    Act("resume", "Go on with it.", ("resume",), lifecycle.resume),
    Act("resolve", "Say what solved it.", ("resolve",), lifecycle.resolve, Resolving),
    Act("confirm", "Say, as the requester, that it is solved.", ("confirm",), lifecycle.confirm),
    Act("reopen", "Bring it back into the queue.", ("reopen",), lifecycle.reopen, Reasoned),
    Act("close", "Close it for good.", ("close",), lifecycle.close),
    Act("cancel", "End it without work.", ("cancel",), lifecycle.cancel, Reasoned),
    Act("chase", "Ask where it stands.", ("chase",), lifecycle.chase, Chasing),
    Act(
        "impact",
        "Set impact and urgency.",
        ("set_priority",),
        triage.set_urgency_impact,
        Rating,
    ),
    Act(
        "priority",
        "Set a priority against the matrix, or lift it.",
        ("override_priority",),
        triage.override_priority,
        Overriding,
    ),
    Act(
        "classify",
        "Say which service and category it is about.",
        ("triage",),
        triage.classify,
        Classifying,
    ),
    Act(
        "owner",
        "Name who answers for it through every hand-over.",
        ("name_owner",),
        owning.name_owner,
        Owning,
    ),
    Act("link", "Link it with another ticket, on both timelines.", ("link",), links.link, Linking),
    Act("watch", "Be told of news.", ("watch",), assignment.watch),
    Act("unwatch", "Be told no more.", ("watch",), assignment.unwatch),
)


class Performing(Resource):
    """One act as an address: POST does it and answers with the ticket as it then is."""

    serializer_class = TicketDetail
    queryset = Ticket.objects.none()
    act: Act

    def post(self, request: Request, key: str) -> HttpResponseBase:
        return once(request, lambda: self._perform(request, key))

    def _perform(self, request: Request, key: str) -> Response:
        ticket = ticket_of(request, key)
        require_one(request, ticket, self.act.needs)
        perform_act(request, self.act, ticket, self.read(self.act.body))
        return answer_ticket(request, key)


def perform_act(request: Request, act: Act, ticket: Ticket, given: Mapping[str, Any]) -> None:
    """Do the act to the ticket, in one transaction. Raises PreconditionFailed, and all refusals."""
    assert not act.is_outside
    with transaction.atomic():
        require_match(request, ticket)
        act.perform(ticket=ticket, actor=request.user, via="api", **given)


def require_one(request: Request, ticket: Ticket, needs: tuple[str, ...]) -> None:
    """Raise Forbidden unless the caller may do one of these to the ticket; none means no rule."""
    if needs and not allowed_actions(request.user, ticket) & set(needs):
        words = needs[0].replace("_", " ")
        raise Forbidden("not_allowed", f"You may not {words} {ticket.key}.")


def view_of(act: Act) -> type[Performing]:
    """The view class of one act."""
    describe = extend_schema(
        operation_id=f"tickets_{act.name}",
        description=act.summary,
        request=act.body if act.body is not Nothing else None,
        parameters=[IDEMPOTENCY, IF_MATCH],
        responses={
            200: TicketDetail,
            204: OpenApiResponse(description="Done; you do not see the ticket any more."),
        },
    )
    name = "".join(part.capitalize() for part in act.slug.split("-"))

    def post(self: Performing, request: Request, key: str) -> HttpResponseBase:
        return Performing.post(self, request, key)

    members: Mapping[str, Any] = {"act": act, "post": describe(post), "__doc__": act.summary}
    return type(name, (Performing,), dict(members))
