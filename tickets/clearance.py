"""Who is cleared for a restricted case: named, taken out, or in by breaking the glass."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from notifications.outbox import VEILED, Letter, enqueue
from roles.access import allows
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.oncall import holders
from roles.people import roles_of
from roles.refusals import Conflict, Forbidden, Invalid
from tickets import letters, timeline
from tickets.acting import acting, begin, required
from tickets.models import Clearance, EventKind, Ticket, TimelineEvent, Watcher
from tickets.restriction import readers_of

GLASS_HOURS: Final = 4
LONGEST_GLASS_HOURS: Final = 24
BROKEN_HEAD: Final = "A restricted case has been opened in an emergency"


def clear(
    *,
    ticket: Ticket,
    actor: Person | None,
    person: Person,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Let one more person know of the case, who is told that there is one.

    Somebody who is in only for a time is in for good from now on.
    """
    with acting(ticket, actor=actor, action="clear", clock=clock, via=via) as act:
        _require_restricted(act.ticket)
        words = required(reason, "reason", 2000)
        if actor is not None and person.pk == actor.pk:
            raise Conflict("oneself", "Somebody else has to clear you.")
        if not person.is_active:
            raise Invalid("inactive", "That account is inactive.", {"person": "Somebody else."})
        held = Clearance.every.filter(ticket=act.ticket.pk, person=person.pk).first()
        if held is not None and held.until is None:
            raise Conflict("cleared", f"{person} is cleared already.")
        Clearance.every.update_or_create(
            ticket=act.ticket, person=person, defaults={"since": act.now, "until": None}
        )
        event = act.record(EventKind.CLEARED, body=words, facts={"added": [person.pk]})
        told = letters.to_people(act.ticket, event, kind="cleared", body="", person_ids=[person.pk])
        enqueue(told, now=act.now)
        return act.ticket


def unclear(
    *,
    ticket: Ticket,
    actor: Person | None,
    person: Person,
    reason: str,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Let somebody know of the case no more. What is queued for them is dropped at sending.

    Raises Conflict for the last one cleared, and for the assignee.
    """
    with acting(ticket, actor=actor, action="clear", clock=clock, via=via) as act:
        _require_restricted(act.ticket)
        words = required(reason, "reason", 2000)
        readers = readers_of(act.ticket)
        if person.pk not in readers:
            raise Conflict("not_cleared", f"{person} is not cleared for this case.")
        if len(readers) == 1:
            raise Conflict("last_one", "Nobody would be left who may know of it.")
        if act.ticket.assignee_id == person.pk:
            raise Conflict("assignee", f"{person} works on it; give it to somebody else first.")
        _take_out(act.ticket, [person.pk])
        act.record(EventKind.CLEARED, body=words, facts={"removed": [person.pk]})
        return act.ticket


def break_glass(
    *,
    key: str,
    actor: Person,
    reason: str,
    hours: int = GLASS_HOURS,
    clock: TimeSource = database_now,
    via: str = "web",
) -> Ticket:
    """Open a restricted case without clearance, in an emergency, for `hours` at most.

    For those whom the access table lets (the CISO and administrators), with a reason that stays.
    The CISO and everybody cleared are told at once. Forbidden for anybody else, before any key is
    looked at; Invalid for a key that is no case.
    """
    if not actor.is_active or not allows(roles_of(actor), "break_glass", frozenset()):
        raise Forbidden("not_allowed", "You may not open restricted cases in an emergency.")
    words = required(reason, "reason", 2000)
    if not 1 <= hours <= LONGEST_GLASS_HOURS:
        limits = f"From 1 to {LONGEST_GLASS_HOURS} hours."
        raise Invalid("bad_time", "For how long?", {"hours": limits})
    with transaction.atomic():
        found = Ticket.objects.filter(key=key.strip().upper(), restricted=True).first()
        locked = timeline.lock(found.pk) if found else None
        if locked is None or not locked.restricted:
            raise Invalid("no_case", "No restricted case has this key.", {"key": "Check it."})
        act = begin(locked, actor=actor, clock=clock, via=via)
        readers = readers_of(locked)
        if actor.pk in readers:
            raise Conflict("cleared", "You are cleared for this case; just open it.")
        until = act.now + timedelta(hours=hours)
        Clearance.every.update_or_create(
            ticket=locked, person=actor, defaults={"since": act.now, "until": until}
        )
        event = act.record(
            EventKind.GLASS_BROKEN,
            body=words,
            facts={"added": [actor.pk], "until": timeline.instant_text(until)},
        )
        enqueue(_alarm(locked, event, actor, readers), now=act.now)
        return locked


def _alarm(
    ticket: Ticket, event: TimelineEvent, actor: Person, readers: Sequence[int]
) -> list[Letter]:
    """Word to the CISO and the cleared; to one who is not cleared it does not say which case."""
    told = []
    for person_id in sorted({*readers, *holders("ciso")} - {actor.pk}):
        is_reader = person_id in readers
        told.append(
            Letter(
                topic=ticket.topic,
                cause=event.cause,
                recipient_id=person_id,
                kind="glass_broken",
                subject=f"[{ticket.key}] {BROKEN_HEAD}" if is_reader else BROKEN_HEAD,
                body=f"By {actor}. The reason stands on its timeline.",
                urgency="high",
                priority=1,
                clearance=ticket.topic if is_reader else "",
                data={"url": f"/tickets/{ticket.key}", "ticket": ticket.key}
                if is_reader
                else VEILED,
            )
        )
    return told


def lapsing(now: datetime) -> QuerySet[Clearance]:
    """The clearances whose time is over."""
    return Clearance.every.filter(until__isnull=False, until__lte=now)


def to_lapse(*, limit: int, now: datetime, leave_out: Any = ()) -> list[int]:
    """The ids of the cases with an emergency whose time is over, but for those to leave out."""
    over = lapsing(now).exclude(ticket__in=leave_out)
    ids = over.order_by("until").values_list("ticket_id", flat=True)[:limit]
    return list(dict.fromkeys(ids))


@transaction.atomic
def lapse(*, ticket_ids: Sequence[int], clock: TimeSource) -> int:
    """Take away the clearances of emergencies whose time is over, told on each timeline.

    They have opened nothing since then in any case. Returns how many there were.
    """
    rows = Ticket.objects.filter(pk__in=ticket_ids).order_by("id")
    locked = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
    gone = 0
    for ticket in locked:
        act = begin(ticket, actor=None, clock=clock)
        still = Clearance.every.filter(ticket=ticket.pk, until__lte=act.now)
        removed = sorted(still.values_list("person_id", flat=True))
        if removed:
            _take_out(ticket, removed)
            facts = {"removed": removed, "because": "the time of the emergency is over"}
            act.record(EventKind.CLEARED, facts=facts)
            gone += len(removed)
    return gone


def _take_out(ticket: Ticket, person_ids: Sequence[int]) -> None:
    Clearance.every.filter(ticket=ticket.pk, person__in=person_ids).delete()
    Watcher.objects.filter(ticket=ticket.pk, person__in=person_ids).delete()


def _require_restricted(ticket: Ticket) -> None:
    if not ticket.restricted:
        raise Conflict("not_restricted", f"{ticket.key} is not restricted.")
