"""Sends in the air: several at once, each looked at again before it starts and marked after."""

import logging
import random
import time
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from django.db import InterfaceError, OperationalError, transaction

from notifications import hooks, leases, subscriptions
from notifications.addresses import addresses_of
from notifications.bundling import TOLD_WITH, Party, parties, told_together
from notifications.channels.message import OutgoingMessage, SendResult
from notifications.channels.registry import CHANNELS
from notifications.ending import end_target
from notifications.failover import drop_stood_in, fall_over
from notifications.faults import crash_here
from notifications.lanes import Lanes
from notifications.leases import Claim
from notifications.links import link_of, make_link, make_token
from notifications.models import Hook, Message, Outcome, Urgency
from notifications.opened import open_url
from notifications.replies import reply_address
from notifications.shipped import body_in
from notifications.texts import Texts
from notifications.webhooks import CHANNEL as WEBHOOK
from notifications.webhooks import secrets_of
from roles.instants import TimeSource, fixed

log = logging.getLogger(__name__)

LANES = 8
DEADLINE_S = 10.0
MAX_ATTEMPTS = 8
BACKOFF_S = (5, 15, 45, 120, 300, 600)
"""For what is urgent: given up within half an hour, for somebody must hear of it."""
PATIENT_S = (5, 30, 300, 1200, 1800, 3600, 3600)
"""For other news: a mail server that is away for an hour costs no letter."""

TOGETHER = "Waits a minute: news about one thing comes together."

# How long after its deadline a send is left to itself, thread and all: a name server may hang
# while there is no socket yet that could be cut.
_GRACE_S = 2.0
# A send begins only while its lease is sure to outlive it; else two senders might hold it.
_LATEST_START_S = leases.LEASE_S - DEADLINE_S - _GRACE_S - 3.0


@dataclass(frozen=True)
class Ready:
    """A message that has passed its last look."""

    claim: Claim
    message: Message
    address: str


@dataclass(frozen=True)
class Flight:
    """One send on its way, and the messages that are told in it."""

    claim: Claim
    message: Message
    address: str
    overdue_at: float  # monotonic
    told_with_it: Sequence[Ready] = ()


