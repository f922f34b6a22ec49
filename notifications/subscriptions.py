"""Subscriptions of hooks to events: which they want, how long they are tried, how they end."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet

from notifications import live
from notifications.models import Hook, Message, MessageState
from notifications.outbox import Letter, enqueue, post
from notifications.webhooks import CHANNEL
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require
from roles.refusals import Conflict, Invalid

KIND: Final = "event"
PING: Final = "ping"
FACTS: Final = ("team", "service", "category", "priority", "kind")
"""By what a subscription can be narrowed: each to a list of values, one of which must fit."""
BACKOFF_S: Final = (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
BACKOFF_LEAST: Final = 0.7
"""The share of each of these that is waited at least: two days in all, and three at most."""
TRIES: Final = len(BACKOFF_S) + 1
RESENDABLE: Final = (MessageState.SENT, MessageState.DEAD, MessageState.DROPPED)


def subscribers() -> list[Hook]:
    """The hooks that are switched on and want events."""
    return list(Hook.objects.filter(is_active=True).exclude(events=[]))


def subscribes(hook: Hook, name: str, facts: Mapping[str, Any]) -> bool:
    """Whether the hook wants events of this type about a ticket with these facts."""
    if not any(_covers(pattern, name) for pattern in hook.events):
        return False
    return all(facts.get(fact) in values for fact, values in hook.filters.items())


def _covers(pattern: str, name: str) -> bool:
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return pattern == name


def enqueue_events(letters: Sequence[Letter], *, now: datetime) -> None:
    """Put events into the outbox, in the transaction that lines them up."""
    post(letters, now=now)


def checked(events: Sequence[str], filters: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise Invalid unless these are types that exist and facts that can be asked for."""
    wrong = {}
    unknown = [name for name in events if not any(_covers(name, each) for each in known)]
    if unknown:
        wrong["events"] = f"There are no such events: {', '.join(unknown)[:200]}."
    strange = sorted(set(filters) - set(FACTS))
    if strange:
        wrong["filters"] = f"Narrow by {', '.join(FACTS)}; not by {', '.join(strange)[:200]}."
    elif any(not isinstance(values, list) or not values for values in filters.values()):
        wrong["filters"] = "Each fact takes a list of values."
    if wrong:
        raise Invalid("bad_subscription", "This cannot be subscribed to.", wrong)


@transaction.atomic
def subscribe(
    *,
    hook: Hook,
    events: Sequence[str],
    filters: Mapping[str, Any],
    shape: str = Hook.Shape.STANDARD,
    known: Sequence[str],
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Hook:
    """The hook with another subscription; without events it is only called by policies.

    `known` are the types that exist. Raises Forbidden and Invalid.
    """
    require(actor, "admin")
    checked(events, filters, known)
    if shape not in Hook.Shape.values:
        raise Invalid("bad_shape", "Choose a form.", {"shape": "Choose one."})
    locked = Hook.objects.select_for_update().get(pk=hook.pk)
    before = audit.field_values(locked)
    locked.events, locked.filters, locked.shape = list(events), dict(filters), shape
    locked.save(update_fields=["events", "filters", "shape"])
    changes = audit.differences(before, audit.field_values(locked))
    if changes:
        audit.record(
            actor=actor, action="hook.subscribed", subject=locked, changes=changes, clock=clock
        )
    return locked


def deliveries(hook: Hook) -> QuerySet[Message]:
    """The delivery log: every message for the hook, newest first, each with its tries."""
    rows = Message.objects.filter(recipient=hook.account_id, channel=CHANNEL, clearance="")
    return rows.prefetch_related("tries").order_by("-pk")


@transaction.atomic
def resend(
    *, hook: Hook, key: str, actor: Person | None = None, clock: TimeSource = database_now
) -> Message:
    """One delivery sent once more, under its old id, so that the receiver knows it again.

    Raises Forbidden, Invalid for one that does not exist, Conflict for one that is under way.
    """
    require(actor, "admin")
    rows = Message.objects.select_for_update().filter(recipient=hook.account_id, key=key)
    message = rows.filter(channel=CHANNEL, clearance="").first()
    if message is None:
        raise Invalid("no_delivery", "There is none.", {"key": "No delivery has this key."})
    if message.state not in RESENDABLE:
        raise Conflict("under_way", "It is still under way.")
    now, was = clock(), message.state
    message.state, message.attempts, message.next_attempt_at = MessageState.QUEUED, 0, now
    message.finished_at, message.finished_reason = None, ""
    message.save(
        update_fields=["state", "attempts", "next_attempt_at", "finished_at", "finished_reason"]
    )
    audit.record(
        actor=actor,
        action="message.sent_again",
        subject=message,
        changes={"state": [was, MessageState.QUEUED]},
        clock=clock,
    )
    live.wake("messages")
    return message


@transaction.atomic
def ping(*, hook: Hook, actor: Person | None = None, clock: TimeSource = database_now) -> Message:
    """A message that says nothing, to see whether the hook is reached. Raises Forbidden."""
    require(actor, "admin")
    now = clock()
    event = {"type": PING, "timestamp": now.isoformat(), "data": {"hook": hook.slug}}
    letter = Letter(
        topic=f"hook:{hook.pk}",
        cause=f"ping:{uuid4()}",
        recipient_id=hook.account_id,
        kind=KIND,
        channel=CHANNEL,
        subject=PING,
        body="",
        priority=5,
        data={"event": event, "shape": Hook.Shape.STANDARD},
    )
    return enqueue([letter], now=now)[0]


@transaction.atomic
def retire(*, account_id: int, reason: str, clock: TimeSource = database_now) -> None:
    """Switch off the hook whose receiver says that it is gone; what is queued for it is dropped."""
    hook = Hook.objects.select_for_update().filter(account=account_id, is_active=True).first()
    if hook is None:
        return
    hook.is_active, hook.ended_because = False, reason[:300]
    hook.save(update_fields=["is_active", "ended_because"])
    audit.record(actor=None, action="hook.ended", subject=hook, reason=reason[:300], clock=clock)
