"""The frame of every act on a ticket: lock, check, change, record what changed, save."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django_fsm import TransitionNotAllowed

from roles.instants import TimeSource
from roles.models import Person
from roles.refusals import Conflict, Invalid, Refused
from tickets import states, timeline
from tickets.access import require
from tickets.models import Ticket, TimelineEvent

TOLD: Final = (
    "status",
    "team_id",
    "entry",
    "entry_origin",
    "assignee_id",
    "owner_id",
    "owner_team_id",
    "acknowledged_by_id",
    "priority",
    "priority_override",
    "priority_floor",
    "impact",
    "urgency",
    "kind",
    "service_id",
    "category_id",
    "organisation_id",
    "restricted",
    "is_major",
    "merged_into_id",
    "origin",
    "wake_at",
    "resolution_code",
    "reopen_count",
    "handover_count",
    "chase_count",
)
"""Fields whose change is told in the event itself, so that a replay knows it."""

KEPT: Final = (
    "status_since",
    "status_entry",
    "pending_reason",
    "entered_at",
    "acknowledged_at",
    "resolved_at",
    "closed_at",
    "resolution",
)
"""Fields that follow from events, or hold words that may be erased; saved but not told."""


_NAMES: Final = (*TOLD, *KEPT)


def snapshot(ticket: Ticket) -> dict[str, Any]:
    """The present value of every field that an act may change."""
    held = ticket.__dict__
    try:
        return {name: held[name] for name in _NAMES}
    except KeyError:  # A deferred field.
        return {name: getattr(ticket, name) for name in _NAMES}


def _plain(value: Any) -> Any:
    return timeline.instant_text(value) if isinstance(value, datetime) else value


@dataclass(kw_only=True)
class Act:
    """One act in progress on one locked ticket; `now` is never before its last event."""

    ticket: Ticket
    actor: Person | None
    now: datetime
    via: str
    announce: bool = True
    before: dict[str, Any] = field(default_factory=dict)

    def write(
        self,
        kind: str,
        *,
        facts: Mapping[str, Any] | None = None,
        body: str = "",
        is_public: bool = False,
        actor_id: int | None = None,
    ) -> timeline.Write:
        """One event that tells of every change since the last one, ready for record_many()."""
        self._follow()
        after = snapshot(self.ticket)
        dirty = [name for name in after if after[name] != self.before[name]]
        changed = {
            name: (_plain(self.before[name]), _plain(after[name])) for name in dirty if name in TOLD
        }
        self.before = after
        entry = timeline.Entry(
            kind=kind,
            actor_id=actor_id or (self.actor.pk if self.actor else None),
            via=self.via,
            is_public=is_public,
            changed=changed,
            facts=facts or {},
            body=body,
            at=self.now,
        )
        return timeline.Write(ticket=self.ticket, entries=[entry], fields=dirty)

    def record(
        self,
        kind: str,
        *,
        facts: Mapping[str, Any] | None = None,
        body: str = "",
        is_public: bool = False,
    ) -> TimelineEvent:
        """Append one event that tells of every change since the last one, and save the ticket."""
        write = self.write(kind, facts=facts, body=body, is_public=is_public)
        timeline.record_many([write], at=self.now, announce=self.announce)
        return write.events[0]

    def _follow(self) -> None:
        ticket = self.ticket
        if ticket.status != self.before["status"]:
            ticket.status_since = self.now
            ticket.status_entry = ticket.last_seq + 1
            if ticket.status not in states.PENDING:
                ticket.wake_at, ticket.pending_reason = None, ""

    def resume_first(self) -> None:
        """Bring a pending ticket back to work, as its own event; moving starts from there."""
        if self.ticket.status in states.PENDING:
            self.ticket.resume()
            self.record("resumed")


def begin(
    ticket: Ticket,
    *,
    actor: Person | None,
    clock: TimeSource,
    via: str = "engine",
    announce: bool = True,
) -> Act:
    """An act on a ticket that the caller has locked; the time is read after the lock.

    A sweep that synchronises by itself passes `announce=False`.
    """
    now = clock()
    if ticket.last_event_at is not None:
        now = max(now, ticket.last_event_at)
    before = snapshot(ticket)
    return Act(ticket=ticket, actor=actor, now=now, via=via, announce=announce, before=before)


@contextmanager
def unchanged_if_refused(ticket: Ticket) -> Iterator[None]:
    """Gives the ticket in memory back the state that it came with when what is tried is refused.

    The database does as much by its savepoint; without this, later writes of the same batch would
    go on from events that were never stored.
    """
    fields, related = dict(ticket.__dict__), dict(ticket._state.fields_cache)
    try:
        yield
    except Refused:
        ticket.__dict__.update(fields)
        ticket._state.fields_cache = related
        raise


@contextmanager
def acting(
    ticket: Ticket, *, actor: Person | None, action: str, clock: TimeSource, via: str
) -> Iterator[Act]:
    """One transaction around one act: the ticket's present row locked, the right checked.

    Raises Forbidden when the actor may not do this, Conflict when the status does not allow it.
    """
    with transaction.atomic():
        locked = timeline.lock(ticket.pk)
        require(actor, action, locked)
        try:
            yield begin(locked, actor=actor, clock=clock, via=via)
        except TransitionNotAllowed as refused:
            words = states.LABELS[locked.status].lower()
            raise Conflict(
                "illegal_transition",
                f"{locked.key} is {words}; that cannot be done now.",
            ) from refused


def required(text: str, name: str, limit: int = 20_000) -> str:
    """The text without outer blanks. Raises Invalid when it is empty, too long or has NUL."""
    stripped = text.strip()
    if not stripped:
        raise Invalid("required", "Something is missing.", {name: "This is required."})
    return fitting(stripped, name, limit)


def fitting(text: str, name: str, limit: int) -> str:
    """The text, if it fits. Raises Invalid when it is longer than `limit` or has NUL."""
    if len(text) > limit:
        raise Invalid("too_long", "A text is too long.", {name: f"At most {limit} characters."})
    if "\x00" in text:
        raise Invalid("bad_text", "A text has a NUL character.", {name: "NUL is not allowed."})
    return text
