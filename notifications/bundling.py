"""Keeps a storm from becoming a storm of messages: what goes together, and what waits a minute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from django.utils import translation
from django.utils.translation import gettext as _

from notifications.leases import Claim
from notifications.models import Message, MessageState, Urgency
from notifications.webhooks import CHANNEL as WEBHOOK

APART: Final = timedelta(minutes=1)
"""Low news about one thing reaches one person over one channel no more often than this."""
DIGEST_FROM: Final = 8
"""So many pieces of low news for one person at once come as one message."""
TOLD_WITH: Final = "Told together with message {key}."
"""Why a message is not sent by itself."""
_NAMES: Final = (
    *("id", "topic", "recipient_id", "channel", "urgency", "kind"),
    *("attempts", "next_attempt_at", "data"),
)
_ALONE: Final = ("links", "method", "event")
"""What a letter may carry that cannot be told together with another one."""


@dataclass(frozen=True)
class Party:
    """Claims that are sent as one message: the last one's, with the others told in it."""

    claims: Sequence[Claim]
    waits_until: datetime | None = None
    is_digest: bool = False


@dataclass(frozen=True)
class _Head:
    """What decides who goes with whom."""

    claim: Claim
    id: int
    topic: str
    recipient_id: int
    channel: str
    urgency: str
    kind: str
    attempts: int
    next_attempt_at: datetime
    data: Mapping[str, Any] = field(repr=False)

    @property
    def is_retry(self) -> bool:
        return self.attempts > 1

    @property
    def is_alone(self) -> bool:
        return self.channel == WEBHOOK or any(name in self.data for name in _ALONE)

    @property
    def about(self) -> tuple[int, str, str, str]:
        return self.recipient_id, self.channel, self.topic, self.urgency

    @property
    def may_digest(self) -> bool:
        # News of a major incident is never one line among others.
        is_low = self.urgency == Urgency.LOW and not self.data.get("ack")
        return is_low and not self.is_alone and not self.kind.startswith("major")


def parties(claims: Sequence[Claim], now: datetime) -> list[Party]:
    """The claims in parties, in the order in which the first of each was claimed; two queries."""
    heads = _heads(claims)
    known = {head.claim for head in heads}
    formed = [Party([claim]) for claim in claims if claim not in known]
    later = _after_others(heads)
    for head in later:
        own = head.next_attempt_at if head.claim.is_early else now + APART
        formed.append(Party([head.claim], waits_until=own))
    heads = [head for head in heads if head not in later]
    crowded = _crowded(heads)
    alone = [head for head in heads if head.is_alone]
    digests = [head for head in heads if head.may_digest and _whom(head) in crowded]
    rest = [head for head in heads if head not in alone and head not in digests]
    formed += [Party([head.claim]) for head in alone]
    formed += [Party(_in_turn(group), is_digest=True) for group in _grouped(digests, _whom)]
    lately = _lately(rest, now)
    for group in _grouped(rest, lambda head: head.about):
        formed.append(Party(_in_turn(group), waits_until=_waits(group, lately)))
    place = {claim: number for number, claim in enumerate(claims)}
    return sorted(formed, key=lambda party: min(place[claim] for claim in party.claims))


def told_together(messages: Sequence[Message], *, is_digest: bool) -> tuple[str, str]:
    """Subject and body of the message in which all of these are told, oldest first."""
    last = messages[-1]
    if len(messages) == 1:
        return last.subject, last.body
    with translation.override(last.recipient.language):
        many = _("%(count)d pieces of news") % {"count": len(messages)}
        before_that = _("Before that:")
    if is_digest:
        lines = [f"{each.subject}\n{_first_line(each.body)}".strip() for each in messages]
        return many, "\n\n".join(lines)
    before = [f"{before_that} {each.subject}\n{each.body}".strip() for each in messages[-2::-1]]
    return last.subject, "\n\n".join([last.body, *before])


def _heads(claims: Sequence[Claim]) -> list[_Head]:
    rows = Message.objects.filter(pk__in=[claim.message_id for claim in claims]).order_by("pk")
    by_id = {claim.message_id: claim for claim in claims}
    return [_Head(by_id[row[0]], *row) for row in rows.values_list(*_NAMES)]


def _after_others(heads: Sequence[_Head]) -> list[_Head]:
    """What failed before and waits while the same person hears of the same over another channel.

    Else a person whom nothing reached for an hour would get everything once on each channel.
    """
    later: list[_Head] = []
    for group in _grouped([head for head in heads if not head.is_alone], _about_whom):
        # A first try goes at once whatever else does; of the rest what is due goes before the kin.
        ranked = sorted(group, key=lambda head: (head.is_retry, head.claim.is_early, head.id))
        first = ranked[0].channel
        later += [head for head in ranked if head.channel != first and head.is_retry]
    return later


def _about_whom(head: _Head) -> tuple[int, str]:
    return head.recipient_id, head.topic


def _crowded(heads: Sequence[_Head]) -> set[tuple[int, str]]:
    count: dict[tuple[int, str], int] = {}
    for head in heads:
        if head.may_digest:
            count[_whom(head)] = count.get(_whom(head), 0) + 1
    return {whom for whom, number in count.items() if number >= DIGEST_FROM}


def _whom(head: _Head) -> tuple[int, str]:
    return head.recipient_id, head.channel


def _grouped(heads: Sequence[_Head], key: Any) -> list[list[_Head]]:
    return [list(group) for _, group in groupby(sorted(heads, key=key), key=key)]


def _in_turn(group: Sequence[_Head]) -> list[Claim]:
    """The oldest first; what can be acknowledged last, for the last one's buttons are shown."""
    turns = sorted(group, key=lambda head: (bool(head.data.get("ack")), head.id))
    return [head.claim for head in turns]


def _lately(heads: Sequence[_Head], now: datetime) -> dict[tuple[int, str, str], datetime]:
    """When each was last told of each thing, as far as that was within the last minute."""
    low = [head for head in heads if head.may_digest]
    if not low:
        return {}
    sent = Message.objects.filter(
        topic__in={head.topic for head in low},
        recipient__in={head.recipient_id for head in low},
        state=MessageState.SENT,
        sent_at__gt=now - APART,
    )
    found: dict[tuple[int, str, str], datetime] = {}
    rows = sent.values_list("recipient_id", "channel", "topic", "sent_at")
    for recipient_id, channel, topic, sent_at in rows:
        key = (recipient_id, channel, topic)
        if sent_at is not None:
            found[key] = max(sent_at, found.get(key, sent_at))
    return found


def _waits(
    group: Sequence[_Head], lately: Mapping[tuple[int, str, str], datetime]
) -> datetime | None:
    if not all(head.may_digest for head in group):
        return None
    last = lately.get(group[0].about[:3])
    return last + APART if last else None


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:200]