class Sender:
    """Keeps up to LANES sends in the air.

    Threads only talk to providers; all work on the database stays in the thread that calls.
    """

    def __init__(self, clock: TimeSource) -> None:
        self._clock = clock
        self._texts = Texts()
        self._flights: dict[Future[SendResult], Flight] = {}
        self._lanes = Lanes()

    @property
    def busy(self) -> bool:
        return bool(self._flights)

    def launch(self, claims: Sequence[Claim]) -> None:
        """Start all sends, each as a lane falls free, but those that a last look forbids."""
        waiting = self._gather(claims)
        while waiting:
            free = LANES - len(self._flights)
            if free:
                group, waiting = waiting[:free], waiting[free:]
                self._launch(group)
            self.land(timeout_s=1.0 if len(self._flights) >= LANES else 0.0)

    def land(self, timeout_s: float) -> None:
        """Mark what has come back, waiting up to `timeout_s` seconds for the first one."""
        done, _ = wait(self._flights, timeout_s, FIRST_COMPLETED)
        landed = [(self._landed(future), _result(future)) for future in done]
        for future in [f for f, one in self._flights.items() if one.overdue_at < time.monotonic()]:
            never = SendResult(ok=False, detail="Never answered.")
            landed.append((self._landed(future), never))
        if landed:
            crash_here("after_send_before_mark")
            self._settle(landed)

    def land_all(self) -> None:
        """Mark everything that is still in the air, and let the channels rest."""
        while self._flights:
            self.land(timeout_s=1.0)
        for channel in CHANNELS.values():
            channel.rest()

    def close(self) -> None:
        """Let its threads end, whatever became of the sends."""
        self._lanes.rest()

    def _landed(self, future: Future[SendResult]) -> Flight:
        self._lanes.release(future)
        return self._flights.pop(future)

    def _gather(self, claims: Sequence[Claim]) -> list[Party]:
        """The claims as they are sent together; what must wait a minute is put back."""
        now = self._clock()
        going = []
        for party in parties(claims, now):
            if party.waits_until is None:
                going.append(party)
                continue
            for claim in party.claims:
                leases.postpone(claim, TOGETHER, party.waits_until, now)
        return going

    def _launch(self, group: Sequence[Party]) -> None:
        now = self._clock()
        claims = [claim for party in group for claim in party.claims]
        fresh = [claim for claim in claims if claim.age_s <= _LATEST_START_S]
        for claim in set(claims) - set(fresh):
            leases.give_back(claim, now)
        messages = leases.held(fresh)
        for claim in set(fresh) - set(messages):
            reason = "Withdrawn or taken over before its turn."
            leases.note(claim, outcome=Outcome.SKIPPED, detail=reason, now=now)
        addresses = addresses_of(list(messages.values()))
        for party in group:
            ready = [
                Ready(claim, messages[claim], addresses[messages[claim].pk])
                for claim in party.claims
                if claim in messages and self._may_go(claim, messages[claim], addresses, now)
            ]
            if ready:
                self._fly(ready, party.is_digest, now)

    def _may_go(
        self, claim: Claim, message: Message, addresses: Mapping[int, str], now: datetime
    ) -> bool:
        try:
            return not self._stopped(claim, message, addresses[message.pk], now)
        except (OperationalError, InterfaceError):
            raise  # without the database nothing can be marked; the lease brings it all back
        except Exception as problem:
            self._spoilt(claim, message, problem)
            return False

    def _fly(self, ready: Sequence[Ready], is_digest: bool, now: datetime) -> None:
        """Start one send that tells all of these, under the key of the last."""
        *others, last = ready
        claim, message = last.claim, last.message
        try:
            worded = [self._texts.worded(each.message) for each in ready]
            subject, body = told_together(worded, is_digest=is_digest)
            leaving = replace(outgoing(message, now), subject=subject, body=body)
            if is_digest:
                leaving = as_digest(leaving)
        except (OperationalError, InterfaceError):
            raise
        except Exception as problem:
            self._spoilt(claim, message, problem)
            for each in others:
                leases.give_back(each.claim, now)
            return
        crash_here("before_send")
        channel = CHANNELS[message.channel]
        future = self._lanes.start(lambda: channel.send(leaving, last.address, DEADLINE_S))
        overdue_at = time.monotonic() + DEADLINE_S + _GRACE_S
        self._flights[future] = Flight(claim, message, last.address, overdue_at, others)

    def _spoilt(self, claim: Claim, message: Message, problem: Exception) -> None:
        log.exception("message %s could not be prepared", claim.message_id)
        self._fail(claim, message, f"Could not be prepared: {type(problem).__name__}")

    def _stopped(self, claim: Claim, message: Message, address: str, now: datetime) -> bool:
        """Whether the message ends here, unsent; then that is written down."""
        if message.attempts > tries_of(message):
            tries = f"Gave up after {tries_of(message)} tries, the last one interrupted."
            self._bury(claim, message, Outcome.SKIPPED, tries)
        elif reason := _unwanted(message, address):
            leases.mark_dropped(claim, reason, now)
        elif reason := _undeliverable(message, address):
            self._bury(claim, message, Outcome.SKIPPED, reason)
        else:
            return False
        return True

    def _settle(self, landed: Sequence[tuple[Flight, SendResult]]) -> None:
        sent = [flight.claim for flight, result in landed if result.ok]
        if sent:
            now = self._clock()
            leases.mark_sent(sent, now)
            told = [flight for flight, result in landed if result.ok]
            drop_stood_in(
                [
                    each
                    for one in told
                    for each in (one.message, *(r.message for r in one.told_with_it))
                ],
                now,
            )
        for flight, result in landed:
            for each in flight.told_with_it:
                if result.ok:
                    reason = TOLD_WITH.format(key=flight.message.key)
                    leases.mark_dropped(each.claim, reason, self._clock())
                else:
                    self._fail(each.claim, each.message, result.detail, result.retry_after_s)
        for flight, result in landed:
            if result.permanent:
                self._bury(flight.claim, flight.message, Outcome.REFUSED, result.detail)
                if result.gone:
                    end_target(flight.message, flight.address, result.detail, clock=self._clock)
            elif not result.ok:
                self._fail(flight.claim, flight.message, result.detail, result.retry_after_s)

    def _fail(
        self, claim: Claim, message: Message, detail: str, retry_after_s: float | None = None
    ) -> None:
        if claim.is_early:
            leases.postpone(claim, detail, message.next_attempt_at, self._clock())
            return
        tries = message.attempts
        if tries >= tries_of(message):
            self._bury(claim, message, Outcome.FAILED, f"Gave up after {tries} tries: {detail}")
            return
        now = self._clock()
        is_event = message.kind == subscriptions.KIND
        if not is_event and _fails_first(message):
            fall_over(message, now)
        least = subscriptions.BACKOFF_LEAST if is_event else 0.0
        wait_s = backoff_s(tries, retry_after_s, steps=steps_of(message), least=least)
        again_at = now + timedelta(seconds=wait_s)
        leases.mark_failed(claim, detail, again_at, now)

    def _bury(self, claim: Claim, message: Message, outcome: Outcome, reason: str) -> None:
        now = self._clock()
        message.finished_reason = reason
        try:
            is_first = _fails_first(message)
            with transaction.atomic():
                hooks.announce_dead(message, now)
                mine = leases.mark_dead(claim, outcome, reason, now)
                transaction.set_rollback(not mine)
            if mine and is_first:
                fall_over(message, now)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            # Still leased: it comes back, and is not forgotten without its alarm.
            log.exception("message %s could not be buried", claim.message_id)
            return
        if not mine:
            leases.note(claim, outcome=outcome, detail=reason, now=now)


