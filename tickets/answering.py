"""One message with all that goes with it: its files, the people named, what happens next.

Everything is one act in one transaction, and nothing is sent when somebody has answered meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.refusals import Conflict, Invalid
from tickets import attachments, lifecycle, states, timeline
from tickets.access import may
from tickets.acting import begin
from tickets.drafts import drop_draft
from tickets.links import survivor_for
from tickets.mentions import mentioned_in, tell_mentioned
from tickets.models import EventKind, Ticket, TimelineEvent
from tickets.queries import readable_events

ANSWERING: Final = (
    EventKind.COMMENTED,
    EventKind.PENDED,
    EventKind.RESOLVED,
    EventKind.REOPENED,
    EventKind.CANCELLED,
    EventKind.CLOSED,
)
"""What somebody else may have done meanwhile that can make an answer a wrong one."""
NOTHING: Final = ""
PEND: Final = "pend"
RESOLVE: Final = "resolve"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What somebody has written, and what is to happen with the ticket in the same act.

    `then` is nothing, `pend` (with `status`, `reason`, `wake_at`, `change`) or `resolve` (with
    `code`). `seen` is the last event that the writer knew; None sends it whatever has come since.
    """

    text: str
    public: bool
    files: Sequence[int] = ()
    seen: int | None = None
    then: str = NOTHING
    status: str = states.PENDING_REQUESTER
    reason: str = ""
    wake_at: datetime | None = None
    change: Ticket | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The ticket as it is now, and those named in the text who may not know of it."""

    ticket: Ticket
    left_out: list[Person]


def answer(
    *,
    ticket: Ticket,
    actor: Person,
    given: Answer,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Answered:
    """Send a reply or add a note, with its files, mentions and what follows: all of it or nothing.

    The writer's draft is thrown away. Raises Conflict `answered_meanwhile` when others have written
    or decided since `given.seen`, and all that `comment`, `pend` and `resolve` raise.
    """
    if given.then == RESOLVE and not given.public:
        raise Invalid("not_public", "What solved it is told to the requester: make it a reply.")
    goes_on = survivor_for(ticket, actor)
    with transaction.atomic():
        locked = timeline.lock(goes_on.pk)
        if given.seen is not None and meanwhile(locked, actor, given.seen):
            raise Conflict("answered_meanwhile", "Somebody has written while you did.")
        files = attachments.taken(ticket, actor, given.files)
        named = mentioned_in(given.text, locked, public=given.public)
        how = {"actor": actor, "clock": clock, "via": via}
        event = _say(ticket, locked, given, facts=attachments.facts_of(files), how=how)
        attachments.bind(files, event)
        fresh = timeline.lock(locked.pk)
        if named.people:
            act = begin(fresh, actor=actor, clock=clock, via=via)
            tell_mentioned(act, event, named.people, given.text.strip())
        drop_draft(ticket=ticket, actor=actor)
        return Answered(fresh, named.left_out)


def meanwhile(ticket: Ticket, reader: Person, seen: int) -> list[TimelineEvent]:
    """What others have written or decided after the event `seen`, as far as the reader may know."""
    since = TimelineEvent.objects.filter(ticket=ticket.pk, seq__gt=seen, kind__in=ANSWERING)
    since = readable_events(since, reader).exclude(actor_id=reader.pk)
    if not may(reader, "see_internal", ticket):
        since = since.filter(is_public=True)
    return list(since.select_related("body").order_by("seq")[:20])


def _say(
    ticket: Ticket,
    locked: Ticket,
    given: Answer,
    *,
    facts: Mapping[str, Any],
    how: Mapping[str, Any],
) -> TimelineEvent:
    """The event that carries the words; what follows it is done too."""
    if given.then == RESOLVE:
        lifecycle.resolve(
            ticket=locked,
            code=given.code,
            text=given.text,
            facts=facts,
            **how,
        )
        return _last(locked, EventKind.RESOLVED)
    waits = given.then == PEND and given.public and given.status == states.PENDING_REQUESTER
    closing = f"We wait for your answer: {given.reason.strip()}" if waits else ""
    lifecycle.comment(
        ticket=ticket,
        text=given.text,
        public=given.public,
        facts=facts,
        closing=closing,
        **how,
    )
    event = _last(locked, EventKind.COMMENTED)
    if given.then == PEND:
        lifecycle.pend(
            ticket=locked,
            status=given.status,
            reason=given.reason,
            wake_at=given.wake_at,
            change=given.change,
            tell=not waits,
            **how,
        )
    elif given.then:
        raise Invalid("unknown", "Choose what happens next.", {"then": "Choose one."})
    return event


def _last(ticket: Ticket, kind: str) -> TimelineEvent:
    """The newest event of a kind on a ticket that this transaction has locked."""
    return TimelineEvent.objects.filter(ticket=ticket.pk, kind=kind).latest("seq")