def outgoing(message: Message, now: datetime) -> OutgoingMessage:
    """Return the message as it leaves: its words as written, its links as of `now`."""
    may_acknowledge = bool(message.data.get("ack"))
    leave = message.data.get("leave")
    token = make_token(message, clock=fixed(now)) if may_acknowledge else ""
    language = message.recipient.language
    ack_url = link_of(token) if token else ""
    return OutgoingMessage(
        key=message.key,
        topic=message.topic,
        kind=message.kind,
        urgency=message.urgency,
        subject=message.subject,
        body=message.body,
        ack_url=ack_url,
        ack_token=token,
        take_url=f"{ack_url}take" if ack_url else "",
        reply_code=reply_code(message) if may_acknowledge else "",
        leave_url=make_link(message, _leaving(leave), clock=fixed(now)) if leave else "",
        open_url=open_url(message),
        links=[
            (body_in(language, str(label)), make_link(message, action, clock=fixed(now)))
            for action, label in dict(message.data.get("links") or {}).items()
        ],
        tables=message.data.get("tables") or (),
        files=[
            (str(each["name"]), str(each["type"]), b64decode(each["content"]))
            for each in message.data.get("files") or ()
        ],
        language=language,
        reply_to=reply_address(message) if message.channel == "email" else "",
        event=message.data.get("event") or {},
        shape=str(message.data.get("shape", "")),
        **_secrets_for(message, now),
    )


def _fails_first(message: Message) -> bool:
    """Whether no try before this one failed; one that was interrupted said nothing."""
    if message.attempts <= 1:
        return True
    return not message.tries.filter(outcome=Outcome.FAILED).exists()


def _leaving(leave: object) -> str:
    """By which link the reader ends such mail: it names one, or says only that there is one."""
    return leave if isinstance(leave, str) else "leave"


def as_digest(leaving: OutgoingMessage) -> OutgoingMessage:
    """The message as one about many things: no thread, link or answer is about one of them."""
    key = str(uuid5(NAMESPACE_URL, f"digest:{leaving.key}"))
    return replace(leaving, key=key, topic=key, open_url="", reply_to="", leave_url="", links=())


def reply_code(message: Message) -> str:
    """The four digits by which a reply by text names the message, next to the number it is from."""
    return f"{message.pk % 10_000:04d}"


def tries_of(message: Message) -> int:
    """How often it is tried at most."""
    return subscriptions.TRIES if message.kind == subscriptions.KIND else MAX_ATTEMPTS


def steps_of(message: Message) -> Sequence[int]:
    """How long it waits at most before each further try: events for other systems up to a day."""
    if message.kind == subscriptions.KIND:
        return subscriptions.BACKOFF_S
    return BACKOFF_S if message.urgency == Urgency.HIGH else PATIENT_S


def _secrets_for(message: Message, now: datetime) -> dict[str, str]:
    if message.channel != WEBHOOK:
        return {}
    found = secrets_of(Hook.objects.get(account=message.recipient_id), now)
    return dict(zip(("secret", "former_secret"), found, strict=False))


def backoff_s(
    attempts: int,
    retry_after_s: float | None = None,
    draw: Callable[[], float] = random.random,
    *,
    steps: Sequence[int] = BACKOFF_S,
    least: float = 0.0,
) -> float:
    """Seconds to wait after the try numbered `attempts`: at random, and at least one second.

    That is anything up to the step, but no smaller share of it than `least`.
    A provider's own wish is honoured up to the longest step, so that no message waits for ever.
    """
    step = steps[min(attempts, len(steps)) - 1]
    wished = min(retry_after_s or 0.0, steps[-1])
    return max(1.0, wished, (least + (1 - least) * draw()) * step)


def _unwanted(message: Message, address: str) -> str:
    """Why this person should no longer be told, or ""."""
    if not message.recipient.is_active:
        return "The recipient's account is switched off."
    if not hooks.is_cleared(message):
        return "The recipient is not cleared for it any more."
    if not address and message.urgency == Urgency.LOW and message.channel in CHANNELS:
        return f"The recipient has no address for {message.channel}."
    return ""


def _undeliverable(message: Message, address: str) -> str:
    """Why somebody who should be told cannot be, or "": a page must not end without an alarm."""
    if message.channel not in CHANNELS:
        return f"There is no channel called {message.channel}."
    return "" if address else f"The recipient has no address for {message.channel}."


def _result(future: Future[SendResult]) -> SendResult:
    problem = future.exception()
    if problem is not None:
        log.error("a channel failed unexpectedly", exc_info=problem)
        # Not its words: they are shown to many, and may hold an address that is a secret.
        return SendResult(ok=False, detail=f"Unexpected: {type(problem).__name__}")
    return future.result()
